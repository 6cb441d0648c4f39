/* Exact transport between points, by distance or its square, in O(n + m) memory.
 *
 * Coarse to fine: groups of neighbours ship to groups of neighbours first. The optimal tree of a level becomes a
 * feasible one of the next level, so every level starts where the one above ended; its duals tell which few arcs the
 * simplex needs. On the last level all other pairs are priced, those that would lower the cost are added, and the
 * simplex goes on until there are none.
 *
 * The idea of solving transport over a hierarchy is B. Schmitzer's (J. Math. Imaging Vision 56 (2016)).
 */
#include "core/variant_names.h"
#include "geometry/point_search.inc.h"
#include "geometry/points.h"
#include "transport/network_simplex/iterative_refinement.h"
#include "transport/refine_tree.inc.h"
#include "transport/transport.h"

enum { OF_ROW = 8, OF_COLUMN = 5, PRICED_OUT = 6, COARSEST = 64, ROWS_PER_CHECK = 256 };

/* A level has at most this share of the points of the finest. */
static const double THINNED = 1.0 / 2.9;

/* A solved level. */
typedef struct {
    arena_t arena;
    point_level_t ground;
    simplex_t simplex;
    double *u, *v; /* duals of rows and columns, after each run */
} level_t;

/* The `most` nearest by cost plus weight below `limit`, cheapest first. *tile: where to start the search; becomes the
 * tile of the nearest. */
static int64_t nearest(const point_tree_t *c, const double *x, int64_t most, double limit, candidate_t *candidates,
                       int64_t *tile) {
    point_query_t query = query_from(c, x);
    query.candidates = candidates;
    query.enough = most;
    query.room = 3 * most + WIDTH;
    query.spread = INFINITY;
    query.limit = limit;
    query_tile(c, &query, *tile);
    query_tree(c, &query, *tile);
    int64_t count = query.count;
    if (count > most) {
        candidates_select(candidates, count, most);
        count = most;
    }
    for (int64_t k = 1; k < count; k++) {
        const candidate_t candidate = candidates[k];
        int64_t place = k;
        for (; place > 0 && candidates[place - 1].value > candidate.value; place--) {
            candidates[place] = candidates[place - 1];
        }
        candidates[place] = candidate;
    }
    if (count > 0) {
        *tile = tile_of(c, candidates[0].column);
    }
    return count;
}

/* A tree of the points of one side, without weights yet. */
static int cloud_of(point_tree_t *c, arena_t *a, const side_t *side, double scale) {
    double *weight = arena_take(a, side->count + WIDTH, sizeof *weight);
    return weight && point_tree_build(c, a, side->at, side->count, scale, weight);
}

/* Weight the points with minus their duals. */
static void weigh(point_tree_t *c, const double *dual) {
    for (int64_t k = 0; k < c->count; k++) {
        c->weight[k] = -dual[k];
    }
    point_tree_fit_planes(c);
}

enum { CANDIDATES = 3 * OF_ROW + 2 * WIDTH };

static int arc_of_row(const int32_t *of_row, int64_t row, int64_t column) {
    for (int k = 0; k < OF_ROW; k++) {
        if (of_row[row * OF_ROW + k] == column) {
            return 1;
        }
    }
    return 0;
}

/* First arcs: the nearest columns of each row and rows of each column, by the duals of the level above. */
static outcome_t choose_arcs(const level_t *above, level_t *here, const stop_t *stop) {
    arena_t arena = {0};
    const point_level_t *g = &here->ground;
    const int64_t n = g->rows.count, m = g->columns.count;
    double *u = arena_take(&arena, n, sizeof *u), *v = arena_take(&arena, m, sizeof *v);
    int32_t *of_row = arena_take(&arena, n * OF_ROW, sizeof *of_row);
    point_tree_t coarse_rows, rows, columns;
    candidate_t candidates[CANDIDATES];
    int64_t tile = 0;
    outcome_t outcome = OUT_OF_MEMORY;
    if (!arena.failed && cloud_of(&coarse_rows, &arena, &above->ground.rows, g->scale) &&
        cloud_of(&rows, &arena, &g->rows, g->scale) && cloud_of(&columns, &arena, &g->columns, g->scale)) {
        outcome = SOLVED;
        weigh(&coarse_rows, above->u);
    }
    for (int64_t j = 0; j < m && outcome == SOLVED; j++) {
        v[j] = point_tree_minimum(&coarse_rows, g->columns.at + j * DIM, &tile);
        outcome = stopped_every(stop, j, ROWS_PER_CHECK);
    }
    if (outcome == SOLVED) {
        weigh(&columns, v);
    }
    tile = 0;
    for (int64_t i = 0; i < n && outcome == SOLVED; i++) {
        const int64_t count = nearest(&columns, g->rows.at + i * DIM, OF_ROW, INFINITY, candidates, &tile);
        u[i] = candidates[0].value;
        for (int64_t k = 0; k < OF_ROW; k++) {
            of_row[i * OF_ROW + k] = k < count ? candidates[k].column : -1;
            if (k < count && !simplex_add_arc(&here->simplex, i, candidates[k].column, candidates[k].cost)) {
                outcome = OUT_OF_MEMORY;
            }
        }
        outcome = outcome == SOLVED ? stopped_every(stop, i, ROWS_PER_CHECK) : outcome;
    }
    if (outcome == SOLVED) {
        weigh(&rows, u);
    }
    tile = 0;
    for (int64_t j = 0; j < m && outcome == SOLVED; j++) {
        const int64_t count = nearest(&rows, g->columns.at + j * DIM, OF_COLUMN, INFINITY, candidates, &tile);
        for (int64_t k = 0; k < count; k++) {
            if (!arc_of_row(of_row, candidates[k].column, j) &&
                !simplex_add_arc(&here->simplex, candidates[k].column, j, candidates[k].cost)) {
                outcome = OUT_OF_MEMORY;
            }
        }
        outcome = outcome == SOLVED ? stopped_every(stop, j, ROWS_PER_CHECK) : outcome;
    }
    arena_free(&arena);
    return outcome;
}

/* Add the pairs that would lower the cost, a few of each row; write their number. */
static outcome_t price_out(level_t *l, point_tree_t *columns, const stop_t *stop, int64_t *added) {
    simplex_t *s = &l->simplex;
    candidate_t candidates[CANDIDATES];
    int64_t tile = 0;
    *added = 0;
    weigh(columns, l->v);
    for (int64_t i = 0; i < s->tree.n; i++) {
        const double limit = l->u[i] - 2.0 * s->tolerance;
        const int64_t count = nearest(columns, l->ground.rows.at + i * DIM, PRICED_OUT, limit, candidates, &tile);
        for (int64_t k = 0; k < count && candidates[k].value < limit; k++, ++*added) {
            if (!simplex_add_arc(s, i, candidates[k].column, candidates[k].cost)) {
                return OUT_OF_MEMORY;
            }
        }
        const outcome_t outcome = stopped_every(stop, i, ROWS_PER_CHECK);
        if (outcome != SOLVED) {
            return outcome;
        }
    }
    return SOLVED;
}

/* What pricing needs during iterative refinement. */
typedef struct {
    level_t *level;
    point_tree_t *columns;
    candidate_t *candidates; /* (m + WIDTH) */
    transport_t *t;
    pair_costs_t costs;
} pricing_t;

/* The same by duals in double-double, for all pairs that rounding leaves open. */
static outcome_t price_exactly(void *context, int64_t *added) {
    const pricing_t *p = context;
    level_t *l = p->level;
    simplex_t *s = &l->simplex;
    double largest = 0.0;
    *added = 0;
    p->t->rounds++;
    refinement_duals(s, l->u, l->v);
    for (int64_t j = 0; j < s->tree.nodes - s->tree.n; j++) {
        largest = fabs(l->v[j]) > largest ? fabs(l->v[j]) : largest;
    }
    weigh(p->columns, l->v);
    for (int64_t i = 0; i < s->tree.n; i++) {
        const double bound = l->u[i] + refinement_hidden(l->u[i], largest);
        const int64_t near = query_all(p->columns, l->ground.rows.at + i * DIM, bound, p->candidates);
        int64_t count = 0;
        for (int64_t k = 0; k < near; k++) {
            double reduced;
            if (refinement_is_cheaper(s, &p->costs, i, p->candidates[k].column, &reduced)) {
                p->candidates[count++] = (candidate_t){reduced, 0.0, p->candidates[k].column};
            }
        }
        if (count > PRICED_OUT) {
            candidates_select(p->candidates, count, PRICED_OUT);
            count = PRICED_OUT;
        }
        for (int64_t k = 0; k < count; k++) {
            if (!simplex_add_arc(s, i, p->candidates[k].column,
                                 refinement_cost(s, &p->costs, i, p->candidates[k].column))) {
                return OUT_OF_MEMORY;
            }
        }
        *added += count;
        const outcome_t outcome = stopped_every(&p->t->stop, i, ROWS_PER_CHECK);
        if (outcome != SOLVED) {
            return outcome;
        }
    }
    return SOLVED;
}

static outcome_t run(level_t *l) {
    const outcome_t outcome = simplex_run(&l->simplex);
    simplex_duals(&l->simplex, l->u, l->v);
    return outcome;
}

static int plant_coarsest(level_t *l, arena_t *a) {
    const point_level_t *g = &l->ground;
    initial_tree_t forest;
    mass_t *supply = arena_take(a, g->rows.count, sizeof *supply);
    mass_t *demand = arena_take(a, g->columns.count, sizeof *demand);
    if (!initial_tree_init(&forest, a, point_costs(g), g->rows.count, g->columns.count)) {
        return 0;
    }
    memcpy(supply, g->rows.mass, (size_t)g->rows.count * sizeof *supply);
    memcpy(demand, g->columns.mass, (size_t)g->columns.count * sizeof *demand);
    initial_tree_north_west_corner(&forest, supply, demand);
    for (int64_t i = 0; i < g->rows.count; i++) {
        for (int64_t j = 0; j < g->columns.count; j++) {
            if (!simplex_add_arc(&l->simplex, i, j, point_cost(g, i, j))) {
                return 0;
            }
        }
    }
    return initial_tree_finish(&forest, &l->simplex);
}

static outcome_t plant_finer(const level_t *above, level_t *l, arena_t *a, const stop_t *stop) {
    initial_tree_t forest;
    if (!initial_tree_init(&forest, a, point_costs(&l->ground), l->ground.rows.count, l->ground.columns.count) ||
        !refine(&above->simplex, &above->ground, &l->ground, &forest, a)) {
        return OUT_OF_MEMORY;
    }
    const outcome_t outcome = choose_arcs(above, l, stop);
    if (outcome != SOLVED) {
        return outcome;
    }
    return initial_tree_finish(&forest, &l->simplex) ? SOLVED : OUT_OF_MEMORY;
}

/* Solve a level of `groups` groups per side, starting from the level above, which is NULL for the coarsest. All pairs
 * are priced until none would help on the last level, and once on the others. */
static outcome_t solve_level(transport_t *t, const point_level_t *finest, int64_t groups, int last,
                             const level_t *above, level_t *l) {
    arena_t *a = &l->arena, work = {0};
    l->ground.scale = finest->scale;
    if (!group_side(&l->ground.rows, a, &finest->rows, groups) ||
        !group_side(&l->ground.columns, a, &finest->columns, groups)) {
        return OUT_OF_MEMORY;
    }
    const int64_t n = l->ground.rows.count, m = l->ground.columns.count;
    l->u = arena_take(a, n, sizeof *l->u);
    l->v = arena_take(a, m, sizeof *l->v);
    if (!simplex_init(&l->simplex, a, n, m, above ? n * OF_ROW + m * OF_COLUMN : n * m, &t->stop)) {
        return OUT_OF_MEMORY;
    }
    outcome_t outcome = SOLVED;
    if (above) {
        outcome = plant_finer(above, l, &work, &t->stop);
    } else if (!plant_coarsest(l, &work)) {
        outcome = OUT_OF_MEMORY;
    }
    point_tree_t columns;
    if (outcome == SOLVED && !cloud_of(&columns, &work, &l->ground.columns, l->ground.scale)) {
        outcome = OUT_OF_MEMORY;
    }
    if (outcome == SOLVED) {
        outcome = run(l);
    }
    for (int64_t added = 1, round = 0; outcome == SOLVED && above && added > 0 && (last || round == 0); round++) {
        outcome = price_out(l, &columns, &t->stop, &added);
        if (outcome == SOLVED && added > 0) {
            outcome = run(l);
        }
        t->rounds++;
    }
    if (outcome == SOLVED && last) {
        candidate_t *candidates = arena_take(&work, m + WIDTH, sizeof *candidates);
        pricing_t pricing = {l, &columns, candidates, t, point_costs(&l->ground)};
        outcome = candidates ? refinement_run(&l->simplex, &pricing.costs, price_exactly, &pricing) : OUT_OF_MEMORY;
    }
    t->pivots += l->simplex.pivots;
    t->arcs += l->simplex.arcs;
    arena_free(&work);
    return outcome;
}

static void write_plan(transport_t *t, const level_t *l, const int32_t *row, const int32_t *column) {
    const simplex_t *s = &l->simplex;
    for (int64_t i = 0; i < t->n; i++) {
        t->u[row[i]] = l->u[i];
    }
    for (int64_t j = 0; j < t->m; j++) {
        t->v[column[j]] = l->v[j];
    }
    simplex_plan(s, t->rows, t->columns, t->shipped);
    for (int64_t k = 0; k < t->n + t->m - 1; k++) {
        t->rows[k] = row[t->rows[k]];
        t->columns[k] = column[t->columns[k]];
    }
}

static int arrange(side_t *side, kd_ordered_t *order, arena_t *a, const double *points, const mass_t *mass,
                   int64_t count) {
    side->mass = arena_take(a, count, sizeof *side->mass);
    if (!kd_ordered_make(order, a, points, count)) {
        return 0;
    }
    side->count = count;
    side->at = order->at;
    for (int64_t i = 0; i < count; i++) {
        side->mass[i] = mass[order->order[i]];
    }
    return 1;
}

transport_solver_t NAME(transport_points);

/* t->cost is a points_t. */
outcome_t NAME(transport_points)(transport_t *t) {
    const points_t *p = t->cost;
    arena_t arena = {0};
    point_level_t ground = {.scale = p->scale};
    kd_ordered_t rows, columns;
    level_t level[2] = {0}, *above = NULL;
    outcome_t outcome = arrange(&ground.rows, &rows, &arena, p->x, t->supply, t->n) &&
                                arrange(&ground.columns, &columns, &arena, p->y, t->demand, t->m)
                            ? SOLVED
                            : OUT_OF_MEMORY;
    const int64_t most = t->n > t->m ? t->n : t->m;
    int64_t groups = 1;
    while (2 * groups <= COARSEST && (double)(2 * groups) <= THINNED * (double)most) {
        groups *= 2;
    }
    for (int last = 0; outcome == SOLVED && !last;) {
        level_t *here = above == &level[0] ? &level[1] : &level[0];
        last = (double)groups > THINNED * (double)most || most <= COARSEST;
        outcome = solve_level(t, &ground, last ? most : groups, last, above, here);
        if (above) {
            arena_free(&above->arena);
        }
        above = here;
        groups *= 2;
    }
    if (outcome == SOLVED) {
        write_plan(t, above, rows.order, columns.order);
    }
    if (above) {
        arena_free(&above->arena);
    }
    arena_free(&arena);
    return outcome;
}
