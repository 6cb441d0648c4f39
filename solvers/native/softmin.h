/* Passes of Sinkhorn's algorithm over a matrix; see softmin.c and scaling.c. */
#ifndef LAPMARK_SOFTMIN_H
#define LAPMARK_SOFTMIN_H

#include <stdint.h>

typedef double marginals_t(const void *cost, int64_t n, int64_t m, const double *f, const double *g, const double *a,
                           const double *b, double epsilon, double *rows, double *cols, float *kept);

typedef void scaled_t(const float *kept, int64_t n, int64_t m, const double *a, const double *b, double *rows,
                      double *columns);

#endif
