/* Exact transport along a list of allowed pairs, or a proof that they cannot carry the masses.
 *
 * Phase one ships as little as possible along forbidden pairs: they cost 1 and allowed ones 0. If something has to be
 * shipped there, the integer duals prove infeasibility. If not, by complementary slackness no plan uses a pair of
 * positive reduced cost, so phase two keeps the other pairs only, at their own costs. Forbidden edges that remain in
 * the tree cannot ship anything any more, whatever they cost: both ends of a kept pair have the same first height and
 * those of a forbidden edge do not, so a cycle with a forbidden edge has as many of them each way, and its flow would
 * have to be taken off one that carries nothing.
 *
 * The duals of phase two hold for the kept pairs. Adding a large enough multiple of the first duals makes them hold for
 * the others, and leaves the bound unchanged, since the first duals prove 0.
 */
#include "core/sorting.h"
#include "core/sparse_costs.h"
#include "core/variant_names.h"
#include "transport/network_simplex/initial_tree.h"
#include "transport/network_simplex/iterative_refinement.h"
#include "transport/transport.h"

/* Cost of all edges of the first tree. */
static double first_cost(const void *price, int64_t row, int64_t column) {
    (void)row, (void)column;
    return *(const double *)price;
}

/* The index of a pair among the allowed ones, by binary search; -1 if it is forbidden. */
static int64_t place_of(const sparse_costs_t *pairs, int64_t row, int64_t column) {
    int64_t low = pairs->begin[row], high = pairs->begin[row + 1];
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (pairs->column[middle] < column) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < pairs->begin[row + 1] && pairs->column[low] == column ? low : -1;
}

/* A forbidden edge of the tree cannot ship anything, whatever it costs. */
static dd_t sparse_exact_cost(const void *costs, int64_t row, int64_t column) {
    const sparse_costs_t *pairs = costs;
    const int64_t place = place_of(pairs, row, column);
    return (dd_t){place < 0 ? 0.0 : as_cost(pairs->cost[place]), 0.0};
}

enum { RUNS = 8 };

static const double ALLOWED = 0.0, FORBIDDEN = 1.0;

/* Add all pairs as arcs and ship along the cheapest first; what is left goes along forbidden pairs, in order. */
static outcome_t start(const transport_t *t, simplex_t *s, arena_t *a) {
    const sparse_costs_t *pairs = t->cost;
    const int64_t count = pairs->begin[t->n];
    double price = ALLOWED;
    initial_tree_t forest;
    mass_t *supply = arena_take(a, t->n, sizeof *supply), *demand = arena_take(a, t->m, sizeof *demand);
    ranked_t *order = arena_take(a, count, sizeof *order);
    if (!initial_tree_init(&forest, a, (pair_costs_t){.cost = first_cost, .source = &price}, t->n, t->m)) {
        return OUT_OF_MEMORY;
    }
    memcpy(supply, t->supply, (size_t)t->n * sizeof *supply);
    memcpy(demand, t->demand, (size_t)t->m * sizeof *demand);
    for (int64_t i = 0; i < t->n; i++) {
        for (int64_t k = pairs->begin[i]; k < pairs->begin[i + 1]; k++) {
            simplex_add_arc(s, i, pairs->column[k], ALLOWED); /* there is room for all */
            order[k] = (ranked_t){pairs->cost[k], (int32_t)k};
        }
    }
    qsort(order, (size_t)count, sizeof *order, compare_ranked);
    for (int64_t k = 0; k < count; k++) {
        const int32_t row = s->row[order[k].at], column = s->column[order[k].at] - (int32_t)t->n;
        initial_tree_ship(&forest, &supply[row], &demand[column], row, column);
    }
    price = FORBIDDEN;
    initial_tree_north_west_corner(&forest, supply, demand);
    return initial_tree_finish(&forest, s) ? SOLVED : OUT_OF_MEMORY;
}

/* Whether phase one has left more on a forbidden edge than is negligible relative to the masses at its ends. */
static int goes_astray(const transport_t *t, const simplex_t *s) {
    for (int32_t node = 1; node < s->tree.nodes; node++) {
        const shipment_t edge = shipment_above(&s->tree, node);
        const mass_t least =
            t->supply[edge.row] < t->demand[edge.column] ? t->supply[edge.row] : t->demand[edge.column];
        if (edge.cost == FORBIDDEN && (double)edge.flow > t->negligible * (double)least) {
            return 1;
        }
    }
    return 0;
}

/* Switch from phase one, of duals u and v, to phase two. */
static void give_costs(simplex_t *s, const sparse_costs_t *pairs, const double *u, const double *v) {
    const int64_t n = s->tree.n;
    int64_t kept = 0;
    for (int64_t k = 0; k < s->arcs; k++) {
        if (u[s->row[k]] + v[s->column[k] - n] == 0.0) {
            s->row[kept] = s->row[k];
            s->column[kept] = s->column[k];
            s->cost[kept++] = as_cost(pairs->cost[k]);
        }
    }
    s->arcs = kept;
    for (int32_t node = 1; node < s->tree.nodes; node++) {
        const shipment_t edge = shipment_above(&s->tree, node);
        s->tree.edge[node].cost =
            edge.cost == ALLOWED ? as_cost(pairs->cost[place_of(pairs, edge.row, edge.column)]) : 0.0;
    }
    simplex_recompute_heights(s);
}

/* Add a large enough multiple of the first duals to those of phase two. */
static void join_duals(const transport_t *t, const double *first_u, const double *first_v) {
    const sparse_costs_t *pairs = t->cost;
    double enough = 0.0;
    for (int64_t i = 0; i < t->n; i++) {
        for (int64_t k = pairs->begin[i]; k < pairs->begin[i + 1]; k++) {
            const int32_t j = pairs->column[k];
            const double room = -(first_u[i] + first_v[j]), excess = t->u[i] + t->v[j] - pairs->cost[k];
            if (room > 0.0 && excess > enough * room) {
                enough = excess / room;
            }
        }
    }
    for (int64_t i = 0; i < t->n; i++) {
        t->u[i] += enough * first_u[i];
    }
    for (int64_t j = 0; j < t->m; j++) {
        t->v[j] += enough * first_v[j];
    }
}

/* Run again while recomputed heights show something to gain; RUNS rules out that rounding does so for ever. */
static outcome_t run_again(simplex_t *s, int64_t *rounds) {
    outcome_t outcome = SOLVED;
    int64_t before = -1;
    for (int run = 0; run < RUNS && outcome == SOLVED && s->pivots != before; run++) {
        before = s->pivots;
        outcome = simplex_run(s);
        (*rounds)++;
    }
    return outcome;
}

/* The simplex knows all pairs. */
static outcome_t price_nothing(void *context, int64_t *added) {
    (void)context;
    *added = 0;
    return SOLVED;
}

transport_solver_t ISA_NAME(transport_sparse);

outcome_t ISA_NAME(transport_sparse)(transport_t *t) {
    arena_t arena = {0};
    simplex_t s;
    outcome_t outcome = OUT_OF_MEMORY;
    const sparse_costs_t *pairs = t->cost;
    double *u = arena_take(&arena, t->n, sizeof *u), *v = arena_take(&arena, t->m, sizeof *v);
    if (simplex_init(&s, &arena, t->n, t->m, pairs->begin[t->n], &t->stop)) {
        outcome = start(t, &s, &arena);
    }
    if (outcome == SOLVED) {
        outcome = simplex_run(&s);
        t->rounds++;
    }
    if (outcome == SOLVED) {
        simplex_duals(&s, u, v);
        if (goes_astray(t, &s)) {
            memcpy(t->u, u, (size_t)t->n * sizeof *u);
            memcpy(t->v, v, (size_t)t->m * sizeof *v);
            outcome = INFEASIBLE;
        }
    }
    if (outcome == SOLVED) {
        give_costs(&s, pairs, u, v);
        outcome = run_again(&s, &t->rounds);
    }
    if (outcome == SOLVED) {
        const pair_costs_t costs = {.exact_cost = sparse_exact_cost, .source = pairs};
        outcome = refinement_run(&s, &costs, price_nothing, NULL);
    }
    if (outcome == SOLVED) {
        refinement_duals(&s, t->u, t->v);
        join_duals(t, u, v);
        simplex_plan(&s, t->rows, t->columns, t->shipped);
    }
    t->pivots = s.pivots;
    t->arcs = pairs->begin[t->n];
    arena_free(&arena);
    return outcome;
}
