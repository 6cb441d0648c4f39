/* Optimal matching of Monge costs, as between sorted points on a line: c_ax + c_by <= c_ay + c_bx for all rows a < b
 * and columns x < y. To match in order is optimal (A. J. Hoffman, "On simple linear programming problems", 1963). With
 * more columns than rows, the columns to leave out are found row by row (N. Bonneel, D. Coeurjolly, "SPOT: Sliced
 * partial optimal transport", ACM Trans. Graph. 38 (2019), for points).
 *
 * A template. The includer defines these macros:
 *
 *     MONGE_COSTS   type of the costs, with members n <= m
 *     MONGE_RISE    static function of (const MONGE_COSTS *c, int64_t i, int64_t j):
 *                   the cost of row i at column j + 1 less that at column j
 *     MONGE_FALLS   static function of the same parameters: whether that rise is at most 0
 *
 * Rows must fall to their nearest column and rise from there. Sums of many rises are taken in double-double: in float64
 * they would lose digits.
 */
#pragma once

#include "core/arena.h"
#include "core/double_double.h"
#include "core/outcome.h"

static dd_t MONGE_RISE(const MONGE_COSTS *c, int64_t i, int64_t j);
static int MONGE_FALLS(const MONGE_COSTS *c, int64_t i, int64_t j);

/* Consecutive columns held by consecutive rows, from `row` on. */
typedef struct {
    int64_t row, column, length;
} column_run_t;

typedef struct {
    const MONGE_COSTS *costs;
    column_run_t *runs; /* (n) from left to right, with a free column between any two */
    int64_t count;
    dd_t all_left; /* cost of moving the last run one column to the left, if there is room */
    int64_t steps; /* since the last check of the clock */
} monge_matching_t;

static void weigh_last(monge_matching_t *s) {
    const column_run_t *last = &s->runs[s->count - 1];
    s->all_left = DD_ZERO;
    for (int64_t k = 0; k < last->length && last->column > 0; k++) {
        s->all_left = dd_sub(s->all_left, MONGE_RISE(s->costs, last->row + k, last->column + k - 1));
    }
    s->steps += last->length;
}

/* Merge the last run with those that it touches. */
static void join_last(monge_matching_t *s) {
    while (s->count > 1) {
        column_run_t *before = &s->runs[s->count - 2];
        const column_run_t *last = &s->runs[s->count - 1];
        if (before->column + before->length < last->column) {
            return;
        }
        before->length += last->length;
        s->count--;
    }
}

/* Give row i, after all rows before it, a column: its nearest if that is free; otherwise the next one to the right of
 * the last run or, if that costs less, the last one of the run, which moves left by one. No row may take one of the
 * last columns that the rows after it need. */
static void add_row(monge_matching_t *s, int64_t i, int64_t nearest) {
    const MONGE_COSTS *c = s->costs;
    const int64_t most = c->m - c->n + i;
    column_run_t *last = s->count > 0 ? &s->runs[s->count - 1] : NULL;
    const int64_t next = last ? last->column + last->length : 0;
    int64_t at = nearest < most ? nearest : most;
    if (at < next) {
        at = next;
        if (last->column > 0 && (next > most || dd_less(s->all_left, MONGE_RISE(c, i, next - 1)))) {
            last->column--;
            last->length++;
            join_last(s);
            weigh_last(s);
            return;
        }
    }
    if (last && at == next) {
        last->length++;
        s->all_left = dd_sub(s->all_left, last->column > 0 ? MONGE_RISE(c, i, at - 1) : DD_ZERO);
        return;
    }
    s->runs[s->count++] = (column_run_t){i, at, 1};
    weigh_last(s);
}

/* Duals of the columns of a run, with u_k = c_kk - v_k for the rows. Each step v_{k+1} - v_k lies between what row k +
 * 1 and row k gain by it; a free column at either end bounds the dual of its neighbour by what the row there would
 * gain; everything else follows. Bounds are passed on from left to right, and duals are chosen from right to left. */
static void price_run(const MONGE_COSTS *c, const column_run_t *run, dd_t *low, dd_t *high, double *v) {
    const int64_t end = run->column + run->length, spare = c->m - c->n;
    const dd_t most = spare > 0 ? DD_ZERO : (dd_t){INFINITY, 0.0}, none = {-INFINITY, 0.0};
    for (int64_t k = 0; k < run->length; k++) {
        const int64_t i = run->row + k, j = run->column + k;
        low[k] = none;
        high[k] = most;
        if (k == 0 && j > 0) {
            low[k] = MONGE_RISE(c, i, j - 1);
        } else if (k > 0) {
            low[k] = low[k - 1].high > -INFINITY ? dd_add(low[k - 1], MONGE_RISE(c, i, j - 1)) : none;
            high[k] = spare > 0 ? dd_min(most, dd_add(high[k - 1], MONGE_RISE(c, i - 1, j - 1))) : most;
        }
    }
    dd_t chosen = DD_ZERO;
    for (int64_t k = run->length - 1; k >= 0; k--) {
        const int64_t i = run->row + k, j = run->column + k;
        if (k < run->length - 1) {
            chosen = dd_sub(chosen, dd_half(dd_add(MONGE_RISE(c, i, j), MONGE_RISE(c, i + 1, j))));
        } else if (end < c->m) {
            low[k] = dd_max(low[k], dd_sub(DD_ZERO, MONGE_RISE(c, i, j)));
        }
        chosen = dd_min(dd_max(chosen, low[k]), high[k]);
        v[j] = chosen.high;
    }
}

/* Steps between two checks of the clock, at least. */
enum { MONGE_STEPS_PER_CHECK = 1 << 18 };

/* Write the column of each row, column (n), and the duals of the columns, v (m): if n < m, at most 0, and 0 on free
 * ones. */
static outcome_t monge_match(const MONGE_COSTS *c, int32_t *column, double *v, const stop_t *stop) {
    arena_t arena = {0};
    monge_matching_t s = {.costs = c, .runs = arena_take(&arena, c->n, sizeof *s.runs)};
    dd_t *low = arena_take(&arena, c->n, sizeof *low), *high = arena_take(&arena, c->n, sizeof *high);
    outcome_t outcome = arena.failed ? OUT_OF_MEMORY : SOLVED;
    for (int64_t i = 0, nearest = 0; i < c->n && outcome == SOLVED; i++, s.steps++) {
        while (nearest < c->m - c->n + i && MONGE_FALLS(c, i, nearest)) {
            nearest++;
        }
        add_row(&s, i, nearest);
        if (s.steps > MONGE_STEPS_PER_CHECK) {
            s.steps = 0;
            outcome = stopped(stop);
        }
    }
    for (int64_t j = 0; j < c->m; j++) {
        v[j] = 0.0;
    }
    for (int64_t r = 0; r < s.count && outcome == SOLVED; r++) {
        const column_run_t *run = &s.runs[r];
        for (int64_t k = 0; k < run->length; k++) {
            column[run->row + k] = (int32_t)(run->column + k);
        }
        price_run(c, run, low, high, v);
    }
    arena_free(&arena);
    return outcome;
}
