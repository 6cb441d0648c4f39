/* Row kernels, one value at a time. */

/* The two smallest c[j] - v[j] of one block; one that is not below `bound` may be returned as +inf. */
static inline pair_t row_two_minima_block(const cost_t *restrict c, const double *restrict v, int64_t start,
                                          int64_t end, double bound) {
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

/* low[j] = min(low[j], c[j] - u), and row[j] = i where this lowered it. */
static inline void row_lower_columns(const cost_t *restrict c, double u, int64_t m, int32_t i, double *restrict low,
                                     int32_t *restrict row) {
    lower_columns_from(0, c, u, m, i, low, row);
}

/* Dijkstra's relaxation of one block from row i: distance[j] = min(distance[j], c[j] - v[j] - h), and row[j] = i where
 * this lowered it. Returns the smallest distance of the block. */
static inline double row_relax_block(const cost_t *restrict c, const double *restrict v, double h, int64_t start,
                                     int64_t end, int32_t i, double *restrict distance, int32_t *restrict row) {
    return relax_from(start, INFINITY, c, v, h, end, i, distance, row);
}
