/* Small problems without Python, for the sanitizers: all kernels on the same random problems, then batches. Each result
 * is proven by duals that the test computes itself, and all kernels must agree to the bit. */
#include "check.h"

static void expect_of(int holds, const char *what, const small_t *p, int seed) {
    expect(holds, what, p->n, p->m, seed);
}

static double cost_at(const small_t *p, int64_t i, int64_t j) {
    const int64_t at = i * p->m + j;
    return (p->maximize ? -1.0 : 1.0) *
           (p->single ? (double)((const float *)p->cost)[at] : ((const double *)p->cost)[at]);
}

/* Lower v until u_i + v_j <= c_ij, where u keeps the chosen pairs tight. This ends if and only if no exchange of pairs
 * along a cycle or towards a free column lowers the cost (Bellman and Ford). */
static int is_optimal(const small_t *p) {
    const int turned = p->n > p->m;
    const int64_t n = turned ? p->m : p->n, m = turned ? p->n : p->m;
    double *v = calloc((size_t)m, sizeof *v), scale = 1.0;
    int64_t *x = exactly(n, sizeof *x);
    char *taken = calloc((size_t)m, 1);
    int64_t pairs = 0;
    for (int64_t i = 0; i < p->n; i++) {
        const int64_t j = p->row_to_col[i];
        if (j >= 0 && j < p->m && !taken[turned ? i : j]) {
            x[turned ? j : i] = turned ? i : j;
            taken[turned ? i : j] = 1;
            pairs++;
        }
    }
    for (int64_t i = 0; i < p->n; i++) {
        for (int64_t j = 0; j < p->m; j++) {
            scale = isfinite(cost_at(p, i, j)) ? fmax(scale, fabs(cost_at(p, i, j))) : scale;
        }
    }
    int optimal = pairs == n, moved = optimal;
    for (int64_t sweep = 0; moved && optimal; sweep++) {
        moved = 0;
        optimal = sweep <= m;
        for (int64_t i = 0; i < n; i++) {
            const double u = (turned ? cost_at(p, x[i], i) : cost_at(p, i, x[i])) - v[x[i]];
            optimal = optimal && isfinite(u);
            for (int64_t j = 0; j < m; j++) {
                const double bound = (turned ? cost_at(p, j, i) : cost_at(p, i, j)) - u;
                if (bound < v[j] - 1e-13 * scale * (double)m) {
                    v[j] = bound;
                    moved = 1;
                    optimal = optimal && taken[j];
                }
            }
        }
    }
    free(v);
    free(x);
    free(taken);
    return optimal;
}

static void discard(small_t *p) {
    free((void *)p->cost);
    free(p->row_to_col);
}

static small_t draw_problem(int64_t n, int64_t m, int kind, int forbid, int single, int seed) {
    seed_random(seed);
    small_t p = {.n = n, .m = m, .single = single, .maximize = seed % 2, .largest = 1e300};
    void *cost = exactly(n * m, single ? sizeof(float) : sizeof(double));
    for (int64_t k = 0; k < n * m; k++) {
        double drawn = draw_cost(kind, k / m, k % m);
        if (kind < 2 && seed % 3 == 2 && random_bits() % 12 > 0) {
            drawn = p.maximize ? -4.0 : 4.0; /* most pairs are the dearest */
        }
        const double c = forbid && random_bits() % 10 < 3 ? (p.maximize ? -INFINITY : INFINITY) : drawn;
        if (single) {
            ((float *)cost)[k] = (float)c;
        } else {
            ((double *)cost)[k] = c;
        }
    }
    p.cost = cost;
    p.row_to_col = exactly(n, sizeof *p.row_to_col);
    return p;
}

static int same(const small_t *p, const small_t *q) {
    return p->solved == q->solved &&
           (!p->solved || (memcmp(&p->total, &q->total, sizeof p->total) == 0 &&
                           memcmp(p->row_to_col, q->row_to_col, (size_t)p->n * sizeof *p->row_to_col) == 0));
}

/* Products i*j may be left to other methods from this many rows on. */
enum { PRODUCTS = 2, MANY_ROWS = 64 };

static void try_builds(int64_t n, int64_t m, int kind, int forbid, int seed) {
    small_t first = draw_problem(n, m, kind, forbid, 0, seed);
    small_solve(&first, best_kernels());
    const int is_left = kind == PRODUCTS && n >= MANY_ROWS && m >= MANY_ROWS;
    expect_of(first.solved ? is_optimal(&first) : forbid || is_left, "optimal", &first, seed);
    for (isa_t isa = 0; isa < ISA_COUNT; isa++) {
        for (int single = 0; single < 2 && find_kernels(isa); single++) {
            small_t p = draw_problem(n, m, kind, forbid, single, seed);
            double *scratch = aligned_memory(64, (size_t)small_scratch(&p) * sizeof *scratch);
            find_kernels(isa)->dense[single].small(&p, scratch);
            expect_of(same(&first, &p), "kernels agree", &p, seed);
            aligned_memory_free(scratch);
            discard(&p);
        }
    }
    discard(&first);
}

/* The kernels for more columns than rows; structured costs they may leave to others, but all the same ones. */
static void try_wide(int64_t n, int64_t m, int kind, int forbid, int seed) {
    const stop_t stop = {.interrupted = never, .deadline = INFINITY};
    small_t first = draw_problem(n, m, kind, forbid, 0, seed);
    wide_solve(&first, best_kernels(), &stop);
    expect_of(first.solved ? is_optimal(&first) : forbid || kind > 0 || !is_clearly_wide(&first), "optimal", &first,
              seed);
    for (isa_t isa = 0; isa < ISA_COUNT; isa++) {
        for (int single = 0; single < 2 && find_kernels(isa); single++) {
            small_t p = draw_problem(n, m, kind, forbid, single, seed);
            find_kernels(isa)->dense[single].wide(&p, &stop);
            expect_of(same(&first, &p), "kernels agree", &p, seed);
            discard(&p);
        }
    }
    discard(&first);
}

static void try_fault(double fault, int at, int single, int maximize) {
    small_t p = draw_problem(5, 9, 0, 0, single, maximize);
    if (single) {
        ((float *)p.cost)[at] = (float)fault;
    } else {
        ((double *)p.cost)[at] = fault;
    }
    const stop_t stop = {.interrupted = never, .deadline = INFINITY};
    small_solve(&p, best_kernels());
    expect_of(!p.solved, "a faulty cost is not taken", &p, at);
    wide_solve(&p, best_kernels(), &stop);
    expect_of(!p.solved, "a faulty cost is not taken", &p, at);
    discard(&p);
}

static void try_batch(int threads) {
    enum { COUNT = 600 };
    small_t *batch = exactly(COUNT, sizeof *batch);
    for (int k = 0; k < COUNT; k++) {
        batch[k] = draw_problem(1 + k % 37, 1 + k % 23, k % COST_KINDS, k % 7 == 0, k % 2, k);
    }
    batch[7].cost = (free((void *)batch[7].cost), NULL);
    const stop_t stop = {.interrupted = never, .deadline = INFINITY};
    expect_of(small_solve_all(batch, COUNT, best_kernels(), threads, &stop) == SOLVED, "a batch goes on", batch,
              threads);
    for (int k = 0; k < COUNT; k++) {
        if (k == 7) {
            expect_of(!batch[k].solved, "a problem without costs is passed over", batch + k, k);
        } else {
            small_t alone = draw_problem(batch[k].n, batch[k].m, k % COST_KINDS, k % 7 == 0, k % 2, k);
            small_solve(&alone, best_kernels());
            expect_of(same(&alone, batch + k), "a batch answers as one by one", batch + k, k);
            discard(&alone);
        }
        discard(batch + k);
    }
    free(batch);
}

/* Two products in different orders make every search scan many rows: more work than a thread does between two checks.
 */
static void try_stop(int threads) {
    enum { COUNT = 2000 }; /* some seconds of work */
    small_t first = draw_problem(SMALL_SIDE, SMALL_SIDE, 0, 0, 0, 0);
    for (int64_t i = 0; i < SMALL_SIDE; i++) {
        for (int64_t j = 0; j < SMALL_SIDE; j++) {
            ((double *)first.cost)[i * SMALL_SIDE + j] =
                (double)(i * j + (37 * i % SMALL_SIDE) * (101 * j % SMALL_SIDE));
        }
    }
    small_t batch[COUNT];
    for (int k = 0; k < COUNT; k++) {
        batch[k] = first;
        batch[k].row_to_col = exactly(SMALL_SIDE, sizeof *first.row_to_col);
    }
    const stop_t stop = {.interrupted = always, .deadline = INFINITY};
    expect_of(small_solve_all(batch, COUNT, best_kernels(), threads, &stop) == INTERRUPTED, "stops when asked", batch,
              threads);
    expect_of(!batch[COUNT - 1].solved, "what was not reached is not solved", batch, threads);
    for (int k = 0; k < COUNT; k++) {
        free(batch[k].row_to_col);
    }
    discard(&first);
}

int main(void) {
    static const int64_t edges[] = {1, 3, 4, 7, 8, 9, 15, 16, 17, 63, 64, 65, 121, 128, 200, SMALL_SIDE - 7};
    int seed = 0;
    for (int k = 0; k < 2000; k++, seed++) {
        random_state = (uint64_t)seed + 99;
        const int64_t n = 1 + (int64_t)(random_bits() % 14), m = k % 2 ? 1 + (int64_t)(random_bits() % 20) : n;
        try_builds(n, m, k % COST_KINDS, k % 3 == 0, seed);
        if (n != m) {
            try_wide(n, m, k % COST_KINDS, k % 3 == 0, seed);
        }
    }
    for (size_t e = 0; e < sizeof edges / sizeof *edges; e++) {
        for (int kind = 0; kind < COST_KINDS; kind++, seed++) {
            try_builds(edges[e], edges[e], kind, 0, seed);
            try_builds((edges[e] + 1) / 2, edges[e], kind, kind % 2, seed);
            try_builds(edges[e], (edges[e] + 1) / 2, kind, kind % 2, seed);
            try_wide(edges[e], edges[e] * 3 / 2 + 1, kind, kind % 2, seed);
            try_wide(edges[e] * 3 + 2, edges[e], kind, kind % 2, seed);
        }
    }
    for (int at = 0; at < 45; at++) {
        for (int single = 0; single < 2; single++) {
            try_fault(NAN, at, single, 0);
            try_fault(-INFINITY, at, single, 0);
            try_fault(INFINITY, at, single, 1);
            try_fault(single ? NAN : 2e300, at, single, 0);
            try_fault(single ? NAN : -2e300, at, single, 0);
        }
    }
    for (int threads = 1; threads < 5; threads++) {
        try_batch(threads);
        try_stop(threads);
    }
    return finish(seed);
}
