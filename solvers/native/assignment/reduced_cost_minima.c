/* Minima of reduced costs along rows and columns, from which a certificate is made.
 *
 * A certificate needs them exactly, even if each dual is the sum of two numbers. Rounding is monotone, so the smallest
 * exact difference is among those whose rounded value is the smallest, or close enough to it for the second numbers to
 * matter: only these are computed exactly.
 */
#include "assignment/reduced_cost_minima.h"

#include "assignment/row_kernels.inc.h"
#include "core/double_double.h"

#include <stddef.h>

row_minima_t NAME(row_minima);
column_minima_t NAME(column_minima);
two_minima_rows_t NAME(two_minima_rows);

/* low[2i], low[2i + 1]: the two smallest c_ij - v_j of row i, at[...] their columns. Exported to be measured. */
void NAME(two_minima_rows)(const void *cost, int64_t n, int64_t m, const double *v, double *low, int64_t *at) {
    const cost_t *c = cost;
    for (int64_t i = 0; i < n; i++) {
        const row_choice_t minima = row_two_minima(c + i * m, v, m);
        low[2 * i] = minima.first;
        low[2 * i + 1] = minima.second;
        at[2 * i] = minima.j1;
        at[2 * i + 1] = minima.j2;
    }
}

/* The largest value that may become the smallest once second numbers of at most this size are subtracted. */
static inline double within_reach(double low, double largest_tail) {
    return largest_tail > 0.0 ? low + (4.0 * largest_tail + 0x1p-50 * fabs(low)) : low;
}

/* How far c - (dual + tail) is above `low`, rounded down; exact if the tail is 0 and c - dual rounds to low. */
static inline double rest_above(double c, double dual, double tail, double low) {
    const double above = (c - dual) - low, missing = difference_error(c, dual) - tail, rest = above + missing;
    return tail == 0.0 && above == 0.0 ? rest : rest - 0x1p-51 * (fabs(above) + fabs(missing));
}

/* Return the smallest rest of some columns of a row at duals v + tail, +inf if none is within reach; tail may be NULL.
 */
static double rest_of_row(const cost_t *restrict c, const double *restrict v, const double *restrict tail,
                          int64_t count, double low, double reach) {
    double rest = INFINITY;
    int64_t near = 0;
    for (int64_t j = 0; j < count; j++) {
        near += (double)c[j] - v[j] <= reach;
    }
    for (int64_t j = 0; j < count && near > 0; j++) {
        if ((double)c[j] - v[j] <= reach) {
            const double here = rest_above((double)c[j], v[j], tail ? tail[j] : 0.0, low);
            rest = here < rest ? here : rest;
            near--;
        }
    }
    return rest;
}

/* Lower the rest of some columns to that of one row at dual u + tail. */
static void lower_rests(const cost_t *restrict c, double u, double tail, double largest_tail, int64_t count,
                        const double *restrict low, double *restrict rest) {
    int64_t near = 0;
    for (int64_t j = 0; j < count; j++) {
        near += (double)c[j] - u <= within_reach(low[j], largest_tail);
    }
    for (int64_t j = 0; j < count && near > 0; j++) {
        if ((double)c[j] - u <= within_reach(low[j], largest_tail)) {
            const double here = rest_above((double)c[j], u, tail, low[j]);
            rest[j] = here < rest[j] ? here : rest[j];
            near--;
        }
    }
}

static double largest_magnitude(const double *values, int64_t count) {
    double largest = 0.0;
    for (int64_t j = 0; values && j < count; j++) {
        largest = fabs(values[j]) > largest ? fabs(values[j]) : largest;
    }
    return largest;
}

/* low[i]: the smallest c_ij - v_j of row i, rounded. low[i] + rest[i]: a lower bound of all c_ij - v_j - tail_j, exact
 * without tails. `tail` and `rest` may be NULL. */
void NAME(row_minima)(const void *cost, int64_t n, int64_t m, const double *v, const double *tail, double *low,
                      double *rest) {
    const cost_t *c = cost;
    const double largest = largest_magnitude(tail, m);
    for (int64_t i = 0; i < n; i++, c += m) {
        low[i] = row_minimum(c, v, m);
        if (rest) {
            rest[i] = INFINITY;
            for (int64_t block = 0; block < blocks_of(m); block++) {
                const int64_t begin = block * BLOCK;
                const double here = rest_of_row(c + begin, v + begin, tail ? tail + begin : NULL,
                                                block_end(block, m) - begin, low[i], within_reach(low[i], largest));
                rest[i] = here < rest[i] ? here : rest[i];
            }
        }
    }
}

/* The same for the smallest c_ij - u_i of column j; row is scratch memory. */
void NAME(column_minima)(const void *cost, int64_t n, int64_t m, const double *u, const double *tail, double *low,
                         double *rest, int32_t *row) {
    const cost_t *c = cost;
    const double largest = largest_magnitude(tail, n);
    for (int64_t j = 0; j < m; j++) {
        low[j] = INFINITY;
    }
    for (int64_t i = 0; i < n; i++) {
        row_lower_columns(c + i * m, u[i], m, (int32_t)i, low, row);
    }
    for (int64_t j = 0; rest && j < m; j++) {
        rest[j] = INFINITY;
    }
    for (int64_t i = 0; rest && i < n; i++) {
        for (int64_t block = 0; block < blocks_of(m); block++) {
            const int64_t begin = block * BLOCK;
            lower_rests(c + i * m + begin, u[i], tail ? tail[i] : 0.0, largest, block_end(block, m) - begin,
                        low + begin, rest + begin);
        }
    }
}
