/* Sorting by value: the smallest of many, comparison functions for qsort, and the median of three. The order is total,
 * so every build sorts alike. */
#pragma once

#include <stdint.h>

typedef struct {
    double value;
    int32_t at;
} ranked_t;

/* Insert into the at most `most` smallest so far, in ascending order. Return their number. */
static inline int64_t keep_smallest(ranked_t *kept, int64_t count, int64_t most, double value, int64_t at) {
    int64_t place = count < most ? count : most - 1;
    for (; place > 0 && kept[place - 1].value > value; place--) {
        kept[place] = kept[place - 1];
    }
    kept[place] = (ranked_t){value, (int32_t)at};
    return count < most ? count + 1 : most;
}

/* Exchange two entries of a permutation. */
static inline void swap_places(int32_t *a, int32_t *b) {
    const int32_t kept = *a;
    *a = *b;
    *b = kept;
}

static inline double median_of_three(double a, double b, double c) {
    return a < b ? (b < c ? b : (a < c ? c : a)) : (a < c ? a : (b < c ? c : b));
}

/* NaN comes last: qsort may write out of bounds if comparisons contradict each other. */
static inline int compare_values(double x, double y) { return (x > y) - (x < y) + (x != x) - (y != y); }

static inline int compare_ascending(const void *a, const void *b) {
    return compare_values(*(const double *)a, *(const double *)b);
}

static inline int compare_ranked(const void *a, const void *b) {
    const ranked_t *x = a, *y = b;
    const int order = compare_values(x->value, y->value);
    return order ? order : (x->at > y->at) - (x->at < y->at);
}
