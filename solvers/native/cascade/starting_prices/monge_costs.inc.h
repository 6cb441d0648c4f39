/* Matrices of Monge costs in unknown order: find the order, match in it, and check the result. */
#pragma once

#include "cascade/dense_costs.inc.h"
#include "cascade/starting_prices/coarse_levels.inc.h"
#include "cascade/starting_prices/representatives.inc.h"
#include "core/sorting.h"

/* Rows are sorted by the difference of two columns; the columns that differ most are the last and the first in the
 * order given by the difference of two rows. A few turns find both. */
enum { MONGE_TURNS = 3, MONGE_SAMPLE = 400, MONGE_PART = 32 };

/* The most that pairs may exceed the cheapest by, relative to the gap that the minima of rows and columns leave. */
static const double ROUNDED_AWAY = 1e-12;

/* The end of an order so far. Beyond the two ends that keys are taken from, keys may be equal: then the larger cost is
 * further out. */
typedef struct {
    double key, cost;
    int64_t item;
} order_end_t;

static inline void move_end(order_end_t *end, double key, double cost, int64_t item) {
    if (key > end->key || (key == end->key && cost > end->cost)) {
        *end = (order_end_t){key, cost, item};
    }
}

/* Find the ends of the orders of rows and of columns, starting from any two columns. */
static void find_ends(const dense_costs_t *c, int64_t n, int64_t m, int64_t rows[2], int64_t columns[2]) {
    const order_end_t nowhere = {-INFINITY, -INFINITY, 0};
    for (int turn = 0; turn < MONGE_TURNS; turn++) {
        order_end_t first = nowhere, last = nowhere;
        for (int64_t i = 0; i < n; i++) {
            const double a = entry(c, i, columns[0]), b = entry(c, i, columns[1]);
            move_end(&first, b - a, b, i);
            move_end(&last, a - b, a, i);
        }
        rows[0] = first.item;
        rows[1] = last.item;
        first = last = nowhere;
        for (int64_t j = 0; j < m; j++) {
            const double a = entry(c, rows[0], j), b = entry(c, rows[1], j);
            move_end(&first, b - a, b, j);
            move_end(&last, a - b, a, j);
        }
        columns[0] = first.item;
        columns[1] = last.item;
    }
}

/* Place of a row or column in its order: by its key and, beyond the two ends that keys are taken from, by how far out
 * it is. */
typedef struct {
    double key, out;
    int32_t at;
} order_place_t;

static int compare_places(const void *a, const void *b) {
    const order_place_t *x = a, *y = b;
    const int order = compare_values(x->key, y->key);
    const int beyond = order ? order : compare_values(x->out, y->out);
    return beyond ? beyond : (x->at > y->at) - (x->at < y->at);
}

/* Sort `count` rows or columns; on entry key and out are their costs to the two ends of the other side. */
static void put_in_order(order_place_t *places, int64_t count, double rounding) {
    double low = INFINITY, high = -INFINITY;
    for (int64_t k = 0; k < count; k++) {
        const double first = places[k].key, last = places[k].out;
        places[k] = (order_place_t){first - last, first + last, (int32_t)k};
        low = fmin(low, first - last);
        high = fmax(high, first - last);
    }
    for (int64_t k = 0; k < count; k++) {
        order_place_t *p = &places[k];
        p->key = p->key <= low + rounding ? low : (p->key >= high - rounding ? high : p->key);
        p->out = p->key < low + 0.5 * (high - low) ? -p->out : p->out;
    }
    qsort(places, (size_t)count, sizeof *places, compare_places);
}

/* Whether random rows and columns, in these orders, never violate the Monge property by more than `rounding`. Costs
 * that are mostly sums satisfy it as well; the result is checked. */
static int seems_monge(const dense_costs_t *c, int64_t n, int64_t m, const order_place_t *rows,
                       const order_place_t *columns, double rounding) {
    for (uint64_t s = 0; s < MONGE_SAMPLE; s++) {
        int64_t at[4];
        for (uint64_t side = 0; side < 4; side++) {
            at[side] = (int64_t)(scrambled(4 * s + side) % (uint64_t)(side < 2 ? n : m));
        }
        const int64_t a = at[0] < at[1] ? at[0] : at[1], b = at[0] + at[1] - a;
        const int64_t x = at[2] < at[3] ? at[2] : at[3], y = at[2] + at[3] - x;
        const double crossed = entry(c, rows[a].at, columns[y].at) + entry(c, rows[b].at, columns[x].at);
        const double straight = entry(c, rows[a].at, columns[x].at) + entry(c, rows[b].at, columns[y].at);
        if (straight - crossed > rounding) {
            return 0;
        }
    }
    return 1;
}

/* The costs in the order that was found. */
typedef struct {
    const dense_costs_t *costs;
    const order_place_t *rows, *columns;
    int64_t n, m;
} ordered_costs_t;

#define MONGE_COSTS ordered_costs_t
#define MONGE_RISE ordered_costs_rise
#define MONGE_FALLS ordered_costs_fall
#include "assignment/monge_matching.inc.h"

static dd_t ordered_costs_rise(const ordered_costs_t *c, int64_t i, int64_t j) {
    const int64_t row = c->rows[i].at;
    return dd_difference(entry(c->costs, row, c->columns[j + 1].at), entry(c->costs, row, c->columns[j].at));
}

static int ordered_costs_fall(const ordered_costs_t *c, int64_t i, int64_t j) {
    return ordered_costs_rise(c, i, j).high <= 0.0;
}

/* Hold the pairs in order at their prices. */
static outcome_t hold_runs(auction_t *k, const ordered_costs_t *c, int32_t *column, double *v) {
    const outcome_t outcome = monge_match(c, column, v, k->stop);
    for (int64_t a = 0; a < k->n && outcome == SOLVED; a++) {
        const int64_t i = c->rows[a].at, j = c->columns[column[a]].at;
        k->owner[j] = (int32_t)i;
        k->held[i] = (int32_t)j;
        k->held_cost[i] = entry(k->costs, i, j);
    }
    for (int64_t j = 0; j < k->m && outcome == SOLVED; j++) {
        k->price[c->columns[j].at] = -v[j];
    }
    return outcome;
}

/* Sum up how much the held pairs exceed the cheapest of their rows at these prices. */
static outcome_t sum_missed(auction_t *k, const double *price, double *missed) {
    *missed = 0.0;
    for (int64_t i = 0; i < k->n; i++) {
        const double least = row_minima(row_of(k->costs, i), price, k->m, k->lane_low);
        const double above = k->held_cost[i] + price[k->held[i]] - least;
        *missed += above > 0.0 ? above : 0.0;
        const outcome_t outcome = auction_count_scan(k);
        if (outcome != SOLVED) {
            return outcome;
        }
    }
    return SOLVED;
}

/* Check whether the pairs are the cheapest of their rows up to rounding: up to a small part of the gap that the minima
 * of columns and rows alone would leave. Otherwise their prices are a good start. */
static outcome_t check_pairs(auction_t *k, const double *column_low, double *price, start_t *start) {
    double missed, open = 0.0;
    outcome_t outcome = sum_missed(k, k->price, &missed);
    if (outcome == SOLVED && missed > 0.0) {
        for (int64_t j = 0; j < k->m; j++) {
            price[j] = k->spare > 0 ? 0.0 : -column_low[j];
        }
        outcome = sum_missed(k, price, &open);
    }
    *start = missed <= ROUNDED_AWAY * open ? START_OPTIMUM : START_PRICES;
    return outcome;
}

/* Put rows and columns in order; return whether the costs seem to be Monge then. */
static int find_orders(const dense_costs_t *c, int64_t n, int64_t m, double rounding, order_place_t *rows,
                       order_place_t *columns) {
    int64_t row_ends[2], column_ends[2] = {0, m / 2};
    find_ends(c, n, m, row_ends, column_ends);
    for (int64_t i = 0; i < n; i++) {
        rows[i] = (order_place_t){entry(c, i, column_ends[0]), entry(c, i, column_ends[1]), 0};
    }
    for (int64_t j = 0; j < m; j++) {
        columns[j] = (order_place_t){entry(c, row_ends[0], j), entry(c, row_ends[1], j), 0};
    }
    put_in_order(rows, n, rounding);
    put_in_order(columns, m, rounding);
    return seems_monge(c, n, m, rows, columns, rounding);
}

/* Whether a few rows and columns seem to be Monge: no part of a matrix that is Monge is anything else. */
static int part_seems_monge(const dense_costs_t *c, int64_t n, int64_t m, double rounding) {
    cost_t entries[MONGE_PART * MONGE_PART];
    order_place_t rows[MONGE_PART], columns[MONGE_PART];
    for (uint64_t i = 0; i < MONGE_PART; i++) {
        const cost_t *row = row_of(c, (int64_t)(scrambled(i) % (uint64_t)n));
        for (uint64_t j = 0; j < MONGE_PART; j++) {
            entries[i * MONGE_PART + j] = row[scrambled(~j) % (uint64_t)m];
        }
    }
    const dense_costs_t part = {entries, MONGE_PART, 0};
    return find_orders(&part, MONGE_PART, MONGE_PART, rounding, rows, columns);
}

/* For costs without forbidden pairs. */
static outcome_t start_monge(auction_t *k, path_search_t *s, const dense_problem_t *problem, start_t *start) {
    const int64_t n = k->n, m = k->m;
    /* Rounding error of a sum or two of costs, in the type that they were rounded to. */
    const double epsilon = sizeof(cost_t) == sizeof(float) ? FLT_EPSILON : DBL_EPSILON;
    const double rounding = 4.0 * epsilon * largest_magnitude(&problem->cost_range);
    if (!part_seems_monge(k->costs, n, m, rounding)) {
        return SOLVED;
    }
    arena_t arena = {0};
    order_place_t *rows = arena_take(&arena, n, sizeof *rows), *columns = arena_take(&arena, m, sizeof *columns);
    int32_t *column = arena_take(&arena, n, sizeof *column);
    double *v = arena_take(&arena, m + WIDTH, sizeof *v);
    outcome_t outcome = arena.failed ? OUT_OF_MEMORY : SOLVED;
    if (outcome == SOLVED && find_orders(k->costs, n, m, rounding, rows, columns)) {
        const ordered_costs_t costs = {k->costs, rows, columns, n, m};
        outcome = hold_runs(k, &costs, column, v);
        if (outcome == SOLVED) {
            s->u[n] = 0.0;
            outcome = check_pairs(k, problem->column_low, v, start);
        }
    }
    arena_free(&arena);
    return outcome;
}
