/* Cost of a pair of a row and a column, as the initial tree and the iterative refinement ask for it. */
#pragma once

#include "core/double_double.h"

#include <stdint.h>

typedef struct {
    double (*cost)(const void *source, int64_t row, int64_t column);
    dd_t (*exact_cost)(const void *source, int64_t row, int64_t column);
    const void *source;
} pair_costs_t;
