/* Matrices of Monge costs (runs.h) whose order is not known: it is found, and what is found is checked. */
#ifndef LAPMARK_MONGE_H
#define LAPMARK_MONGE_H

#include "landmarks.h"
#include "matrix.h"
#include "multilevel.h"
#include "ranked.h"

/* Rows are in order where they are by the difference of two columns; the columns that differ most are the last and the
 * first, in the order given by the difference of two rows. A few turns find both. */
enum { MONGE_TURNS = 3, MONGE_SAMPLE = 400 };

/* What pairs may miss the cheapest by, in parts of what the minima alone leave open. */
static const double ROUNDED_AWAY = 1e-12;

static double cost_of(const costs_t *c, int64_t i, int64_t j) { return (double)row_of(c, i)[j]; }

/* An end of an order so far: beyond the two that keys are taken from they may be equal, and whatever costs more is
 * further out. */
typedef struct {
    double key, cost;
    int64_t item;
} end_t;

static inline void move_end(end_t *end, double key, double cost, int64_t item) {
    if (key > end->key || (key == end->key && cost > end->cost)) {
        *end = (end_t){key, cost, item};
    }
}

/* Ends of the orders of rows and of columns, from any two columns. */
static void find_ends(const costs_t *c, int64_t n, int64_t m, int64_t rows[2], int64_t columns[2]) {
    const end_t nowhere = {-INFINITY, -INFINITY, 0};
    for (int turn = 0; turn < MONGE_TURNS; turn++) {
        end_t first = nowhere, last = nowhere;
        for (int64_t i = 0; i < n; i++) {
            const double a = cost_of(c, i, columns[0]), b = cost_of(c, i, columns[1]);
            move_end(&first, b - a, b, i);
            move_end(&last, a - b, a, i);
        }
        rows[0] = first.item;
        rows[1] = last.item;
        first = last = nowhere;
        for (int64_t j = 0; j < m; j++) {
            const double a = cost_of(c, rows[0], j), b = cost_of(c, rows[1], j);
            move_end(&first, b - a, b, j);
            move_end(&last, a - b, a, j);
        }
        columns[0] = first.item;
        columns[1] = last.item;
    }
}

/* Where a row or a column is in its order: by its key, and beyond the two ends that keys are taken from by how much
 * further out it is. */
typedef struct {
    double key, out;
    int32_t at;
} place_t;

static int by_place(const void *a, const void *b) {
    const place_t *x = a, *y = b;
    const int order = compare_values(x->key, y->key);
    const int beyond = order ? order : compare_values(x->out, y->out);
    return beyond ? beyond : (x->at > y->at) - (x->at < y->at);
}

/* Put `count` of them in order whose costs to the two ends of the other side are key and out so far. */
static void put_in_order(place_t *places, int64_t count, double rounding) {
    double low = INFINITY, high = -INFINITY;
    for (int64_t k = 0; k < count; k++) {
        const double first = places[k].key, last = places[k].out;
        places[k] = (place_t){first - last, first + last, (int32_t)k};
        low = fmin(low, first - last);
        high = fmax(high, first - last);
    }
    for (int64_t k = 0; k < count; k++) {
        place_t *p = &places[k];
        p->key = p->key <= low + rounding ? low : (p->key >= high - rounding ? high : p->key);
        p->out = p->key < low + 0.5 * (high - low) ? -p->out : p->out;
    }
    qsort(places, (size_t)count, sizeof *places, by_place);
}

/* Whether rows and columns at random, in these orders, are never the wrong way by more than `rounding`. Costs that are
 * sums, nearly everywhere, are not the right way either; what is found is checked. */
static int seems_monge(const costs_t *c, int64_t n, int64_t m, const place_t *rows, const place_t *columns,
                       double rounding) {
    for (uint64_t s = 0; s < MONGE_SAMPLE; s++) {
        int64_t at[4];
        for (uint64_t side = 0; side < 4; side++) {
            at[side] = (int64_t)(scrambled(4 * s + side) % (uint64_t)(side < 2 ? n : m));
        }
        const int64_t a = at[0] < at[1] ? at[0] : at[1], b = at[0] + at[1] - a;
        const int64_t x = at[2] < at[3] ? at[2] : at[3], y = at[2] + at[3] - x;
        const double crossed = cost_of(c, rows[a].at, columns[y].at) + cost_of(c, rows[b].at, columns[x].at);
        const double straight = cost_of(c, rows[a].at, columns[x].at) + cost_of(c, rows[b].at, columns[y].at);
        if (straight - crossed > rounding) {
            return 0;
        }
    }
    return 1;
}

/* The costs in the order that was found. */
typedef struct {
    const costs_t *costs;
    const place_t *rows, *columns;
    int64_t n, m;
} in_order_t;

#include "runs.h"

static exact_t rise(const in_order_t *c, int64_t i, int64_t j) {
    const int64_t row = c->rows[i].at;
    const double there = cost_of(c->costs, row, c->columns[j + 1].at), here = cost_of(c->costs, row, c->columns[j].at);
    return (exact_t){there - here, difference_rest(there, here)};
}

static int is_nearer(const in_order_t *c, int64_t i, int64_t j) { return rise(c, i, j).high <= 0.0; }

/* Hold the pairs in order at their prices. */
static outcome_t hold_runs(market_t *k, const in_order_t *c, int32_t *column, double *v) {
    const outcome_t outcome = match_in_order(c, column, v, k->stop);
    for (int64_t a = 0; a < k->n && outcome == SOLVED; a++) {
        const int64_t i = c->rows[a].at, j = c->columns[column[a]].at;
        k->owner[j] = (int32_t)i;
        k->held[i] = (int32_t)j;
        k->held_cost[i] = cost_of(k->costs, i, j);
    }
    for (int64_t j = 0; j < k->m && outcome == SOLVED; j++) {
        k->price[c->columns[j].at] = -v[j];
    }
    return outcome;
}

/* By how much what rows hold is above the cheapest at these prices, all together. */
static outcome_t sum_missed(market_t *k, const double *price, double *missed) {
    *missed = 0.0;
    for (int64_t i = 0; i < k->n; i++) {
        const double least = row_minima(row_of(k->costs, i), price, k->m, k->costs->low);
        const double above = k->held_cost[i] + price[k->held[i]] - least;
        *missed += above > 0.0 ? above : 0.0;
        const outcome_t outcome = count_scan(k);
        if (outcome != SOLVED) {
            return outcome;
        }
    }
    return SOLVED;
}

/* Whether the pairs are the cheapest of their rows, but for rounding: by less than a part of what the minima of columns
 * and rows alone would leave open. Else there are good prices to go on from. */
static outcome_t check_pairs(market_t *k, const double *column_low, double *price, opening_t *opening) {
    double missed, open = 0.0;
    outcome_t outcome = sum_missed(k, k->price, &missed);
    if (outcome == SOLVED && missed > 0.0) {
        for (int64_t j = 0; j < k->m; j++) {
            price[j] = k->spare > 0 ? 0.0 : -column_low[j];
        }
        outcome = sum_missed(k, price, &open);
    }
    *opening = missed <= ROUNDED_AWAY * open ? OPTIMUM : PRICES;
    return outcome;
}

/* For costs without forbidden pairs. */
static outcome_t open_monge(market_t *k, paths_t *s, const whole_t *whole, opening_t *opening) {
    const int64_t n = k->n, m = k->m;
    /* Of a sum or two of costs, in the type that they were rounded to. */
    const double epsilon = sizeof(cost_t) == sizeof(float) ? FLT_EPSILON : DBL_EPSILON;
    const double rounding = 4.0 * epsilon * largest_magnitude(&whole->survey);
    int64_t row_ends[2], column_ends[2] = {0, m / 2};
    find_ends(k->costs, n, m, row_ends, column_ends);
    arena_t arena = {0};
    place_t *rows = arena_take(&arena, n, sizeof *rows), *columns = arena_take(&arena, m, sizeof *columns);
    int32_t *column = arena_take(&arena, n, sizeof *column);
    double *v = arena_take(&arena, m + WIDTH, sizeof *v);
    outcome_t outcome = arena.failed ? OUT_OF_MEMORY : SOLVED;
    if (outcome == SOLVED) {
        for (int64_t i = 0; i < n; i++) {
            rows[i] = (place_t){cost_of(k->costs, i, column_ends[0]), cost_of(k->costs, i, column_ends[1]), 0};
        }
        for (int64_t j = 0; j < m; j++) {
            columns[j] = (place_t){cost_of(k->costs, row_ends[0], j), cost_of(k->costs, row_ends[1], j), 0};
        }
        put_in_order(rows, n, rounding);
        put_in_order(columns, m, rounding);
        if (seems_monge(k->costs, n, m, rows, columns, rounding)) {
            const in_order_t costs = {k->costs, rows, columns, n, m};
            outcome = hold_runs(k, &costs, column, v);
            if (outcome == SOLVED) {
                s->u[n] = 0.0;
                outcome = check_pairs(k, whole->column_low, v, opening);
            }
        }
    }
    arena_free(&arena);
    return outcome;
}

#endif
