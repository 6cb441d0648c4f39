/* Four doubles at a time: registers with AVX2, plain C without. A kernel written in these is one source for both
 * builds, which give the same answers to the bit, since each operation rounds alike and minima do not depend on their
 * order. */
#ifndef LAPMARK_VEC_H
#define LAPMARK_VEC_H

#include <math.h>
#include <stdint.h>

enum { WIDTH = 4 };

#ifdef LAPMARK_AVX2
#include <immintrin.h>

typedef __m256d v4_t;

static inline v4_t v4_all(double x) { return _mm256_set1_pd(x); }
static inline v4_t v4_load(const double *p) { return _mm256_loadu_pd(p); }
static inline v4_t v4_load_f32(const float *p) { return _mm256_cvtps_pd(_mm_loadu_ps(p)); }
static inline void v4_store(double *p, v4_t a) { _mm256_storeu_pd(p, a); }
static inline v4_t v4_add(v4_t a, v4_t b) { return _mm256_add_pd(a, b); }
static inline v4_t v4_sub(v4_t a, v4_t b) { return _mm256_sub_pd(a, b); }
static inline v4_t v4_mul(v4_t a, v4_t b) { return _mm256_mul_pd(a, b); }
static inline v4_t v4_div(v4_t a, v4_t b) { return _mm256_div_pd(a, b); }
static inline v4_t v4_sqrt(v4_t a) { return _mm256_sqrt_pd(a); }
static inline v4_t v4_min(v4_t a, v4_t b) { return _mm256_min_pd(a, b); }
static inline v4_t v4_max(v4_t a, v4_t b) { return _mm256_max_pd(a, b); }
static inline v4_t v4_abs(v4_t a) { return _mm256_andnot_pd(_mm256_set1_pd(-0.0), a); }
/* Bit l is set where lane l of a is at most (or below) that of b. */
static inline unsigned v4_at_most(v4_t a, v4_t b) {
    return (unsigned)_mm256_movemask_pd(_mm256_cmp_pd(a, b, _CMP_LE_OQ));
}
static inline unsigned v4_below(v4_t a, v4_t b) {
    return (unsigned)_mm256_movemask_pd(_mm256_cmp_pd(a, b, _CMP_LT_OQ));
}
/* a where a < b, else b, and with them the tags of the one chosen. */
static inline v4_t v4_tag_below(v4_t a, v4_t b, v4_t tag_a, v4_t tag_b) {
    return _mm256_blendv_pd(tag_b, tag_a, _mm256_cmp_pd(a, b, _CMP_LT_OQ));
}
static inline v4_t v4_gather(const double *p, const int32_t *at) {
    return _mm256_set_pd(p[at[3]], p[at[2]], p[at[1]], p[at[0]]);
}
static inline double v4_lowest(v4_t a) {
    const __m128d two = _mm_min_pd(_mm256_castpd256_pd128(a), _mm256_extractf128_pd(a, 1));
    return _mm_cvtsd_f64(_mm_min_sd(two, _mm_unpackhi_pd(two, two)));
}

#else

typedef struct {
    double lane[WIDTH];
} v4_t;

#define LANES_OF(expression)                                                                                           \
    v4_t result;                                                                                                       \
    for (int l = 0; l < WIDTH; l++) {                                                                                  \
        result.lane[l] = (expression);                                                                                 \
    }                                                                                                                  \
    return result

static inline v4_t v4_all(double x) { LANES_OF(x); }
static inline v4_t v4_load(const double *p) { LANES_OF(p[l]); }
static inline v4_t v4_load_f32(const float *p) { LANES_OF((double)p[l]); }
static inline v4_t v4_add(v4_t a, v4_t b) { LANES_OF(a.lane[l] + b.lane[l]); }
static inline v4_t v4_sub(v4_t a, v4_t b) { LANES_OF(a.lane[l] - b.lane[l]); }
static inline v4_t v4_mul(v4_t a, v4_t b) { LANES_OF(a.lane[l] * b.lane[l]); }
static inline v4_t v4_div(v4_t a, v4_t b) { LANES_OF(a.lane[l] / b.lane[l]); }
static inline v4_t v4_sqrt(v4_t a) { LANES_OF(sqrt(a.lane[l])); }
static inline v4_t v4_min(v4_t a, v4_t b) { LANES_OF(a.lane[l] < b.lane[l] ? a.lane[l] : b.lane[l]); }
static inline v4_t v4_max(v4_t a, v4_t b) { LANES_OF(a.lane[l] > b.lane[l] ? a.lane[l] : b.lane[l]); }
static inline v4_t v4_abs(v4_t a) { LANES_OF(fabs(a.lane[l])); }
static inline v4_t v4_tag_below(v4_t a, v4_t b, v4_t tag_a, v4_t tag_b) {
    LANES_OF(a.lane[l] < b.lane[l] ? tag_a.lane[l] : tag_b.lane[l]);
}
static inline v4_t v4_gather(const double *p, const int32_t *at) { LANES_OF(p[at[l]]); }
static inline void v4_store(double *p, v4_t a) {
    for (int l = 0; l < WIDTH; l++) {
        p[l] = a.lane[l];
    }
}
static inline unsigned v4_at_most(v4_t a, v4_t b) {
    unsigned bits = 0;
    for (int l = 0; l < WIDTH; l++) {
        bits |= (unsigned)(a.lane[l] <= b.lane[l]) << l;
    }
    return bits;
}
static inline unsigned v4_below(v4_t a, v4_t b) {
    unsigned bits = 0;
    for (int l = 0; l < WIDTH; l++) {
        bits |= (unsigned)(a.lane[l] < b.lane[l]) << l;
    }
    return bits;
}
static inline double v4_lowest(v4_t a) {
    double low = a.lane[0];
    for (int l = 1; l < WIDTH; l++) {
        low = a.lane[l] < low ? a.lane[l] : low;
    }
    return low;
}
#undef LANES_OF

#endif

/* Index of the lowest set bit of a lane mask that is not 0. */
static inline int first_lane(unsigned bits) { return __builtin_ctz(bits); }

#endif
