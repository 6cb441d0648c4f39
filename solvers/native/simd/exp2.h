/* Powers of two of whole vectors, for the kernels that spend most of their time on them. The nearest integer goes to
 * the bits of the exponent; the rest, within 1/2 of 0, to the polynomial that interpolates 2^r at Chebyshev's points.
 */
#pragma once

#include "simd/simd.h"

/* Exponents beyond these count as these: there the bits of the result would overflow. */
static const double F64_LEAST = -1000.0, F64_MOST = 1000.0;
static const float F32_LEAST = -126.0f;

/* 2^t with a relative error of 3e-7, for t < 127. */
static inline f32_lanes_t f32_exp2(f32_lanes_t t) {
    const float to_integer = 0x1.8p23f;
    t = f32_at_least(t, F32_LEAST);
    const f32_lanes_t rounded = t + to_integer, r = t - (rounded - to_integer);
    f32_lanes_t p = r * 0x1.5f0890p-10f + 0x1.3d1070p-7f;
    p = p * r + 0x1.c6af6cp-5f;
    p = p * r + 0x1.ebf906p-3f;
    p = p * r + 0x1.62e430p-1f;
    p = p * r + 0x1.000002p0f;
    return (f32_lanes_t)((f32_bits_t)p + ((f32_bits_t)rounded << 23));
}

/* 2^t with a relative error of 2e-14; 2^1000 for t above 1000. */
static inline f64_lanes_t f64_exp2(f64_lanes_t t) {
    const double to_integer = 0x1.8p52;
    t = -f64_at_least(-f64_at_least(t, F64_LEAST), -F64_MOST);
    const f64_lanes_t rounded = t + to_integer;
    const f64_lanes_t r = t - (rounded - to_integer), r2 = r * r, r4 = r2 * r2;
    const f64_lanes_t p01 = 1.0000000000000135 + r * 0.69314718055994617;
    const f64_lanes_t p23 = 0.24022650695640341 + r * 0.05550410866465167;
    const f64_lanes_t p45 = 0.0096181291939343126 + r * 0.0013333558200794592;
    const f64_lanes_t p67 = 0.0001540343375125101 + r * 1.5252672924850737e-05;
    const f64_lanes_t p89 = 1.3259645244887111e-06 + r * 1.0205905413765595e-07;
    const f64_lanes_t p = (p01 + r2 * p23) + r4 * ((p45 + r2 * p67) + r4 * p89);
    return (f64_lanes_t)((f64_bits_t)p + ((f64_bits_t)rounded << 52));
}
