/* Exact transport along a list of allowed pairs, or a proof that they cannot carry it.
 *
 * First as little as can be is shipped along pairs that are not allowed: those cost 1 and the allowed ones 0, all whole
 * numbers. If something has to be, the duals prove it. If nothing, complementary slackness says that no plan uses a
 * pair whose reduced cost is above 0, so that only the others are kept, at the costs they have. Then edges of the tree
 * that are not allowed, if any, cannot ship anything any more, whatever they cost: both ends of a kept pair are at the
 * same first height and those of a forbidden edge are not, so that a cycle with one has as many of them each way, and
 * what goes around has to be taken off one that carries nothing.
 *
 * The duals of the costs hold for the kept pairs. Adding the first duals, times enough, makes them hold for the others,
 * and proves no less, since those alone prove 0.
 */
#include "error_free.h"
#include "names.h"
#include "ranked.h"
#include "sparse.h"
#include "transport.h"
#include "tree.h"

/* What the edges of the first tree cost. */
typedef struct {
    double price;
    const sparse_t *pairs;
} ground_t;

static double cost_at(const ground_t *ground, int64_t row, int64_t column) {
    (void)row, (void)column;
    return ground->price;
}

/* The place of a pair among those that are allowed, found by halving; -1 where it is not. */
static int64_t place_of(const sparse_t *pairs, int64_t row, int64_t column) {
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
static exact_t exact_cost_at(const ground_t *ground, int64_t row, int64_t column) {
    const int64_t place = place_of(ground->pairs, row, column);
    return (exact_t){place < 0 ? 0.0 : as_cost(ground->pairs->cost[place]), 0.0};
}

#include "rebase.h"

enum { RUNS = 8 };

static const double ALLOWED = 0.0, FORBIDDEN = 1.0;

/* All pairs become arcs, and a tree of the cheapest; what these cannot ship goes along others, in order. */
static outcome_t start(const transport_t *t, simplex_t *s, arena_t *a) {
    const sparse_t *pairs = t->cost;
    const int64_t count = pairs->begin[t->n];
    ground_t ground = {ALLOWED, pairs};
    forest_t forest;
    mass_t *supply = arena_take(a, t->n, sizeof *supply), *demand = arena_take(a, t->m, sizeof *demand);
    ranked_t *order = arena_take(a, count, sizeof *order);
    if (!forest_make(&forest, a, &ground, t->n, t->m)) {
        return OUT_OF_MEMORY;
    }
    memcpy(supply, t->supply, (size_t)t->n * sizeof *supply);
    memcpy(demand, t->demand, (size_t)t->m * sizeof *demand);
    for (int64_t i = 0; i < t->n; i++) {
        for (int64_t k = pairs->begin[i]; k < pairs->begin[i + 1]; k++) {
            simplex_add(s, i, pairs->column[k], ALLOWED); /* there is room for all */
            order[k] = (ranked_t){pairs->cost[k], (int32_t)k};
        }
    }
    qsort(order, (size_t)count, sizeof *order, by_value);
    for (int64_t k = 0; k < count; k++) {
        const int32_t row = s->row[order[k].at], column = s->column[order[k].at] - (int32_t)t->n;
        ship(&forest, &supply[row], &demand[column], row, column);
    }
    ground.price = FORBIDDEN;
    ship_in_order(&forest, supply, demand);
    return plant(&forest, s) ? SOLVED : OUT_OF_MEMORY;
}

/* Whether the first phase has left more on a forbidden edge than is negligible beside what either end has. */
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

/* From the first phase, of duals u and v, to the second. */
static void give_costs(simplex_t *s, const sparse_t *pairs, const double *u, const double *v) {
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
    renew_heights(s);
}

/* Add enough of the first duals to those of the second phase. */
static void join_duals(const transport_t *t, const double *first_u, const double *first_v) {
    const sparse_t *pairs = t->cost;
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

/* Once more as long as fresh heights show something to gain; that they should for ever, by rounding, is ruled out. */
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

/* There are no pairs that the simplex does not know. */
static outcome_t price_nothing(void *context, int64_t *added) {
    (void)context;
    *added = 0;
    return SOLVED;
}

outcome_t NAME(transport_sparse)(transport_t *t);

outcome_t NAME(transport_sparse)(transport_t *t) {
    arena_t arena = {0};
    simplex_t s;
    outcome_t outcome = OUT_OF_MEMORY;
    const sparse_t *pairs = t->cost;
    double *u = arena_take(&arena, t->n, sizeof *u), *v = arena_take(&arena, t->m, sizeof *v);
    if (simplex_make(&s, &arena, t->n, t->m, pairs->begin[t->n], &t->stop)) {
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
        const ground_t ground = {0.0, pairs};
        outcome = refine_simplex(&s, &ground, price_nothing, NULL);
    }
    if (outcome == SOLVED) {
        rebased_duals(&s, t->u, t->v);
        join_duals(t, u, v);
        simplex_plan(&s, t->rows, t->columns, t->shipped);
    }
    t->pivots = s.pivots;
    t->arcs = pairs->begin[t->n];
    arena_free(&arena);
    return outcome;
}
