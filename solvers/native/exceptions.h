/* Costs of which only a few count.
 *
 * Under a limit those count that are below it. Where there are few, they are listed and solved as a sparse problem;
 * else the costs are cut off at the limit, where a pair stands for a row and a column that stay out.
 *
 * Without one it may be that nearly all costs are the largest: boxes that do not overlap, texts that have no word in
 * common. A row that is matched to none of the exceptions may take any column that is left: that is the problem of the
 * exceptions with the largest cost as its limit.
 */
#ifndef LAPMARK_EXCEPTIONS_H
#define LAPMARK_EXCEPTIONS_H

#include "matrix.h"
#include "sparse.h"

#ifdef LAPMARK_AVX2
#define CASCADE_SPARSE cascade_sparse_avx2
#else
#define CASCADE_SPARSE cascade_sparse_scalar
#endif

outcome_t CASCADE_SPARSE(task_t *t);

/* The part of all costs up to which exceptions are few. */
static const double FEW = 0.125;

/* The end of a task before any price was known: columns that are worth nothing prove a bound, if a poor one. */
static outcome_t stop_without_prices(task_t *t) {
    memset(t->v, 0, (size_t)t->m * sizeof *t->v);
    return t->outcome;
}

/* The next column at or after j whose cost is below `dearest`; m where there is none. */
static inline int64_t next_exception(const cost_t *row, int64_t j, int64_t m, double dearest) {
    const v4_t limit = v4_all(dearest);
    for (; j + WIDTH <= m; j += WIDTH) {
        const unsigned below = v4_below(load_costs(row + j), limit);
        if (below) {
            return j + first_lane(below);
        }
    }
    while (j < m && (double)row[j] >= dearest) {
        j++;
    }
    return j;
}

/* The pairs that cost less than `bound`, row by row, in one pass; begin is NULL where they are not few. */
static outcome_t list_exceptions(task_t *t, sparse_t *pairs, arena_t *a, double bound) {
    const int64_t n = t->n, m = t->m, most = (int64_t)(FEW * (double)n * (double)m) + 1;
    int64_t room = most < 4 * (n + m) ? most : 4 * (n + m), count = 0;
    int64_t *begin = arena_take(a, n + 1, sizeof *begin);
    int32_t *column = arena_take(a, room, sizeof *column);
    double *cost = arena_take(a, room, sizeof *cost);
    *pairs = (sparse_t){0};
    for (int64_t i = 0; i < n && !a->failed; i++) {
        const cost_t *row = (const cost_t *)t->cost + i * m;
        for (int64_t j = next_exception(row, 0, m, bound); j < m; j = next_exception(row, j + 1, m, bound)) {
            if (count == most) {
                return SOLVED;
            }
            if (count == room) {
                room = 2 * room < most ? 2 * room : most;
                column = arena_grow(a, column, room, sizeof *column);
                cost = arena_grow(a, cost, room, sizeof *cost);
                if (a->failed) {
                    return OUT_OF_MEMORY;
                }
            }
            column[count] = (int32_t)j;
            cost[count++] = (double)row[j];
        }
        begin[i + 1] = count;
        if (must_stop(t)) {
            return stop_without_prices(t);
        }
    }
    *pairs = (sparse_t){begin, column, cost};
    return a->failed ? OUT_OF_MEMORY : SOLVED;
}

/* The matching among the pairs, and the duals under the limit. */
static outcome_t solve_listed(task_t *t, const sparse_t *pairs, double limit) {
    task_t sparse = *t;
    sparse.cost = pairs;
    sparse.limit = limit;
    const outcome_t outcome = CASCADE_SPARSE(&sparse);
    t->counters = sparse.counters;
    t->largest = sparse.largest;
    return outcome;
}

/* Answer a task of which no cost exceeds `dearest`, or find that many are below it: then *few is 0. */
static outcome_t solve_exceptions(task_t *t, double dearest, arena_t *a, int *few) {
    sparse_t pairs;
    char *taken = arena_take(a, t->m, sizeof *taken);
    outcome_t outcome = list_exceptions(t, &pairs, a, dearest);
    *few = outcome != SOLVED || pairs.begin;
    if (outcome == SOLVED && *few) {
        outcome = solve_listed(t, &pairs, dearest);
    }
    if (outcome != SOLVED || !*few) {
        return outcome;
    }
    for (int64_t i = 0; i < t->n; i++) {
        t->u[i] += dearest;
        if (t->x[i] >= 0) {
            taken[t->x[i]] = 1;
        }
    }
    for (int64_t i = 0, j = 0; i < t->n; i++) {
        if (t->x[i] < 0) {
            while (taken[j]) {
                j++;
            }
            t->x[i] = (int32_t)j++;
        }
    }
    return SOLVED;
}

outcome_t NAME(cascade)(task_t *t);

/* The task whose costs are cut off at the limit, as if there were none. */
static outcome_t solve_cut_off(task_t *t, arena_t *a) {
    const cost_t *cost = t->cost, limit = (cost_t)t->limit;
    cost_t *below = arena_take(a, t->n * t->m, sizeof *below);
    if (!below) {
        return OUT_OF_MEMORY;
    }
    for (int64_t i = 0; i < t->n; i++) {
        for (int64_t e = i * t->m; e < (i + 1) * t->m; e++) {
            below[e] = cost[e] < limit ? cost[e] : limit;
        }
        if (must_stop(t)) {
            return stop_without_prices(t);
        }
    }
    task_t all = *t;
    all.cost = below;
    all.limit = INFINITY;
    const outcome_t outcome = NAME(cascade)(&all);
    t->counters = all.counters;
    t->largest = all.largest;
    if (outcome != SOLVED && outcome != TIMED_OUT) {
        return outcome == INFEASIBLE ? CHANGED : outcome; /* no pair was forbidden */
    }
    /* Any constant may pass from one side's duals to the other's: now nothing is worth more than it costs. */
    double highest = -INFINITY;
    for (int64_t j = 0; j < t->m; j++) {
        highest = t->v[j] > highest ? t->v[j] : highest;
    }
    for (int64_t j = 0; j < t->m; j++) {
        t->v[j] -= highest;
    }
    for (int64_t i = 0; i < t->n && outcome == SOLVED; i++) {
        const double u = t->u[i] - (t->limit - highest);
        t->u[i] = u < 0.0 ? u : 0.0;
        if (below[i * t->m + t->x[i]] >= limit) {
            t->u[i] = t->v[t->x[i]] = 0.0;
            t->x[i] = -1;
        }
    }
    return outcome;
}

/* A task with a limit, which cost_t holds as it is. */
static outcome_t solve_limited(task_t *t) {
    arena_t arena = {0};
    sparse_t pairs;
    outcome_t outcome = list_exceptions(t, &pairs, &arena, t->limit);
    if (outcome == SOLVED) {
        outcome = pairs.begin ? solve_listed(t, &pairs, t->limit) : solve_cut_off(t, &arena);
    }
    arena_free(&arena);
    return outcome;
}

#endif
