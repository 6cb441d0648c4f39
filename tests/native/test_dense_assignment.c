/* The methods jv and auction without Python, for the sanitizers: all kernels on the same random problems. Each result
 * is proven by duality, and all kernels must agree to the bit, counters included. */
#include "assignment_check.h"

/* Stop at the check after so many. */
static int64_t looks, looks_before_stop;

static int counted(void) { return looks++ >= looks_before_stop; }

/* A matrix of the `given` first rows, with entries of `width` bytes. */
typedef struct {
    const void *cost;
    size_t width;
    int64_t given, n, m;
    double limit;
} input_t;

static answer_t run(assignment_solver_t *solver, const input_t *in, int64_t stop_at_look, double deadline) {
    void *zeros = zeroed(in->m, in->width);
    looks = 0;
    looks_before_stop = stop_at_look;
    answer_t a = solve_assignment(solver, (assignment_t){.n = in->n,
                                                         .m = in->m,
                                                         .given = in->given,
                                                         .cost = in->cost,
                                                         .zeros = zeros,
                                                         .limit = in->limit,
                                                         .stop = {counted, deadline}});
    free(zeros);
    a.task.zeros = NULL;
    return a;
}

/* Stopped at any check, a solver returns at once and leaves column duals that prove a bound. */
static void stop_everywhere(assignment_solver_t *solver, const input_t *in, int64_t all_looks, int seed) {
    for (int quarter = 0; quarter < 4; quarter++) {
        const int64_t at = quarter * all_looks / 4;
        answer_t a = run(solver, in, at, INFINITY);
        expect(a.outcome == INTERRUPTED && looks == at + 1, "stops when asked", in->given, in->m, seed);
        prove_bound(&a.task, "duals of a stopped search", seed);
        discard_answer(&a);
    }
    answer_t late = run(solver, in, INT64_MAX, 0.0);
    expect(late.outcome == TIMED_OUT, "stops when it is late", in->given, in->m, seed);
    discard_answer(&late);
}

/* `wide` and `narrow` hold the same (n, m) costs. */
static void try_method(int auction, const double *wide, const float *narrow, int64_t n, int64_t m, double limit,
                       int forbid, int seed) {
    answer_t first;
    int have_first = 0;
    for (isa_t isa = 0; isa < ISA_COUNT; isa++) {
        for (int single = 0; single < 2 && find_kernels(isa); single++) {
            const dense_kernels_t *kernels = &find_kernels(isa)->dense[single];
            assignment_solver_t *solver = auction ? kernels->auction : kernels->jonker_volgenant;
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
                prove_matching(&a.task, wide, seed);
            } else {
                expect(a.outcome == INFEASIBLE && forbid && limit == INFINITY, "a feasible problem is solved", n, m,
                       seed);
                prove_infeasible(&a.task, wide, seed);
            }
            expect(2 * all_looks >= a.task.counters.row_scans, "looks all the time", n, m, seed);
            stop_everywhere(solver, &in, all_looks, seed);
            if (have_first) {
                expect(same_answer(&first, &a), "kernels agree", n, m, seed);
                discard_answer(&a);
            } else {
                first = a;
                have_first = 1;
            }
        }
    }
    discard_answer(&first);
}

static void try_problem(int64_t n, int64_t m, int kind, int forbid, int seed) {
    seed_random(seed);
    const size_t size = (size_t)(n * m);
    double *wide = exactly(size, sizeof *wide);
    float *narrow = exactly(size, sizeof *narrow);
    for (int64_t k = 0; k < n * m; k++) {
        const double c = draw_cost(kind, k / m, k % m);
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
        try_problem(n, m, k % COST_KINDS, k % 3 == 0, seed);
    }
    for (size_t e = 0; e < sizeof edges / sizeof *edges; e++) {
        for (int kind = 0; kind < COST_KINDS; kind++, seed++) {
            try_problem(edges[e], edges[e], kind, 0, seed);
            try_problem((edges[e] + 1) / 2, edges[e], kind, kind % 2, seed);
        }
    }
    return finish(seed);
}
