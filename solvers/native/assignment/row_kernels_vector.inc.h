/* Row kernels on vectors, four columns at a time, for any instruction set that has the masks of simd/avx2.h; see
 * row_kernels_scalar.inc.h for what each computes. */

enum { UNROLL = 4 * WIDTH };

static inline v4_t reduced_costs(const cost_t *c, const double *v) { return v4_sub(v4_load_costs(c), v4_load(v)); }

static inline double row_minimum(const cost_t *restrict c, const double *restrict v, int64_t m) {
    v4_t best[4];
    for (int k = 0; k < 4; k++) {
        best[k] = v4_all(INFINITY);
    }
    int64_t j = 0;
    for (; j + UNROLL <= m; j += UNROLL) {
        for (int k = 0; k < 4; k++) {
            best[k] = v4_min(best[k], reduced_costs(c + j + k * WIDTH, v + j + k * WIDTH));
        }
    }
    double low = v4_lowest(v4_min(v4_min(best[0], best[1]), v4_min(best[2], best[3])));
    for (; j < m; j++) {
        const double x = (double)c[j] - v[j];
        low = x < low ? x : low;
    }
    return low;
}

static inline pair_t row_two_minima_block(const cost_t *restrict c, const double *restrict v, int64_t start,
                                          int64_t end, double bound) {
    v4_t first[4], second[4];
    for (int k = 0; k < 4; k++) {
        first[k] = second[k] = v4_all(INFINITY);
    }
    int64_t j = start;
    for (; j + UNROLL <= end; j += UNROLL) {
        for (int k = 0; k < 4; k++) {
            const v4_t x = reduced_costs(c + j + k * WIDTH, v + j + k * WIDTH);
            second[k] = v4_min(second[k], v4_max(first[k], x));
            first[k] = v4_min(first[k], x);
        }
    }
    for (int k = 1; k < 4; k++) {
        const v4_t loser = v4_max(first[0], first[k]);
        second[0] = v4_min(v4_min(second[0], second[k]), loser);
        first[0] = v4_min(first[0], first[k]);
    }
    pair_t best = {INFINITY, INFINITY};
    /* Most blocks hold nothing below the two minima so far: one comparison settles them. */
    if (v4_below(first[0], v4_all(bound))) {
        double lanes[2 * WIDTH];
        v4_store(lanes, first[0]);
        v4_store(lanes + WIDTH, second[0]);
        for (int k = 0; k < 2 * WIDTH; k++) {
            best = pair_insert(best, lanes[k]);
        }
    }
    for (; j < end; j++) {
        best = pair_insert(best, (double)c[j] - v[j]);
    }
    return best;
}

static inline void row_lower_columns(const cost_t *restrict c, double u, int64_t m, int32_t i, double *restrict low,
                                     int32_t *restrict row) {
    const v4_t u4 = v4_all(u);
    const v4_int32_t i4 = v4_int32_all(i);
    int64_t j = 0;
    for (; j + WIDTH <= m; j += WIDTH) {
        const v4_t x = v4_sub(v4_load_costs(c + j), u4), old = v4_load(low + j);
        const v4_mask_t lower = v4_mask_below(x, old);
        if (v4_mask_any(lower)) {
            v4_store(low + j, v4_min(x, old));
            v4_int32_store_where(row + j, i4, lower);
        }
    }
    lower_columns_from(j, c, u, m, i, low, row);
}

static inline double row_relax_block(const cost_t *restrict c, const double *restrict v, double h, int64_t start,
                                     int64_t end, int32_t i, double *restrict distance, int32_t *restrict row) {
    const v4_t h4 = v4_all(h);
    const v4_int32_t i4 = v4_int32_all(i);
    v4_t best = v4_all(INFINITY);
    int64_t j = start;
    for (; j + UNROLL <= end; j += UNROLL) {
        v4_t x[4], old[4];
        v4_mask_t any = v4_mask_none();
        for (int k = 0; k < 4; k++) {
            const int64_t at = j + k * WIDTH;
            x[k] = v4_sub(reduced_costs(c + at, v + at), h4);
            old[k] = v4_load(distance + at);
            any = v4_mask_or(any, v4_mask_below(x[k], old[k]));
        }
        if (v4_mask_any(any)) {
            for (int k = 0; k < 4; k++) {
                const int64_t at = j + k * WIDTH;
                v4_int32_store_where(row + at, i4, v4_mask_below(x[k], old[k]));
                old[k] = v4_min(x[k], old[k]);
                v4_store(distance + at, old[k]);
            }
        }
        best = v4_min(best, v4_min(v4_min(old[0], old[1]), v4_min(old[2], old[3])));
    }
    return relax_from(j, v4_lowest(best), c, v, h, end, i, distance, row);
}
