/* Exact transport on a matrix of costs.
 *
 * An optimal plan uses at most n + m - 1 of the n m pairs, nearly all of them among the cheapest of their row or column
 * once duals are subtracted. So the simplex starts with those few arcs, and with a plan that ships along the cheapest
 * first. Its duals then price all other pairs, and those that would lower the cost are added, until there are none.
 */
#include "core/double_double.h"
#include "transport/network_simplex/spanning_tree.h"
#include "transport/transport.h"

#include "core/sorting.h"
#include "core/variant_names.h"
#include "simd/simd.h"
#include "transport/network_simplex/initial_tree.h"
#include "transport/network_simplex/iterative_refinement.h"

static const double *row_of(const transport_t *t, int64_t row) { return (const double *)t->cost + row * t->m; }

static double dense_cost(const void *problem, int64_t row, int64_t column) {
    return as_cost(row_of(problem, row)[column]);
}

static dd_t dense_exact_cost(const void *problem, int64_t row, int64_t column) {
    return (dd_t){dense_cost(problem, row, column), 0.0};
}

static pair_costs_t dense_costs(const transport_t *t) { return (pair_costs_t){dense_cost, dense_exact_cost, t}; }

enum { OF_ROW = 10, OF_COLUMN = 5, PRICED_OUT = 4, ROWS_PER_CHECK = 64 };

/* The `most` smallest cost - v of a row that are below `bound`. */
static int64_t smallest_of_row(const double *cost, const double *v, int64_t m, double bound, ranked_t *kept,
                               int64_t most) {
    int64_t count = 0, j = 0;
    for (; j + WIDTH <= m; j += WIDTH) {
        const v4_t value = v4_sub(v4_load(cost + j), v4_load(v + j));
        for (unsigned lanes = v4_below(value, v4_all(bound)); lanes; lanes &= lanes - 1) {
            const int64_t at = j + first_lane(lanes);
            const double one = cost[at] - v[at];
            if (one < bound) {
                count = keep_smallest(kept, count, most, one, at);
                bound = count == most ? kept[most - 1].value : bound;
            }
        }
    }
    for (; j < m; j++) {
        if (cost[j] - v[j] < bound) {
            count = keep_smallest(kept, count, most, cost[j] - v[j], j);
            bound = count == most ? kept[most - 1].value : bound;
        }
    }
    return count;
}

/* The next column at or after j with cost - v below `bound`; m if there is none. */
static inline int64_t next_below(const double *cost, const double *v, int64_t j, int64_t m, double bound) {
    for (; j + WIDTH <= m; j += WIDTH) {
        const unsigned lanes = v4_below(v4_sub(v4_load(cost + j), v4_load(v + j)), v4_all(bound));
        if (lanes) {
            return j + first_lane(lanes);
        }
    }
    while (j < m && !(cost[j] - v[j] < bound)) {
        j++;
    }
    return j;
}

/* First arcs: the cheapest columns of each row after column minima are subtracted, then the cheapest rows of each
 * column after row minima are. */
static outcome_t choose_arcs(const transport_t *t, simplex_t *s, arena_t *a) {
    const int64_t n = t->n, m = t->m;
    const int64_t row_room = OF_ROW < m ? OF_ROW : m, column_room = OF_COLUMN < n ? OF_COLUMN : n;
    double *u = t->u, *v = t->v;
    ranked_t *of_column = arena_take(a, m * column_room, sizeof *of_column);
    int64_t *held = arena_take(a, m, sizeof *held);
    double *bound = arena_take(a, m, sizeof *bound);
    if (a->failed) {
        return OUT_OF_MEMORY;
    }
    for (int64_t j = 0; j < m; j++) {
        v[j] = bound[j] = INFINITY;
    }
    for (int64_t i = 0; i < n; i++) {
        const double *cost = row_of(t, i);
        for (int64_t j = 0; j < m; j++) {
            v[j] = cost[j] < v[j] ? cost[j] : v[j];
        }
    }
    for (int64_t i = 0; i < n; i++) {
        const double *cost = row_of(t, i);
        ranked_t of_row[OF_ROW];
        const int64_t count = smallest_of_row(cost, v, m, INFINITY, of_row, row_room);
        u[i] = count > 0 ? of_row[0].value : 0.0;
        for (int64_t k = 0; k < count; k++) {
            if (!simplex_add_arc(s, i, of_row[k].at, dense_cost(t, i, of_row[k].at))) {
                return OUT_OF_MEMORY;
            }
        }
        for (int64_t j = 0; j < m; j++) {
            if (cost[j] - u[i] < bound[j]) {
                held[j] = keep_smallest(of_column + j * column_room, held[j], column_room, cost[j] - u[i], i);
                bound[j] = held[j] == column_room ? of_column[(j + 1) * column_room - 1].value : bound[j];
            }
        }
        const outcome_t outcome = stopped_every(&t->stop, i, ROWS_PER_CHECK);
        if (outcome != SOLVED) {
            return outcome;
        }
    }
    for (int64_t j = 0; j < m; j++) {
        for (int64_t k = 0; k < held[j]; k++) {
            const int64_t i = of_column[j * column_room + k].at;
            if (!simplex_add_arc(s, i, j, dense_cost(t, i, j))) {
                return OUT_OF_MEMORY;
            }
        }
    }
    return SOLVED;
}

/* First tree: ship as much as possible along the arcs, the cheapest beyond their duals first, and then whatever is
 * left. */
static outcome_t plant_start(const transport_t *t, simplex_t *s, arena_t *a) {
    initial_tree_t forest;
    mass_t *supply = arena_take(a, t->n, sizeof *supply), *demand = arena_take(a, t->m, sizeof *demand);
    ranked_t *order = arena_take(a, s->arcs, sizeof *order);
    if (!initial_tree_init(&forest, a, dense_costs(t), t->n, t->m)) {
        return OUT_OF_MEMORY;
    }
    memcpy(supply, t->supply, (size_t)t->n * sizeof *supply);
    memcpy(demand, t->demand, (size_t)t->m * sizeof *demand);
    for (int64_t k = 0; k < s->arcs; k++) {
        order[k] = (ranked_t){s->cost[k] - t->u[s->row[k]] - t->v[s->column[k] - t->n], (int32_t)k};
    }
    qsort(order, (size_t)s->arcs, sizeof *order, compare_ranked);
    for (int64_t k = 0; k < s->arcs; k++) {
        const int32_t row = s->row[order[k].at], column = s->column[order[k].at] - (int32_t)t->n;
        initial_tree_ship(&forest, &supply[row], &demand[column], row, column);
    }
    initial_tree_north_west_corner(&forest, supply, demand);
    return initial_tree_finish(&forest, s) ? SOLVED : OUT_OF_MEMORY;
}

/* Add the pairs that would lower the cost, a few of each row; write their number. */
static outcome_t price_out(const transport_t *t, simplex_t *s, int64_t *added) {
    *added = 0;
    simplex_duals(s, t->u, t->v);
    for (int64_t i = 0; i < t->n; i++) {
        const double *cost = row_of(t, i);
        ranked_t cheaper[PRICED_OUT];
        const int64_t count = smallest_of_row(cost, t->v, t->m, t->u[i] - 2.0 * s->tolerance, cheaper, PRICED_OUT);
        for (int64_t k = 0; k < count; k++) {
            if (!simplex_add_arc(s, i, cheaper[k].at, dense_cost(t, i, cheaper[k].at))) {
                return OUT_OF_MEMORY;
            }
        }
        *added += count;
        const outcome_t outcome = stopped_every(&t->stop, i, ROWS_PER_CHECK);
        if (outcome != SOLVED) {
            return outcome;
        }
    }
    return SOLVED;
}

/* What pricing needs during iterative refinement. */
typedef struct {
    transport_t *t;
    simplex_t *simplex;
    pair_costs_t costs;
} pricing_t;

/* The same by duals in double-double. */
static outcome_t price_exactly(void *context, int64_t *added) {
    const pricing_t *p = context;
    transport_t *t = p->t;
    simplex_t *s = p->simplex;
    double largest = 0.0;
    *added = 0;
    t->rounds++;
    refinement_duals(s, t->u, t->v);
    for (int64_t j = 0; j < t->m; j++) {
        largest = fabs(t->v[j]) > largest ? fabs(t->v[j]) : largest;
    }
    for (int64_t i = 0; i < t->n; i++) {
        const double *cost = row_of(t, i), bound = t->u[i] + refinement_hidden(t->u[i], largest);
        ranked_t cheaper[PRICED_OUT];
        int64_t count = 0;
        for (int64_t j = next_below(cost, t->v, 0, t->m, bound); j < t->m;
             j = next_below(cost, t->v, j + 1, t->m, bound)) {
            double reduced;
            if (refinement_is_cheaper(s, &p->costs, i, j, &reduced) &&
                (count < PRICED_OUT || reduced < cheaper[count - 1].value)) {
                count = keep_smallest(cheaper, count, PRICED_OUT, reduced, j);
            }
        }
        for (int64_t k = 0; k < count; k++) {
            if (!simplex_add_arc(s, i, cheaper[k].at, refinement_cost(s, &p->costs, i, cheaper[k].at))) {
                return OUT_OF_MEMORY;
            }
        }
        *added += count;
        const outcome_t outcome = stopped_every(&t->stop, i, ROWS_PER_CHECK);
        if (outcome != SOLVED) {
            return outcome;
        }
    }
    return SOLVED;
}

transport_solver_t ISA_NAME(transport_dense);

outcome_t ISA_NAME(transport_dense)(transport_t *t) {
    arena_t arena = {0};
    simplex_t s;
    outcome_t outcome = OUT_OF_MEMORY;
    if (simplex_init(&s, &arena, t->n, t->m, t->n * OF_ROW + t->m * OF_COLUMN, &t->stop)) {
        outcome = choose_arcs(t, &s, &arena);
    }
    if (outcome == SOLVED) {
        outcome = plant_start(t, &s, &arena);
    }
    for (int64_t added = 1; outcome == SOLVED && added > 0;) {
        outcome = simplex_run(&s);
        if (outcome == SOLVED) {
            outcome = price_out(t, &s, &added);
            t->rounds++;
        }
    }
    if (outcome == SOLVED) {
        pricing_t pricing = {t, &s, dense_costs(t)};
        outcome = refinement_run(&s, &pricing.costs, price_exactly, &pricing);
    }
    if (outcome == SOLVED) {
        simplex_plan(&s, t->rows, t->columns, t->shipped); /* the duals are those of the last pricing */
    }
    t->pivots = s.pivots;
    t->arcs = s.arcs;
    arena_free(&arena);
    return outcome;
}
