/* Masses as whole numbers, so that ties are ties and what a tree ships is exact. */
#ifndef LAPMARK_MASSES_H
#define LAPMARK_MASSES_H

#include <math.h>
#include <stdint.h>

/* The sum of the whole masses of the side that has more. */
static const double WHOLE = 0x1p60;

static inline double at_most(double mass, double most) { return mass < most ? mass : most; }

/* The sum of masses, none of which counts for more than `most`. */
static inline double sum_up_to(const double *masses, int64_t count, double most) {
    double sum = 0.0;
    for (int64_t k = 0; k < count; k++) {
        sum += at_most(masses[k], most);
    }
    return sum;
}

/* Such masses in units of 2^-60 of `sum`, at least one of what is above 0; their own sum. */
static inline int64_t in_units(const double *masses, int64_t count, double most, double sum, int64_t *whole) {
    int64_t total = 0;
    for (int64_t k = 0; k < count; k++) {
        whole[k] = 0;
        if (masses[k] > 0.0) {
            const int64_t rounded = (int64_t)rint(at_most(masses[k], most) / sum * WHOLE);
            whole[k] = rounded > 1 ? rounded : 1;
            total += whole[k];
        }
    }
    return total;
}

/* Spread what rounding left evenly over what is above 0, so that equal masses stay equal but for one unit. */
static inline void add_evenly(int64_t *whole, int64_t count, int64_t missing) {
    int64_t nonzero = 0;
    for (int64_t k = 0; k < count; k++) {
        nonzero += whole[k] > 0;
    }
    const int64_t each = missing / nonzero;
    int64_t rest = missing % nonzero;
    for (int64_t k = 0; k < count; k++) {
        if (whole[k] > 0) {
            whole[k] += each + (rest > 0);
            rest -= rest > 0;
        }
    }
}

typedef struct {
    double unit;  /* mass of a unit */
    int64_t over; /* units that side a has more than b; negative where b has more */
} measure_t;

/* Both sides in whole numbers. Unless `partial`, what their sums differ by is rounding, and they are made equal. If so,
 * they differ by far more than that. A bin of the side that has more cannot ship more than all that the other has;
 * counting twice that is enough to say so, and leaves the digits to the rest. */
static inline measure_t whole_masses(const double *a, int64_t n, const double *b, int64_t m, int partial,
                                     int64_t *supply, int64_t *demand) {
    const double sum_a = sum_up_to(a, n, INFINITY), sum_b = sum_up_to(b, m, INFINITY);
    if (!partial) {
        const int64_t over = in_units(a, n, INFINITY, sum_a, supply) - in_units(b, m, INFINITY, sum_b, demand);
        if (over != 0) {
            add_evenly(over > 0 ? demand : supply, over > 0 ? m : n, over > 0 ? over : -over);
        }
        int64_t total = 0;
        for (int64_t i = 0; i < n; i++) {
            total += supply[i];
        }
        return (measure_t){sum_a / (double)total, 0};
    }
    const int more_rows = sum_a > sum_b;
    const double most = 2.0 * (more_rows ? sum_b : sum_a);
    const double sum = more_rows ? sum_up_to(a, n, most) : sum_up_to(b, m, most);
    const int64_t over = in_units(a, n, most, sum, supply) - in_units(b, m, most, sum, demand);
    return (measure_t){sum / WHOLE, over};
}

#endif
