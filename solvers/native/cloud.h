/* A cloud of weighted points in DIM dimensions, laid out so that the smallest of
 *
 *     value(x, j) = scale * |x - y_j|^POWER + w_j
 *
 * over all its points, or all values up to a bound, is found by looking at a few of them.
 *
 * The points stand in the order of a k-d tree, cut into tiles of at most TILE; tiles stand in groups of FAN, these in
 * groups of FAN, and so on up to a single group. A node's bound follows from a plane fitted to q_j = scale |y_j|^2 +
 * w_j over its points: with y_j = g + d, |d| <= half, and q_j >= floor + 2 scale s.d,
 *
 *     value(x, j) = scale |x|^2 - 2 scale x.y_j + q_j
 *                >= scale |x|^2 - 2 scale x.g + floor - 2 scale sum_a |x_a - s_a| half_a.
 *
 * That is for POWER = 2. For distances themselves, POWER = 1, q_j is w_j alone, and |x - y| lies above its tangent at
 * g:
 *
 *     value(x, j) >= scale |x - g| + floor - scale sum_a |t_a + 2 s_a| half_a,  t = (g - x) / |g - x|.
 *
 * Near an optimum q is close to a convex function whose gradient at y_j is what x is matched to y_j by, so the plane is
 * nearly exact and few tiles pass. A floor stays true while weights rise, so it may be renewed late or never.
 */
#ifndef LAPMARK_CLOUD_H
#define LAPMARK_CLOUD_H

#include "arena.h"
#include "kd.h"
#include "offers.h"
#include "vec.h"

#ifndef POWER
#define POWER 2
#endif

enum { TILE = 32, FAN = 16, FAN_LOG = 4, MAX_HEIGHT = 8 };

/* Nodes of one height of the tree, leaves first; FAN consecutive ones have one parent. */
typedef struct {
    int64_t count;       /* a power of two; padded to a multiple of WIDTH with nodes that hold nothing */
    double *middle[DIM]; /* g, about the cloud's centre */
    double *half[DIM];
    double *slope[DIM]; /* s, about the centre */
    double *floor;      /* less what rounding could hide; +inf for padding */
} storey_t;

typedef struct {
    int64_t count;
    int log_tiles; /* there are 2^log_tiles tiles; tile t holds the points [count * t >> log_tiles, ...) */
    double scale;
    double margin;      /* what rounding can make of the parts of a bound that do not depend on x */
    double centre[DIM]; /* bounds are taken about it, so that an offset of the whole costs no digits */
    double *y[DIM];     /* (count + WIDTH) coordinates, in tree order; +inf past the end */
    double *weight;     /* (count + WIDTH) +inf past the end; not the cloud's own */
    int height;
    storey_t storey[MAX_HEIGHT];
} cloud_t;

static inline int64_t part(int64_t count, int log_parts, int64_t index) { return (count * index) >> log_parts; }

/* First point of a node; its last is before the first of the next. */
static inline int64_t node_begin(const cloud_t *c, int height, int64_t node) {
    return part(c->count, c->log_tiles - FAN_LOG * height, node);
}

static inline int64_t tile_of(const cloud_t *c, int64_t j) { return (((j + 1) << c->log_tiles) - 1) / c->count; }

/* ---- order ---- */

/* Order points so that each of 2^d parts, for every d <= depth, is a box of its own: split the widest side in halves.
 */
static void kd_order(const double *points, int32_t *order, int64_t count, int depth) {
    for (int d = 0; d < depth; d++) {
        for (int64_t node = 0; node < (int64_t)1 << d; node++) {
            const int64_t begin = part(count, d, node), end = part(count, d, node + 1);
            if (end - begin < 2) {
                continue;
            }
            kd_split(points, order, begin, end, part(count, d + 1, 2 * node + 1));
        }
    }
}

/* The least d with count / 2^d <= most. */
static inline int log_parts(int64_t count, int64_t most) {
    int d = 0;
    while ((count + ((int64_t)1 << d) - 1) >> d > most) {
        d++;
    }
    return d;
}

/* Where points are, in an order in which neighbours are near each other. */
typedef struct {
    int32_t *order; /* (count) */
    double *at;     /* (count, DIM) */
} ordered_t;

static int ordered_make(ordered_t *o, arena_t *a, const double *points, int64_t count) {
    o->order = arena_take(a, count, sizeof *o->order);
    o->at = arena_take(a, count * DIM, sizeof *o->at);
    if (a->failed) {
        return 0;
    }
    for (int64_t i = 0; i < count; i++) {
        o->order[i] = (int32_t)i;
    }
    kd_order(points, o->order, count, log_parts(count, 4));
    for (int64_t i = 0; i < count * DIM; i++) {
        o->at[i] = coordinate(points, o->order[i / DIM], (int)(i % DIM));
    }
    return 1;
}

/* ---- build ---- */

/* Points that stand in k-d order (in boxes of `depth`) become a cloud; `weight` has room for WIDTH more. */
static int cloud_make(cloud_t *c, arena_t *a, const double *points, int64_t count, double scale, double *weight) {
    *c = (cloud_t){.count = count, .scale = scale, .weight = weight, .log_tiles = log_parts(count, TILE)};
    for (int axis = 0; axis < DIM; axis++) {
        c->y[axis] = arena_take(a, count + WIDTH, sizeof(double));
    }
    for (int log_nodes = c->log_tiles; log_nodes >= 0; log_nodes -= FAN_LOG) {
        storey_t *storey = &c->storey[c->height++];
        storey->count = (int64_t)1 << log_nodes;
        const int64_t room = (storey->count + WIDTH - 1) / WIDTH * WIDTH;
        storey->floor = arena_take(a, room, sizeof(double));
        for (int axis = 0; axis < DIM; axis++) {
            storey->middle[axis] = arena_take(a, room, sizeof(double));
            storey->half[axis] = arena_take(a, room, sizeof(double));
            storey->slope[axis] = arena_take(a, room, sizeof(double));
        }
        for (int64_t t = storey->count; t < room && !a->failed; t++) {
            storey->floor[t] = INFINITY;
        }
        if (log_nodes <= FAN_LOG) {
            break;
        }
    }
    if (a->failed) {
        return 0;
    }
    for (int axis = 0; axis < DIM; axis++) {
        double low = INFINITY, high = -INFINITY;
        for (int64_t j = 0; j < count + WIDTH; j++) {
            const double y = j < count ? coordinate(points, j, axis) : INFINITY;
            c->y[axis][j] = y;
            low = y < low ? y : low;
            high = j < count && y > high ? y : high;
        }
        c->centre[axis] = low + 0.5 * (high - low);
    }
    for (int64_t j = count; j < count + WIDTH; j++) {
        weight[j] = INFINITY;
    }
    for (int h = 0; h < c->height; h++) {
        const storey_t *storey = &c->storey[h];
        for (int64_t t = 0; t < storey->count; t++) {
            const int64_t begin = node_begin(c, h, t), end = node_begin(c, h, t + 1);
            for (int axis = 0; axis < DIM; axis++) {
                double low = INFINITY, high = -INFINITY;
                for (int64_t j = begin; j < end; j++) {
                    low = c->y[axis][j] < low ? c->y[axis][j] : low;
                    high = c->y[axis][j] > high ? c->y[axis][j] : high;
                }
                storey->middle[axis][t] =
                    begin < end ? 0.5 * (low - c->centre[axis]) + 0.5 * (high - c->centre[axis]) : 0.0;
                storey->half[axis][t] = begin < end ? 0.5 * (high - low) * (1.0 + 0x1p-50) : 0.0;
            }
        }
    }
    return 1;
}

/* ---- bounds ---- */

/* A point about the centre, and its q. */
static inline double about_centre(const cloud_t *c, int64_t j, double *point) {
    double square = 0.0;
    for (int axis = 0; axis < DIM; axis++) {
        point[axis] = c->y[axis][j] - c->centre[axis];
        square += point[axis] * point[axis];
    }
    return POWER == 2 ? c->scale * square + c->weight[j] : c->weight[j];
}

/* Raise the floors to the weights of now. */
static void cloud_raise_floors(cloud_t *c) {
    const v4_t scale = v4_all(c->scale), twice = v4_all(2.0 * c->scale);
    for (int h = 0; h < c->height; h++) {
        const storey_t *storey = &c->storey[h];
        for (int64_t t = 0; t < storey->count; t++) {
            const int64_t begin = node_begin(c, h, t), end = node_begin(c, h, t + 1);
            v4_t low4 = v4_all(INFINITY);
            int64_t j = begin;
            for (; j + WIDTH <= end; j += WIDTH) {
                v4_t square = v4_all(0.0), plane = square;
                for (int axis = 0; axis < DIM; axis++) {
                    const v4_t y = v4_sub(v4_load(c->y[axis] + j), v4_all(c->centre[axis]));
                    const v4_t d = v4_sub(y, v4_all(storey->middle[axis][t]));
                    square = v4_add(square, v4_mul(y, y));
                    plane = v4_add(plane, v4_mul(v4_all(storey->slope[axis][t]), d));
                }
                const v4_t weight = v4_load(c->weight + j);
                const v4_t q = POWER == 2 ? v4_add(v4_mul(scale, square), weight) : weight;
                low4 = v4_min(v4_sub(q, v4_mul(twice, plane)), low4);
            }
            double low = v4_lowest(low4);
            for (; j < end; j++) {
                double point[DIM], plane = 0.0;
                const double q = about_centre(c, j, point);
                for (int axis = 0; axis < DIM; axis++) {
                    plane += storey->slope[axis][t] * (point[axis] - storey->middle[axis][t]);
                }
                const double above = q - 2.0 * c->scale * plane;
                low = above < low ? above : low;
            }
            double steep = 0.0; /* rounding grows with the plane's own terms */
            for (int axis = 0; axis < DIM; axis++) {
                steep += fabs(storey->slope[axis][t]) * (fabs(storey->middle[axis][t]) + storey->half[axis][t]);
            }
            storey->floor[t] = low - (c->margin + 0x1p-46 * c->scale * steep);
        }
    }
}

/* Sweeps over the axes in which a plane is fitted. */
enum { SWEEPS = 3 };

/* Fit the planes to the weights of now. What |y|^2 adds to a plane is known; what else there is follows by least
 * squares, one axis after the other. */
static void cloud_fit(cloud_t *c) {
    double radius = 0.0, heaviest = 0.0;
    for (int64_t j = 0; j < c->count; j++) {
        double square = 0.0;
        for (int axis = 0; axis < DIM; axis++) {
            const double y = c->y[axis][j] - c->centre[axis];
            square += y * y;
        }
        radius = square > radius ? square : radius;
        heaviest = fabs(c->weight[j]) > heaviest ? fabs(c->weight[j]) : heaviest;
    }
    c->margin = 0x1p-46 * (c->scale * (POWER == 2 ? radius : sqrt(radius)) + heaviest);
    for (int h = 0; h < c->height; h++) {
        const storey_t *storey = &c->storey[h];
        for (int64_t t = 0; t < storey->count; t++) {
            const int64_t begin = node_begin(c, h, t), end = node_begin(c, h, t + 1);
            double mean[DIM] = {0.0}, along[DIM] = {0.0}, across[DIM][DIM] = {{0.0}}, steep[DIM] = {0.0};
            for (int axis = 0; axis < DIM; axis++) {
                for (int64_t j = begin; j < end; j++) {
                    mean[axis] += (c->y[axis][j] - c->centre[axis]) / (double)(end - begin);
                }
            }
            for (int64_t j = begin; j < end; j++) {
                double away[DIM], q = c->weight[j] - c->weight[begin];
                for (int axis = 0; axis < DIM; axis++) {
                    away[axis] = c->y[axis][j] - c->centre[axis] - mean[axis];
                    q += POWER == 2 ? c->scale * away[axis] * away[axis] : 0.0;
                }
                for (int axis = 0; axis < DIM; axis++) {
                    along[axis] += away[axis] * q;
                    for (int other = 0; other < DIM; other++) {
                        across[axis][other] += away[axis] * away[other];
                    }
                }
            }
            for (int sweep = 0; sweep < SWEEPS * DIM; sweep++) {
                const int axis = sweep % DIM;
                double left = along[axis] + across[axis][axis] * steep[axis];
                for (int other = 0; other < DIM; other++) {
                    left -= across[axis][other] * steep[other];
                }
                steep[axis] = across[axis][axis] > 0.0 ? left / across[axis][axis] : 0.0;
            }
            for (int axis = 0; axis < DIM; axis++) {
                const double slope = (POWER == 2 ? mean[axis] : 0.0) + steep[axis] / (2.0 * c->scale);
                /* Any slope is right; one that is not a number, or beyond all coordinates, would not be useful. */
                storey->slope[axis][t] = fabs(slope) <= 0x1p20 * sqrt(radius) ? slope : 0.0;
            }
        }
    }
    cloud_raise_floors(c);
}

/* ---- search ---- */

/* A question to a cloud: what is at most `limit`, or what is smallest, as seen from x. */
typedef struct {
    double x[DIM], centred[DIM];
    double base;   /* scale |x|^2 about the centre, less what rounding can make of it */
    double low;    /* smallest value seen so far */
    double spread; /* wanted are values up to low + spread */
    double limit;
    offer_t *offers; /* (room) where they go; NULL where only the smallest value is asked for */
    int64_t count, room, enough;
    int64_t tile; /* where the smallest value was */
} look_t;

static look_t look_from(const cloud_t *c, const double *x) {
    look_t look = {.low = INFINITY, .limit = INFINITY};
    double square = 0.0;
    for (int axis = 0; axis < DIM; axis++) {
        look.x[axis] = x[axis];
        look.centred[axis] = x[axis] - c->centre[axis];
        square += look.centred[axis] * look.centred[axis];
    }
    look.base = c->scale * square * (1.0 - 0x1p-46);
    return look;
}

static inline v4_t value4(const cloud_t *c, const look_t *look, int64_t j, v4_t *cost) {
    v4_t square = v4_all(0.0);
    for (int axis = 0; axis < DIM; axis++) {
        const v4_t d = v4_sub(v4_all(look->x[axis]), v4_load(c->y[axis] + j));
        square = v4_add(square, v4_mul(d, d));
    }
    *cost = v4_mul(v4_all(c->scale), POWER == 2 ? square : v4_sqrt(square));
    return v4_add(*cost, v4_load(c->weight + j));
}

/* Lower bounds of `count` <= FAN nodes from `first` on. */
static inline void node_bounds(const cloud_t *c, const look_t *look, const storey_t *storey, int64_t first,
                               int64_t count, double *bounds) {
    const v4_t base = v4_all(look->base), twice = v4_all(2.0 * c->scale);
    const v4_t shrunk = v4_all(c->scale * (1.0 - 0x1p-46)), grown = v4_all(c->scale * (1.0 + 0x1p-46));
    for (int64_t t = 0; t < count; t += WIDTH) {
        const int64_t at = first + t;
        v4_t reach = v4_all(0.0);
        if (POWER == 1) {
            v4_t away[DIM], square = v4_all(0.0);
            for (int axis = 0; axis < DIM; axis++) {
                away[axis] = v4_sub(v4_load(storey->middle[axis] + at), v4_all(look->centred[axis]));
                square = v4_add(square, v4_mul(away[axis], away[axis]));
            }
            const v4_t distance = v4_sqrt(square), divisor = v4_max(distance, v4_all(0x1p-500));
            for (int axis = 0; axis < DIM; axis++) {
                const v4_t slope = v4_load(storey->slope[axis] + at);
                const v4_t off = v4_add(v4_div(away[axis], divisor), v4_add(slope, slope));
                reach = v4_add(reach, v4_mul(v4_abs(off), v4_load(storey->half[axis] + at)));
            }
            const v4_t above = v4_sub(v4_mul(shrunk, distance), v4_mul(grown, reach));
            v4_store(bounds + t, v4_add(above, v4_load(storey->floor + at)));
            continue;
        }
        for (int axis = 0; axis < DIM; axis++) {
            const v4_t x = v4_all(look->centred[axis]);
            const v4_t off = v4_abs(v4_sub(x, v4_load(storey->slope[axis] + at)));
            reach = v4_add(reach, v4_mul(x, v4_load(storey->middle[axis] + at)));
            reach = v4_add(reach, v4_mul(off, v4_load(storey->half[axis] + at)));
        }
        v4_store(bounds + t, v4_add(base, v4_sub(v4_load(storey->floor + at), v4_mul(twice, reach))));
    }
}

/* Smallest value of one tile. */
static inline double tile_minimum(const cloud_t *c, const look_t *look, int64_t tile) {
    const int64_t end = node_begin(c, 0, tile + 1);
    v4_t low = v4_all(INFINITY), cost;
    int64_t j = node_begin(c, 0, tile);
    for (; j + WIDTH <= end; j += WIDTH) {
        low = v4_min(value4(c, look, j, &cost), low);
    }
    double least = v4_lowest(low);
    if (j < end) {
        double tail[WIDTH];
        v4_store(tail, value4(c, look, j, &cost));
        for (int l = 0; j + l < end; l++) {
            least = tail[l] < least ? tail[l] : least;
        }
    }
    return least;
}

/* Add the values of one tile up to the limit to the offers, lowering the limit as smaller ones turn up. */
static inline void tile_offers(const cloud_t *c, look_t *look, int64_t tile) {
    const int64_t end = node_begin(c, 0, tile + 1);
    for (int64_t j = node_begin(c, 0, tile); j < end; j += WIDTH) {
        v4_t cost;
        const v4_t value = value4(c, look, j, &cost);
        unsigned lanes = v4_at_most(value, v4_all(look->limit));
        lanes &= end - j < WIDTH ? (1u << (end - j)) - 1u : (1u << WIDTH) - 1u;
        if (!lanes) {
            continue;
        }
        double values[WIDTH], costs[WIDTH];
        v4_store(values, value);
        v4_store(costs, cost);
        for (; lanes; lanes &= lanes - 1) {
            const int l = first_lane(lanes);
            look->offers[look->count++] = (offer_t){values[l], costs[l], (int32_t)(j + l)};
            if (values[l] < look->low) {
                look->low = values[l];
                look->limit = look->low + look->spread < look->limit ? look->low + look->spread : look->limit;
            }
        }
        if (look->count > look->room - WIDTH) {
            offers_select(look->offers, look->count, look->enough);
            look->limit = look->offers[look->enough].value;
            look->count = look->enough + 1;
        }
    }
}

static void look_into(const cloud_t *c, look_t *look, int height, int64_t first, int64_t count, int64_t skip) {
    double bounds[FAN];
    node_bounds(c, look, &c->storey[height], first, count, bounds);
    for (int64_t t = 0; t < count; t++) {
        /* Not the other way round: a bound that overflowed to NaN must not hide anything. */
        if (bounds[t] > look->limit) {
            continue;
        }
        const int64_t node = first + t;
        if (height > 0) {
            look_into(c, look, height - 1, node * FAN, FAN, skip);
        } else if (node != skip) {
            if (look->offers) {
                tile_offers(c, look, node);
            } else {
                const double low = tile_minimum(c, look, node);
                if (low < look->low) {
                    look->limit = look->low = low;
                    look->tile = node;
                }
            }
        }
    }
}

/* Look through the whole cloud, but for one tile that was looked at before; -1 for none. */
static void look_around(const cloud_t *c, look_t *look, int64_t skip) {
    look_into(c, look, c->height - 1, 0, c->storey[c->height - 1].count, skip);
}

/* The smallest value as seen from x. The search begins at *tile, which becomes the tile where it was: a good place to
 * begin for a neighbour of x. */
static double cloud_minimum(const cloud_t *c, const double *x, int64_t *tile) {
    look_t look = look_from(c, x);
    look.limit = look.low = tile_minimum(c, &look, *tile);
    look.tile = *tile;
    look_around(c, &look, *tile);
    *tile = look.tile;
    return look.low;
}

#endif
