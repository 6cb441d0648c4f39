/* Masses as 128-bit integers, so that ties are exact and so is what a tree ships.
 *
 * The unit is a power of two, so small that masses down to 2^-66 of the sum are integers without rounding, and much
 * smaller ones keep enough digits: each row and column is met to its own precision, not to that of the sum.
 */
#pragma once

#include "core/portability.h"

#include <math.h>

typedef int128_t mass_t;

#define MASS_MAX ((mass_t)(~(uint128_t)0 >> 1))

/* Log2 of the larger side's sum in units; twice that does not overflow. */
enum { WHOLE_LOG = 119 };

static inline double at_most(double mass, double most) { return mass < most ? mass : most; }

/* Sum of masses, none of which counts for more than `most`. */
static inline double sum_up_to(const double *masses, int64_t count, double most) {
    double sum = 0.0;
    for (int64_t k = 0; k < count; k++) {
        sum += at_most(masses[k], most);
    }
    return sum;
}

/* Convert such masses to units of 2^-log, at least one for any mass above 0; return their sum. */
static inline mass_t in_units(const double *masses, int64_t count, double most, int log, mass_t *whole) {
    const double half = ldexp(1.0, log / 2), other_half = ldexp(1.0, log - log / 2); /* since 2^log may overflow */
    mass_t total = 0;
    for (int64_t k = 0; k < count; k++) {
        const mass_t rounded = (mass_t)rint(at_most(masses[k], most) * half * other_half);
        whole[k] = masses[k] > 0.0 && rounded < 1 ? 1 : rounded;
        total += whole[k];
    }
    return total;
}

/* Add `missing` units in proportion to masses of this sum; the few units left go to the largest. */
static inline void add_in_proportion(mass_t *whole, int64_t count, mass_t sum, mass_t missing) {
    const double part = (double)missing / (double)sum;
    int64_t largest = 0;
    for (int64_t k = 0; k < count; k++) {
        const mass_t more = (mass_t)rint((double)whole[k] * part);
        largest = whole[k] > whole[largest] ? k : largest;
        whole[k] += more;
        missing -= more;
    }
    whole[largest] += missing;
}

typedef struct {
    double unit; /* mass of one unit */
    mass_t over; /* units that side a has more than b; negative if b has more */
} mass_scale_t;

/* Convert both sides to integers. Unless `partial`, their sums differ by rounding only, and side b is scaled to the sum
 * of a. If `partial`, they differ by more. A bin of the larger side cannot ship more than the sum of the other, so it
 * counts as twice that at most, which leaves the digits to the rest. */
static inline mass_scale_t masses_to_integers(const double *a, int64_t n, const double *b, int64_t m, int partial,
                                              mass_t *supply, mass_t *demand) {
    const double sum_a = sum_up_to(a, n, INFINITY), sum_b = sum_up_to(b, m, INFINITY);
    const double most = partial ? 2.0 * fmin(sum_a, sum_b) : INFINITY;
    const int log = WHOLE_LOG - ilogb(fmax(sum_up_to(a, n, most), sum_up_to(b, m, most)));
    const mass_t total_a = in_units(a, n, most, log, supply), total_b = in_units(b, m, most, log, demand);
    if (!partial && total_a != total_b) {
        add_in_proportion(demand, m, total_b, total_a - total_b);
        return (mass_scale_t){ldexp(1.0, -log), 0};
    }
    return (mass_scale_t){ldexp(1.0, -log), total_a - total_b};
}

/* A plan leaves out shipments below this share of the mass at either end: rounding has caused them, and no mass is off
 * by more than a few times that. */
static const double DUST = 0x1p-44;

static inline int is_dust(double moved, double one_end, double other_end) {
    return moved <= DUST * fmin(one_end, other_end);
}
