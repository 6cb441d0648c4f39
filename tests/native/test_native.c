/* The native solvers without Python around them, for the sanitizers: every build on the same random problems.
 *
 * Each answer is proven here by duality, and all builds must agree to the bit, counters included. Every array is
 * allocated at its exact size, so that a vector loop which reads or writes past an end is caught.
 */
#include "builds.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    task_t task;
    outcome_t outcome;
} answer_t;

static int failures = 0;

static void expect(int holds, const char *what, int64_t n, int64_t m, int seed) {
    if (!holds) {
        fprintf(stderr, "FAILED %s: n = %lld, m = %lld, seed %d\n", what, (long long)n, (long long)m, seed);
        failures++;
    }
}

static uint64_t random_state;

static uint64_t random_bits(void) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return random_state >> 33;
}

/* Says stop at the look after so many. */
static int64_t looks, looks_before_stop;

static int counted(void) { return looks++ >= looks_before_stop; }

/* Kinds of costs: even, few values, i*j, wide range, near ties; float32 values throughout, so that all builds see the
 * same. */
static double draw(int kind, int64_t i, int64_t j) {
    switch (kind) {
    case 0:
        return (float)random_bits() / 2147483648.0f - 0.5f;
    case 1:
        return (double)(random_bits() % 4);
    case 2:
        return (double)((i + 1) * (j + 1));
    case 3:
        return (float)exp2((double)(random_bits() % 60) - 30.0);
    default:
        return 1.0f + 1.1920929e-07f * (float)(random_bits() % 3);
    }
}

static void *exactly(size_t size) {
    void *memory = malloc(size);
    if (memory == NULL && size > 0) {
        abort();
    }
    return memory;
}

static answer_t run(assign_t solver, const void *cost, size_t width, int64_t given, int64_t n, int64_t m,
                    int64_t stop_at_look, double deadline) {
    answer_t a;
    memset(&a, 0, sizeof a);
    void *zeros = exactly((size_t)m * width);
    memset(zeros, 0, (size_t)m * width);
    looks = 0;
    looks_before_stop = stop_at_look;
    a.task = (task_t){.n = n, .m = m, .given = given, .cost = cost, .zeros = zeros, .stop = {counted, deadline}};
    a.task.x = exactly((size_t)n * sizeof *a.task.x);
    a.task.y = exactly((size_t)m * sizeof *a.task.y);
    a.task.u = exactly((size_t)n * sizeof *a.task.u);
    a.task.v = exactly((size_t)m * sizeof *a.task.v);
    a.outcome = solver(&a.task);
    free(zeros);
    a.task.zeros = NULL;
    return a;
}

static void discard(answer_t *a) {
    free(a->task.x);
    free(a->task.y);
    free(a->task.u);
    free(a->task.v);
}

static int same(const answer_t *a, const answer_t *b) {
    return a->outcome == b->outcome && a->task.bad_row == b->task.bad_row &&
           memcmp(&a->task.counters, &b->task.counters, sizeof a->task.counters) == 0 &&
           (a->outcome != SOLVED || (memcmp(a->task.x, b->task.x, (size_t)a->task.n * sizeof *a->task.x) == 0 &&
                                     memcmp(a->task.u, b->task.u, (size_t)a->task.n * sizeof *a->task.u) == 0 &&
                                     memcmp(a->task.v, b->task.v, (size_t)a->task.m * sizeof *a->task.v) == 0));
}

/* A matching of every given row that meets its dual bound, to rounding. */
static void prove(const answer_t *a, const double *cost, int seed) {
    const task_t *t = &a->task;
    double scale = 1.0;
    for (int64_t k = 0; k < t->given * t->m; k++) {
        scale = cost[k] < INFINITY && fabs(cost[k]) > scale ? fabs(cost[k]) : scale;
    }
    const double tolerance = 1e-13 * scale * (double)(t->n + 1);
    char *taken = calloc((size_t)t->m + 1, 1);
    int complete = 1, feasible = 1, tight = 1, signs = 1;
    for (int64_t i = 0; i < t->given; i++) {
        const int64_t j = t->x[i];
        complete = complete && j >= 0 && j < t->m && !taken[j];
        if (!complete) {
            break;
        }
        taken[j] = 1;
        tight = tight && fabs(cost[i * t->m + j] - t->u[i] - t->v[j]) <= tolerance;
        for (int64_t k = 0; k < t->m; k++) {
            feasible = feasible && t->u[i] + t->v[k] <= cost[i * t->m + k] + tolerance;
        }
    }
    for (int64_t j = 0; j < t->m && t->given < t->m && complete; j++) {
        signs = signs && (taken[j] ? t->v[j] <= tolerance : t->v[j] == 0.0);
    }
    free(taken);
    expect(complete, "complete matching", t->given, t->m, seed);
    expect(feasible, "feasible duals", t->given, t->m, seed);
    expect(tight, "tight pairs", t->given, t->m, seed);
    expect(signs, "signs of v", t->given, t->m, seed);
}

/* Stopped at any look, a solver says so at once and leaves duals of the columns that prove a bound. */
static void stop_everywhere(assign_t solver, const void *cost, size_t width, int64_t given, int64_t n, int64_t m,
                            int64_t all_looks, int seed) {
    for (int quarter = 0; quarter < 4; quarter++) {
        const int64_t at = quarter * all_looks / 4;
        answer_t a = run(solver, cost, width, given, n, m, at, INFINITY);
        expect(a.outcome == INTERRUPTED && looks == at + 1, "stops when asked", given, m, seed);
        int proves = 1;
        for (int64_t j = 0; j < m; j++) {
            proves = proves && isfinite(a.task.v[j]) && (given == m || a.task.v[j] <= 0.0);
        }
        expect(proves, "duals of a stopped search", given, m, seed);
        discard(&a);
    }
    answer_t late = run(solver, cost, width, given, n, m, INT64_MAX, 0.0);
    expect(late.outcome == TIMED_OUT, "stops when it is late", given, m, seed);
    discard(&late);
}

static void try_problem(int64_t n, int64_t m, int kind, int forbid, int seed) {
    random_state = (uint64_t)seed * 2654435761u + 1;
    const size_t size = (size_t)(n * m);
    double *wide = exactly(size * sizeof *wide);
    float *narrow = exactly(size * sizeof *narrow);
    for (int64_t k = 0; k < n * m; k++) {
        const double c = draw(kind, k / m, k % m);
        wide[k] = forbid && random_bits() % 10 < 3 ? INFINITY : c;
        narrow[k] = (float)wide[k];
    }
    for (int method = 0; method < 2; method++) {
        const int64_t rows = method == 0 ? n : m;
        answer_t first;
        int have_first = 0;
        for (int avx2 = 0; avx2 < 2; avx2++) {
            for (int single = 0; single < 2; single++) {
                const build_t *build = find_build(avx2, single);
                if (build == NULL) {
                    continue;
                }
                const void *cost = single ? (const void *)narrow : (const void *)wide;
                const size_t width = single ? sizeof *narrow : sizeof *wide;
                const assign_t solver = method == 0 ? build->jv : build->auction;
                answer_t a = run(solver, cost, width, n, rows, m, INT64_MAX, INFINITY);
                const int64_t all_looks = looks;
                if (a.outcome == SOLVED) {
                    prove(&a, wide, seed);
                } else {
                    expect(a.outcome == INFEASIBLE && forbid, "a feasible problem is solved", n, m, seed);
                }
                expect(2 * all_looks >= a.task.counters.row_scans, "looks all the time", n, m, seed);
                stop_everywhere(solver, cost, width, n, rows, m, all_looks, seed);
                if (have_first) {
                    expect(same(&first, &a), "builds agree", n, m, seed);
                    discard(&a);
                } else {
                    first = a;
                    have_first = 1;
                }
            }
        }
        discard(&first);
    }
    free(wide);
    free(narrow);
}

int main(void) {
    static const int64_t edges[] = {1, 3, 4, 15, 16, 17, 127, 128, 129, 260};
    int seed = 0;
    for (int k = 0; k < 600; k++, seed++) {
        random_state = (uint64_t)seed + 99;
        const int64_t n = 1 + (int64_t)(random_bits() % 14), m = n + (k % 2 ? (int64_t)(random_bits() % 9) : 0);
        try_problem(n, m, k % 5, k % 3 == 0, seed);
    }
    for (size_t e = 0; e < sizeof edges / sizeof *edges; e++) {
        for (int kind = 0; kind < 5; kind++, seed++) {
            try_problem(edges[e], edges[e], kind, 0, seed);
            try_problem((edges[e] + 1) / 2, edges[e], kind, kind % 2, seed);
        }
    }
    printf("%d problems, %d failures; AVX2 %s\n", seed, failures, processor_has_avx2() ? "tested" : "absent");
    return failures != 0;
}
