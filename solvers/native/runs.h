/* Monge costs, as between points on a line: in the right order c_ax + c_by <= c_ay + c_bx for all a < b and x < y, and
 * to match in that order is optimal (A. J. Hoffman, "On simple linear programming problems", 1963). Where there are
 * more columns than rows, which of them to leave out is found row by row (N. Bonneel, D. Coeurjolly, "SPOT: Sliced
 * partial optimal transport", ACM Trans. Graph. 38 (2019), for points).
 *
 * A source includes this after it has defined `in_order_t`, costs with their n rows and m columns in order, n <= m, and
 *
 *     static exact_t rise(const in_order_t *c, int64_t i, int64_t j);
 *     static int is_nearer(const in_order_t *c, int64_t i, int64_t j);
 *
 * By how much a row's cost rises from column j to the next, and whether it does not: rows are supposed to fall to their
 * nearest column and to rise from there. Costs and duals are of twice the precision, or else the sum of many steps
 * would lose digits.
 */
#ifndef LAPMARK_RUNS_H
#define LAPMARK_RUNS_H

#include "arena.h"
#include "error_free.h"
#include "stop.h"

static exact_t rise(const in_order_t *c, int64_t i, int64_t j);
static int is_nearer(const in_order_t *c, int64_t i, int64_t j);

static const exact_t NOUGHT = {0.0, 0.0};

static inline int is_less(exact_t a, exact_t b) { return a.high < b.high || (a.high == b.high && a.low < b.low); }
static inline exact_t at_least(exact_t a, exact_t b) { return is_less(a, b) ? b : a; }
static inline exact_t no_more(exact_t a, exact_t b) { return is_less(b, a) ? b : a; }
static inline exact_t halved(exact_t a) { return (exact_t){0.5 * a.high, 0.5 * a.low}; }

/* A run of columns without a gap, all held by the rows from `row` on in order. */
typedef struct {
    int64_t row, column, length;
} run_t;

typedef struct {
    const in_order_t *costs;
    run_t *runs; /* (n) from left to right, with a free column between any two */
    int64_t count;
    exact_t all_left; /* what it would cost to move the last run by one column to the left, where there is room */
    int64_t steps;    /* taken so far, for who has to look at the clock */
} runs_t;

static void weigh_last(runs_t *s) {
    const run_t *last = &s->runs[s->count - 1];
    s->all_left = NOUGHT;
    for (int64_t k = 0; k < last->length && last->column > 0; k++) {
        s->all_left = exact_minus(s->all_left, rise(s->costs, last->row + k, last->column + k - 1));
    }
    s->steps += last->length;
}

/* Runs that touch become one. */
static void join_last(runs_t *s) {
    while (s->count > 1) {
        run_t *before = &s->runs[s->count - 2];
        const run_t *last = &s->runs[s->count - 1];
        if (before->column + before->length < last->column) {
            return;
        }
        before->length += last->length;
        s->count--;
    }
}

/* Row i, after all before it, gets a column: its nearest where that is free, else the next one to the right of the last
 * run or, if that costs less, the last of the run, which moves to the left by one. No row may take one of the last
 * columns that the rows after it need. */
static void add_row(runs_t *s, int64_t i, int64_t nearest) {
    const in_order_t *c = s->costs;
    const int64_t most = c->m - c->n + i;
    run_t *last = s->count > 0 ? &s->runs[s->count - 1] : NULL;
    const int64_t next = last ? last->column + last->length : 0;
    int64_t at = nearest < most ? nearest : most;
    if (at < next) {
        at = next;
        if (last->column > 0 && (next > most || is_less(s->all_left, rise(c, i, next - 1)))) {
            last->column--;
            last->length++;
            join_last(s);
            weigh_last(s);
            return;
        }
    }
    if (last && at == next) {
        last->length++;
        s->all_left = exact_minus(s->all_left, last->column > 0 ? rise(c, i, at - 1) : NOUGHT);
        return;
    }
    s->runs[s->count++] = (run_t){i, at, 1};
    weigh_last(s);
}

/* Duals of the columns of a run. With those of the rows as what is left, u_k = c_kk - v_k, each step v_{k+1} - v_k lies
 * between what row k + 1 and what row k gain by it; a free column at either end leaves its neighbour no less than what
 * the row there would gain by it; all else follows. Lower and upper ends of what is possible go from left to right, and
 * what is chosen back. */
static void price_run(const in_order_t *c, const run_t *run, exact_t *low, exact_t *high, double *v) {
    const int64_t end = run->column + run->length, spare = c->m - c->n;
    const exact_t most = spare > 0 ? NOUGHT : (exact_t){INFINITY, 0.0}, none = {-INFINITY, 0.0};
    for (int64_t k = 0; k < run->length; k++) {
        const int64_t i = run->row + k, j = run->column + k;
        low[k] = none;
        high[k] = most;
        if (k == 0 && j > 0) {
            low[k] = rise(c, i, j - 1);
        } else if (k > 0) {
            low[k] = low[k - 1].high > -INFINITY ? exact_plus(low[k - 1], rise(c, i, j - 1)) : none;
            high[k] = spare > 0 ? no_more(most, exact_plus(high[k - 1], rise(c, i - 1, j - 1))) : most;
        }
    }
    exact_t chosen = NOUGHT;
    for (int64_t k = run->length - 1; k >= 0; k--) {
        const int64_t i = run->row + k, j = run->column + k;
        if (k < run->length - 1) {
            chosen = exact_minus(chosen, halved(exact_plus(rise(c, i, j), rise(c, i + 1, j))));
        } else if (end < c->m) {
            low[k] = at_least(low[k], exact_minus(NOUGHT, rise(c, i, j)));
        }
        chosen = no_more(at_least(chosen, low[k]), high[k]);
        v[j] = chosen.high;
    }
}

/* Rows between two looks at the clock, at least. */
enum { STEPS_PER_LOOK = 1 << 18 };

/* The column of each row, column (n), and the duals of the columns, v (m): at most 0, and 0 on free ones, where n < m.
 */
static outcome_t match_in_order(const in_order_t *c, int32_t *column, double *v, const stop_t *stop) {
    arena_t arena = {0};
    runs_t s = {.costs = c, .runs = arena_take(&arena, c->n, sizeof *s.runs)};
    exact_t *low = arena_take(&arena, c->n, sizeof *low), *high = arena_take(&arena, c->n, sizeof *high);
    outcome_t outcome = arena.failed ? OUT_OF_MEMORY : SOLVED;
    for (int64_t i = 0, nearest = 0; i < c->n && outcome == SOLVED; i++, s.steps++) {
        while (nearest < c->m - c->n + i && is_nearer(c, i, nearest)) {
            nearest++;
        }
        add_row(&s, i, nearest);
        if (s.steps > STEPS_PER_LOOK) {
            s.steps = 0;
            outcome = stopped(stop);
        }
    }
    for (int64_t j = 0; j < c->m; j++) {
        v[j] = 0.0;
    }
    for (int64_t r = 0; r < s.count && outcome == SOLVED; r++) {
        const run_t *run = &s.runs[r];
        for (int64_t k = 0; k < run->length; k++) {
            column[run->row + k] = (int32_t)(run->column + k);
        }
        price_run(c, run, low, high, v);
    }
    arena_free(&arena);
    return outcome;
}

#endif
