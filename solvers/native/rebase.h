/* More digits for a network simplex that has come to its end: iterative refinement.
 *
 * Heights are sums of costs along the tree, and rounding leaves in them a part of the largest. Where costs differ by
 * many orders of magnitude, that is more than what is still to be gained. So heights are summed again, in twice the
 * precision, and become the base: each arc costs from now on what it costs beyond the base, taken exactly and rounded
 * then, which is 0 on the tree. The simplex goes on as before, with numbers that are as small as what matters (A. M.
 * Gleixner, D. E. Steffy, K. Wolter, "Iterative refinement for linear programming", INFORMS J. Comput. 28 (2016)).
 *
 * A source includes this after forest.h and has defined
 *
 *     static exact_t exact_cost_at(const ground_t *ground, int64_t row, int64_t column);
 */
#ifndef LAPMARK_REBASE_H
#define LAPMARK_REBASE_H

#include "error_free.h"
#include "forest.h"

/* Reduced costs down to minus this part of the largest height count as 0: that is what rounding makes of sums in twice
 * the precision. */
static const double EXACT_DRIFT = 0x1p-92;

static exact_t exact_cost_at(const ground_t *ground, int64_t row, int64_t column);

/* What a pair costs beyond the base. */
static inline double beyond_base(const simplex_t *s, const ground_t *g, int64_t row, int64_t column) {
    const exact_t difference = exact_minus(s->base[row], s->base[s->tree.n + column]);
    return exact_minus(exact_cost_at(g, row, column), difference).high;
}

/* The duals of the rows and columns, rounded; a height counts from the base. */
static void rebased_duals(const simplex_t *s, double *u, double *v) {
    for (int32_t node = 0; node < s->tree.nodes; node++) {
        const double height = exact_plus(s->base[node], (exact_t){tour_height(&s->tour, node), 0.0}).high;
        if (node < s->tree.n) {
            u[node] = height;
        } else {
            v[node - s->tree.n] = -height;
        }
    }
}

/* Whether a pair costs less than the duals say, by more than rounding, and then by how much. */
static inline int is_cheaper(const simplex_t *s, const ground_t *g, int64_t row, int64_t column, double *reduced) {
    const double lift = tour_height(&s->tour, (int32_t)row) - tour_height(&s->tour, (int32_t)(s->tree.n + column));
    *reduced = beyond_base(s, g, row, column) - lift;
    return *reduced < -2.0 * s->tolerance;
}

/* What rounding can hide of the difference between a dual and others of at most this size. */
static inline double hidden(double dual, double largest) { return 0x1p-49 * (fabs(dual) + largest); }

/* Make the heights of the tree, summed anew, the base. */
static int rebase(simplex_t *s, const ground_t *g) {
    tour_t *t = &s->tour;
    double largest = 0.0;
    s->base = s->base ? s->base : arena_take(s->arena, s->tree.nodes, sizeof *s->base);
    if (!s->base) {
        return 0;
    }
    tour_pack(t);
    s->base[0] = (exact_t){0.0, 0.0};
    for (int64_t k = 0; k < t->steps; k++) {
        const int32_t node = t->node[t->order[k]];
        if (node >= 0) {
            const shipment_t edge = shipment_above(&s->tree, node);
            const exact_t cost = exact_cost_at(g, edge.row, edge.column);
            const exact_t below = s->base[s->tree.place[node].parent];
            s->base[node] = node < s->tree.n ? exact_plus(below, cost) : exact_minus(below, cost);
            s->tree.edge[node].cost = 0.0;
            largest = fabs(s->base[node].high) > largest ? fabs(s->base[node].high) : largest;
        }
    }
    for (int64_t k = 0; k < s->arcs; k++) {
        s->cost[k] = beyond_base(s, g, s->row[k], s->column[k] - s->tree.n);
    }
    s->least_tolerance = EXACT_DRIFT * largest;
    renew_heights(s);
    return 1;
}

/* Price all pairs by the duals, and add those that would lower the cost; how many there were. */
typedef outcome_t price_t(void *context, int64_t *added);

enum { REBASES = 16 };

/* From the optimum that rounding leaves to that of the costs as they are: rebase, go on, and once more as long as there
 * was anything to do. */
static outcome_t refine_simplex(simplex_t *s, const ground_t *g, price_t *price, void *context) {
    outcome_t outcome = SOLVED;
    int64_t before = -1;
    for (int round = 0; round < REBASES && outcome == SOLVED && s->pivots != before; round++) {
        before = s->pivots;
        if (!rebase(s, g)) {
            return OUT_OF_MEMORY;
        }
        for (int64_t added = 1; outcome == SOLVED && added > 0;) {
            outcome = simplex_run(s);
            if (outcome == SOLVED) {
                outcome = price(context, &added);
            }
        }
    }
    return outcome;
}

#endif
