/* The shared inner loops in plain C; kernels_avx2.h holds their twins. */
#ifndef LAPMARK_KERNELS_SCALAR_H
#define LAPMARK_KERNELS_SCALAR_H

/* The two smallest of c[j] - v[j] over one block; either may come out as +inf where it is not below `bound`. */
static inline pair_t block_two_minima(const cost_t *restrict c, const double *restrict v, int64_t start, int64_t end,
                                      double bound) {
    pair_t best = {INFINITY, INFINITY};
    (void)bound;
    for (int64_t j = start; j < end; j++) {
        best = pair_insert(best, (double)c[j] - v[j]);
    }
    return best;
}

/* min_j c[j] - v[j] */
static inline double row_minimum(const cost_t *restrict c, const double *restrict v, int64_t m) {
    double best = INFINITY;
    for (int64_t j = 0; j < m; j++) {
        const double x = (double)c[j] - v[j];
        best = x < best ? x : best;
    }
    return best;
}

/* low[j] = min(low[j], c[j] - u), and row[j] = i where that lowered it. */
static inline void lower_columns(const cost_t *restrict c, double u, int64_t m, int32_t i, double *restrict low,
                                 int32_t *restrict row) {
    for (int64_t j = 0; j < m; j++) {
        const double x = (double)c[j] - u;
        if (x < low[j]) {
            low[j] = x;
            row[j] = i;
        }
    }
}

/* Dijkstra's relaxation of one block from row i: distance[j] = min(distance[j], c[j] - v[j] - h), row[j] = i where that
 * lowered it. Returns the smallest distance of the block afterwards. */
static inline double block_relax(const cost_t *restrict c, const double *restrict v, double h, int64_t start,
                                 int64_t end, int32_t i, double *restrict distance, int32_t *restrict row) {
    double best = INFINITY;
    for (int64_t j = start; j < end; j++) {
        const double x = (double)c[j] - v[j] - h;
        if (x < distance[j]) {
            distance[j] = x;
            row[j] = i;
        }
        best = distance[j] < best ? distance[j] : best;
    }
    return best;
}

#endif
