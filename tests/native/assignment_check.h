/* Shared by the tests of assignment solvers: run one on arrays of exact size, and prove its result by duality. */
#pragma once

#include "check.h"

typedef struct {
    assignment_t task;
    outcome_t outcome;
} answer_t;

/* Solve a problem that lacks only the arrays of its result. */
static inline answer_t solve_assignment(assignment_solver_t *solver, assignment_t task) {
    answer_t a = {.task = task};
    a.task.x = exactly(task.n, sizeof *task.x);
    a.task.y = exactly(task.m, sizeof *task.y);
    a.task.u = exactly(task.n, sizeof *task.u);
    a.task.v = exactly(task.m, sizeof *task.v);
    memset(a.task.x, 0xff, (size_t)task.n * sizeof *task.x);
    memset(a.task.y, 0xff, (size_t)task.m * sizeof *task.y);
    a.outcome = solver(&a.task);
    return a;
}

static inline void discard_answer(answer_t *a) {
    free(a->task.x);
    free(a->task.y);
    free(a->task.u);
    free(a->task.v);
}

/* The same to the bit, counters included. */
static inline int same_answer(const answer_t *a, const answer_t *b) {
    const assignment_t *s = &a->task, *t = &b->task;
    if (a->outcome != b->outcome || !same_bytes(&s->counters, &t->counters, 1, sizeof s->counters)) {
        return 0;
    }
    if (a->outcome == INFEASIBLE) {
        return s->blocked == t->blocked && same_bytes(s->x, t->x, s->blocked, sizeof *s->x);
    }
    return same_bytes(s->x, t->x, s->n, sizeof *s->x) && same_bytes(s->u, t->u, s->n, sizeof *s->u) &&
           same_bytes(s->v, t->v, s->m, sizeof *s->v);
}

/* Check that the matching is complete, of all given rows or under a limit of those worth it, and that its duals prove
 * it optimal up to rounding. `cost` is the whole matrix. */
static inline void prove_matching(const assignment_t *t, const double *cost, int seed) {
    const int limited = is_limited(t);
    const double offset = limited ? t->limit : 0.0;
    double scale = fabs(offset) > 1e-300 ? fabs(offset) : 1e-300;
    for (int64_t k = 0; k < t->given * t->m; k++) {
        scale = cost[k] < INFINITY && fabs(cost[k]) > scale ? fabs(cost[k]) : scale;
    }
    const double tolerance = 1e-13 * scale * (double)(t->n + 1);
    char *taken = zeroed(t->m, 1);
    int complete = 1, feasible = 1, tight = 1, signs = 1;
    for (int64_t i = 0; i < t->given; i++) {
        const int64_t j = t->x[i];
        for (int64_t k = 0; k < t->m; k++) {
            feasible = feasible && t->u[i] + t->v[k] <= cost[i * t->m + k] - offset + tolerance;
        }
        if (limited) {
            signs = signs && (j < 0 ? t->u[i] == 0.0 : t->u[i] <= 0.0);
            if (j < 0) {
                continue;
            }
        }
        complete = complete && j >= 0 && j < t->m && !taken[j] && isfinite(cost[i * t->m + j]);
        if (!complete) {
            break;
        }
        taken[j] = 1;
        tight = tight && fabs(cost[i * t->m + j] - offset - t->u[i] - t->v[j]) <= tolerance;
    }
    for (int64_t j = 0; j < t->m && (limited || t->given < t->m) && complete; j++) {
        signs = signs && (taken[j] ? t->v[j] <= 0.0 : t->v[j] == 0.0);
    }
    free(taken);
    expect(complete, "complete matching", t->given, t->m, seed);
    expect(feasible, "feasible duals", t->given, t->m, seed);
    expect(tight, "tight pairs", t->given, t->m, seed);
    expect(signs, "signs of the duals", t->given, t->m, seed);
}

/* Check the Hall set of an infeasible problem: distinct given rows that allow only one column less. */
static inline void prove_infeasible(const assignment_t *t, const double *cost, int seed) {
    char *named = zeroed(t->m, 1), *seen = zeroed(t->given, 1);
    int holds = t->blocked >= 1;
    for (int64_t k = 0; k + 1 < t->blocked && holds; k++) {
        named[t->y[k]] = 1;
    }
    for (int64_t k = 0; k < t->blocked && holds; k++) {
        const int64_t i = t->x[k];
        holds = i >= 0 && i < t->given && !seen[i];
        for (int64_t j = 0; j < t->m && holds; j++) {
            holds = named[j] || !isfinite(cost[i * t->m + j]);
        }
        if (holds) {
            seen[i] = 1;
        }
    }
    free(named);
    free(seen);
    expect(holds, "a Hall set", t->given, t->m, seed);
}

/* Check that the column duals of a stopped search prove a bound. */
static inline void prove_bound(const assignment_t *t, const char *what, int seed) {
    const int any_sign = t->given == t->m && !is_limited(t);
    int proves = 1;
    for (int64_t j = 0; j < t->m; j++) {
        proves = proves && isfinite(t->v[j]) && (any_sign || t->v[j] <= 0.0);
    }
    expect(proves, what, t->given, t->m, seed);
}
