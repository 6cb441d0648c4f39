/* A cost that is a list of the allowed pairs. */
#ifndef LAPMARK_SPARSE_H
#define LAPMARK_SPARSE_H

#include <stdint.h>

typedef struct {
    const int64_t *begin;  /* (n + 1) the entries of row i are begin[i] to begin[i + 1] */
    const int32_t *column; /* (entries) */
    const double *cost;    /* (entries) */
} sparse_t;

#endif
