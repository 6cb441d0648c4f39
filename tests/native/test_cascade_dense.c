/* Cascade on matrices without Python, for the sanitizers: every start, all kernels on the same problems. Each result is
 * proven by duality, and all kernels must agree to the bit, counters included. */
#include "assignment_check.h"

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

static answer_t run_by(assignment_solver_t *solver, const void *cost, int64_t n, int64_t m, stop_t stop,
                       int64_t threads, double limit) {
    return solve_assignment(solver, (assignment_t){.n = n,
                                                   .m = m,
                                                   .given = n,
                                                   .cost = cost,
                                                   .limit = limit,
                                                   .stop = stop,
                                                   .threads = threads,
                                                   .check_every = 1 << 12});
}

static const stop_t go_on = {never, INFINITY};

static answer_t run(assignment_solver_t *solver, const void *cost, int64_t n, int64_t m) {
    return run_by(solver, cost, n, m, go_on, 1, INFINITY);
}

/* A range that is known before leads to an optimum as well, and all kernels find the same range. */
static void try_known_range(const answer_t *unknown, const void *cost, const double *wide, int single, int64_t n,
                            int64_t m, int seed) {
    double *low = exactly(m, sizeof *low), *other = exactly(m, sizeof *other);
    cost_range_t range = {INFINITY, -INFINITY, 0};
    for (int64_t j = 0; j < m; j++) {
        low[j] = INFINITY;
    }
    memcpy(other, low, (size_t)m * sizeof *other);
    find_kernels(ISA_SCALAR)->dense[single].cost_range(cost, n, m, low, &range);
    for (isa_t isa = 1; isa < ISA_COUNT && find_kernels(isa); isa++) {
        cost_range_t found = {INFINITY, -INFINITY, 0};
        find_kernels(isa)->dense[single].cost_range(cost, n, m, other, &found);
        const int same = found.low == range.low && found.high == range.high && found.forbids == range.forbids;
        expect(same && same_bytes(low, other, m, sizeof *low), "kernels agree on the range", n, m, seed);
    }
    assignment_t task = {.n = n, .m = m, .given = n, .cost = cost, .limit = INFINITY, .stop = go_on, .threads = 1};
    task.check_every = 1 << 12;
    task.column_low = low;
    task.range = range;
    answer_t known = solve_assignment(find_kernels(ISA_SCALAR)->dense[single].cascade, task);
    expect(known.outcome == unknown->outcome, "a range known before changes no outcome", n, m, seed);
    if (known.outcome == SOLVED) {
        prove_matching(&known.task, wide, seed);
    }
    discard_answer(&known);
    free(low);
    free(other);
}

/* Stopped at once or late, the columns still have duals that prove a bound. */
static void try_stopped(assignment_solver_t *solver, const void *cost, int64_t n, int64_t m, int seed) {
    for (int late = 0; late < 2; late++) {
        const stop_t stop = {late ? never : always, late ? 0.0 : INFINITY};
        answer_t a = run_by(solver, cost, n, m, stop, 1, INFINITY);
        expect(a.outcome == (late ? TIMED_OUT : INTERRUPTED), "stops when asked", n, m, seed);
        prove_bound(&a.task, "duals of a stopped search", seed);
        discard_answer(&a);
    }
}

/* Several threads: the same optimum, and the same work whenever they are as many. */
static void try_threads(assignment_solver_t *solver, const float *cost, const double *wide, int64_t n, int64_t m,
                        int seed) {
    for (int64_t threads = 2; threads <= 3; threads++) {
        answer_t a = run_by(solver, cost, n, m, go_on, threads, INFINITY);
        answer_t b = run_by(solver, cost, n, m, go_on, threads, INFINITY);
        expect(same_answer(&a, &b), "threads do the same work twice", n, m, seed);
        if (a.outcome == SOLVED) {
            prove_matching(&a.task, wide, seed);
        }
        discard_answer(&a);
        discard_answer(&b);
    }
}

/* What a limited problem minimises. */
static double objective(const assignment_t *t, const float *cost) {
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
        const dense_kernels_t *scalar_kernels = &find_kernels(ISA_SCALAR)->dense[1];
        answer_t jv = run_by(scalar_kernels->jonker_volgenant, cost, n, m, go_on, 1, limit);
        answer_t scalar = run_by(scalar_kernels->cascade, cost, n, m, go_on, 1, limit);
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
        for (isa_t isa = 1; isa < ISA_COUNT && find_kernels(isa); isa++) {
            answer_t other = run_by(find_kernels(isa)->dense[1].cascade, cost, n, m, go_on, 1, limit);
            expect(same_answer(&scalar, &other), "kernels agree under a limit", n, m, seed);
            discard_answer(&other);
        }
        discard_answer(&jv);
        discard_answer(&scalar);
    }
}

static void try_problem(int64_t n, int64_t m, int kind, int forbid, int seed) {
    seed_random(seed);
    float *narrow = exactly(n * m, sizeof *narrow);
    double *wide = exactly(n * m, sizeof *wide);
    draw(kind, n, m, forbid, narrow);
    for (int64_t k = 0; k < n * m; k++) {
        wide[k] = (double)narrow[k];
    }
    for (int single = 0; single < 2; single++) {
        const void *cost = single ? (const void *)narrow : (const void *)wide;
        assignment_solver_t *solver = find_kernels(ISA_SCALAR)->dense[single].cascade;
        answer_t scalar = run(solver, cost, n, m);
        if (scalar.outcome == SOLVED) {
            prove_matching(&scalar.task, wide, seed);
        } else {
            expect(scalar.outcome == INFEASIBLE && forbid, "a feasible problem is solved", n, m, seed);
            prove_infeasible(&scalar.task, wide, seed);
        }
        for (isa_t isa = 1; isa < ISA_COUNT && find_kernels(isa); isa++) {
            answer_t a = run(find_kernels(isa)->dense[single].cascade, cost, n, m);
            expect(same_answer(&scalar, &a), "kernels agree", n, m, seed);
            discard_answer(&a);
        }
        try_known_range(&scalar, cost, wide, single, n, m, seed);
        /* Smaller problems end before the first check. */
        if (n >= 200) {
            try_stopped(solver, cost, n, m, seed);
        }
        if (single && n >= 127) {
            try_threads(best_kernels()->dense[1].cascade, narrow, wide, n, m, seed);
        }
        discard_answer(&scalar);
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
    /* Problems of fewer rows are mostly left to jv. */
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
    return finish(seed);
}
