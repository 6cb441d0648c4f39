/* The smallest of many values, and sorts by value: what came first goes first among equals, in every build. */
#ifndef LAPMARK_RANKED_H
#define LAPMARK_RANKED_H

#include <stdint.h>

typedef struct {
    double value;
    int32_t at;
} ranked_t;

/* Keep the `most` smallest, ascending; `count` of them are there already. How many are there now. */
static inline int64_t keep_smallest(ranked_t *kept, int64_t count, int64_t most, double value, int64_t at) {
    int64_t place = count < most ? count : most - 1;
    for (; place > 0 && kept[place - 1].value > value; place--) {
        kept[place] = kept[place - 1];
    }
    kept[place] = (ranked_t){value, (int32_t)at};
    return count < most ? count + 1 : most;
}

/* NaN goes last: a sort that is told contradictions may write anywhere. */
static inline int compare_values(double x, double y) { return (x > y) - (x < y) + (x != x) - (y != y); }

static inline int ascending(const void *a, const void *b) {
    return compare_values(*(const double *)a, *(const double *)b);
}

static inline int by_value(const void *a, const void *b) {
    const ranked_t *x = a, *y = b;
    const int order = compare_values(x->value, y->value);
    return order ? order : (x->at > y->at) - (x->at < y->at);
}

#endif
