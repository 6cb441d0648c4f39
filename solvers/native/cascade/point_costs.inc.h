/* Squared Euclidean costs for cascade's auction: the columns are a point tree weighted with the prices. Compiled per
 * dimension (DIM). */
#pragma once

#include "cascade/auction_state.h"
#include "geometry/point_search.inc.h"

typedef struct {
    point_tree_t columns; /* weighted with the prices */
    const double *x;      /* (n, DIM) rows, in k-d order */
    int64_t phase;        /* the phase for which planes were fitted last */
    int64_t next_update;  /* number of bids at which to renew the bounds of the tree */
} point_costs_t;

enum { LIST = 32, MOST_CANDIDATES = 8 * LIST };

static double point_cost(const point_costs_t *c, int64_t i, int64_t j) {
    double square = 0.0;
    for (int axis = 0; axis < DIM; axis++) {
        const double d = coordinate(c->x, i, axis) - c->columns.y[axis][j];
        square += d * d;
    }
    return c->columns.scale * square;
}

static int64_t keep_within_limit(candidate_t *candidates, int64_t count, double limit) {
    int64_t kept = 0;
    for (int64_t o = 0; o < count; o++) {
        if (candidates[o].value <= limit) {
            candidates[kept++] = candidates[o];
        }
    }
    return kept;
}

/* k->latest is the row that was searched for last, -1 at first. Its neighbours in k-d order resemble it: it tells where
 * to start and how far to look. */
static int64_t point_nearest(auction_t *k, int64_t i, double spread, double *beyond) {
    const point_costs_t *c = k->costs;
    const point_tree_t *columns = &c->columns;
    point_query_t query = query_from(columns, c->x + i * DIM);
    int64_t tile = 0;
    if (spread < 0.0) {
        spread = k->latest >= 0 && k->spread[k->latest] >= 0.0 ? k->spread[k->latest] : INFINITY;
    }
    for (int guess = 0; guess < 2; guess++) {
        const int64_t like = guess == 0 ? i : k->latest;
        const bid_choice_t known = like >= 0 ? auction_best_of_list(k, like) : (bid_choice_t){INFINITY, INFINITY, -1};
        if (known.slot >= 0) {
            tile = tile_of(columns, k->column[known.slot]);
            break;
        }
    }
    k->latest = i;
    query.candidates = k->candidates;
    query.enough = LIST;
    query.room = MOST_CANDIDATES;
    query.spread = spread;
    query.low = tile_minimum(columns, &query, tile);
    query.limit = query.low + spread;
    query_tile(columns, &query, tile);
    query_tree(columns, &query, tile);
    *beyond = query.limit;
    return keep_within_limit(k->candidates, query.count, query.limit);
}

static int64_t point_within(auction_t *k, int64_t i, double bound) {
    const point_costs_t *c = k->costs;
    return query_all(&c->columns, c->x + i * DIM, bound, k->candidates);
}

/* To renew all bounds costs as much as some bids for every column, to fit the planes several times that. */
static void point_prices_rose(auction_t *k) {
    point_costs_t *c = k->costs;
    if (c->phase != k->counters->phases) {
        c->phase = k->counters->phases;
        point_tree_fit_planes(&c->columns);
    } else if (k->counters->bids >= c->next_update) {
        point_tree_update_floors(&c->columns);
        c->next_update = k->counters->bids + k->m / 3;
    }
}

static const cost_access_t point_access = {point_nearest, point_within, point_prices_rose};
