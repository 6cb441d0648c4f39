/* Cascade on matrices without Python around it, for the sanitizers: every opening, every build on the same problems.
 * Each answer is proven by duality, and the two instruction sets must agree to the bit, counters included. Every array
 * is allocated at its exact size, so that a vector loop which reads or writes past an end is caught. */
#include "builds.h"
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { UNIFORM, FEW_VALUES, PRODUCT, PLANE, EQUAL_ROWS, EQUAL_COLUMNS, SUMS, WIDE_RANGE, NEAR_TIES, TWO_ZEROS, KINDS };

/* Float32 values throughout, so that both types see the same. */
static void draw(int kind, int64_t n, int64_t m, int forbid, float *cost) {
    float *row = exactly(3 * n, sizeof *row), *column = exactly(3 * m, sizeof *column);
    for (int64_t i = 0; i < 3 * n; i++) {
        row[i] = (float)random_unit();
    }
    for (int64_t j = 0; j < 3 * m; j++) {
        column[j] = (float)random_unit();
    }
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < m; j++) {
            const float dx = row[i] - column[j], dy = row[n + i] - column[m + j];
            float c = (float)random_unit() - 0.5f;
            c = kind == FEW_VALUES      ? (float)(random_bits() % 4)
                : kind == PRODUCT       ? (float)((i + 1) * (j + 1))
                : kind == PLANE         ? dx * dx + dy * dy
                : kind == EQUAL_ROWS    ? fabsf((float)(i % 3) - 3.0f * column[j])
                : kind == EQUAL_COLUMNS ? fabsf((float)(j % 3) - 3.0f * row[i])
                : kind == SUMS          ? 100.0f * row[i] + 100.0f * column[j]
                : kind == WIDE_RANGE    ? (float)exp2((double)(random_bits() % 60) - 30.0)
                : kind == NEAR_TIES     ? 1.0f + 1.1920929e-07f * (float)(random_bits() % 3)
                : kind == TWO_ZEROS     ? (float)(j != (i * 7) % m && j != (i * 5) % m)
                                        : c;
            cost[i * m + j] = forbid && random_bits() % 10 < 4 ? INFINITY : c;
        }
    }
    free(row);
    free(column);
}

typedef struct {
    task_t task;
    outcome_t outcome;
} answer_t;

static answer_t run_by(assign_t solver, const void *cost, int64_t n, int64_t m, interrupted_t interrupted,
                       double deadline, int64_t threads, double limit) {
    answer_t a = {.task = {.n = n,
                           .m = m,
                           .given = n,
                           .cost = cost,
                           .x = exactly(n, sizeof(int32_t)),
                           .y = exactly(m, sizeof(int32_t)),
                           .u = exactly(n, sizeof(double)),
                           .v = exactly(m, sizeof(double)),
                           .limit = limit,
                           .stop = {interrupted, deadline},
                           .threads = threads,
                           .look_every = 1 << 12}};
    for (int64_t i = 0; i < n; i++) {
        a.task.x[i] = -1;
    }
    for (int64_t j = 0; j < m; j++) {
        a.task.y[j] = -1;
    }
    a.outcome = solver(&a.task);
    return a;
}

static answer_t run(assign_t solver, const void *cost, int64_t n, int64_t m, interrupted_t interrupted,
                    double deadline) {
    return run_by(solver, cost, n, m, interrupted, deadline, 1, INFINITY);
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

/* A complete matching that its duals prove, to rounding. */
static void prove(const task_t *t, const float *cost, int seed) {
    double scale = 1.0;
    for (int64_t k = 0; k < t->n * t->m; k++) {
        scale = isfinite(cost[k]) && fabs((double)cost[k]) > scale ? fabs((double)cost[k]) : scale;
    }
    const double tolerance = 1e-13 * scale * (double)(t->n + 1);
    char *taken = calloc((size_t)t->m, 1);
    int complete = taken != NULL, feasible = 1, tight = 1, signs = 1;
    for (int64_t i = 0; i < t->n && complete; i++) {
        const int64_t j = t->x[i];
        complete = j >= 0 && j < t->m && !taken[j] && isfinite(cost[i * t->m + j]);
        for (int64_t l = 0; l < t->m && complete; l++) {
            feasible = feasible && t->u[i] + t->v[l] <= (double)cost[i * t->m + l] + tolerance;
        }
        if (complete) {
            taken[j] = 1;
            tight = tight && fabs((double)cost[i * t->m + j] - t->u[i] - t->v[j]) <= tolerance;
        }
    }
    for (int64_t j = 0; j < t->m && complete && t->n < t->m; j++) {
        signs = signs && t->v[j] <= 0.0 && (taken[j] || t->v[j] >= -tolerance);
    }
    free(taken);
    expect(complete, "complete matching", t->n, t->m, seed);
    expect(feasible, "feasible duals", t->n, t->m, seed);
    expect(tight, "tight pairs", t->n, t->m, seed);
    expect(signs, "signs of the duals", t->n, t->m, seed);
}

/* A set of rows with fewer columns than rows, and no allowed pair beside these columns. */
static void prove_blocked(const task_t *t, const float *cost, int seed) {
    char *named = calloc((size_t)t->m, 1), *seen = calloc((size_t)t->n, 1);
    int holds = named && seen && t->blocked >= 1;
    for (int64_t k = 0; k + 1 < t->blocked && holds; k++) {
        named[t->y[k]] = 1;
    }
    for (int64_t k = 0; k < t->blocked && holds; k++) {
        const int64_t i = t->x[k];
        holds = i >= 0 && i < t->n && !seen[i];
        for (int64_t j = 0; j < t->m && holds; j++) {
            holds = named[j] || !isfinite(cost[i * t->m + j]);
        }
        if (holds) {
            seen[i] = 1;
        }
    }
    free(named);
    free(seen);
    expect(holds, "a Hall set", t->n, t->m, seed);
}

/* Stopped at once or late, the columns still have duals that prove a bound. */
static void try_stopped(assign_t solver, const void *cost, int64_t n, int64_t m, int seed) {
    for (int late = 0; late < 2; late++) {
        answer_t a = run(solver, cost, n, m, late ? never : always, late ? 0.0 : INFINITY);
        int proves = 1;
        for (int64_t j = 0; j < m; j++) {
            proves = proves && isfinite(a.task.v[j]) && (n == m || a.task.v[j] <= 0.0);
        }
        expect(a.outcome == (late ? TIMED_OUT : INTERRUPTED), "stops when asked", n, m, seed);
        expect(proves, "duals of a stopped search", n, m, seed);
        discard(&a);
    }
}

/* Several threads: the same optimum, and the same work whenever they are as many. */
static void try_threads(assign_t solver, const float *cost, int64_t n, int64_t m, int seed) {
    for (int64_t threads = 2; threads <= 3; threads++) {
        answer_t a = run_by(solver, cost, n, m, never, INFINITY, threads, INFINITY);
        answer_t b = run_by(solver, cost, n, m, never, INFINITY, threads, INFINITY);
        expect(same(&a, &b), "threads do the same work twice", n, m, seed);
        if (a.outcome == SOLVED) {
            prove(&a.task, cost, seed);
        }
        discard(&a);
        discard(&b);
    }
}

/* What a limited problem minimises. */
static double objective(const task_t *t, const float *cost) {
    double sum = 0.0;
    for (int64_t i = 0; i < t->n; i++) {
        sum += t->x[i] >= 0 ? (double)cost[i * t->m + t->x[i]] - t->limit : 0.0;
    }
    return sum;
}

/* Limits that leave few pairs, many, none and all: as good a matching as that of jv, by duals of the right sign. */
static void try_limits(const float *cost, int64_t n, int64_t m, int seed) {
    for (int part = 0; part < 4; part++) {
        double limit = part == 3 ? 1e30 : -1e30;
        for (int64_t s = 0; s < 40 && part < 2; s++) {
            const double sample = (double)cost[(int64_t)(random_bits() % (uint64_t)(n * m))];
            limit = isfinite(sample) && (limit == -1e30 || (part == 0) == (sample < limit)) ? sample : limit;
        }
        limit = (double)(float)(part == 1 ? 0.5 * limit : limit);
        answer_t jv = run_by(find_build(0, 1)->jv, cost, n, m, never, INFINITY, 1, limit);
        answer_t scalar = run_by(find_build(0, 1)->cascade, cost, n, m, never, INFINITY, 1, limit);
        const double best = objective(&jv.task, cost), found = objective(&scalar.task, cost);
        expect(scalar.outcome == SOLVED, "a limited problem is solved", n, m, seed);
        expect(fabs(found - best) <= 1e-12 * (double)n * (fabs(best) + fabs(limit)), "optimum of a limit", n, m, seed);
        int signs = 1;
        for (int64_t i = 0; i < n; i++) {
            signs = signs && scalar.task.u[i] <= 0.0 && (scalar.task.x[i] >= 0 || scalar.task.u[i] == 0.0);
        }
        for (int64_t j = 0; j < m; j++) {
            signs = signs && scalar.task.v[j] <= 0.0;
        }
        expect(signs, "signs of the duals of a limit", n, m, seed);
        if (processor_has_avx2()) {
            answer_t avx2 = run_by(find_build(1, 1)->cascade, cost, n, m, never, INFINITY, 1, limit);
            expect(same(&scalar, &avx2), "builds agree under a limit", n, m, seed);
            discard(&avx2);
        }
        discard(&jv);
        discard(&scalar);
    }
}

static void try_problem(int64_t n, int64_t m, int kind, int forbid, int seed) {
    random_state = (uint64_t)seed * 2654435761u + 1;
    float *narrow = exactly(n * m, sizeof *narrow);
    double *wide = exactly(n * m, sizeof *wide);
    draw(kind, n, m, forbid, narrow);
    for (int64_t k = 0; k < n * m; k++) {
        wide[k] = (double)narrow[k];
    }
    for (int single = 0; single < 2; single++) {
        const void *cost = single ? (const void *)narrow : (const void *)wide;
        answer_t scalar = run(find_build(0, single)->cascade, cost, n, m, never, INFINITY);
        if (scalar.outcome == SOLVED) {
            prove(&scalar.task, narrow, seed);
        } else {
            expect(scalar.outcome == INFEASIBLE && forbid, "a feasible problem is solved", n, m, seed);
            prove_blocked(&scalar.task, narrow, seed);
        }
        const build_t *avx2 = find_build(1, single);
        if (avx2) {
            answer_t a = run(avx2->cascade, cost, n, m, never, INFINITY);
            expect(same(&scalar, &a), "builds agree", n, m, seed);
            discard(&a);
        }
        /* A look comes only after so much work. */
        if (n >= 200) {
            try_stopped(find_build(0, single)->cascade, cost, n, m, seed);
        }
        if (single && n >= 127) {
            try_threads(find_build(processor_has_avx2(), 1)->cascade, narrow, n, m, seed);
        }
        discard(&scalar);
    }
    if (n <= 320) {
        try_limits(narrow, n, m, seed);
    }
    free(narrow);
    free(wide);
}

int main(void) {
    static const int64_t edges[] = {1, 3, 4, 63, 64, 65, 127, 128, 129, 260};
    int seed = 0;
    for (int k = 0; k < 1000; k++, seed++) {
        random_state = (uint64_t)seed + 99;
        const int64_t n = 1 + (int64_t)(random_bits() % 24), m = n + (k / KINDS % 2 ? (int64_t)(random_bits() % 9) : 0);
        try_problem(n, m, k % KINDS, k % 3 == 0, seed);
    }
    for (size_t e = 0; e < sizeof edges / sizeof *edges; e++) {
        for (int kind = 0; kind < KINDS; kind++, seed++) {
            try_problem(edges[e], edges[e], kind, 0, seed);
            try_problem((edges[e] + 1) / 2, edges[e], kind, kind % 2, seed);
        }
    }
    /* Fewer rows than these are mostly left to jv. */
    static const int64_t more[] = {241, 255, 256, 257, 320};
    for (size_t e = 0; e < sizeof more / sizeof *more; e++) {
        for (int kind = 0; kind < KINDS; kind++, seed++) {
            try_problem(more[e], more[e], kind, kind % 2, seed);
            try_problem(more[e], more[e] + 40, kind, 0, seed);
        }
    }
    /* From 700 rows on there are a probe and coarse levels. */
    for (int kind = 0; kind < KINDS; kind++, seed++) {
        try_problem(704, 704, kind, 0, seed);
    }
    try_problem(704, 704, PLANE, 1, seed++);
    try_problem(640, 700, PLANE, 0, seed++);
    printf("%d seeds, %d failures; AVX2 %s\n", seed, failures, processor_has_avx2() ? "tested" : "absent");
    return failures != 0;
}
