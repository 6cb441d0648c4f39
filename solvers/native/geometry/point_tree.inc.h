/* Point tree: weighted points in DIM dimensions, arranged so that the smallest of
 *
 *     value(x, j) = scale * |x - y_j|^POWER + w_j
 *
 * over all points, or all values up to a bound, are found from a few of them.
 *
 * The points are in k-d order, cut into tiles of at most TILE; tiles are in groups of FAN, these in groups of FAN, and
 * so on up to a single group. The bound of a node follows from a plane fitted to q_j = scale |y_j|^2 + w_j over its
 * points: with y_j = g + d, |d| <= half, and q_j >= floor + 2 scale s.d,
 *
 *     value(x, j) = scale |x|^2 - 2 scale x.y_j + q_j
 *                >= scale |x|^2 - 2 scale x.g + floor - 2 scale sum_a |x_a - s_a| half_a.
 *
 * That is for POWER = 2. For POWER = 1, q_j is w_j alone, and |x - y| lies above its tangent at g:
 *
 *     value(x, j) >= scale |x - g| + floor - scale sum_a |t_a + 2 s_a| half_a,  t = (g - x) / |g - x|.
 *
 * Near an optimum q is close to a convex function whose gradient at y_j is the x that y_j is matched to, so the plane
 * is nearly exact and few tiles pass. A floor stays valid while weights rise, so it may be renewed late or never.
 */
#pragma once

#include "core/arena.h"
#include "geometry/kd_order.inc.h"
#include "simd/simd.h"

enum { TILE = 32, FAN = 16, FAN_LOG = 4, MAX_HEIGHT = 8 };

/* Nodes of one height of the tree, leaves first; FAN consecutive ones have one parent. */
typedef struct {
    int64_t count;       /* a power of two; padded to a multiple of WIDTH with empty nodes */
    double *middle[DIM]; /* g, relative to the centre */
    double *half[DIM];
    double *slope[DIM]; /* s, relative to the centre */
    double *floor;      /* less the rounding error; +inf for padding */
} tree_level_t;

typedef struct {
    int64_t count;
    int log_tiles; /* there are 2^log_tiles tiles; tile t holds the points [count * t >> log_tiles, ...) */
    double scale;
    double margin;      /* rounding error of the parts of a bound that do not depend on x */
    double centre[DIM]; /* origin of the bounds, so that an offset of all points costs no digits */
    double *y[DIM];     /* (count + WIDTH) coordinates, in tree order; +inf past the end */
    double *weight;     /* (count + WIDTH) +inf past the end; owned by the caller */
    int height;
    tree_level_t level[MAX_HEIGHT];
} point_tree_t;

static inline int64_t part(int64_t count, int log_parts, int64_t index) { return (count * index) >> log_parts; }

/* First point of a node; it ends where the next node starts. */
static inline int64_t node_begin(const point_tree_t *c, int height, int64_t node) {
    return part(c->count, c->log_tiles - FAN_LOG * height, node);
}

static inline int64_t tile_of(const point_tree_t *c, int64_t j) { return (((j + 1) << c->log_tiles) - 1) / c->count; }

/* ---- order ---- */

/* Order points so that each of 2^d parts, for every d <= depth, is a box of its own: halve the widest side. */
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

/* Points in k-d order. */
typedef struct {
    int32_t *order; /* (count) */
    double *at;     /* (count, DIM) */
} kd_ordered_t;

static int kd_ordered_make(kd_ordered_t *o, arena_t *a, const double *points, int64_t count) {
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

/* Build the tree of points in k-d order; `weight` must have room for WIDTH more. */
static int point_tree_build(point_tree_t *c, arena_t *a, const double *points, int64_t count, double scale,
                            double *weight) {
    *c = (point_tree_t){.count = count, .scale = scale, .weight = weight, .log_tiles = log_parts(count, TILE)};
    for (int axis = 0; axis < DIM; axis++) {
        c->y[axis] = arena_take(a, count + WIDTH, sizeof(double));
    }
    for (int log_nodes = c->log_tiles; log_nodes >= 0; log_nodes -= FAN_LOG) {
        tree_level_t *level = &c->level[c->height++];
        level->count = (int64_t)1 << log_nodes;
        const int64_t room = (level->count + WIDTH - 1) / WIDTH * WIDTH;
        level->floor = arena_take(a, room, sizeof(double));
        for (int axis = 0; axis < DIM; axis++) {
            level->middle[axis] = arena_take(a, room, sizeof(double));
            level->half[axis] = arena_take(a, room, sizeof(double));
            level->slope[axis] = arena_take(a, room, sizeof(double));
        }
        for (int64_t t = level->count; t < room && !a->failed; t++) {
            level->floor[t] = INFINITY;
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
        const tree_level_t *level = &c->level[h];
        for (int64_t t = 0; t < level->count; t++) {
            const int64_t begin = node_begin(c, h, t), end = node_begin(c, h, t + 1);
            for (int axis = 0; axis < DIM; axis++) {
                double low = INFINITY, high = -INFINITY;
                for (int64_t j = begin; j < end; j++) {
                    low = c->y[axis][j] < low ? c->y[axis][j] : low;
                    high = c->y[axis][j] > high ? c->y[axis][j] : high;
                }
                level->middle[axis][t] =
                    begin < end ? 0.5 * (low - c->centre[axis]) + 0.5 * (high - c->centre[axis]) : 0.0;
                level->half[axis][t] = begin < end ? 0.5 * (high - low) * (1.0 + 0x1p-50) : 0.0;
            }
        }
    }
    return 1;
}

/* ---- bounds ---- */

/* A point relative to the centre; returns its q. */
static inline double about_centre(const point_tree_t *c, int64_t j, double *point) {
    double square = 0.0;
    for (int axis = 0; axis < DIM; axis++) {
        point[axis] = c->y[axis][j] - c->centre[axis];
        square += point[axis] * point[axis];
    }
    return POWER == 2 ? c->scale * square + c->weight[j] : c->weight[j];
}

/* Renew the floors for the present weights. */
static void point_tree_update_floors(point_tree_t *c) {
    const v4_t scale = v4_all(c->scale), twice = v4_all(2.0 * c->scale);
    for (int h = 0; h < c->height; h++) {
        const tree_level_t *level = &c->level[h];
        for (int64_t t = 0; t < level->count; t++) {
            const int64_t begin = node_begin(c, h, t), end = node_begin(c, h, t + 1);
            v4_t low4 = v4_all(INFINITY);
            int64_t j = begin;
            for (; j + WIDTH <= end; j += WIDTH) {
                v4_t square = v4_all(0.0), plane = square;
                for (int axis = 0; axis < DIM; axis++) {
                    const v4_t y = v4_sub(v4_load(c->y[axis] + j), v4_all(c->centre[axis]));
                    const v4_t d = v4_sub(y, v4_all(level->middle[axis][t]));
                    square = v4_add(square, v4_mul(y, y));
                    plane = v4_add(plane, v4_mul(v4_all(level->slope[axis][t]), d));
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
                    plane += level->slope[axis][t] * (point[axis] - level->middle[axis][t]);
                }
                const double above = q - 2.0 * c->scale * plane;
                low = above < low ? above : low;
            }
            double steep = 0.0; /* rounding grows with the terms of the plane */
            for (int axis = 0; axis < DIM; axis++) {
                steep += fabs(level->slope[axis][t]) * (fabs(level->middle[axis][t]) + level->half[axis][t]);
            }
            level->floor[t] = low - (c->margin + 0x1p-46 * c->scale * steep);
        }
    }
}

/* Sweeps over the axes when fitting a plane. */
enum { SWEEPS = 3 };

/* Fit the planes to the present weights. The part of |y|^2 in a plane is known; the rest follows by least squares, one
 * axis after the other. */
static void point_tree_fit_planes(point_tree_t *c) {
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
        const tree_level_t *level = &c->level[h];
        for (int64_t t = 0; t < level->count; t++) {
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
                /* Every slope gives a valid bound, but NaN or one beyond all coordinates would be useless. */
                level->slope[axis][t] = fabs(slope) <= 0x1p20 * sqrt(radius) ? slope : 0.0;
            }
        }
    }
    point_tree_update_floors(c);
}
