/* Numbers of twice the precision: what rounding takes off an operation is a float64 number itself and is kept.
 *
 * D. E. Knuth, The Art of Computer Programming 2, section 4.2.2, theorem B; T. J. Dekker, Numer. Math. 18 (1971). Holds
 * for round-to-nearest and finite results that do not underflow; nothing may be contracted or reordered.
 */
#ifndef LAPMARK_ERROR_FREE_H
#define LAPMARK_ERROR_FREE_H

#include <math.h>

/* a - b is its rounded value plus this, exactly. */
static inline double difference_rest(double a, double b) {
    const double difference = a - b, b_seen = a - difference, a_seen = difference + b_seen;
    return (a - a_seen) + (b_seen - b);
}

/* The sum of two numbers, of which the second is at most half a unit in the last place of the first. */
typedef struct {
    double high, low;
} exact_t;

static inline exact_t exact_plus(exact_t a, exact_t b) {
    const double high = a.high + b.high, low = difference_rest(a.high, -b.high) + (a.low + b.low), sum = high + low;
    return (exact_t){sum, low - (sum - high)};
}

static inline exact_t exact_minus(exact_t a, exact_t b) { return exact_plus(a, (exact_t){-b.high, -b.low}); }

static inline exact_t exact_times(exact_t a, double b) {
    const double product = a.high * b;
    return exact_plus((exact_t){product, fma(a.high, b, -product)}, (exact_t){a.low * b, 0.0});
}

static inline exact_t exact_square(exact_t a) {
    const double square = a.high * a.high;
    return exact_plus((exact_t){square, fma(a.high, a.high, -square)}, (exact_t){2.0 * a.high * a.low, 0.0});
}

/* Of a number of at least 0: one step of Newton's method doubles the digits of a root. */
static inline exact_t exact_root(exact_t a) {
    const double root = sqrt(a.high);
    return root > 0.0 ? (exact_t){root, (fma(-root, root, a.high) + a.low) / (2.0 * root)} : (exact_t){0.0, 0.0};
}

#endif
