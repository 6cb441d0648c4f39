/* Matrices of which only a few cheap pairs matter.
 *
 * Under a limit these are the pairs below it. If they are few, they are listed and solved as a sparse problem;
 * otherwise the costs are cut off at the limit, where a pair stands for a row and a column that stay out.
 *
 * Without a limit nearly all costs may equal the largest: boxes that do not overlap, texts without a common word. A row
 * that gets none of the cheaper pairs may take any column left over: that is the problem of the cheaper pairs with the
 * largest cost as its limit.
 */
#pragma once

#include "cascade/dense_costs.inc.h"
#include "core/sparse_costs.h"

assignment_solver_t ISA_NAME(cascade_sparse);
assignment_solver_t NAME(cascade_dense);

/* Share of all pairs up to which the cheap ones are few. */
static const double FEW_PAIRS = 0.125;

/* End a search before any price is known: duals of 0 prove a bound, if a poor one. */
static outcome_t stop_without_prices(assignment_t *t) {
    memset(t->v, 0, (size_t)t->m * sizeof *t->v);
    return t->outcome;
}

/* The pairs of a row in one block of columns that cost less than `dearest`, a bit for each. */
static inline uint64_t cheap_pairs_of(const cost_t *c, int64_t count, double dearest) {
    const v4_t limit = v4_all(dearest);
    uint64_t bits = 0;
    if (count == BLOCK) {
#pragma GCC unroll 16
        for (int64_t j = 0; j < BLOCK; j += WIDTH) {
            bits |= (uint64_t)v4_below(v4_load_costs(c + j), limit) << j;
        }
        return bits;
    }
    for (int64_t j = 0; j < count; j++) {
        bits |= (uint64_t)((double)c[j] < dearest) << j;
    }
    return bits;
}

/* List the pairs that cost less than `bound` in one pass; begin is NULL if they are not few. */
static outcome_t list_cheap_pairs(assignment_t *t, sparse_costs_t *pairs, arena_t *a, double bound) {
    const int64_t n = t->n, m = t->m, most = (int64_t)(FEW_PAIRS * (double)n * (double)m) + 1;
    int64_t room = most < 4 * (n + m) ? most : 4 * (n + m), count = 0;
    int64_t *begin = arena_take(a, n + 1, sizeof *begin);
    int32_t *column = arena_take(a, room, sizeof *column);
    double *cost = arena_take(a, room, sizeof *cost);
    *pairs = (sparse_costs_t){0};
    for (int64_t i = 0; i < n && !a->failed; i++) {
        const cost_t *row = (const cost_t *)t->cost + i * m;
        for (int64_t at = 0; at < m; at += BLOCK) {
            uint64_t bits = cheap_pairs_of(row + at, at + BLOCK < m ? BLOCK : m - at, bound);
            if (count + BLOCK > room) {
                const int64_t found = count + count_bits(bits);
                if (found > most) {
                    return SOLVED;
                }
                while (room < found) {
                    room = 2 * room < most ? 2 * room : most;
                    column = arena_grow(a, column, room, sizeof *column);
                    cost = arena_grow(a, cost, room, sizeof *cost);
                    if (a->failed) {
                        return OUT_OF_MEMORY;
                    }
                }
            }
            for (; bits; bits &= bits - 1) {
                const int64_t j = at + lowest_bit(bits);
                column[count] = (int32_t)j;
                cost[count++] = (double)row[j];
            }
        }
        begin[i + 1] = count;
        if (must_stop(t)) {
            return stop_without_prices(t);
        }
    }
    *pairs = (sparse_costs_t){begin, column, cost};
    return a->failed ? OUT_OF_MEMORY : SOLVED;
}

/* Solve the listed pairs under a limit. */
static outcome_t solve_listed_pairs(assignment_t *t, const sparse_costs_t *pairs, double limit) {
    assignment_t sparse = *t;
    sparse.cost = pairs;
    sparse.limit = limit;
    const outcome_t outcome = ISA_NAME(cascade_sparse)(&sparse);
    t->counters = sparse.counters;
    t->largest = sparse.largest;
    return outcome;
}

/* Solve a problem in which no cost exceeds `dearest`, unless many are below it: then *few is 0. */
static outcome_t solve_cheap_pairs(assignment_t *t, double dearest, arena_t *a, int *few) {
    sparse_costs_t pairs;
    char *taken = arena_take(a, t->m, sizeof *taken);
    outcome_t outcome = list_cheap_pairs(t, &pairs, a, dearest);
    *few = outcome != SOLVED || pairs.begin;
    if (outcome == SOLVED && *few) {
        outcome = solve_listed_pairs(t, &pairs, dearest);
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

/* Solve the problem with its costs cut off at the limit, as if there were none. */
static outcome_t solve_cut_off(assignment_t *t, arena_t *a) {
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
    assignment_t all = *t;
    all.cost = below;
    all.limit = INFINITY;
    all.column_low = NULL;
    const outcome_t outcome = NAME(cascade_dense)(&all);
    t->counters = all.counters;
    t->largest = all.largest;
    if (outcome != SOLVED && outcome != TIMED_OUT) {
        return outcome == INFEASIBLE ? CHANGED : outcome; /* no pair was forbidden */
    }
    /* A constant may move from the duals of one side to those of the other: now no dual is positive. */
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

/* Solve a problem with a limit, which cost_t represents exactly. */
static outcome_t solve_limited(assignment_t *t) {
    arena_t arena = {0};
    sparse_costs_t pairs;
    outcome_t outcome = list_cheap_pairs(t, &pairs, &arena, t->limit);
    if (outcome == SOLVED) {
        outcome = pairs.begin ? solve_listed_pairs(t, &pairs, t->limit) : solve_cut_off(t, &arena);
    }
    arena_free(&arena);
    return outcome;
}
