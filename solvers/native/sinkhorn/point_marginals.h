/* A pass of Sinkhorn's algorithm over points: the plan, what is wanted of it, and the result. */
#pragma once

#include "core/outcome.h"

/* The plan a_i b_j e_ij, e_ij = exp((f_i + g_j - scale |x_i - y_j|^p) / epsilon), between points in tile order. */
typedef struct {
    int64_t n, m;
    const double *x, *y; /* (n, d), (m, d) */
    const double *f, *g, *a, *b;
    double scale, epsilon;
    double rho;       /* expected sums are exp(-f / rho) of rows and exp(-g / rho) of columns; inf: 1 */
    double precision; /* of the sums, relative to the expected ones */
    int64_t threads;
    stop_t stop;
    double *rows, *columns; /* (n), (m) sum_j b_j e_ij, sum_i a_i e_ij; columns may be NULL if `carried` is not */
    double spent;           /* sum_ij a_i b_j e_ij c_ij, if with_spent */
    int with_spent;
    const double *values; /* (m, channels) or NULL, of any size */
    double *carried;      /* (n, channels) sum_j b_j e_ij values_jk */
    int64_t channels;
    int64_t pairs; /* work done: pairs of points in the tiles that were summed */
} point_marginals_t;

typedef outcome_t point_marginals_solver_t(point_marginals_t *t);

/* Order points so that each aligned run of `smallest`, a power of two, or 2, 4, ... times as many is a box of its own.
 */
typedef void tile_order_t(const double *points, int32_t *order, int64_t count, int64_t smallest);
