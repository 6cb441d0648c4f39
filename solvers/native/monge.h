/* Monge costs, as for points on a line: in the right order, c_ax + c_by <= c_ay + c_bx for all a < b and x < y, and to
 * match in that order is optimal (A. J. Hoffman, "On simple linear programming problems", 1963). */
#ifndef LAPMARK_MONGE_H
#define LAPMARK_MONGE_H

#include "in_order.h"
#include "landmarks.h"
#include "matrix.h"
#include "survey.h"

/* Rows are in order where they are by the difference of two columns; the columns that differ most are the last and the
 * first, in the order given by the difference of two rows. A few turns find both. */
enum { MONGE_TURNS = 3, MONGE_SAMPLE = 400, MONGE_LEAST = 40 };

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
static void find_ends(const costs_t *c, int64_t n, int64_t rows[2], int64_t columns[2]) {
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
        for (int64_t j = 0; j < n; j++) {
            const double a = cost_of(c, rows[0], j), b = cost_of(c, rows[1], j);
            move_end(&first, b - a, b, j);
            move_end(&last, a - b, a, j);
        }
        columns[0] = first.item;
        columns[1] = last.item;
    }
}

/* Whether rows and columns at random, in these orders, are as they should: never the wrong way by more than `rounding`,
 * and the right way now and then. */
static int seems_monge(const costs_t *c, int64_t n, const keyed_t *rows, const keyed_t *columns, double rounding) {
    int64_t right = 0;
    for (uint64_t s = 0; s < MONGE_SAMPLE; s++) {
        int64_t at[4];
        for (uint64_t side = 0; side < 4; side++) {
            at[side] = (int64_t)(scrambled(4 * s + side) % (uint64_t)n);
        }
        const int64_t a = at[0] < at[1] ? at[0] : at[1], b = at[0] + at[1] - a;
        const int64_t x = at[2] < at[3] ? at[2] : at[3], y = at[2] + at[3] - x;
        const double crossed = cost_of(c, rows[a].item, columns[y].item) + cost_of(c, rows[b].item, columns[x].item);
        const double straight = cost_of(c, rows[a].item, columns[x].item) + cost_of(c, rows[b].item, columns[y].item);
        if (straight - crossed > rounding) {
            return 0;
        }
        right += crossed - straight > rounding;
    }
    return right >= MONGE_LEAST;
}

/* Whether every row holds a column that is its cheapest: then no search is needed. */
static outcome_t check_pairs(market_t *k, opening_t *opening) {
    for (int64_t i = 0; i < k->n; i++) {
        const double least = row_minima(row_of(k->costs, i), k->price, k->m, k->costs->low);
        k->counters->row_scans++;
        if (k->held_cost[i] + k->price[k->held[i]] > least) {
            *opening = PRICES;
            return SOLVED;
        }
        const outcome_t outcome = market_look(k, SCAN_WORK);
        if (outcome != SOLVED) {
            return outcome;
        }
    }
    *opening = OPTIMUM;
    return SOLVED;
}

/* For square costs without forbidden pairs. */
static outcome_t open_monge(market_t *k, const survey_t *found, opening_t *opening) {
    const int64_t n = k->n;
    /* Of a sum or two of costs, in the type that they were rounded to. */
    const double epsilon = sizeof(cost_t) == sizeof(float) ? FLT_EPSILON : DBL_EPSILON;
    const double rounding = 4.0 * epsilon * largest_magnitude(found);
    int64_t row_ends[2], column_ends[2] = {0, n / 2};
    find_ends(k->costs, n, row_ends, column_ends);
    arena_t arena = {0};
    keyed_t *rows = arena_take(&arena, n, sizeof *rows), *columns = arena_take(&arena, n, sizeof *columns);
    outcome_t outcome = arena.failed ? OUT_OF_MEMORY : SOLVED;
    if (outcome == SOLVED) {
        for (int64_t i = 0; i < n; i++) {
            rows[i].key = cost_of(k->costs, i, column_ends[0]) - cost_of(k->costs, i, column_ends[1]);
            columns[i].key = cost_of(k->costs, row_ends[0], i) - cost_of(k->costs, row_ends[1], i);
            rows[i].item = columns[i].item = (int32_t)i;
        }
        qsort(rows, (size_t)n, sizeof *rows, by_key);
        qsort(columns, (size_t)n, sizeof *columns, by_key);
        if (seems_monge(k->costs, n, rows, columns, rounding)) {
            hold_in_order(k, rows, columns);
            outcome = check_pairs(k, opening);
        }
    }
    arena_free(&arena);
    return outcome;
}

#endif
