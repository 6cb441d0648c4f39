/* The range of the costs of a matrix and the minima of its columns, in one pass. */
#pragma once

#include <stdint.h>

typedef struct {
    double low, high; /* smallest cost, -inf if a cost is NaN; largest finite cost, -inf if there is none */
    int forbids;      /* whether a pair is forbidden */
} cost_range_t;

/* Lower column_low (m) to the costs of n rows, and extend *range by them. */
typedef void cost_range_pass_t(const void *cost, int64_t n, int64_t m, double *column_low, cost_range_t *range);
