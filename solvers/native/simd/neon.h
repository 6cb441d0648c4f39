/* Instruction set `neon`: Advanced SIMD of 64-bit Arm processors, all of which have it. Two registers make a v4_t. */
#pragma once

#include <arm_neon.h>

#define VECTOR_BYTES 16
#include "simd/lanes.h"

static inline int simd_is_supported(void) { return 1; }

typedef struct {
    float64x2_t low, high;
} v4_t;

static inline v4_t v4_all(double x) { return (v4_t){vdupq_n_f64(x), vdupq_n_f64(x)}; }
static inline v4_t v4_load(const double *p) { return (v4_t){vld1q_f64(p), vld1q_f64(p + 2)}; }
static inline v4_t v4_load_f32(const float *p) {
    const float32x4_t four = vld1q_f32(p);
    return (v4_t){vcvt_f64_f32(vget_low_f32(four)), vcvt_high_f64_f32(four)};
}
static inline void v4_store(double *p, v4_t a) {
    vst1q_f64(p, a.low);
    vst1q_f64(p + 2, a.high);
}
static inline v4_t v4_add(v4_t a, v4_t b) { return (v4_t){vaddq_f64(a.low, b.low), vaddq_f64(a.high, b.high)}; }
static inline v4_t v4_sub(v4_t a, v4_t b) { return (v4_t){vsubq_f64(a.low, b.low), vsubq_f64(a.high, b.high)}; }
static inline v4_t v4_mul(v4_t a, v4_t b) { return (v4_t){vmulq_f64(a.low, b.low), vmulq_f64(a.high, b.high)}; }
static inline v4_t v4_div(v4_t a, v4_t b) { return (v4_t){vdivq_f64(a.low, b.low), vdivq_f64(a.high, b.high)}; }
static inline v4_t v4_sqrt(v4_t a) { return (v4_t){vsqrtq_f64(a.low), vsqrtq_f64(a.high)}; }
static inline v4_t v4_min(v4_t a, v4_t b) { return (v4_t){vminnmq_f64(a.low, b.low), vminnmq_f64(a.high, b.high)}; }
static inline v4_t v4_max(v4_t a, v4_t b) { return (v4_t){vmaxnmq_f64(a.low, b.low), vmaxnmq_f64(a.high, b.high)}; }
static inline v4_t v4_abs(v4_t a) { return (v4_t){vabsq_f64(a.low), vabsq_f64(a.high)}; }

/* a, with -inf in place of NaN. */
static inline v4_t v4_nan_to_lowest(v4_t a) {
    const float64x2_t lowest = vdupq_n_f64(-INFINITY);
    return (v4_t){vbslq_f64(vceqq_f64(a.low, a.low), a.low, lowest),
                  vbslq_f64(vceqq_f64(a.high, a.high), a.high, lowest)};
}

/* Lane masks: all bits of a lane are set, or none. */
typedef struct {
    uint64x2_t low, high;
} v4_mask_t;

static inline v4_mask_t v4_mask_none(void) { return (v4_mask_t){vdupq_n_u64(0), vdupq_n_u64(0)}; }
static inline v4_mask_t v4_mask_below(v4_t a, v4_t b) {
    return (v4_mask_t){vcltq_f64(a.low, b.low), vcltq_f64(a.high, b.high)};
}
static inline v4_mask_t v4_mask_or(v4_mask_t a, v4_mask_t b) {
    return (v4_mask_t){vorrq_u64(a.low, b.low), vorrq_u64(a.high, b.high)};
}
static inline int v4_mask_any(v4_mask_t mask) {
    return vget_lane_u64(vreinterpret_u64_u32(vmovn_u64(vorrq_u64(mask.low, mask.high))), 0) != 0;
}
static inline uint32x4_t v4_mask_narrow(v4_mask_t mask) {
    return vuzp1q_u32(vreinterpretq_u32_u64(mask.low), vreinterpretq_u32_u64(mask.high));
}
static inline unsigned v4_mask_bits(v4_mask_t mask) {
    return vaddvq_u32(vandq_u32(v4_mask_narrow(mask), (const uint32x4_t){1, 2, 4, 8}));
}

/* Bit l is set where lane l of a is at most that of b. */
static inline unsigned v4_at_most(v4_t a, v4_t b) {
    return v4_mask_bits((v4_mask_t){vcleq_f64(a.low, b.low), vcleq_f64(a.high, b.high)});
}

/* Bit l is set where lane l of a is below that of b. */
static inline unsigned v4_below(v4_t a, v4_t b) { return v4_mask_bits(v4_mask_below(a, b)); }

/* tag_a where a < b, else tag_b. */
static inline v4_t v4_tag_below(v4_t a, v4_t b, v4_t tag_a, v4_t tag_b) {
    const v4_mask_t below = v4_mask_below(a, b);
    return (v4_t){vbslq_f64(below.low, tag_a.low, tag_b.low), vbslq_f64(below.high, tag_a.high, tag_b.high)};
}

static inline v4_t v4_gather(const double *p, const int32_t *at) {
    return (v4_t){(float64x2_t){p[at[0]], p[at[1]]}, (float64x2_t){p[at[2]], p[at[3]]}};
}

static inline double v4_lowest(v4_t a) { return vminnmvq_f64(vminnmq_f64(a.low, a.high)); }

/* Four copies of an integer, to be stored where a mask is set. */
typedef int32x4_t v4_int32_t;

static inline v4_int32_t v4_int32_all(int32_t value) { return vdupq_n_s32(value); }
static inline void v4_int32_store_where(int32_t *four, v4_int32_t value, v4_mask_t mask) {
    vst1q_s32(four, vbslq_s32(v4_mask_narrow(mask), value, vld1q_s32(four)));
}

static inline f32_lanes_t f32_at_least(f32_lanes_t t, float least) {
    return (f32_lanes_t)vmaxnmq_f32((float32x4_t)t, vdupq_n_f32(least));
}
static inline f64_lanes_t f64_at_least(f64_lanes_t t, double least) {
    return (f64_lanes_t)vmaxnmq_f64((float64x2_t)t, vdupq_n_f64(least));
}
static inline f64_lanes_t f64_root(f64_lanes_t v) { return (f64_lanes_t)vsqrtq_f64((float64x2_t)v); }
static inline f32_lanes_t f32_root(f32_lanes_t v) { return (f32_lanes_t)vsqrtq_f32((float32x4_t)v); }
static inline int f64_any(f64_mask_t mask) { return vmaxvq_u32((uint32x4_t)mask) != 0; }
