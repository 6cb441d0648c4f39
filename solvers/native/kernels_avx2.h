/* The shared inner loops with AVX2: four columns to a register, in double whatever the type of the cost. */
#ifndef LAPMARK_KERNELS_AVX2_H
#define LAPMARK_KERNELS_AVX2_H

#include <immintrin.h>

enum { LANES = 4, UNROLL = 4 * LANES };

static inline __m256d load_f32(const float *c) { return _mm256_cvtps_pd(_mm_loadu_ps(c)); }
static inline __m256d load_f64(const double *c) { return _mm256_loadu_pd(c); }
#define load_cost(c) _Generic((c), const float *: load_f32, const double *: load_f64)(c)

static inline __m256d reduced(const cost_t *c, const double *v) {
    return _mm256_sub_pd(load_cost(c), _mm256_loadu_pd(v));
}

static inline double lowest(__m256d x) {
    const __m128d two = _mm_min_pd(_mm256_castpd256_pd128(x), _mm256_extractf128_pd(x, 1));
    return _mm_cvtsd_f64(_mm_min_sd(two, _mm_unpackhi_pd(two, two)));
}

static inline double row_minimum(const cost_t *restrict c, const double *restrict v, int64_t m) {
    __m256d best[4];
    for (int k = 0; k < 4; k++) {
        best[k] = _mm256_set1_pd(INFINITY);
    }
    int64_t j = 0;
    for (; j + UNROLL <= m; j += UNROLL) {
        for (int k = 0; k < 4; k++) {
            best[k] = _mm256_min_pd(best[k], reduced(c + j + k * LANES, v + j + k * LANES));
        }
    }
    double low = lowest(_mm256_min_pd(_mm256_min_pd(best[0], best[1]), _mm256_min_pd(best[2], best[3])));
    for (; j < m; j++) {
        const double x = (double)c[j] - v[j];
        low = x < low ? x : low;
    }
    return low;
}

static inline pair_t block_two_minima(const cost_t *restrict c, const double *restrict v, int64_t start, int64_t end,
                                      double bound) {
    __m256d first[4], second[4];
    for (int k = 0; k < 4; k++) {
        first[k] = second[k] = _mm256_set1_pd(INFINITY);
    }
    int64_t j = start;
    for (; j + UNROLL <= end; j += UNROLL) {
        for (int k = 0; k < 4; k++) {
            const __m256d x = reduced(c + j + k * LANES, v + j + k * LANES);
            second[k] = _mm256_min_pd(second[k], _mm256_max_pd(first[k], x));
            first[k] = _mm256_min_pd(first[k], x);
        }
    }
    for (int k = 1; k < 4; k++) {
        const __m256d loser = _mm256_max_pd(first[0], first[k]);
        second[0] = _mm256_min_pd(_mm256_min_pd(second[0], second[k]), loser);
        first[0] = _mm256_min_pd(first[0], first[k]);
    }
    pair_t best = {INFINITY, INFINITY};
    /* Most blocks hold nothing below the two minima known so far: one comparison settles them. */
    if (_mm256_movemask_pd(_mm256_cmp_pd(first[0], _mm256_set1_pd(bound), _CMP_LT_OQ))) {
        double lanes[2 * LANES];
        _mm256_storeu_pd(lanes, first[0]);
        _mm256_storeu_pd(lanes + LANES, second[0]);
        for (int k = 0; k < 2 * LANES; k++) {
            best = pair_insert(best, lanes[k]);
        }
    }
    for (; j < end; j++) {
        best = pair_insert(best, (double)c[j] - v[j]);
    }
    return best;
}

/* The four 32-bit halves of a 64-bit lane mask. */
static inline __m128i narrow(__m256d mask) {
    const __m128 low = _mm_castpd_ps(_mm256_castpd256_pd128(mask));
    const __m128 high = _mm_castpd_ps(_mm256_extractf128_pd(mask, 1));
    return _mm_castps_si128(_mm_shuffle_ps(low, high, _MM_SHUFFLE(2, 0, 2, 0)));
}

static inline void blend_rows(int32_t *row, __m128i i, __m256d mask) {
    __m128i *at = (__m128i *)row;
    _mm_storeu_si128(at, _mm_blendv_epi8(_mm_loadu_si128(at), i, narrow(mask)));
}

static inline void lower_columns(const cost_t *restrict c, double u, int64_t m, int32_t i, double *restrict low,
                                 int32_t *restrict row) {
    const __m256d u4 = _mm256_set1_pd(u);
    const __m128i i4 = _mm_set1_epi32(i);
    int64_t j = 0;
    for (; j + LANES <= m; j += LANES) {
        const __m256d x = _mm256_sub_pd(load_cost(c + j), u4);
        const __m256d old = _mm256_loadu_pd(low + j);
        const __m256d lower = _mm256_cmp_pd(x, old, _CMP_LT_OQ);
        if (_mm256_movemask_pd(lower)) {
            _mm256_storeu_pd(low + j, _mm256_min_pd(x, old));
            blend_rows(row + j, i4, lower);
        }
    }
    for (; j < m; j++) {
        const double x = (double)c[j] - u;
        if (x < low[j]) {
            low[j] = x;
            row[j] = i;
        }
    }
}

static inline double block_relax(const cost_t *restrict c, const double *restrict v, double h, int64_t start,
                                 int64_t end, int32_t i, double *restrict distance, int32_t *restrict row) {
    const __m256d h4 = _mm256_set1_pd(h);
    const __m128i i4 = _mm_set1_epi32(i);
    __m256d best = _mm256_set1_pd(INFINITY);
    int64_t j = start;
    for (; j + UNROLL <= end; j += UNROLL) {
        __m256d x[4], old[4];
        __m256d low = _mm256_setzero_pd();
        for (int k = 0; k < 4; k++) {
            const int64_t at = j + k * LANES;
            x[k] = _mm256_sub_pd(reduced(c + at, v + at), h4);
            old[k] = _mm256_loadu_pd(distance + at);
            low = _mm256_or_pd(low, _mm256_cmp_pd(x[k], old[k], _CMP_LT_OQ));
        }
        if (_mm256_movemask_pd(low)) {
            for (int k = 0; k < 4; k++) {
                const int64_t at = j + k * LANES;
                blend_rows(row + at, i4, _mm256_cmp_pd(x[k], old[k], _CMP_LT_OQ));
                old[k] = _mm256_min_pd(x[k], old[k]);
                _mm256_storeu_pd(distance + at, old[k]);
            }
        }
        best = _mm256_min_pd(best, _mm256_min_pd(_mm256_min_pd(old[0], old[1]), _mm256_min_pd(old[2], old[3])));
    }
    double lowest_left = lowest(best);
    for (; j < end; j++) {
        const double x = (double)c[j] - v[j] - h;
        if (x < distance[j]) {
            distance[j] = x;
            row[j] = i;
        }
        lowest_left = distance[j] < lowest_left ? distance[j] : lowest_left;
    }
    return lowest_left;
}

#endif
