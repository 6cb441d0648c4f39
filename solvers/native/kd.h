/* Points in DIM dimensions put in an order in which neighbours are near each other, by splits of the widest side. */
#ifndef LAPMARK_KD_H
#define LAPMARK_KD_H

#include <math.h>
#include <stdint.h>

static inline double coordinate(const double *points, int64_t i, int axis) { return points[i * DIM + axis]; }

/* Move the k-th smallest of order[low..high] by this coordinate to its place, smaller ones before it. */
static void kd_select(const double *points, int axis, int32_t *order, int64_t low, int64_t high, int64_t k) {
    while (low < high) {
        const double a = coordinate(points, order[low], axis), c = coordinate(points, order[high], axis);
        const double b = coordinate(points, order[low + (high - low) / 2], axis);
        const double pivot = a < b ? (b < c ? b : (a < c ? c : a)) : (a < c ? a : (b < c ? c : b));
        int64_t l = low, h = high;
        while (l <= h) {
            while (coordinate(points, order[l], axis) < pivot) {
                l++;
            }
            while (coordinate(points, order[h], axis) > pivot) {
                h--;
            }
            if (l <= h) {
                const int32_t kept = order[l];
                order[l++] = order[h];
                order[h--] = kept;
            }
        }
        if (k <= h) {
            high = h;
        } else if (k >= l) {
            low = l;
        } else {
            return;
        }
    }
}

/* Move points of order[begin..end) so that those before `at` come first along the widest side. */
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

#endif
