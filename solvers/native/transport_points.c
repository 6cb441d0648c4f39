/* Exact transport between points, by distance or its square, in O(n + m) memory.
 *
 * Coarse to fine: groups of neighbours ship to groups of neighbours first. The optimal tree of a level becomes a
 * feasible one of the next, group by group and shipment by shipment, so that every level begins where the one above has
 * ended; its duals say which few pairs the simplex has to look at. On the last level all others are priced, those that
 * would lower the cost are added, and the simplex goes on until there are none.
 *
 * The idea of solving transport over a hierarchy is B. Schmitzer's (J. Math. Imaging Vision 56 (2016)).
 */
#include "names.h"
#include "points.h"
#include "refine.h"
#include "transport.h"

enum { OF_ROW = 8, OF_COLUMN = 5, PRICED_OUT = 6, COARSEST = 64, ROWS_PER_LOOK = 256 };

/* A level has at most this part of the points of the finest. */
static const double THINNED = 1.0 / 2.9;

/* A level, once solved. */
typedef struct {
    arena_t arena;
    ground_t ground;
    simplex_t simplex;
    double *u, *v; /* duals of the rows and columns, after each run */
} level_t;

/* ---- which arcs the simplex is to know ---- */

/* The `most` nearest by cost plus weight below `limit`, cheapest first. *tile: where to begin, and where the nearest
 * is. */
static int64_t nearest(const cloud_t *c, const double *x, int64_t most, double limit, offer_t *offers, int64_t *tile) {
    look_t look = look_from(c, x);
    look.offers = offers;
    look.enough = most;
    look.room = 3 * most + WIDTH;
    look.spread = INFINITY;
    look.limit = limit;
    tile_offers(c, &look, *tile);
    look_around(c, &look, *tile);
    int64_t count = look.count;
    if (count > most) {
        offers_select(offers, count, most);
        count = most;
    }
    for (int64_t k = 1; k < count; k++) {
        const offer_t offer = offers[k];
        int64_t place = k;
        for (; place > 0 && offers[place - 1].value > offer.value; place--) {
            offers[place] = offers[place - 1];
        }
        offers[place] = offer;
    }
    if (count > 0) {
        *tile = tile_of(c, offers[0].column);
    }
    return count;
}

/* The points of one side, not weighted yet. */
static int cloud_of(cloud_t *c, arena_t *a, const side_t *side, double scale) {
    double *weight = arena_take(a, side->count + WIDTH, sizeof *weight);
    return weight && cloud_make(c, a, side->at, side->count, scale, weight);
}

/* Points are weighted with minus their duals. */
static void weigh(cloud_t *c, const double *dual) {
    for (int64_t k = 0; k < c->count; k++) {
        c->weight[k] = -dual[k];
    }
    cloud_fit(c);
}

enum { OFFERS = 3 * OF_ROW + 2 * WIDTH };

static int arc_of_row(const int32_t *of_row, int64_t row, int64_t column) {
    for (int k = 0; k < OF_ROW; k++) {
        if (of_row[row * OF_ROW + k] == column) {
            return 1;
        }
    }
    return 0;
}

/* The nearest columns of each row and rows of each column, by the duals of the level above. */
static outcome_t choose_arcs(const level_t *above, level_t *here, const stop_t *stop) {
    arena_t arena = {0};
    const ground_t *g = &here->ground;
    const int64_t n = g->rows.count, m = g->columns.count;
    double *u = arena_take(&arena, n, sizeof *u), *v = arena_take(&arena, m, sizeof *v);
    int32_t *of_row = arena_take(&arena, n * OF_ROW, sizeof *of_row);
    cloud_t coarse_rows, rows, columns;
    offer_t offers[OFFERS];
    int64_t tile = 0;
    outcome_t outcome = OUT_OF_MEMORY;
    if (!arena.failed && cloud_of(&coarse_rows, &arena, &above->ground.rows, g->scale) &&
        cloud_of(&rows, &arena, &g->rows, g->scale) && cloud_of(&columns, &arena, &g->columns, g->scale)) {
        outcome = SOLVED;
        weigh(&coarse_rows, above->u);
    }
    for (int64_t j = 0; j < m && outcome == SOLVED; j++) {
        v[j] = cloud_minimum(&coarse_rows, g->columns.at + j * DIM, &tile);
        outcome = stopped_every(stop, j, ROWS_PER_LOOK);
    }
    if (outcome == SOLVED) {
        weigh(&columns, v);
    }
    tile = 0;
    for (int64_t i = 0; i < n && outcome == SOLVED; i++) {
        const int64_t count = nearest(&columns, g->rows.at + i * DIM, OF_ROW, INFINITY, offers, &tile);
        u[i] = offers[0].value;
        for (int64_t k = 0; k < OF_ROW; k++) {
            of_row[i * OF_ROW + k] = k < count ? offers[k].column : -1;
            if (k < count && !simplex_add(&here->simplex, i, offers[k].column, offers[k].cost)) {
                outcome = OUT_OF_MEMORY;
            }
        }
        outcome = outcome == SOLVED ? stopped_every(stop, i, ROWS_PER_LOOK) : outcome;
    }
    if (outcome == SOLVED) {
        weigh(&rows, u);
    }
    tile = 0;
    for (int64_t j = 0; j < m && outcome == SOLVED; j++) {
        const int64_t count = nearest(&rows, g->columns.at + j * DIM, OF_COLUMN, INFINITY, offers, &tile);
        for (int64_t k = 0; k < count; k++) {
            if (!arc_of_row(of_row, offers[k].column, j) &&
                !simplex_add(&here->simplex, offers[k].column, j, offers[k].cost)) {
                outcome = OUT_OF_MEMORY;
            }
        }
        outcome = outcome == SOLVED ? stopped_every(stop, j, ROWS_PER_LOOK) : outcome;
    }
    arena_free(&arena);
    return outcome;
}

/* Add the pairs that duals show to be worth it, a few of each row; how many there were. */
static outcome_t price_out(level_t *l, cloud_t *columns, const stop_t *stop, int64_t *added) {
    simplex_t *s = &l->simplex;
    offer_t offers[OFFERS];
    int64_t tile = 0;
    *added = 0;
    weigh(columns, l->v);
    for (int64_t i = 0; i < s->tree.n; i++) {
        const double limit = l->u[i] - 2.0 * s->tolerance;
        const int64_t count = nearest(columns, l->ground.rows.at + i * DIM, PRICED_OUT, limit, offers, &tile);
        for (int64_t k = 0; k < count && offers[k].value < limit; k++, ++*added) {
            if (!simplex_add(s, i, offers[k].column, offers[k].cost)) {
                return OUT_OF_MEMORY;
            }
        }
        const outcome_t outcome = stopped_every(stop, i, ROWS_PER_LOOK);
        if (outcome != SOLVED) {
            return outcome;
        }
    }
    return SOLVED;
}

/* What pricing needs to know once the simplex is rebased. */
typedef struct {
    level_t *level;
    cloud_t *columns;
    offer_t *offers; /* (m) and some more */
    transport_t *t;
} refined_t;

/* The same by duals of twice the precision: all pairs are looked at that rounding leaves open. */
static outcome_t price_exactly(void *context, int64_t *added) {
    const refined_t *r = context;
    level_t *l = r->level;
    simplex_t *s = &l->simplex;
    double largest = 0.0;
    *added = 0;
    r->t->rounds++;
    rebased_duals(s, l->u, l->v);
    for (int64_t j = 0; j < s->tree.nodes - s->tree.n; j++) {
        largest = fabs(l->v[j]) > largest ? fabs(l->v[j]) : largest;
    }
    weigh(r->columns, l->v);
    for (int64_t i = 0; i < s->tree.n; i++) {
        look_t look = look_from(r->columns, l->ground.rows.at + i * DIM);
        look.offers = r->offers;
        look.room = INT64_MAX;
        look.spread = INFINITY;
        look.limit = l->u[i] + hidden(l->u[i], largest);
        look_around(r->columns, &look, -1);
        int64_t count = 0;
        for (int64_t k = 0; k < look.count; k++) {
            double reduced;
            if (is_cheaper(s, &l->ground, i, r->offers[k].column, &reduced)) {
                r->offers[count++] = (offer_t){reduced, 0.0, r->offers[k].column};
            }
        }
        if (count > PRICED_OUT) {
            offers_select(r->offers, count, PRICED_OUT);
            count = PRICED_OUT;
        }
        for (int64_t k = 0; k < count; k++) {
            if (!simplex_add(s, i, r->offers[k].column, beyond_base(s, &l->ground, i, r->offers[k].column))) {
                return OUT_OF_MEMORY;
            }
        }
        *added += count;
        const outcome_t outcome = stopped_every(&r->t->stop, i, ROWS_PER_LOOK);
        if (outcome != SOLVED) {
            return outcome;
        }
    }
    return SOLVED;
}

/* ---- the whole ---- */

static outcome_t run(level_t *l) {
    const outcome_t outcome = simplex_run(&l->simplex);
    simplex_duals(&l->simplex, l->u, l->v);
    return outcome;
}

static int plant_coarsest(level_t *l, arena_t *a) {
    const ground_t *g = &l->ground;
    forest_t forest;
    mass_t *supply = arena_take(a, g->rows.count, sizeof *supply);
    mass_t *demand = arena_take(a, g->columns.count, sizeof *demand);
    if (!forest_make(&forest, a, g, g->rows.count, g->columns.count)) {
        return 0;
    }
    memcpy(supply, g->rows.mass, (size_t)g->rows.count * sizeof *supply);
    memcpy(demand, g->columns.mass, (size_t)g->columns.count * sizeof *demand);
    ship_in_order(&forest, supply, demand);
    for (int64_t i = 0; i < g->rows.count; i++) {
        for (int64_t j = 0; j < g->columns.count; j++) {
            if (!simplex_add(&l->simplex, i, j, cost_at(g, i, j))) {
                return 0;
            }
        }
    }
    return plant(&forest, &l->simplex);
}

static outcome_t plant_finer(const level_t *above, level_t *l, arena_t *a, const stop_t *stop) {
    forest_t forest;
    if (!forest_make(&forest, a, &l->ground, l->ground.rows.count, l->ground.columns.count) ||
        !refine(&above->simplex, &above->ground, &l->ground, &forest, a)) {
        return OUT_OF_MEMORY;
    }
    const outcome_t outcome = choose_arcs(above, l, stop);
    if (outcome != SOLVED) {
        return outcome;
    }
    return plant(&forest, &l->simplex) ? SOLVED : OUT_OF_MEMORY;
}

/* Solve a level of so many groups a side from the one above, which is NULL for the coarsest; every pair is priced on
 * the last, and once on any other. */
static outcome_t solve_level(transport_t *t, const ground_t *finest, int64_t groups, int last, const level_t *above,
                             level_t *l) {
    arena_t *a = &l->arena, work = {0};
    l->ground.scale = finest->scale;
    if (!group_side(&l->ground.rows, a, &finest->rows, groups) ||
        !group_side(&l->ground.columns, a, &finest->columns, groups)) {
        return OUT_OF_MEMORY;
    }
    const int64_t n = l->ground.rows.count, m = l->ground.columns.count;
    l->u = arena_take(a, n, sizeof *l->u);
    l->v = arena_take(a, m, sizeof *l->v);
    if (!simplex_make(&l->simplex, a, n, m, above ? n * OF_ROW + m * OF_COLUMN : n * m, &t->stop)) {
        return OUT_OF_MEMORY;
    }
    outcome_t outcome = SOLVED;
    if (above) {
        outcome = plant_finer(above, l, &work, &t->stop);
    } else if (!plant_coarsest(l, &work)) {
        outcome = OUT_OF_MEMORY;
    }
    cloud_t columns;
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
        offer_t *offers = arena_take(&work, m + WIDTH, sizeof *offers);
        refined_t refined = {l, &columns, offers, t};
        outcome = offers ? refine_simplex(&l->simplex, &l->ground, price_exactly, &refined) : OUT_OF_MEMORY;
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

static int arrange(side_t *side, ordered_t *order, arena_t *a, const double *points, const mass_t *mass,
                   int64_t count) {
    side->mass = arena_take(a, count, sizeof *side->mass);
    if (!ordered_make(order, a, points, count)) {
        return 0;
    }
    side->count = count;
    side->at = order->at;
    for (int64_t i = 0; i < count; i++) {
        side->mass[i] = mass[order->order[i]];
    }
    return 1;
}

outcome_t NAME(transport_points)(transport_t *t);

/* t->cost is a points_t. */
outcome_t NAME(transport_points)(transport_t *t) {
    const points_t *p = t->cost;
    arena_t arena = {0};
    ground_t ground = {.scale = p->scale};
    ordered_t rows, columns;
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
