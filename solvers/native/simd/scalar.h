/* Instruction set `scalar`: plain C, for every processor. */
#pragma once

/* Loops over one value at a time beat vectors that are emulated: see assignment/row_kernels_scalar.inc.h. */
#define SIMD_IS_EMULATED 1
#define VECTOR_BYTES 16
#include "simd/lanes.h"

static inline int simd_is_supported(void) { return 1; }

typedef struct {
    double lane[WIDTH];
} v4_t;

#define EACH_LANE(expression)                                                                                          \
    v4_t result;                                                                                                       \
    for (int l = 0; l < WIDTH; l++) {                                                                                  \
        result.lane[l] = (expression);                                                                                 \
    }                                                                                                                  \
    return result

static inline v4_t v4_all(double x) { EACH_LANE(x); }
static inline v4_t v4_load(const double *p) { EACH_LANE(p[l]); }
static inline v4_t v4_load_f32(const float *p) { EACH_LANE((double)p[l]); }
static inline v4_t v4_add(v4_t a, v4_t b) { EACH_LANE(a.lane[l] + b.lane[l]); }
static inline v4_t v4_sub(v4_t a, v4_t b) { EACH_LANE(a.lane[l] - b.lane[l]); }
static inline v4_t v4_mul(v4_t a, v4_t b) { EACH_LANE(a.lane[l] * b.lane[l]); }
static inline v4_t v4_div(v4_t a, v4_t b) { EACH_LANE(a.lane[l] / b.lane[l]); }
static inline v4_t v4_sqrt(v4_t a) { EACH_LANE(sqrt(a.lane[l])); }
static inline v4_t v4_min(v4_t a, v4_t b) { EACH_LANE(a.lane[l] < b.lane[l] ? a.lane[l] : b.lane[l]); }
static inline v4_t v4_max(v4_t a, v4_t b) { EACH_LANE(a.lane[l] > b.lane[l] ? a.lane[l] : b.lane[l]); }
static inline v4_t v4_abs(v4_t a) { EACH_LANE(fabs(a.lane[l])); }
/* a, with -inf in place of NaN. */
static inline v4_t v4_nan_to_lowest(v4_t a) { EACH_LANE(a.lane[l] > -INFINITY ? a.lane[l] : -INFINITY); }
/* tag_a where a < b, else tag_b. */
static inline v4_t v4_tag_below(v4_t a, v4_t b, v4_t tag_a, v4_t tag_b) {
    EACH_LANE(a.lane[l] < b.lane[l] ? tag_a.lane[l] : tag_b.lane[l]);
}
static inline v4_t v4_gather(const double *p, const int32_t *at) { EACH_LANE(p[at[l]]); }
#undef EACH_LANE

static inline void v4_store(double *p, v4_t a) {
    for (int l = 0; l < WIDTH; l++) {
        p[l] = a.lane[l];
    }
}

/* Bit l is set where lane l of a is at most that of b. */
static inline unsigned v4_at_most(v4_t a, v4_t b) {
    unsigned bits = 0;
    for (int l = 0; l < WIDTH; l++) {
        bits |= (unsigned)(a.lane[l] <= b.lane[l]) << l;
    }
    return bits;
}

/* Bit l is set where lane l of a is below that of b. */
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

static inline f32_lanes_t f32_at_least(f32_lanes_t t, float least) {
    const f32_bits_t above = (f32_bits_t)(t > least);
    return (f32_lanes_t)((above & (f32_bits_t)t) | (~above & (f32_bits_t)(t * 0.0f + least)));
}

static inline f64_lanes_t f64_at_least(f64_lanes_t t, double least) {
    const f64_bits_t above = (f64_bits_t)(t > least);
    return (f64_lanes_t)((above & (f64_bits_t)t) | (~above & (f64_bits_t)(t * 0.0 + least)));
}

static inline f64_lanes_t f64_root(f64_lanes_t v) {
    for (int k = 0; k < F64_LANES; k++) {
        v[k] = sqrt(v[k]);
    }
    return v;
}

static inline f32_lanes_t f32_root(f32_lanes_t v) {
    for (int k = 0; k < F32_LANES; k++) {
        v[k] = sqrtf(v[k]);
    }
    return v;
}

static inline int f64_any(f64_mask_t mask) { return (mask[0] | mask[1]) != 0; }
