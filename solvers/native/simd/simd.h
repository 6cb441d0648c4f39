/* SIMD layer: the build names the header of the instruction set that this source is compiled for (SIMD_HEADER). It
 * defines
 *
 *     v4_t          four doubles. Operations round alike in every instruction set, and minima do not depend on the
 *                   order of operands, so exact solvers give the same results to the bit. Only the minimum of a NaN
 *                   and a number, and of 0 and -0, is either of the two.
 *     VECTOR_BYTES  size of a register, from which lanes.h derives the vectors of the approximate kernels (Sinkhorn).
 */
#pragma once

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { WIDTH = 4 }; /* doubles of a v4_t */

#include SIMD_HEADER

/* Load four costs, float or double. */
#define v4_load_costs(p) _Generic((p), const float *: v4_load_f32, const double *: v4_load)(p)

/* Number of doubles that whole vectors need to hold `count` of them. */
static inline int64_t padded_to_width(int64_t count) { return (count + WIDTH - 1) / WIDTH * WIDTH; }

static inline double v4_highest(v4_t a) {
    double lane[WIDTH], highest = -INFINITY;
    v4_store(lane, a);
    for (int l = 0; l < WIDTH; l++) {
        highest = lane[l] > highest ? lane[l] : highest;
    }
    return highest;
}

/* The lowest lane that is set in a bit mask of lanes other than 0. */
static inline int first_lane(unsigned bits) { return __builtin_ctz(bits); }
