/* Minima of reduced costs along rows and columns: what a certificate is made of. */
#include "kernels.h"

void NAME(row_minima)(const void *cost, int64_t n, int64_t m, const double *v, double *low);
void NAME(column_minima)(const void *cost, int64_t n, int64_t m, const double *u, double *low, int32_t *row);

void NAME(two_minima_rows)(const void *cost, int64_t n, int64_t m, const double *v, double *low, int64_t *at);

/* low[2i], low[2i + 1]: the two smallest c_ij - v_j of row i, at[...] their columns. The kernel by itself, to be
 * measured. */
void NAME(two_minima_rows)(const void *cost, int64_t n, int64_t m, const double *v, double *low, int64_t *at) {
    const cost_t *c = cost;
    for (int64_t i = 0; i < n; i++) {
        const two_minima_t minima = two_minima(c + i * m, v, m);
        low[2 * i] = minima.first;
        low[2 * i + 1] = minima.second;
        at[2 * i] = minima.j1;
        at[2 * i + 1] = minima.j2;
    }
}

/* low[i] = min_j c_ij - v_j */
void NAME(row_minima)(const void *cost, int64_t n, int64_t m, const double *v, double *low) {
    const cost_t *c = cost;
    for (int64_t i = 0; i < n; i++) {
        low[i] = row_minimum(c + i * m, v, m);
    }
}

/* low[j] = min_i c_ij - u_i; row is scratch. */
void NAME(column_minima)(const void *cost, int64_t n, int64_t m, const double *u, double *low, int32_t *row) {
    const cost_t *c = cost;
    for (int64_t j = 0; j < m; j++) {
        low[j] = INFINITY;
    }
    for (int64_t i = 0; i < n; i++) {
        lower_columns(c + i * m, u[i], m, (int32_t)i, low, row);
    }
}
