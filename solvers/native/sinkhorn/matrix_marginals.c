/* One pass of Sinkhorn's algorithm over a matrix of costs: both marginals of the plan of two potentials.
 *
 * The soft minimum of a row, -eps log sum_j b_j exp((g_j - c_ij) / eps), is f_i - eps log(row_i) with the sum row_i
 * below, and likewise for a column: one exponential per pair serves both sides, and the matrix is read along its rows
 * only. With potentials that nearly fit, exponents are of order one, so no running maximum is needed.
 */
#include "sinkhorn/matrix_marginals.h"

#include "core/variant_names.h"
#include "simd/exp2.h"

typedef COST cost_t;

enum { VECTORS = 4, STEP = VECTORS * F64_LANES };

/* Pairs below 2^SMALLEST count as 0: they hold one part in 2^100 of a plan. Above 2^LARGEST the result is NaN. */
static const double SMALLEST = -100.0, LARGEST = 1000.0;

static inline f64_lanes_t exp2_or_nan(f64_lanes_t t) {
    return (f64_lanes_t)(((f64_bits_t)f64_exp2(t) & (f64_bits_t)(t > SMALLEST)) | (f64_bits_t)(t > LARGEST));
}

/* The costs of pairs that hold mass: a pair that holds none may be forbidden. */
static inline f64_lanes_t counted(f64_lanes_t cost, f64_lanes_t t) {
    return (f64_lanes_t)((f64_bits_t)cost & (f64_bits_t)(t > SMALLEST));
}

/* Sums of one row so far, of b e and of b e c. */
typedef struct {
    f64_lanes_t mass, spent;
} row_t;

/* Add STEP pairs of one row to the sums of the row and of the columns. */
static inline row_t add_pairs(row_t row, const cost_t *c, const double *g, const double *b, double f, double a,
                              double scale, double *cols, float *kept) {
    f64_lanes_t cost[VECTORS], t[VECTORS];
    f64_mask_t counts = {0};
    for (int k = 0; k < VECTORS; k++) {
        cost[k] = f64_load_costs(c + k * F64_LANES);
        t[k] = ((f - cost[k]) + f64_load(g + k * F64_LANES)) * scale;
        counts |= t[k] > SMALLEST;
    }
    /* If the blur is small, most pairs hold nothing, and their exponentials are never computed. */
    if (!f64_any(counts)) {
        if (kept) {
            memset(kept, 0, STEP * sizeof *kept);
        }
        return row;
    }
    for (int k = 0; k < VECTORS; k++) {
        const f64_lanes_t e = exp2_or_nan(t[k]);
        const f64_lanes_t mass = f64_load(b + k * F64_LANES) * e;
        row.mass += mass;
        row.spent += mass * counted(cost[k], t[k]);
        const f64_lanes_t col = f64_load(cols + k * F64_LANES) + a * e;
        memcpy(cols + k * F64_LANES, &col, sizeof col);
        if (kept) {
            const f32_half_t single = f64_narrowed(e);
            memcpy(kept + k * F64_LANES, &single, sizeof single);
        }
    }
    return row;
}

matrix_marginals_t NAME(matrix_marginals);

/* With e_ij = exp((f_i + g_j - c_ij) / eps), write rows[i] = sum_j b_j e_ij and add sum_i a_i e_ij to cols[j]: both are
 * 1 if the plan a_i b_j e_ij has the marginals a and b. Write the e_ij to `kept` unless it is NULL. Return the cost of
 * these rows of the plan. */
double NAME(matrix_marginals)(const void *cost, int64_t n, int64_t m, const double *f, const double *g, const double *a,
                              const double *b, double epsilon, double *rows, double *cols, float *kept) {
    const double scale = 1.4426950408889634 / epsilon; /* log2(e) */
    const int64_t whole = m - m % STEP;
    const size_t rest = (size_t)(m - whole);
    /* The last columns use buffers of a full step, padded without mass: 2^-inf is 0. */
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
        rows[i] = f64_sum(row.mass);
        spent += a[i] * f64_sum(row.spent);
    }
    memcpy(cols + whole, cols_rest, rest * sizeof *cols);
    return spent;
}
