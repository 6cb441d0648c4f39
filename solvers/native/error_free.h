/* What rounding takes off a sum or a difference, itself a float64 number: D. E. Knuth, The Art of Computer Programming 2,
 * section 4.2.2, theorem B. Holds for round-to-nearest and finite results; nothing may be contracted or reordered. */
#ifndef LAPMARK_ERROR_FREE_H
#define LAPMARK_ERROR_FREE_H

/* a - b is its rounded value plus this, exactly. */
static inline double difference_rest(double a, double b) {
    const double difference = a - b, b_seen = a - difference, a_seen = difference + b_seen;
    return (a - a_seen) + (b_seen - b);
}

#endif
