/* A problem of exact transport and its result, as the bindings and all solvers exchange them. */
#pragma once

#include "core/outcome.h"
#include "transport/masses.h"

/* Ship integer masses above 0, of equal sums, from n rows to m columns at least cost. */
typedef struct {
    int64_t n, m;
    const void *cost;              /* (n, m) float64, row-major and finite; or a points_t or sparse_costs_t */
    const mass_t *supply, *demand; /* (n), (m) */
    double negligible;             /* share of the mass of its row and column that may use a forbidden pair */
    double *u, *v;                 /* (n), (m) duals; if INFEASIBLE integers with u + v <= 0 on all allowed pairs, which
                                    * prove it */
    int32_t *rows, *columns;       /* (n + m - 1) the pairs of the plan */
    mass_t *shipped;               /* (n + m - 1) their masses */
    /* Work done: pivots, arcs added to the simplex, and passes over all costs. */
    int64_t pivots, arcs, rounds;
    stop_t stop;
} transport_t;

typedef outcome_t transport_solver_t(transport_t *t);
