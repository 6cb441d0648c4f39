/* K-d order: arrange points so that neighbours are near each other, by splits of the widest side. Compiled per
 * dimension (DIM).
 */
#pragma once

#include "core/sorting.h"

#include <math.h>

static inline double coordinate(const double *points, int64_t i, int axis) { return points[i * DIM + axis]; }

#define SELECT_FUNCTION kd_select
#define SELECT_PARAMETERS const double *points, int axis, int32_t *order
#define SELECT_KEY(place) coordinate(points, order[place], axis)
#define SELECT_SWAP(a, b) swap_places(order + (a), order + (b))
#define SELECT_PIVOT(low, high) median_of_three(SELECT_KEY(low), SELECT_KEY(low + (high - low) / 2), SELECT_KEY(high))
#include "core/quickselect.inc.h"

/* Rearrange order[begin..end) so that the points before place `at` come first along the widest side. */
static void kd_split(const double *points, int32_t *order, int64_t begin, int64_t end, int64_t at) {
    int widest = 0;
    double width = -1.0;
    for (int axis = 0; axis < DIM; axis++) {
        double low = INFINITY, high = -INFINITY;
        for (int64_t i = begin; i < end; i++) {
            const double x = coordinate(points, order[i], axis);
            low = x < low ? x : low;
            high = x > high ? x : high;
        }
        if (high - low > width) {
            width = high - low;
            widest = axis;
        }
    }
    if (width > 0.0) {
        kd_select(points, widest, order, begin, end - 1, at);
    }
}
