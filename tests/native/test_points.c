/* Cascade on points and on sparse costs without Python around it, for the sanitizers: every build on the same random
 * problems, of which many are degenerate. Each answer is proven by looking at all pairs, and builds must agree to the
 * bit, counters included. */
#include "builds.h"
#include "check.h"
#include "points.h"
#include "sparse.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *zeroed(int64_t count, size_t size) {
    void *memory = calloc((size_t)count, size);
    if (memory == NULL && count > 0) {
        abort();
    }
    return memory;
}

typedef struct {
    task_t task;
    outcome_t outcome;
} answer_t;

static answer_t run(assign_t solver, const void *cost, int64_t n, int64_t m, interrupted_t interrupted,
                    double deadline) {
    answer_t a = {.task = {.n = n,
                           .m = m,
                           .given = n,
                           .cost = cost,
                           .x = zeroed(n, sizeof(int32_t)),
                           .y = zeroed(m, sizeof(int32_t)),
                           .u = zeroed(n, sizeof(double)),
                           .v = zeroed(m, sizeof(double)),
                           .limit = INFINITY,
                           .stop = {interrupted, deadline}}};
    a.outcome = solver(&a.task);
    return a;
}

static void discard(answer_t *a) {
    free(a->task.x);
    free(a->task.y);
    free(a->task.u);
    free(a->task.v);
}

static int same(const answer_t *a, const answer_t *b) {
    const task_t *s = &a->task, *t = &b->task;
    if (a->outcome != b->outcome || memcmp(&s->counters, &t->counters, sizeof s->counters) != 0) {
        return 0;
    }
    if (a->outcome == INFEASIBLE) {
        return s->blocked == t->blocked && memcmp(s->x, t->x, (size_t)s->blocked * sizeof *s->x) == 0;
    }
    return memcmp(s->x, t->x, (size_t)s->n * sizeof *s->x) == 0 &&
           memcmp(s->u, t->u, (size_t)s->n * sizeof *s->u) == 0 && memcmp(s->v, t->v, (size_t)s->m * sizeof *s->v) == 0;
}

/* Complete, feasible, tight, and of the right signs, against the full matrix. */
static void prove(const answer_t *a, const double *cost, int seed) {
    const task_t *t = &a->task;
    double scale = 1e-300;
    for (int64_t k = 0; k < t->n * t->m; k++) {
        scale = cost[k] < INFINITY && fabs(cost[k]) > scale ? fabs(cost[k]) : scale;
    }
    const double tolerance = 1e-13 * scale * (double)(t->n + 1);
    char *taken = zeroed(t->m, 1);
    int complete = 1, feasible = 1, tight = 1, signs = 1;
    for (int64_t i = 0; i < t->n && complete; i++) {
        const int64_t j = t->x[i];
        complete = j >= 0 && j < t->m && !taken[j];
        if (complete) {
            taken[j] = 1;
            tight = tight && fabs(cost[i * t->m + j] - t->u[i] - t->v[j]) <= tolerance;
        }
        for (int64_t k = 0; k < t->m; k++) {
            feasible = feasible && t->u[i] + t->v[k] <= cost[i * t->m + k] + tolerance;
        }
    }
    for (int64_t j = 0; j < t->m && t->n < t->m; j++) {
        signs = signs && (taken[j] ? t->v[j] <= 0.0 : t->v[j] == 0.0);
    }
    free(taken);
    expect(complete, "complete matching", t->n, t->m, seed);
    expect(feasible, "feasible duals", t->n, t->m, seed);
    expect(tight, "tight pairs", t->n, t->m, seed);
    expect(signs, "signs of the duals", t->n, t->m, seed);
}

enum { CLOUDS = 8 };

/* Even, on a lattice, on a line, in one place, in few places, in clusters of very different size, nearly on a line, far
 * from the origin. */
static void place(int kind, double *points, int64_t count, int dimensions) {
    for (int64_t i = 0; i < count; i++) {
        const double along = random_unit();
        const uint64_t which = random_bits() % 3;
        for (int axis = 0; axis < dimensions; axis++) {
            double *x = &points[i * dimensions + axis];
            switch (kind) {
            case 0:
                *x = random_unit();
                break;
            case 1:
                *x = (double)(random_bits() % 5);
                break;
            case 2:
                *x = along * (double)(axis + 1);
                break;
            case 3:
                *x = 0.25;
                break;
            case 4:
                *x = (double)(which * (uint64_t)(axis + 2) % 5);
                break;
            case 5:
                *x = (double)which + (which ? 1e-6 : 1e3) * random_unit();
                break;
            case 6:
                *x = along * (double)(axis + 1) + 1e-6 * random_unit();
                break;
            default:
                *x = 1e8 + random_unit();
            }
        }
    }
}

static void try_points(int dimensions, int kinds, int64_t n, int64_t m, int seed) {
    random_state = (uint64_t)seed + 77;
    double *x = zeroed(n * dimensions, sizeof *x), *y = zeroed(m * dimensions, sizeof *y);
    place(kinds % CLOUDS, x, n, dimensions);
    place(kinds / CLOUDS % CLOUDS, y, m, dimensions);
    const points_t points = {x, y, seed % 3 ? 1.0 : 1e5};
    double *cost = zeroed(n * m, sizeof *cost);
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < m; j++) {
            double square = 0.0;
            for (int axis = 0; axis < dimensions; axis++) {
                const double d = x[i * dimensions + axis] - y[j * dimensions + axis];
                square += d * d;
            }
            cost[i * m + j] = points.scale * square;
        }
    }
    const point_build_t *scalar = find_point_build(0, dimensions, 2);
    answer_t plain = run(scalar->cascade, &points, n, m, never, INFINITY);
    expect(plain.outcome == SOLVED, "points are solved", n, m, seed);
    prove(&plain, cost, seed);

    double *low = zeroed(n, sizeof *low), *weight = zeroed(m, sizeof *weight);
    for (int64_t j = 0; j < m; j++) {
        weight[j] = -plain.task.v[j] + (seed % 2 ? 0.0 : random_unit());
    }
    const stop_t stop = {never, INFINITY};
    expect(scalar->minima(&points, n, m, weight, low, &stop) == SOLVED, "minima are found", n, m, seed);
    for (int64_t i = 0; i < n; i++) {
        double least = INFINITY;
        for (int64_t j = 0; j < m; j++) {
            least = cost[i * m + j] + weight[j] < least ? cost[i * m + j] + weight[j] : least;
        }
        expect(low[i] == least, "minima are those of all pairs", n, m, seed);
    }
    if (processor_has_avx2()) {
        answer_t wide = run(find_point_build(1, dimensions, 2)->cascade, &points, n, m, never, INFINITY);
        expect(same(&plain, &wide), "builds agree on points", n, m, seed);
        discard(&wide);
    }
    answer_t late = run(scalar->cascade, &points, n, m, never, 0.0);
    expect(late.outcome == TIMED_OUT || same(&plain, &late), "late, or done before it looked", n, m, seed);
    answer_t stopped_at_once = run(scalar->cascade, &points, n, m, always, INFINITY);
    expect(stopped_at_once.outcome == INTERRUPTED || same(&plain, &stopped_at_once), "stops when asked", n, m, seed);
    discard(&late);
    discard(&stopped_at_once);
    discard(&plain);
    free(low);
    free(weight);
    free(cost);
    free(x);
    free(y);
}

static void try_sparse(int64_t n, int64_t m, int seed) {
    random_state = (uint64_t)seed + 7;
    const uint64_t share = 1 + (uint64_t)seed % 9;
    double *cost = zeroed(n * m, sizeof *cost), *entries = zeroed(n * m, sizeof *entries);
    int64_t *begin = zeroed(n + 1, sizeof *begin);
    int32_t *column = zeroed(n * m, sizeof *column);
    for (int64_t i = 0; i < n; i++) {
        begin[i + 1] = begin[i];
        for (int64_t j = 0; j < m; j++) {
            const double value = seed % 2 ? random_unit() - 0.5 : (double)(random_bits() % 5);
            const int allowed = random_bits() % 9 < share;
            cost[i * m + j] = allowed ? value : INFINITY;
            if (allowed) {
                column[begin[i + 1]] = (int32_t)j;
                entries[begin[i + 1]++] = value;
            }
        }
    }
    const sparse_t sparse = {begin, column, entries};
    answer_t plain = run(find_plain_build(0)->cascade_sparse, &sparse, n, m, never, INFINITY);
    if (plain.outcome == INFEASIBLE) {
        const task_t *t = &plain.task;
        int holds = t->blocked >= 1;
        for (int64_t k = 0; k < t->blocked; k++) {
            for (int64_t e = begin[t->x[k]]; e < begin[t->x[k] + 1]; e++) {
                int named = 0;
                for (int64_t l = 0; l + 1 < t->blocked; l++) {
                    named |= t->y[l] == column[e];
                }
                holds = holds && named;
            }
        }
        expect(holds, "a Hall set", n, m, seed);
    } else {
        expect(plain.outcome == SOLVED, "sparse costs are solved", n, m, seed);
        prove(&plain, cost, seed);
    }
    if (processor_has_avx2()) {
        answer_t wide = run(find_plain_build(1)->cascade_sparse, &sparse, n, m, never, INFINITY);
        expect(same(&plain, &wide), "builds agree on sparse costs", n, m, seed);
        discard(&wide);
    }
    discard(&plain);
    free(cost);
    free(entries);
    free(begin);
    free(column);
}

int main(void) {
    int problems = 0;
    for (int seed = 0; seed < 150; seed++) {
        const int64_t n = 1 + seed * 7 % 53, m = n + (seed % 3 ? 0 : seed % 11);
        try_points(2 + seed % 2, seed, n, m, seed);
        try_sparse(n, m, seed);
        problems += 2;
    }
    for (int kinds = 0; kinds < 49; kinds++) {
        try_points(2 + kinds % 2, kinds, 200 - kinds, 200, kinds);
        problems++;
    }
    printf("%d problems, %d failures\n", problems, failures);
    return failures != 0;
}
