/* Vectors of one register, in the vector extension of GCC and Clang: operators act on each lane. Included by the header
 * of an instruction set after it has defined VECTOR_BYTES. */
#pragma once

enum { F64_LANES = VECTOR_BYTES / 8, F32_LANES = VECTOR_BYTES / 4 };

typedef double f64_lanes_t __attribute__((vector_size(VECTOR_BYTES)));
typedef int64_t f64_mask_t __attribute__((vector_size(VECTOR_BYTES)));
typedef uint64_t f64_bits_t __attribute__((vector_size(VECTOR_BYTES)));
typedef float f32_lanes_t __attribute__((vector_size(VECTOR_BYTES)));
typedef uint32_t f32_bits_t __attribute__((vector_size(VECTOR_BYTES)));
typedef float f32_half_t __attribute__((vector_size(VECTOR_BYTES / 2))); /* as many lanes as f64_lanes_t */

static inline f64_lanes_t f64_load(const double *p) {
    f64_lanes_t x;
    memcpy(&x, p, sizeof x);
    return x;
}

static inline f32_lanes_t f32_load(const float *p) {
    f32_lanes_t x;
    memcpy(&x, p, sizeof x);
    return x;
}

/* As many floats as a register holds doubles, widened. */
static inline f64_lanes_t f64_load_f32(const float *p) {
    f32_half_t x;
    memcpy(&x, p, sizeof x);
    return __builtin_convertvector(x, f64_lanes_t);
}

/* The values as floats. */
static inline f32_half_t f64_narrowed(f64_lanes_t x) { return __builtin_convertvector(x, f32_half_t); }

/* Load as many costs, float or double, as a register holds doubles. */
#define f64_load_costs(p) _Generic((p), const float *: f64_load_f32, const double *: f64_load)(p)

static inline double f64_sum(f64_lanes_t x) {
    double total = 0.0;
    for (int k = 0; k < F64_LANES; k++) {
        total += x[k];
    }
    return total;
}
