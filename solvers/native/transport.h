/* What the binding and the exact solver of transport agree on. */
#ifndef LAPMARK_TRANSPORT_H
#define LAPMARK_TRANSPORT_H

#include "lapmark.h"
#include "masses.h"

/* Ship whole masses above 0, of equal sums, from n rows to m columns at least cost, and room for the answer. */
typedef struct {
    int64_t n, m;
    const void *cost;              /* (n, m) float64, row-major and finite; or a points_t, a sparse_t */
    const mass_t *supply, *demand; /* (n), (m) */
    double negligible;       /* the part of its row's and column's mass that may go astray, if pairs are forbidden */
    double *u, *v;           /* (n), (m) duals; where INFEASIBLE whole ones, u + v <= 0, that prove it */
    int32_t *rows, *columns; /* (n + m - 1) the pairs that something may be shipped between */
    mass_t *shipped;         /* (n + m - 1) how much */
    /* Work done: arcs that the simplex came to know, and passes over all costs. */
    int64_t pivots, arcs, rounds;
    stop_t stop;
} transport_t;

typedef outcome_t (*ship_t)(transport_t *t);

#endif
