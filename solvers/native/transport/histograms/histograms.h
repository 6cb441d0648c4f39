/* Many small transport problems with the same costs: pairs of histograms over common bins. */
#pragma once

#include "core/outcome.h"

typedef struct {
    int64_t n, m;       /* bins of either side, at least 1 */
    const double *cost; /* (n, m) in C order, finite */
    const double *a;    /* histograms (., n), finite, at least 0 and not all 0 */
    const double *b;    /* histograms (., m) */
    int metric;         /* n = m and c_ik <= c_ij + c_jk: mass that two histograms share may stay in its bin at no
                         * cost */
    int partial;        /* if the sums of a pair differ, the larger keeps the rest */
    double rounding;    /* relative difference of sums that counts as rounding */
    int exact;          /* costs are integers, so small that their sums are not rounded */

    /* Points with costs scale * |x - y|^power, of which `cost` is the rounded matrix; NULL if the costs are given. */
    const double *x, *y; /* (n, dimensions), (m, dimensions) */
    int64_t dimensions;
    int power; /* 1 or 2 */
    double scale;

    int64_t pairs;
    const int64_t *of_a, *of_b; /* (pairs) indices of the two histograms */

    /* Results. Duals and plans may be NULL. */
    double *total;           /* (pairs) total cost */
    double *f, *g;           /* (pairs, n), (pairs, m) optimal duals */
    int32_t *rows, *columns; /* (pairs, n + m - 1) the two bins of each move */
    double *moved;           /* (pairs, n + m - 1) its mass; 0 past the last move */
    int64_t *pivots;         /* (pairs) */
} histograms_t;

/* Solve one pair in histogram_scratch doubles, aligned to a cache line. */
typedef void histogram_solver_t(const histograms_t *h, int64_t pair, double *scratch);

/* Return the doubles that a solver needs for histograms of n and m bins; the same in every build. */
typedef int64_t histogram_scratch_t(int64_t n, int64_t m);

/* Whether costs (n, n) are a metric, as `metric` asks for. */
typedef int is_metric_t(const double *cost, int64_t n);

/* Solve all pairs on up to `threads` threads, with the kernels of one instruction set. If `stop` says so, the pairs
 * that were not reached are left untouched. */
struct kernels;
outcome_t histograms_solve(const histograms_t *h, const struct kernels *kernels, int threads, const stop_t *stop);
