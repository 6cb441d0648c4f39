/* Iterative refinement: more digits for a network simplex that has reached its optimum. */
#pragma once

#include "transport/network_simplex/network_simplex.h"
#include "transport/network_simplex/pair_costs.h"

/* Cost of a pair beyond the base heights. */
static inline double refinement_cost(const simplex_t *s, const pair_costs_t *costs, int64_t row, int64_t column) {
    const dd_t difference = dd_sub(s->base[row], s->base[s->tree.n + column]);
    return dd_sub(costs->exact_cost(costs->source, row, column), difference).high;
}

/* Whether a pair costs less than the duals say by more than rounding, and by how much. */
static inline int refinement_is_cheaper(const simplex_t *s, const pair_costs_t *costs, int64_t row, int64_t column,
                                        double *reduced) {
    const double lift =
        euler_tour_height(&s->tour, (int32_t)row) - euler_tour_height(&s->tour, (int32_t)(s->tree.n + column));
    *reduced = refinement_cost(s, costs, row, column) - lift;
    return *reduced < -2.0 * s->tolerance;
}

/* The most that rounding can hide of the difference between a dual and others of at most this size. */
static inline double refinement_hidden(double dual, double largest) { return 0x1p-49 * (fabs(dual) + largest); }

/* Price all pairs by the duals and add those that would lower the cost; write their number to *added. */
typedef outcome_t price_pairs_t(void *context, int64_t *added);

#define refinement_duals ISA_NAME(refinement_duals)
#define refinement_run ISA_NAME(refinement_run)

/* Write the duals of rows and columns, base heights included, rounded. */
void refinement_duals(const simplex_t *s, double *u, double *v);

/* From the optimum up to rounding to that of the costs as they are: rebase and pivot as long as that finds anything. */
outcome_t refinement_run(simplex_t *s, const pair_costs_t *costs, price_pairs_t *price, void *context);
