/* Passes of Sinkhorn's algorithm over a matrix of costs (matrix_marginals.c) or of its kernel (kernel_marginals.c). */
#pragma once

#include <stdint.h>

typedef double matrix_marginals_t(const void *cost, int64_t n, int64_t m, const double *f, const double *g,
                                  const double *a, const double *b, double epsilon, double *rows, double *cols,
                                  float *kept);

typedef void kernel_marginals_t(const float *kept, int64_t n, int64_t m, const double *a, const double *b, double *rows,
                                double *columns);
