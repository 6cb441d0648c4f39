/* Many small transport problems of one cost: pairs of histograms over common bins. */
#ifndef LAPMARK_HISTOGRAMS_H
#define LAPMARK_HISTOGRAMS_H

#include "lapmark.h"

typedef struct {
    int64_t n, m;       /* bins of either side, at least 1 */
    const double *cost; /* (n, m) in C order, finite */
    const double *a;    /* histograms (., n), finite, at least 0 and not all 0 */
    const double *b;    /* histograms (., m) */
    int metric;         /* n = m, and what two histograms share may stay where it is at no cost: c_ik <= c_ij + c_jk */
    int partial;        /* where the sums of a pair differ, the larger keeps the rest */
    double rounding;    /* relative difference of sums up to which they do not */
    int exact;          /* costs are whole numbers, so small that no sum of them is rounded */

    /* Points that the costs are scale * |x - y|^power between, rounded; NULL where they are given as they are. */
    const double *x, *y; /* (n, dimensions), (m, dimensions) */
    int64_t dimensions;
    int power; /* 1 or 2 */
    double scale;

    int64_t pairs;
    const int64_t *of_a, *of_b; /* (pairs) which two histograms */

    /* The answers. Duals and plans may be NULL. */
    double *total;           /* (pairs) the cost */
    double *f, *g;           /* (pairs, n), (pairs, m) optimal duals */
    int32_t *rows, *columns; /* (pairs, n + m - 1) bins that something moves between */
    double *moved;           /* (pairs, n + m - 1) how much; 0 where fewer do */
    int64_t *pivots;         /* (pairs) */
} histograms_t;

/* Solves one pair in room for histogram_room doubles, which starts on a line of the cache. */
typedef void (*histogram_build_t)(const histograms_t *h, int64_t pair, double *room);

/* NULL where the processor, or this compilation, lacks AVX2. */
histogram_build_t find_histogram_build(int avx2);

int64_t histogram_room(int64_t n, int64_t m);

/* Whether costs (n, n) are a metric as `metric` asks for. */
int is_metric(const double *cost, int64_t n, int avx2);

/* All pairs, by up to so many threads; those not reached when `stop` says so are left as they are. */
outcome_t histograms_solve(const histograms_t *h, histogram_build_t solve, int threads, const stop_t *stop);

#endif
