/* Instruction set `avx2`: AVX2, and fused multiply-adds in the approximate kernels; nearly every processor that has one
 * has both. */
#pragma once

#include <cpuid.h>
#include <immintrin.h>

#define VECTOR_BYTES 32
#include "simd/lanes.h"

/* Not __builtin_cpu_supports: some of Clang's run-time libraries, that of Zig among them, answer no to all. */
static inline int simd_is_supported(void) {
    enum { WIDE_STATE = 6 }; /* the system saves the registers of SSE and of AVX */
    unsigned a, b, c, d, state, state_high;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE) || !(c & bit_FMA)) {
        return 0;
    }
    __asm__("xgetbv" : "=a"(state), "=d"(state_high) : "c"(0));
    return (state & WIDE_STATE) == WIDE_STATE && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_AVX2);
}

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

/* a, with -inf in place of NaN: the maximum of a NaN and a number is the second operand. */
static inline v4_t v4_nan_to_lowest(v4_t a) { return _mm256_max_pd(a, _mm256_set1_pd(-INFINITY)); }

/* Bit l is set where lane l of a is at most that of b. */
static inline unsigned v4_at_most(v4_t a, v4_t b) {
    return (unsigned)_mm256_movemask_pd(_mm256_cmp_pd(a, b, _CMP_LE_OQ));
}

/* Bit l is set where lane l of a is below that of b. */
static inline unsigned v4_below(v4_t a, v4_t b) {
    return (unsigned)_mm256_movemask_pd(_mm256_cmp_pd(a, b, _CMP_LT_OQ));
}

/* tag_a where a < b, else tag_b. */
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

/* Lane masks, for the row kernels: all bits of a lane are set, or none. */
typedef __m256d v4_mask_t;

static inline v4_mask_t v4_mask_none(void) { return _mm256_setzero_pd(); }
static inline v4_mask_t v4_mask_below(v4_t a, v4_t b) { return _mm256_cmp_pd(a, b, _CMP_LT_OQ); }
static inline v4_mask_t v4_mask_or(v4_mask_t a, v4_mask_t b) { return _mm256_or_pd(a, b); }
static inline int v4_mask_any(v4_mask_t mask) { return _mm256_movemask_pd(mask) != 0; }

/* Four copies of an integer, to be stored where a mask is set. */
typedef __m128i v4_int32_t;

static inline v4_int32_t v4_int32_all(int32_t value) { return _mm_set1_epi32(value); }
static inline void v4_int32_store_where(int32_t *four, v4_int32_t value, v4_mask_t mask) {
    const __m128 low = _mm_castpd_ps(_mm256_castpd256_pd128(mask));
    const __m128 high = _mm_castpd_ps(_mm256_extractf128_pd(mask, 1));
    const __m128i narrow = _mm_castps_si128(_mm_shuffle_ps(low, high, _MM_SHUFFLE(2, 0, 2, 0)));
    __m128i *at = (__m128i *)four;
    _mm_storeu_si128(at, _mm_blendv_epi8(_mm_loadu_si128(at), value, narrow));
}

static inline f32_lanes_t f32_at_least(f32_lanes_t t, float least) {
    return (f32_lanes_t)_mm256_max_ps((__m256)t, _mm256_set1_ps(least));
}
static inline f64_lanes_t f64_at_least(f64_lanes_t t, double least) {
    return (f64_lanes_t)_mm256_max_pd((__m256d)t, _mm256_set1_pd(least));
}
static inline f64_lanes_t f64_root(f64_lanes_t v) { return (f64_lanes_t)_mm256_sqrt_pd((__m256d)v); }
static inline f32_lanes_t f32_root(f32_lanes_t v) { return (f32_lanes_t)_mm256_sqrt_ps((__m256)v); }
static inline int f64_any(f64_mask_t mask) { return _mm256_movemask_pd((__m256d)mask) != 0; }
