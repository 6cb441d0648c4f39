/* Sparse costs: the allowed pairs in compressed sparse rows. A pair that is not listed is forbidden. */
#pragma once

#include <stdint.h>

typedef struct {
    const int64_t *begin;  /* (n + 1) the entries of row i are begin[i] to begin[i + 1] */
    const int32_t *column; /* (entries) */
    const double *cost;    /* (entries) */
} sparse_costs_t;
