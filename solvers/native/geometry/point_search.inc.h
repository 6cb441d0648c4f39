/* Search in a point tree: the smallest value as seen from a point, or all values up to a bound. Compiled per dimension
 * (DIM) and power (POWER). */
#pragma once

#include "core/candidates.h"
#include "geometry/point_tree.inc.h"

/* A query: all values up to `limit`, or the smallest one, as seen from x. */
typedef struct {
    double x[DIM], centred[DIM];
    double base;   /* scale |x|^2 about the centre, less its rounding error */
    double low;    /* smallest value so far */
    double spread; /* wanted are values up to low + spread */
    double limit;
    candidate_t *candidates; /* (room) the values found; NULL if only the smallest one is wanted */
    int64_t count, room, enough;
    int64_t tile; /* the tile with the smallest value */
} point_query_t;

static point_query_t query_from(const point_tree_t *c, const double *x) {
    point_query_t query = {.low = INFINITY, .limit = INFINITY};
    double square = 0.0;
    for (int axis = 0; axis < DIM; axis++) {
        query.x[axis] = x[axis];
        query.centred[axis] = x[axis] - c->centre[axis];
        square += query.centred[axis] * query.centred[axis];
    }
    query.base = c->scale * square * (1.0 - 0x1p-46);
    return query;
}

static inline v4_t value4(const point_tree_t *c, const point_query_t *query, int64_t j, v4_t *cost) {
    v4_t square = v4_all(0.0);
    for (int axis = 0; axis < DIM; axis++) {
        const v4_t d = v4_sub(v4_all(query->x[axis]), v4_load(c->y[axis] + j));
        square = v4_add(square, v4_mul(d, d));
    }
    *cost = v4_mul(v4_all(c->scale), POWER == 2 ? square : v4_sqrt(square));
    return v4_add(*cost, v4_load(c->weight + j));
}

/* Lower bounds of `count` <= FAN nodes from `first` on. */
static inline void node_bounds(const point_tree_t *c, const point_query_t *query, const tree_level_t *level,
                               int64_t first, int64_t count, double *bounds) {
    const v4_t base = v4_all(query->base), twice = v4_all(2.0 * c->scale);
    const v4_t shrunk = v4_all(c->scale * (1.0 - 0x1p-46)), grown = v4_all(c->scale * (1.0 + 0x1p-46));
    for (int64_t t = 0; t < count; t += WIDTH) {
        const int64_t at = first + t;
        v4_t reach = v4_all(0.0);
        if (POWER == 1) {
            v4_t away[DIM], square = v4_all(0.0);
            for (int axis = 0; axis < DIM; axis++) {
                away[axis] = v4_sub(v4_load(level->middle[axis] + at), v4_all(query->centred[axis]));
                square = v4_add(square, v4_mul(away[axis], away[axis]));
            }
            const v4_t distance = v4_sqrt(square), divisor = v4_max(distance, v4_all(0x1p-500));
            for (int axis = 0; axis < DIM; axis++) {
                const v4_t slope = v4_load(level->slope[axis] + at);
                const v4_t off = v4_add(v4_div(away[axis], divisor), v4_add(slope, slope));
                reach = v4_add(reach, v4_mul(v4_abs(off), v4_load(level->half[axis] + at)));
            }
            const v4_t above = v4_sub(v4_mul(shrunk, distance), v4_mul(grown, reach));
            v4_store(bounds + t, v4_add(above, v4_load(level->floor + at)));
            continue;
        }
        for (int axis = 0; axis < DIM; axis++) {
            const v4_t x = v4_all(query->centred[axis]);
            const v4_t off = v4_abs(v4_sub(x, v4_load(level->slope[axis] + at)));
            reach = v4_add(reach, v4_mul(x, v4_load(level->middle[axis] + at)));
            reach = v4_add(reach, v4_mul(off, v4_load(level->half[axis] + at)));
        }
        v4_store(bounds + t, v4_add(base, v4_sub(v4_load(level->floor + at), v4_mul(twice, reach))));
    }
}

/* Smallest value of one tile. */
static inline double tile_minimum(const point_tree_t *c, const point_query_t *query, int64_t tile) {
    const int64_t end = node_begin(c, 0, tile + 1);
    v4_t low = v4_all(INFINITY), cost;
    int64_t j = node_begin(c, 0, tile);
    for (; j + WIDTH <= end; j += WIDTH) {
        low = v4_min(value4(c, query, j, &cost), low);
    }
    double least = v4_lowest(low);
    if (j < end) {
        double tail[WIDTH];
        v4_store(tail, value4(c, query, j, &cost));
        for (int l = 0; j + l < end; l++) {
            least = tail[l] < least ? tail[l] : least;
        }
    }
    return least;
}

/* Add the values of one tile up to the limit to the candidates; lower the limit as smaller values turn up. */
static inline void query_tile(const point_tree_t *c, point_query_t *query, int64_t tile) {
    const int64_t end = node_begin(c, 0, tile + 1);
    for (int64_t j = node_begin(c, 0, tile); j < end; j += WIDTH) {
        v4_t cost;
        const v4_t value = value4(c, query, j, &cost);
        unsigned lanes = v4_at_most(value, v4_all(query->limit));
        lanes &= end - j < WIDTH ? (1u << (end - j)) - 1u : (1u << WIDTH) - 1u;
        if (!lanes) {
            continue;
        }
        double values[WIDTH], costs[WIDTH];
        v4_store(values, value);
        v4_store(costs, cost);
        for (; lanes; lanes &= lanes - 1) {
            const int l = first_lane(lanes);
            query->candidates[query->count++] = (candidate_t){values[l], costs[l], (int32_t)(j + l)};
            if (values[l] < query->low) {
                query->low = values[l];
                query->limit = query->low + query->spread < query->limit ? query->low + query->spread : query->limit;
            }
        }
        if (query->count > query->room - WIDTH) {
            candidates_select(query->candidates, query->count, query->enough);
            query->limit = query->candidates[query->enough].value;
            query->count = query->enough + 1;
        }
    }
}

static void query_nodes(const point_tree_t *c, point_query_t *query, int height, int64_t first, int64_t count,
                        int64_t skip) {
    double bounds[FAN];
    node_bounds(c, query, &c->level[height], first, count, bounds);
    for (int64_t t = 0; t < count; t++) {
        /* Not `<=` the other way round: a bound that overflowed to NaN must not hide anything. */
        if (bounds[t] > query->limit) {
            continue;
        }
        const int64_t node = first + t;
        if (height > 0) {
            query_nodes(c, query, height - 1, node * FAN, FAN, skip);
        } else if (node != skip) {
            if (query->candidates) {
                query_tile(c, query, node);
            } else {
                const double low = tile_minimum(c, query, node);
                if (low < query->low) {
                    query->limit = query->low = low;
                    query->tile = node;
                }
            }
        }
    }
}

/* Search the whole tree except one tile that was searched before; -1: none. */
static void query_tree(const point_tree_t *c, point_query_t *query, int64_t skip) {
    query_nodes(c, query, c->height - 1, 0, c->level[c->height - 1].count, skip);
}

/* Write all candidates of value at most `bound`, as seen from x, and return their number. */
static int64_t query_all(const point_tree_t *c, const double *x, double bound, candidate_t *candidates) {
    point_query_t query = query_from(c, x);
    query.candidates = candidates;
    query.room = INT64_MAX;
    query.spread = INFINITY;
    query.limit = bound;
    query_tree(c, &query, -1);
    return query.count;
}

/* Return the smallest value as seen from x. The search starts at *tile, which becomes the tile of that value: a good
 * start for a neighbour of x. */
static double point_tree_minimum(const point_tree_t *c, const double *x, int64_t *tile) {
    point_query_t query = query_from(c, x);
    query.limit = query.low = tile_minimum(c, &query, *tile);
    query.tile = *tile;
    query_tree(c, &query, *tile);
    *tile = query.tile;
    return query.low;
}
