/* Exact transport on a matrix of costs.
 *
 * An optimal plan uses n + m - 1 pairs of n m at most, nearly all of which are among the cheapest of their row or of
 * their column once duals are taken off. So the simplex is given those few, and a start that ships along the cheapest
 * first. Its duals then price all other pairs; those that would lower the cost are added, until there are none: then
 * no pair would.
 */
#include "transport.h"
#include "error_free.h"
#include "tree.h"

#include "names.h"
#include "ranked.h"
#include "vec.h"

typedef transport_t ground_t;

static const double *row_of(const transport_t *t, int64_t row) { return (const double *)t->cost + row * t->m; }

static double cost_at(const ground_t *t, int64_t row, int64_t column) { return as_cost(row_of(t, row)[column]); }

static exact_t exact_cost_at(const ground_t *t, int64_t row, int64_t column) {
    return (exact_t){cost_at(t, row, column), 0.0};
}

#include "rebase.h"

enum { OF_ROW = 10, OF_COLUMN = 5, PRICED_OUT = 4, ROWS_PER_LOOK = 64 };

/* The `most` smallest of cost - v in a row that are below `bound`. */
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

/* The next column at or after j with cost - v below `bound`; m where there is none. */
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

/* ---- the first arcs ---- */

/* The cheapest columns of each row less the columns' minima, then the cheapest rows of each column less the rows'. */
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
            if (!simplex_add(s, i, of_row[k].at, cost_at(t, i, of_row[k].at))) {
                return OUT_OF_MEMORY;
            }
        }
        for (int64_t j = 0; j < m; j++) {
            if (cost[j] - u[i] < bound[j]) {
                held[j] = keep_smallest(of_column + j * column_room, held[j], column_room, cost[j] - u[i], i);
                bound[j] = held[j] == column_room ? of_column[(j + 1) * column_room - 1].value : bound[j];
            }
        }
        const outcome_t outcome = stopped_every(&t->stop, i, ROWS_PER_LOOK);
        if (outcome != SOLVED) {
            return outcome;
        }
    }
    for (int64_t j = 0; j < m; j++) {
        for (int64_t k = 0; k < held[j]; k++) {
            const int64_t i = of_column[j * column_room + k].at;
            if (!simplex_add(s, i, j, cost_at(t, i, j))) {
                return OUT_OF_MEMORY;
            }
        }
    }
    return SOLVED;
}

/* ---- the first tree ---- */

/* Ship as much as can be along the arcs, those first that cost least beyond their duals; then whatever is left. */
static outcome_t plant_start(const transport_t *t, simplex_t *s, arena_t *a) {
    forest_t forest;
    mass_t *supply = arena_take(a, t->n, sizeof *supply), *demand = arena_take(a, t->m, sizeof *demand);
    ranked_t *order = arena_take(a, s->arcs, sizeof *order);
    if (!forest_make(&forest, a, t, t->n, t->m)) {
        return OUT_OF_MEMORY;
    }
    memcpy(supply, t->supply, (size_t)t->n * sizeof *supply);
    memcpy(demand, t->demand, (size_t)t->m * sizeof *demand);
    for (int64_t k = 0; k < s->arcs; k++) {
        order[k] = (ranked_t){s->cost[k] - t->u[s->row[k]] - t->v[s->column[k] - t->n], (int32_t)k};
    }
    qsort(order, (size_t)s->arcs, sizeof *order, by_value);
    for (int64_t k = 0; k < s->arcs; k++) {
        const int32_t row = s->row[order[k].at], column = s->column[order[k].at] - (int32_t)t->n;
        ship(&forest, &supply[row], &demand[column], row, column);
    }
    ship_in_order(&forest, supply, demand);
    return plant(&forest, s) ? SOLVED : OUT_OF_MEMORY;
}

/* ---- the rest ---- */

/* Add the pairs that duals show to be worth it, a few of each row; how many there were. */
static outcome_t price_out(const transport_t *t, simplex_t *s, int64_t *added) {
    *added = 0;
    simplex_duals(s, t->u, t->v);
    for (int64_t i = 0; i < t->n; i++) {
        const double *cost = row_of(t, i);
        ranked_t cheaper[PRICED_OUT];
        const int64_t count = smallest_of_row(cost, t->v, t->m, t->u[i] - 2.0 * s->tolerance, cheaper, PRICED_OUT);
        for (int64_t k = 0; k < count; k++) {
            if (!simplex_add(s, i, cheaper[k].at, cost_at(t, i, cheaper[k].at))) {
                return OUT_OF_MEMORY;
            }
        }
        *added += count;
        const outcome_t outcome = stopped_every(&t->stop, i, ROWS_PER_LOOK);
        if (outcome != SOLVED) {
            return outcome;
        }
    }
    return SOLVED;
}

/* What pricing needs to know once the simplex is rebased. */
typedef struct {
    transport_t *t;
    simplex_t *simplex;
} refined_t;

/* The same by duals of twice the precision. */
static outcome_t price_exactly(void *context, int64_t *added) {
    const refined_t *r = context;
    transport_t *t = r->t;
    simplex_t *s = r->simplex;
    double largest = 0.0;
    *added = 0;
    t->rounds++;
    rebased_duals(s, t->u, t->v);
    for (int64_t j = 0; j < t->m; j++) {
        largest = fabs(t->v[j]) > largest ? fabs(t->v[j]) : largest;
    }
    for (int64_t i = 0; i < t->n; i++) {
        const double *cost = row_of(t, i), bound = t->u[i] + hidden(t->u[i], largest);
        ranked_t cheaper[PRICED_OUT];
        int64_t count = 0;
        for (int64_t j = next_below(cost, t->v, 0, t->m, bound); j < t->m;
             j = next_below(cost, t->v, j + 1, t->m, bound)) {
            double reduced;
            if (is_cheaper(s, t, i, j, &reduced) && (count < PRICED_OUT || reduced < cheaper[count - 1].value)) {
                count = keep_smallest(cheaper, count, PRICED_OUT, reduced, j);
            }
        }
        for (int64_t k = 0; k < count; k++) {
            if (!simplex_add(s, i, cheaper[k].at, beyond_base(s, t, i, cheaper[k].at))) {
                return OUT_OF_MEMORY;
            }
        }
        *added += count;
        const outcome_t outcome = stopped_every(&t->stop, i, ROWS_PER_LOOK);
        if (outcome != SOLVED) {
            return outcome;
        }
    }
    return SOLVED;
}

outcome_t NAME(transport)(transport_t *t);

outcome_t NAME(transport)(transport_t *t) {
    arena_t arena = {0};
    simplex_t s;
    outcome_t outcome = OUT_OF_MEMORY;
    if (simplex_make(&s, &arena, t->n, t->m, t->n * OF_ROW + t->m * OF_COLUMN, &t->stop)) {
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
        refined_t refined = {t, &s};
        outcome = refine_simplex(&s, t, price_exactly, &refined);
    }
    if (outcome == SOLVED) {
        simplex_plan(&s, t->rows, t->columns, t->shipped); /* the duals are those that all pairs were priced by last */
    }
    t->pivots = s.pivots;
    t->arcs = s.arcs;
    arena_free(&arena);
    return outcome;
}
