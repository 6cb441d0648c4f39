/* One pass of Sinkhorn's algorithm over a matrix of costs: both marginals of the plan that two potentials stand for.
 *
 * The soft minimum of a row, -eps log sum_j b_j exp((g_j - c_ij) / eps), is f_i - eps log(row_i) with row_i the sum
 * below, and likewise for a column: one exponential a pair serves both sides, and the matrix is read along its rows
 * only. With potentials that nearly fit, the exponents are of order one, so no running maximum is needed.
 */
#include "softmin.h"
#include "exp2.h"
#include "kernels.h"

enum { LANES_OF_DOUBLE = VECTOR_BYTES / 8, VECTORS = 4, STEP = VECTORS * LANES_OF_DOUBLE };

typedef f64_lanes_t lanes_t;
typedef f64_mask_t mask_t;
typedef f64_bits_t bits_t;
typedef cost_t costs_t __attribute__((vector_size(LANES_OF_DOUBLE * sizeof(cost_t))));
typedef float floats_t __attribute__((vector_size(LANES_OF_DOUBLE * sizeof(float))));

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

static inline lanes_t exp2_or_nan(lanes_t t) {
    return (lanes_t)(((bits_t)f64_exp2(t) & (bits_t)(t > SMALLEST)) | (bits_t)(t > LARGEST));
}

/* The costs of pairs that hold something: one that holds nothing may cost infinitely much. */
static inline lanes_t counted(lanes_t cost, lanes_t t) { return (lanes_t)((bits_t)cost & (bits_t)(t > SMALLEST)); }

/* Sums of one row so far: of b e and of b e c. */
typedef struct {
    lanes_t mass, spent;
} row_t;

/* Add STEP pairs of one row to the row's sums and to the columns'. */
static inline row_t add_pairs(row_t row, const cost_t *c, const double *g, const double *b, double f, double a,
                              double scale, double *cols, float *kept) {
    lanes_t cost[VECTORS], t[VECTORS];
    mask_t counts = {0};
    for (int k = 0; k < VECTORS; k++) {
        cost[k] = load_costs(c + k * LANES_OF_DOUBLE);
        t[k] = ((f - cost[k]) + load(g + k * LANES_OF_DOUBLE)) * scale;
        counts |= t[k] > SMALLEST;
    }
    /* Where the blur is small, most pairs hold nothing, and their exponentials are never taken. */
    if (!any(counts)) {
        if (kept) {
            memset(kept, 0, STEP * sizeof *kept);
        }
        return row;
    }
    for (int k = 0; k < VECTORS; k++) {
        const lanes_t e = exp2_or_nan(t[k]);
        const lanes_t mass = load(b + k * LANES_OF_DOUBLE) * e;
        row.mass += mass;
        row.spent += mass * counted(cost[k], t[k]);
        const lanes_t col = load(cols + k * LANES_OF_DOUBLE) + a * e;
        memcpy(cols + k * LANES_OF_DOUBLE, &col, sizeof col);
        if (kept) {
            const floats_t single = __builtin_convertvector(e, floats_t);
            memcpy(kept + k * LANES_OF_DOUBLE, &single, sizeof single);
        }
    }
    return row;
}

marginals_t NAME(marginals);

/* With e_ij = exp((f_i + g_j - c_ij) / eps): rows[i] = sum_j b_j e_ij, and cols[j] grows by sum_i a_i e_ij, from 0 to 1
 * over all rows where the plan a_i b_j e_ij has the marginals a and b. `kept`, where not NULL, gets the e_ij. Returns
 * what the plan of these rows costs. */
double NAME(marginals)(const void *cost, int64_t n, int64_t m, const double *f, const double *g, const double *a,
                       const double *b, double epsilon, double *rows, double *cols, float *kept) {
    const double scale = 1.4426950408889634 / epsilon; /* log2(e) */
    const int64_t whole = m - m % STEP;
    const size_t rest = (size_t)(m - whole);
    /* The last columns go through buffers of a full step, whose spare lanes have no mass: 2^-inf is 0. */
    cost_t c_rest[STEP] = {0};
    double g_rest[STEP], b_rest[STEP] = {0}, cols_rest[STEP] = {0};
    float kept_rest[STEP];
    for (int k = 0; k < STEP; k++) {
        g_rest[k] = -INFINITY;
    }
    memcpy(g_rest, g + whole, rest * sizeof *g);
    memcpy(b_rest, b + whole, rest * sizeof *b);
    memcpy(cols_rest, cols + whole, rest * sizeof *cols);
    double spent = 0.0;
    for (int64_t i = 0; i < n; i++) {
        const cost_t *c = (const cost_t *)cost + i * m;
        float *kept_here = kept ? kept + i * m : NULL;
        row_t row = {{0}, {0}};
        for (int64_t j = 0; j < whole; j += STEP) {
            row = add_pairs(row, c + j, g + j, b + j, f[i], a[i], scale, cols + j, kept ? kept_here + j : NULL);
        }
        memcpy(c_rest, c + whole, rest * sizeof *c);
        row = add_pairs(row, c_rest, g_rest, b_rest, f[i], a[i], scale, cols_rest, kept ? kept_rest : NULL);
        if (kept) {
            memcpy(kept_here + whole, kept_rest, rest * sizeof *kept);
        }
        rows[i] = sum(row.mass);
        spent += a[i] * sum(row.spent);
    }
    memcpy(cols + whole, cols_rest, rest * sizeof *cols);
    return spent;
}
