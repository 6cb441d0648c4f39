/* One pass of Sinkhorn's algorithm over a matrix of costs: both marginals of the plan that two potentials stand for.
 *
 * The soft minimum of a row, -eps log sum_j b_j exp((g_j - c_ij) / eps), is f_i - eps log(row_i) with row_i the sum
 * below, and likewise for a column: one exponential a pair serves both sides, and the matrix is read along its rows
 * only. With potentials that nearly fit, the exponents are of order one, so no running maximum is needed.
 *
 * GCC's and Clang's vector types give both instruction sets one source: the operators below act on every lane.
 */
#include "kernels.h"

#include <string.h>

#ifdef LAPMARK_AVX2
#include <immintrin.h>
enum { WIDTH = 32 };
#else
enum { WIDTH = 16 };
#endif
enum { LANES_OF_DOUBLE = WIDTH / 8, VECTORS = 4, STEP = VECTORS * LANES_OF_DOUBLE };

typedef double lanes_t __attribute__((vector_size(WIDTH)));
typedef int64_t mask_t __attribute__((vector_size(WIDTH)));
typedef uint64_t bits_t __attribute__((vector_size(WIDTH)));
typedef cost_t costs_t __attribute__((vector_size(LANES_OF_DOUBLE * sizeof(cost_t))));

/* Pairs below 2^SMALLEST count as 0: a plan holds them to one part in 2^100. Above 2^LARGEST the result is NaN. */
static const double SMALLEST = -100.0, LARGEST = 1000.0;

static inline lanes_t load(const double *p) {
    lanes_t x;
    memcpy(&x, p, sizeof x);
    return x;
}

static inline lanes_t load_costs(const cost_t *p) {
    costs_t x;
    memcpy(&x, p, sizeof x);
    return __builtin_convertvector(x, lanes_t);
}

static inline double sum(lanes_t x) {
    double total = 0.0;
    for (int k = 0; k < LANES_OF_DOUBLE; k++) {
        total += x[k];
    }
    return total;
}

static inline int any(mask_t mask) {
#ifdef LAPMARK_AVX2
    return _mm256_movemask_pd((__m256d)mask) != 0;
#else
    return (mask[0] | mask[1]) != 0;
#endif
}

/* 2^t to a relative 2e-14. The nearest integer goes to the exponent's bits; the rest, within 1/2 of 0, to the
 * polynomial that meets 2^r in ten Chebyshev points. */
static inline lanes_t exp2_lanes(lanes_t t) {
    const double to_integer = 0x1.8p52;
    const lanes_t rounded = t + to_integer;
    const lanes_t r = t - (rounded - to_integer), r2 = r * r, r4 = r2 * r2;
    const lanes_t p01 = 1.0000000000000135 + r * 0.69314718055994617;
    const lanes_t p23 = 0.24022650695640341 + r * 0.05550410866465167;
    const lanes_t p45 = 0.0096181291939343126 + r * 0.0013333558200794592;
    const lanes_t p67 = 0.0001540343375125101 + r * 1.5252672924850737e-05;
    const lanes_t p89 = 1.3259645244887111e-06 + r * 1.0205905413765595e-07;
    const lanes_t p = (p01 + r2 * p23) + r4 * ((p45 + r2 * p67) + r4 * p89);
    const bits_t power = (bits_t)p + ((bits_t)rounded << 52);
    return (lanes_t)((power & (bits_t)(t > SMALLEST)) | (bits_t)(t > LARGEST));
}

/* Sums of one row so far: of b e and of b e c. */
typedef struct {
    lanes_t mass, spent;
} row_t;

/* Add STEP pairs of one row to the row's sums and to the columns'. */
static inline row_t add_pairs(row_t row, const cost_t *c, const double *g, const double *b, double f, double a,
                              double scale, double *cols) {
    lanes_t cost[VECTORS], t[VECTORS];
    mask_t counts = {0};
    for (int k = 0; k < VECTORS; k++) {
        cost[k] = load_costs(c + k * LANES_OF_DOUBLE);
        t[k] = ((f - cost[k]) + load(g + k * LANES_OF_DOUBLE)) * scale;
        counts |= t[k] > SMALLEST;
    }
    /* Where the blur is small, most pairs hold nothing, and their exponentials are never taken. */
    if (!any(counts)) {
        return row;
    }
    for (int k = 0; k < VECTORS; k++) {
        const lanes_t e = exp2_lanes(t[k]);
        const lanes_t mass = load(b + k * LANES_OF_DOUBLE) * e;
        row.mass += mass;
        row.spent += mass * cost[k];
        const lanes_t col = load(cols + k * LANES_OF_DOUBLE) + a * e;
        memcpy(cols + k * LANES_OF_DOUBLE, &col, sizeof col);
    }
    return row;
}

double NAME(marginals)(const void *cost, int64_t n, int64_t m, const double *f, const double *g, const double *a,
                       const double *b, double epsilon, double *rows, double *cols);

/* With e_ij = exp((f_i + g_j - c_ij) / eps): rows[i] = sum_j b_j e_ij, and cols[j] grows by sum_i a_i e_ij, from 0 to 1
 * over all rows where the plan a_i b_j e_ij has the marginals a and b. Returns what the plan of these rows costs. */
double NAME(marginals)(const void *cost, int64_t n, int64_t m, const double *f, const double *g, const double *a,
                       const double *b, double epsilon, double *rows, double *cols) {
    const double scale = 1.4426950408889634 / epsilon; /* log2(e) */
    const int64_t whole = m - m % STEP;
    const size_t rest = (size_t)(m - whole);
    /* The last columns go through buffers of a full step, whose spare lanes have no mass: 2^-inf is 0. */
    cost_t c_rest[STEP] = {0};
    double g_rest[STEP], b_rest[STEP] = {0}, cols_rest[STEP] = {0};
    for (int k = 0; k < STEP; k++) {
        g_rest[k] = -INFINITY;
    }
    memcpy(g_rest, g + whole, rest * sizeof *g);
    memcpy(b_rest, b + whole, rest * sizeof *b);
    memcpy(cols_rest, cols + whole, rest * sizeof *cols);
    double spent = 0.0;
    for (int64_t i = 0; i < n; i++) {
        const cost_t *c = (const cost_t *)cost + i * m;
        row_t row = {{0}, {0}};
        for (int64_t j = 0; j < whole; j += STEP) {
            row = add_pairs(row, c + j, g + j, b + j, f[i], a[i], scale, cols + j);
        }
        memcpy(c_rest, c + whole, rest * sizeof *c);
        row = add_pairs(row, c_rest, g_rest, b_rest, f[i], a[i], scale, cols_rest);
        rows[i] = sum(row.mass);
        spent += a[i] * sum(row.spent);
    }
    memcpy(cols + whole, cols_rest, rest * sizeof *cols);
    return spent;
}
