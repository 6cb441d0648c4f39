/* What the binding and the passes of Sinkhorn's algorithm over points agree on. */
#ifndef LAPMARK_ENTROPIC_H
#define LAPMARK_ENTROPIC_H

#include "lapmark.h"

/* The plan a_i b_j e_ij, e_ij = exp((f_i + g_j - scale |x_i - y_j|^p) / epsilon), between points in the order that
 * `neighbours` gives, and what is asked of it. */
typedef struct {
    int64_t n, m;
    const double *x, *y; /* (n, d), (m, d) */
    const double *f, *g, *a, *b;
    double scale, epsilon;
    double rho;       /* rows and columns are expected to sum to exp(-f / rho) and exp(-g / rho); inf: to 1 */
    double precision; /* of the sums, relative to what is expected of them */
    int64_t threads;
    stop_t stop;
    double *rows, *columns; /* (n), (m) sum_j b_j e_ij, sum_i a_i e_ij; columns may be NULL where `carried` is not */
    double spent;           /* sum_ij a_i b_j e_ij c_ij; asked for by `with_spent` */
    int with_spent;
    const double *values; /* (m, channels) or NULL, of any size */
    double *carried;      /* (n, channels) sum_j b_j e_ij values_jk */
    int64_t channels;
    int64_t pairs; /* work done: pairs of points whose e_ij was taken */
} entropic_t;

typedef outcome_t pass_t(entropic_t *t);

/* Order (count) points so that each aligned run of `smallest` of them, a power of two, or 2, 4… times as many is a box
 * of its own. */
typedef void neighbours_t(const double *points, int32_t *order, int64_t count, int64_t smallest);

#endif
