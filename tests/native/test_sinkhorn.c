/* Passes of Sinkhorn's algorithm without Python, for the sanitizers: points of both dimensions at both powers, shapes
 * that fill no tile, small and large blurs, units far from 1, several threads, and a matrix with forbidden pairs whose
 * kernel is stored. Every sum is checked against all pairs, and every array has its exact size. */
#include "check.h"

enum { CHANNELS = 5 };

static double *draw(int64_t count, double low, double high) {
    double *values = exactly(count, sizeof *values);
    for (int64_t k = 0; k < count; k++) {
        values[k] = low + (high - low) * random_unit();
    }
    return values;
}

static double cost_between(const double *x, const double *y, int d, int power, double scale) {
    double square = 0.0;
    for (int k = 0; k < d; k++) {
        square += (x[k] - y[k]) * (x[k] - y[k]);
    }
    return scale * (power == 2 ? square : sqrt(square));
}

/* Draw points and put them in tile order. */
static double *draw_points(int64_t count, int d, int kind, const point_kernels_t *kernels) {
    double *drawn = draw(count * d, 0.0, kind == 1 ? 0.0 : 1.0), *points = exactly(count * d, sizeof *points);
    int32_t *order = exactly(count, sizeof *order);
    if (kind == 2) {
        drawn[0] = 300.0;
    }
    kernels->tile_order(drawn, order, count, kind == 0 ? 4 : 64);
    for (int64_t i = 0; i < count; i++) {
        memcpy(points + i * d, drawn + (int64_t)order[i] * d, (size_t)d * sizeof *points);
    }
    free(order);
    free(drawn);
    return points;
}

/* f_i such that row i sums to about 1. */
static void fit(const double *x, const double *y, int64_t n, int64_t m, int d, int power, double epsilon,
                const double *g, const double *b, double *f) {
    for (int64_t i = 0; i < n; i++) {
        double highest = -INFINITY, sum = 0.0;
        for (int64_t j = 0; j < m; j++) {
            const double t = g[j] - cost_between(x + i * d, y + j * d, d, power, 0.5);
            highest = t > highest ? t : highest;
        }
        for (int64_t j = 0; j < m; j++) {
            sum += b[j] * exp((g[j] - cost_between(x + i * d, y + j * d, d, power, 0.5) - highest) / epsilon);
        }
        f[i] = -highest - epsilon * log(sum);
    }
}

static void check_points(int64_t n, int64_t m, int d, int power, const kernels_t *all, int kind, int seed) {
    const point_kernels_t *kernels = &all->points[power - 1][d - 2];
    random_state = (uint64_t)seed;
    double *x = draw_points(n, d, kind, kernels), *y = draw_points(m, d, kind, kernels);
    double *a = draw(n, 0.0, 1.0), *b = draw(m, 0.1, 1.0), *f = exactly(n, sizeof *f), *g = draw(m, -0.01, 0.01);
    double *rows = exactly(n, sizeof *rows), *columns = exactly(m, sizeof *columns);
    double *values = draw(m * CHANNELS, -3.0, 3.0), *carried = exactly(n * CHANNELS, sizeof *carried);
    const double length = kind == 3 ? 1e24 : 1.0, weight = kind == 3 ? 1e38 : 1.0;
    const double unit = power == 2 ? length * length : length;
    const double epsilon = unit * (kind == 0 ? 0.01 : 0.3), precision = seed % 2 ? 1e-4 : 1e-9;
    a[0] = 0.0;
    double total = 0.0;
    for (int64_t j = 0; j < m; j++) {
        total += b[j];
    }
    for (int64_t j = 0; j < m; j++) {
        b[j] *= weight / total;
        g[j] *= unit;
    }
    for (int64_t i = 0; i < n; i++) {
        a[i] *= weight;
    }
    for (int64_t k = 0; k < n * d; k++) {
        x[k] *= length;
    }
    for (int64_t k = 0; k < m * d; k++) {
        y[k] *= length;
    }
    fit(x, y, n, m, d, power, epsilon, g, b, f);
    point_marginals_t t = {.n = n,
                           .m = m,
                           .x = x,
                           .y = y,
                           .f = f,
                           .g = g,
                           .a = a,
                           .b = b,
                           .scale = 0.5,
                           .epsilon = epsilon,
                           .rho = INFINITY,
                           .precision = precision,
                           .threads = 1 + seed % 3,
                           .stop = {never, INFINITY},
                           .rows = rows,
                           .columns = columns,
                           .with_spent = 1};
    expect(kernels->marginals(&t) == SOLVED, "sums are taken", n, m, seed);
    double *exact = calloc((size_t)m, sizeof *exact), mass = 0.0, spent = 0.0;
    for (int64_t i = 0; i < n; i++) {
        expect(fabs(rows[i] - 1.0) <= 4.0 * precision, "a row sums to 1", n, m, seed);
        for (int64_t j = 0; j < m; j++) {
            const double c = cost_between(x + i * d, y + j * d, d, power, 0.5);
            const double e = exp((f[i] + g[j] - c) / epsilon);
            exact[j] += a[i] * e;
            spent += a[i] * b[j] * e * c;
        }
        mass += a[i];
    }
    for (int64_t j = 0; j < m; j++) {
        expect(fabs(columns[j] - exact[j]) <= 4.0 * precision * (exact[j] + mass), "a column sums up", n, m, seed);
    }
    expect(fabs(t.spent - spent) <= precision * (spent + 8.0 * epsilon * mass), "costs add up", n, m, seed);
    t.values = values;
    t.carried = carried;
    t.channels = CHANNELS;
    t.columns = NULL;
    t.with_spent = 0;
    expect(kernels->marginals(&t) == SOLVED, "values are carried", n, m, seed);
    for (int64_t i = 0; i < n; i++) {
        double expected[CHANNELS] = {0};
        for (int64_t j = 0; j < m; j++) {
            const double c = cost_between(x + i * d, y + j * d, d, power, 0.5);
            const double e = b[j] * exp((f[i] + g[j] - c) / epsilon);
            for (int k = 0; k < CHANNELS; k++) {
                expected[k] += e * values[j * CHANNELS + k];
            }
        }
        for (int k = 0; k < CHANNELS; k++) {
            const double off = fabs(carried[i * CHANNELS + k] - expected[k]);
            expect(off <= 12.0 * precision, "a value arrives", n, m, seed);
        }
    }
    t.stop = (stop_t){always, INFINITY};
    expect(kernels->marginals(&t) == INTERRUPTED, "a pass can be interrupted", n, m, seed);
    t.stop = (stop_t){never, 0.0};
    expect(kernels->marginals(&t) == TIMED_OUT, "a pass ends in time", n, m, seed);
    free(x), free(y), free(a), free(b), free(f), free(g), free(rows), free(columns), free(values), free(carried);
    free(exact);
}

/* A pass over a matrix, and one over the kernel that it has stored. */
static void check_matrix(int64_t n, int64_t m, const kernels_t *kernels, int single, int seed) {
    random_state = (uint64_t)seed;
    double *cost = draw(n * m, 0.0, 1.0), *f = draw(n, 0.0, 0.1), *g = draw(m, 0.0, 0.1);
    double *a = draw(n, 0.0, 1.0), *b = draw(m, 0.0, 1.0);
    float *narrow = exactly(n * m, sizeof *narrow), *kept = exactly(n * m, sizeof *kept);
    double *rows = exactly(n, sizeof *rows), *again = exactly(n, sizeof *again);
    double *columns = calloc((size_t)m, sizeof *columns), *columns_again = calloc((size_t)m, sizeof *columns_again);
    for (int64_t k = 0; k < n * m; k++) {
        cost[k] = k % 7 == 3 ? INFINITY : cost[k];
        narrow[k] = (float)cost[k];
    }
    const void *given = single ? (const void *)narrow : (const void *)cost;
    double spent = kernels->dense[single].marginals(given, n, m, f, g, a, b, 0.05, rows, columns, kept);
    kernels->kernel_marginals(kept, n, m, a, b, again, columns_again);
    for (int64_t i = 0; i < n; i++) {
        double sum = 0.0;
        for (int64_t j = 0; j < m; j++) {
            const double c = single ? (double)narrow[i * m + j] : cost[i * m + j];
            const double e = b[j] * exp((f[i] + g[j] - c) / 0.05);
            sum += e;
            spent -= c < INFINITY ? a[i] * e * c : 0.0;
        }
        expect(fabs(rows[i] - sum) <= 1e-11 * sum, "a row of a matrix sums up", n, m, seed);
        expect(fabs(again[i] - sum) <= 2e-7 * sum, "a row of a kernel sums up", n, m, seed);
    }
    expect(fabs(spent) <= 1e-9 * (double)(n * m), "forbidden pairs cost nothing", n, m, seed);
    for (int64_t j = 0; j < m; j++) {
        expect(fabs(columns[j] - columns_again[j]) <= 2e-7 * columns[j], "a column of a kernel sums up", n, m, seed);
    }
    free(cost), free(f), free(g), free(a), free(b), free(narrow), free(kept), free(rows), free(again), free(columns);
    free(columns_again);
}

int main(void) {
    const int64_t shapes[][2] = {{1, 1}, {1, 40}, {63, 65}, {64, 256}, {257, 130}, {600, 300}};
    int seed = 1;
    for (size_t k = 0; k < sizeof shapes / sizeof shapes[0]; k++) {
        for (isa_t isa = 0; isa < ISA_COUNT && find_kernels(isa); isa++) {
            for (int d = 2; d <= 3; d++) {
                for (int power = 1; power <= 2; power++) {
                    for (int kind = 0; kind < 4; kind++) {
                        check_points(shapes[k][0], shapes[k][1], d, power, find_kernels(isa), kind, seed++);
                    }
                }
            }
            check_matrix(shapes[k][0], shapes[k][1], find_kernels(isa), 0, seed++);
            check_matrix(shapes[k][0], shapes[k][1], find_kernels(isa), 1, seed++);
        }
    }
    return finish(seed);
}
