/* Network simplex on a bipartite graph.
 *
 * A pivot lifts or lowers a whole subtree alike, which the Euler tour does without visiting each node. An arc enters if
 * its cost is below the difference of heights by more than rounding; the best of a block of arcs is taken (M. D.
 * Grigoriadis, "An efficient implementation of the network simplex method", Math. Prog. Study 26 (1986)).
 */
#include "transport/network_simplex/network_simplex.h"

#include <math.h>

/* Pivots between two checks of `stop`; arcs that are priced in the time of a pivot. */
enum { PIVOTS_PER_CHECK = 1024, ARCS_PER_PIVOT = 256, SMALLEST_BLOCK = 8 };

/* Arcs in a block, relative to the square root of their number. */
static const double BLOCK_PART = 1.0;

int simplex_init(simplex_t *s, arena_t *a, int64_t n, int64_t m, int64_t room, const stop_t *stop) {
    const int64_t nodes = n + m;
    *s = (simplex_t){
        .tree = {.n = n,
                 .nodes = nodes,
                 .place = arena_take(a, nodes, sizeof *s->tree.place),
                 .edge = arena_take(a, nodes, sizeof *s->tree.edge)},
        .room = room,
        .most = room + n * m,
        .row = arena_take(a, room, sizeof *s->row),
        .column = arena_take(a, room, sizeof *s->column),
        .cost = arena_take(a, room, sizeof *s->cost),
        .until_check = PIVOTS_PER_CHECK,
        .arena = a,
        .stop = stop,
    };
    return euler_tour_init(&s->tour, a, nodes);
}

int simplex_add_arc(simplex_t *s, int64_t row, int64_t column, double cost) {
    if (s->arcs == s->room) {
        s->room *= 2;
        s->row = arena_grow(s->arena, s->row, s->room, sizeof *s->row);
        s->column = arena_grow(s->arena, s->column, s->room, sizeof *s->column);
        s->cost = arena_grow(s->arena, s->cost, s->room, sizeof *s->cost);
        if (s->arena->failed) {
            return 0;
        }
    }
    s->row[s->arcs] = (int32_t)row;
    s->column[s->arcs] = (int32_t)(s->tree.n + column);
    s->cost[s->arcs++] = cost;
    return 1;
}

void simplex_recompute_heights(simplex_t *s) {
    euler_tour_t *t = &s->tour;
    double largest = 0.0;
    euler_tour_compact(t);
    for (int64_t k = 0; k < t->steps; k++) {
        const int32_t node = t->node[t->order[k]];
        if (node >= 0) {
            const double cost = s->tree.edge[node].cost, below = t->height[s->tree.place[node].parent].raw;
            const double height = node < s->tree.n ? below + cost : below - cost;
            t->height[node].raw = height;
            largest = fabs(height) > largest ? fabs(height) : largest;
        }
    }
    s->tolerance = tolerance_of(largest, s->least_tolerance);
}

int simplex_build_tree(simplex_t *s, const shipment_t *shipments) {
    arena_t arena = {0};
    euler_tour_t *tour = &s->tour;
    int32_t *room = arena_take(&arena, tree_build_room(s->tree.nodes), sizeof *room);
    int32_t *walk = arena_take(&arena, tour->steps, sizeof *walk);
    if (!arena.failed) {
        tree_build(&s->tree, shipments, room, walk);
        for (int64_t k = 0; k < tour->steps; k++) {
            tour->order[k] = walk[k] >= 0 ? tour->down[walk[k]] : tour->up[~walk[k]];
        }
        euler_tour_lay_out(tour);
        simplex_recompute_heights(s);
    }
    const int planted = !arena.failed;
    arena_free(&arena);
    return planted;
}

void simplex_duals(const simplex_t *s, double *u, double *v) {
    for (int32_t node = 0; node < s->tree.nodes; node++) {
        if (node < s->tree.n) {
            u[node] = euler_tour_height(&s->tour, node);
        } else {
            v[node - s->tree.n] = -euler_tour_height(&s->tour, node);
        }
    }
}

void simplex_plan(const simplex_t *s, int32_t *rows, int32_t *columns, mass_t *shipped) {
    for (int32_t node = 1; node < s->tree.nodes; node++) {
        const shipment_t shipment = shipment_above(&s->tree, node);
        rows[node - 1] = shipment.row;
        columns[node - 1] = shipment.column;
        shipped[node - 1] = shipment.flow;
    }
}

/* Hang what lies below the leaving edge from `above` by its node `top`: reverse the edges between, and lift it. */
static void hang(simplex_t *s, int32_t top, int32_t above, const cycle_t *cycle, double cost, double lift) {
    const int32_t leaving = cycle->leaving, total = s->tree.place[leaving].size;
    carry_over(&s->tree, above, cycle);
    euler_tour_move(&s->tour, leaving, top, above, lift);
    const steps_t given = euler_tour_steps(&s->tour, leaving);
    steps_t steps = given;
    mass_t flow = cycle->flow;
    int32_t below = 0, parent = above;
    for (int32_t node = top;;) {
        const place_t place = s->tree.place[node];
        const tree_edge_t edge = s->tree.edge[node];
        const steps_t old = euler_tour_steps(&s->tour, node);
        s->tree.place[node] = (place_t){parent, total - below};
        s->tree.edge[node] = (tree_edge_t){flow, cost};
        euler_tour_assign(&s->tour, node, steps);
        if (node == leaving) {
            return;
        }
        below = place.size;
        parent = node;
        flow = edge.flow;
        cost = edge.cost;
        /* The way down to a node is the way up from its former parent. */
        steps = (steps_t){old.up, old.down};
        node = place.parent;
    }
}

static void pivot(simplex_t *s, int64_t arc, double reduced) {
    const int32_t row = s->row[arc], column = s->column[arc];
    const cycle_t cycle = find_cycle(&s->tree, row, column);
    if (cycle.flow > 0) {
        send_around(&s->tree, row, column, &cycle);
    }
    const int32_t top = cycle.on_column_side ? column : row, above = cycle.on_column_side ? row : column;
    if (euler_tour_is_fragmented(&s->tour)) {
        simplex_recompute_heights(s);
    }
    hang(s, top, above, &cycle, s->cost[arc], top < s->tree.n ? reduced : -reduced);
    s->tolerance = tolerance_of(fabs(reduced), s->tolerance);
    s->pivots++;
}

outcome_t simplex_run(simplex_t *s) {
    if (s->arcs > s->most) {
        return CHANGED;
    }
    const euler_tour_t *t = &s->tour;
    const int64_t part = (int64_t)(BLOCK_PART * sqrt((double)s->arcs));
    const int64_t block = part > SMALLEST_BLOCK ? part : SMALLEST_BLOCK;
    int64_t at = s->next_arc < s->arcs ? s->next_arc : 0;
    for (int64_t fruitless = 0; fruitless < s->arcs;) {
        int64_t best = -1, looked = 0;
        double least = -s->tolerance;
        while (looked < block && fruitless + looked < s->arcs) {
            const int64_t end = at + block - looked < s->arcs ? at + block - looked : s->arcs;
            looked += end - at;
            for (; at < end; at++) {
                const double reduced =
                    s->cost[at] - euler_tour_height(t, s->row[at]) + euler_tour_height(t, s->column[at]);
                if (reduced < least) {
                    least = reduced;
                    best = at;
                }
            }
            at = at == s->arcs ? 0 : at;
        }
        fruitless = best < 0 ? fruitless + looked : 0;
        s->until_check -= 1 + looked / ARCS_PER_PIVOT;
        if (best >= 0) {
            pivot(s, best, least);
        }
        if (s->until_check <= 0) {
            s->until_check = PIVOTS_PER_CHECK;
            const outcome_t outcome = stopped(s->stop);
            if (outcome != SOLVED) {
                return outcome;
            }
        }
    }
    s->next_arc = at;
    simplex_recompute_heights(s);
    return SOLVED;
}
