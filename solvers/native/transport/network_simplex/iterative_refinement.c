/* Iterative refinement of a network simplex.
 *
 * Heights are sums of costs along the tree, and rounding leaves in them an error relative to the largest. If costs
 * differ by many orders of magnitude, that is more than what is still to be gained. So heights are summed again in
 * double-double and become the base: from then on each arc costs what it costs beyond the base, computed exactly and
 * then rounded, which is 0 on the tree. The simplex goes on as before with numbers as small as what matters (A. M.
 * Gleixner, D. E. Steffy, K. Wolter, "Iterative refinement for linear programming", INFORMS J. Comput. 28 (2016)).
 */
#include "transport/network_simplex/iterative_refinement.h"

void refinement_duals(const simplex_t *s, double *u, double *v) {
    for (int32_t node = 0; node < s->tree.nodes; node++) {
        const double height = dd_add(s->base[node], (dd_t){euler_tour_height(&s->tour, node), 0.0}).high;
        if (node < s->tree.n) {
            u[node] = height;
        } else {
            v[node - s->tree.n] = -height;
        }
    }
}

/* Sum up the heights of the tree in double-double and make them the base. */
static int rebase(simplex_t *s, const pair_costs_t *costs) {
    euler_tour_t *t = &s->tour;
    double largest = 0.0;
    s->base = s->base ? s->base : arena_take(s->arena, s->tree.nodes, sizeof *s->base);
    if (!s->base) {
        return 0;
    }
    euler_tour_compact(t);
    s->base[0] = (dd_t){0.0, 0.0};
    for (int64_t k = 0; k < t->steps; k++) {
        const int32_t node = t->node[t->order[k]];
        if (node >= 0) {
            const shipment_t edge = shipment_above(&s->tree, node);
            const dd_t cost = costs->exact_cost(costs->source, edge.row, edge.column);
            const dd_t below = s->base[s->tree.place[node].parent];
            s->base[node] = node < s->tree.n ? dd_add(below, cost) : dd_sub(below, cost);
            s->tree.edge[node].cost = 0.0;
            largest = fabs(s->base[node].high) > largest ? fabs(s->base[node].high) : largest;
        }
    }
    for (int64_t k = 0; k < s->arcs; k++) {
        s->cost[k] = refinement_cost(s, costs, s->row[k], s->column[k] - s->tree.n);
    }
    s->least_tolerance = EXACT_DRIFT * largest;
    simplex_recompute_heights(s);
    return 1;
}

outcome_t refinement_run(simplex_t *s, const pair_costs_t *costs, price_pairs_t *price, void *context) {
    outcome_t outcome = SOLVED;
    int64_t before = -1;
    for (int round = 0; round < MOST_REFINEMENTS && outcome == SOLVED && s->pivots != before; round++) {
        before = s->pivots;
        if (!rebase(s, costs)) {
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
