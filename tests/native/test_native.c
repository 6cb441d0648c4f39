/* The native solvers without Python around them, for the sanitizers: every build on the same random problems.
 *
 * Each answer is proven here by duality, and all builds must agree to the bit, counters included. Every array is
 * allocated at its exact size, so that a vector loop which reads or writes past an end is caught.
 */
#include "builds.h"
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    task_t task;
    outcome_t outcome;
} answer_t;

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

/* The costs are those of the `given` first rows, entries `width` bytes wide. */
typedef struct {
    const void *cost;
    size_t width;
    int64_t given, n, m;
    double limit;
} input_t;

static answer_t run(assign_t solver, const input_t *in, int64_t stop_at_look, double deadline) {
    const size_t n = (size_t)in->n, m = (size_t)in->m;
    answer_t a;
    memset(&a, 0, sizeof a);
    void *zeros = exactly(m, in->width);
    memset(zeros, 0, m * in->width);
    looks = 0;
    looks_before_stop = stop_at_look;
    a.task = (task_t){
        .n = in->n,
        .m = in->m,
        .given = in->given,
        .cost = in->cost,
        .zeros = zeros,
        .x = exactly(n, sizeof *a.task.x),
        .y = exactly(m, sizeof *a.task.y),
        .u = exactly(n, sizeof *a.task.u),
        .v = exactly(m, sizeof *a.task.v),
        .limit = in->limit,
        .stop = {counted, deadline},
    };
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

/* A matching that meets its dual bound, to rounding: of every given row, or under a limit of those worth it. */
static void prove(const answer_t *a, const double *cost, int seed) {
    const task_t *t = &a->task;
    const int limited = t->limit < INFINITY;
    const double offset = limited ? t->limit : 0.0;
    double scale = fabs(offset) > 1.0 ? fabs(offset) : 1.0;
    for (int64_t k = 0; k < t->given * t->m; k++) {
        scale = cost[k] < INFINITY && fabs(cost[k]) > scale ? fabs(cost[k]) : scale;
    }
    const double tolerance = 1e-13 * scale * (double)(t->n + 1);
    char *taken = calloc((size_t)t->m + 1, 1);
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
        complete = complete && j >= 0 && j < t->m && !taken[j];
        if (!complete) {
            break;
        }
        taken[j] = 1;
        tight = tight && fabs(cost[i * t->m + j] - offset - t->u[i] - t->v[j]) <= tolerance;
    }
    for (int64_t j = 0; j < t->m && (limited || t->given < t->m) && complete; j++) {
        signs = signs && (taken[j] ? t->v[j] <= tolerance : t->v[j] == 0.0);
    }
    free(taken);
    expect(complete, "complete matching", t->given, t->m, seed);
    expect(feasible, "feasible duals", t->given, t->m, seed);
    expect(tight, "tight pairs", t->given, t->m, seed);
    expect(signs, "signs of the duals", t->given, t->m, seed);
}

/* A set of given rows with fewer columns than rows, and no allowed pair beside these columns. */
static void prove_blocked(const answer_t *a, const double *cost, int seed) {
    const task_t *t = &a->task;
    char *named = calloc((size_t)t->m, 1);
    for (int64_t k = 0; k < t->blocked - 1; k++) {
        named[t->y[k]] = 1;
    }
    int holds = t->blocked >= 1;
    for (int64_t k = 0; k < t->blocked; k++) {
        const int64_t i = t->x[k];
        holds = holds && i < t->given;
        for (int64_t l = 0; l < k; l++) {
            holds = holds && t->x[l] != i;
        }
        for (int64_t j = 0; j < t->m && holds; j++) {
            holds = named[j] || !(cost[i * t->m + j] < INFINITY);
        }
    }
    free(named);
    expect(holds, "a Hall set", t->given, t->m, seed);
}

/* Stopped at any look, a solver says so at once and leaves duals of the columns that prove a bound. */
static void stop_everywhere(assign_t solver, const input_t *in, int64_t all_looks, int seed) {
    for (int quarter = 0; quarter < 4; quarter++) {
        const int64_t at = quarter * all_looks / 4;
        answer_t a = run(solver, in, at, INFINITY);
        expect(a.outcome == INTERRUPTED && looks == at + 1, "stops when asked", in->given, in->m, seed);
        const int any_sign = in->given == in->m && in->limit == INFINITY;
        int proves = 1;
        for (int64_t j = 0; j < in->m; j++) {
            proves = proves && isfinite(a.task.v[j]) && (any_sign || a.task.v[j] <= 0.0);
        }
        expect(proves, "duals of a stopped search", in->given, in->m, seed);
        discard(&a);
    }
    answer_t late = run(solver, in, INT64_MAX, 0.0);
    expect(late.outcome == TIMED_OUT, "stops when it is late", in->given, in->m, seed);
    discard(&late);
}

/* `wide` and `narrow` hold the same (n, m) costs. */
static void try_method(int auction, const double *wide, const float *narrow, int64_t n, int64_t m, double limit,
                       int forbid, int seed) {
    answer_t first;
    int have_first = 0;
    for (int avx2 = 0; avx2 < 2; avx2++) {
        for (int single = 0; single < 2; single++) {
            const build_t *build = find_build(avx2, single);
            if (build == NULL) {
                continue;
            }
            const assign_t solver = auction ? build->auction : build->jv;
            const input_t in = {
                .cost = single ? (const void *)narrow : (const void *)wide,
                .width = single ? sizeof *narrow : sizeof *wide,
                .given = n,
                .n = auction ? m : n,
                .m = m,
                .limit = limit,
            };
            answer_t a = run(solver, &in, INT64_MAX, INFINITY);
            const int64_t all_looks = looks;
            if (a.outcome == SOLVED) {
                prove(&a, wide, seed);
            } else {
                expect(a.outcome == INFEASIBLE && forbid && limit == INFINITY, "a feasible problem is solved", n, m,
                       seed);
                prove_blocked(&a, wide, seed);
            }
            expect(2 * all_looks >= a.task.counters.row_scans, "looks all the time", n, m, seed);
            stop_everywhere(solver, &in, all_looks, seed);
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

static void try_problem(int64_t n, int64_t m, int kind, int forbid, int seed) {
    random_state = (uint64_t)seed * 2654435761u + 1;
    const size_t size = (size_t)(n * m);
    double *wide = exactly(size, sizeof *wide);
    float *narrow = exactly(size, sizeof *narrow);
    for (int64_t k = 0; k < n * m; k++) {
        const double c = draw(kind, k / m, k % m);
        wide[k] = forbid && random_bits() % 10 < 3 ? INFINITY : c;
        narrow[k] = (float)wide[k];
    }
    const double some = wide[random_bits() % size];
    try_method(0, wide, narrow, n, m, INFINITY, forbid, seed);
    try_method(1, wide, narrow, n, m, INFINITY, forbid, seed);
    try_method(0, wide, narrow, n, m, some < INFINITY ? some : 0.25, forbid, seed);
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
