/* Pairs of histograms without Python, for the sanitizers: costs of several kinds, histograms with empty bins, sums that
 * differ. Each result is proven by its duals, all kernels must agree to the bit, and every array has its exact size. */
#include "check.h"

enum { EVEN, WHOLE_NUMBERS, STEPS, SQUARES, EQUAL, COSTS };
enum { PAIRS = 6 };

static double draw_ground_cost(int kind, int64_t i, int64_t j) {
    const double apart = (double)(i - j);
    switch (kind) {
    case EVEN:
        return random_unit() - 0.5;
    case WHOLE_NUMBERS:
        return (double)(random_bits() % 4);
    case STEPS:
        return fabs(apart);
    case SQUARES:
        return apart * apart;
    default:
        return 1.0;
    }
}

/* Histograms of sum 1 or, if they may differ, of 0.3, 1 or 3; about half of their bins are empty. */
static double *draw_histograms(int kind, int64_t bins, int partial) {
    double *masses = exactly(PAIRS * bins, sizeof *masses);
    for (int64_t k = 0; k < PAIRS; k++) {
        double sum = 0.0;
        const double total = partial ? (k % 3 == 0 ? 0.3 : k % 3 == 1 ? 1.0 : 3.0) : 1.0;
        for (int64_t i = 0; i < bins; i++) {
            const int some = i == k % bins || random_bits() % 2;
            masses[k * bins + i] = !some       ? 0.0
                                   : kind == 0 ? random_unit() + 0.01
                                   : kind == 1 ? 1.0 + (double)(random_bits() % 3)
                                               : exp2((double)(random_bits() % 40));
            sum += masses[k * bins + i];
        }
        for (int64_t i = 0; i < bins; i++) {
            masses[k * bins + i] *= total / sum;
        }
    }
    return masses;
}

static double smaller(double a, double b) { return a < b ? a : b; }

/* No bin moves more than its mass, all of the smaller sum is moved, and the duals prove the cost optimal. */
static void prove(const histograms_t *h, int64_t pair, int seed) {
    const int64_t n = h->n, m = h->m, room = n + m - 1;
    const double *a = h->a + h->of_a[pair] * n, *b = h->b + h->of_b[pair] * m, *f = h->f + pair * n,
                 *g = h->g + pair * m;
    double *from = calloc((size_t)n, sizeof *from), *to = calloc((size_t)m, sizeof *to);
    double sum_a = 0.0, sum_b = 0.0, moved = 0.0, cost = 0.0, bound = 0.0, largest = 0.0, slack = INFINITY, over = 0.0;
    for (int64_t k = pair * room; k < (pair + 1) * room; k++) {
        from[h->rows[k]] += h->moved[k];
        to[h->columns[k]] += h->moved[k];
        moved += h->moved[k];
        cost += h->moved[k] * h->cost[h->rows[k] * m + h->columns[k]];
    }
    for (int64_t i = 0; i < n; i++) {
        sum_a += a[i];
        bound += f[i] * a[i];
        over = fmax(over, from[i] - a[i]);
        for (int64_t j = 0; j < m; j++) {
            slack = smaller(slack, h->cost[i * m + j] - f[i] - g[j]);
            largest = fmax(largest, fabs(h->cost[i * m + j]));
        }
    }
    for (int64_t j = 0; j < m; j++) {
        sum_b += b[j];
        bound += g[j] * b[j];
        over = fmax(over, to[j] - b[j]);
    }
    for (int64_t i = 0; i < n && sum_a > sum_b + 1e-9; i++) {
        slack = smaller(slack, -f[i]);
    }
    for (int64_t j = 0; j < m && sum_b > sum_a + 1e-9; j++) {
        slack = smaller(slack, -g[j]);
    }
    free(from);
    free(to);
    const double tolerance = 1e-13 * (1.0 + largest) * 3.0;
    expect(over <= 1e-14 && fabs(moved - smaller(sum_a, sum_b)) <= 1e-13, "all of the smaller sum is moved", n, m,
           seed);
    expect(slack >= -tolerance, "duals fit", n, m, seed);
    expect(fabs(cost - h->total[pair]) <= tolerance && fabs(cost - bound) <= tolerance, "duals prove the cost", n, m,
           seed);
}

static histograms_t solve(histograms_t task, const kernels_t *kernels, int threads, int seed) {
    const int64_t n = task.n, m = task.m, room = n + m - 1;
    const stop_t stop = {never, INFINITY};
    task.total = exactly(PAIRS, sizeof(double));
    task.pivots = exactly(PAIRS, sizeof(int64_t));
    task.f = exactly(PAIRS * n, sizeof(double));
    task.g = exactly(PAIRS * m, sizeof(double));
    task.rows = exactly(PAIRS * room, sizeof(int32_t));
    task.columns = exactly(PAIRS * room, sizeof(int32_t));
    task.moved = exactly(PAIRS * room, sizeof(double));
    expect(histograms_solve(&task, kernels, threads, &stop) == SOLVED, "is solved", n, m, seed);
    return task;
}

static int same(const histograms_t *x, const histograms_t *y) {
    const size_t n = (size_t)x->n, m = (size_t)x->m, room = n + m - 1;
    return memcmp(x->total, y->total, PAIRS * sizeof(double)) == 0 &&
           memcmp(x->pivots, y->pivots, PAIRS * sizeof(int64_t)) == 0 &&
           memcmp(x->f, y->f, PAIRS * n * sizeof(double)) == 0 && memcmp(x->g, y->g, PAIRS * m * sizeof(double)) == 0 &&
           memcmp(x->moved, y->moved, PAIRS * room * sizeof(double)) == 0;
}

static void discard(histograms_t *h) {
    free(h->total);
    free(h->pivots);
    free(h->f);
    free(h->g);
    free(h->rows);
    free(h->columns);
    free(h->moved);
}

static void try_costs(int kind, int masses, int partial, int64_t n, int64_t m, int seed) {
    seed_random(seed);
    double *cost = exactly(n * m, sizeof *cost);
    for (int64_t e = 0; e < n * m; e++) {
        cost[e] = draw_ground_cost(kind, e / m, e % m);
    }
    static const int64_t of_a[PAIRS] = {0, 1, 2, 3, 4, 5}, of_b[PAIRS] = {5, 4, 3, 3, 0, 1};
    const kernels_t *scalar_kernels = find_kernels(ISA_SCALAR), *best = best_kernels();
    const int metric = n == m && scalar_kernels->is_metric(cost, n);
    expect(n != m || best->is_metric(cost, n) == metric, "kernels agree on a metric", n, m, seed);
    expect(metric || kind != STEPS || n != m, "steps are a metric", n, m, seed);
    expect(!metric || kind != SQUARES || n < 3, "squares are none", n, m, seed);
    double *a = draw_histograms(masses, n, partial), *b = draw_histograms(masses, m, partial);
    for (int metric_or_not = 0; metric_or_not <= metric; metric_or_not++) {
        const histograms_t task = {.n = n,
                                   .m = m,
                                   .cost = cost,
                                   .a = a,
                                   .b = b,
                                   .metric = metric_or_not,
                                   .partial = partial,
                                   .rounding = 1e-6,
                                   .pairs = PAIRS,
                                   .of_a = of_a,
                                   .of_b = of_b};
        histograms_t scalar = solve(task, scalar_kernels, 1, seed), threaded = solve(task, best, 3, seed);
        for (int64_t pair = 0; pair < PAIRS; pair++) {
            prove(&scalar, pair, seed);
        }
        expect(same(&scalar, &threaded), "kernels and threads agree", n, m, seed);
        discard(&scalar);
        discard(&threaded);
    }
    free(cost);
    free(a);
    free(b);
}

/* Ctrl-C and a deadline are noticed between pairs. */
static void try_to_stop(void) {
    enum { SIDE = 60, MANY = 20000 };
    double *cost = exactly(SIDE * SIDE, sizeof *cost), *masses = exactly(SIDE, sizeof *masses);
    double *total = exactly(MANY, sizeof *total);
    int64_t *pivots = exactly(MANY, sizeof *pivots), *zeros = calloc(MANY, sizeof *zeros);
    for (int64_t e = 0; e < SIDE * SIDE; e++) {
        cost[e] = random_unit();
        masses[e % SIDE] = random_unit() + 0.01;
    }
    const histograms_t task = {.n = SIDE,
                               .m = SIDE,
                               .cost = cost,
                               .a = masses,
                               .b = masses,
                               .pairs = MANY,
                               .of_a = zeros,
                               .of_b = zeros,
                               .total = total,
                               .pivots = pivots};
    const stop_t interrupted = {always, INFINITY}, late = {never, 0.0};
    expect(histograms_solve(&task, find_kernels(ISA_SCALAR), 2, &interrupted) == INTERRUPTED, "stops", SIDE, SIDE, 0);
    expect(histograms_solve(&task, find_kernels(ISA_SCALAR), 2, &late) == TIMED_OUT, "stops in time", SIDE, SIDE, 0);
    free(cost);
    free(masses);
    free(total);
    free(pivots);
    free(zeros);
}

int main(void) {
    static const int64_t sizes[][2] = {{1, 1}, {1, 5}, {6, 1}, {3, 3}, {7, 8}, {16, 16}, {33, 20}, {9, 64}, {61, 61}};
    int seed = 0;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        for (int kind = 0; kind < COSTS; kind++) {
            for (int masses = 0; masses < 3; masses++) {
                for (int partial = 0; partial < 2; partial++, seed++) {
                    try_costs(kind, masses, partial, sizes[s][0], sizes[s][1], seed);
                }
            }
        }
    }
    try_to_stop();
    return finish(seed);
}
