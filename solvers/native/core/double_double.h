/* Double-double arithmetic: a number is the unevaluated sum of two doubles, which doubles the precision.
 *
 * D. E. Knuth, The Art of Computer Programming 2, section 4.2.2, theorem B; T. J. Dekker, Numer. Math. 18 (1971). Valid
 * in round-to-nearest for finite results without underflow; the compiler must not contract or reorder operations.
 */
#pragma once

#include <math.h>

/* The rounding error of a - b: a - b equals its rounded value plus this, exactly. */
static inline double difference_error(double a, double b) {
    const double difference = a - b, b_seen = a - difference, a_seen = difference + b_seen;
    return (a - a_seen) + (b_seen - b);
}

/* high + low, where low is at most half a unit in the last place of high. */
typedef struct {
    double high, low;
} dd_t;

static inline dd_t dd_add(dd_t a, dd_t b) {
    const double high = a.high + b.high, low = difference_error(a.high, -b.high) + (a.low + b.low), sum = high + low;
    return (dd_t){sum, low - (sum - high)};
}

static const dd_t DD_ZERO = {0.0, 0.0};

/* x - y, exactly. */
static inline dd_t dd_difference(double x, double y) { return (dd_t){x - y, difference_error(x, y)}; }

static inline dd_t dd_sub(dd_t a, dd_t b) { return dd_add(a, (dd_t){-b.high, -b.low}); }

static inline dd_t dd_mul(dd_t a, double b) {
    const double product = a.high * b;
    return dd_add((dd_t){product, fma(a.high, b, -product)}, (dd_t){a.low * b, 0.0});
}

static inline dd_t dd_square(dd_t a) {
    const double square = a.high * a.high;
    return dd_add((dd_t){square, fma(a.high, a.high, -square)}, (dd_t){2.0 * a.high * a.low, 0.0});
}

/* The square root of a number >= 0: one step of Newton's method doubles its digits. */
static inline dd_t dd_sqrt(dd_t a) {
    const double root = sqrt(a.high);
    return root > 0.0 ? (dd_t){root, (fma(-root, root, a.high) + a.low) / (2.0 * root)} : (dd_t){0.0, 0.0};
}

static inline dd_t dd_half(dd_t a) { return (dd_t){0.5 * a.high, 0.5 * a.low}; }

static inline int dd_less(dd_t a, dd_t b) { return a.high < b.high || (a.high == b.high && a.low < b.low); }
static inline dd_t dd_max(dd_t a, dd_t b) { return dd_less(a, b) ? b : a; }
static inline dd_t dd_min(dd_t a, dd_t b) { return dd_less(b, a) ? b : a; }
