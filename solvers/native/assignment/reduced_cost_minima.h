/* Minima of reduced costs along rows and columns; see reduced_cost_minima.c. */
#pragma once

#include <stdint.h>

typedef void row_minima_t(const void *cost, int64_t n, int64_t m, const double *v, const double *tail, double *low,
                          double *rest);
typedef void column_minima_t(const void *cost, int64_t n, int64_t m, const double *u, const double *tail, double *low,
                             double *rest, int32_t *row);
typedef void two_minima_rows_t(const void *cost, int64_t n, int64_t m, const double *v, double *low, int64_t *at);
