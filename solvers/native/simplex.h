/* The network simplex on a bipartite graph of which only some arcs are known: rows ship to columns, a spanning tree
 * carries the flow, and an arc that would lower the cost takes the place of one of the cycle that it closes.
 *
 * Masses are whole numbers, so that ties are exact and trees stay strongly feasible: an edge of the tree that carries
 * nothing leads from a row up to its parent. Then no sequence of pivots comes back to a tree it has left, and the
 * simplex ends (W. H. Cunningham, "A network simplex method", Math. Programming 11 (1976)).
 *
 * Nodes 0 to n - 1 are the rows, n to n + m - 1 the columns. The height of a row is its dual u, that of a column -v, so
 * that along an edge of the tree heights differ by its cost; a pivot lifts or lowers a whole subtree alike, which
 * `tour` does without a look at each node. An arc enters where its cost is below the difference by more than rounding,
 * the best of a block of arcs at a time (M. D. Grigoriadis, "An efficient implementation of the network simplex
 * method", Math. Prog. Study 26 (1986)).
 */
#ifndef LAPMARK_SIMPLEX_H
#define LAPMARK_SIMPLEX_H

#include "arena.h"
#include "lapmark.h"
#include "tour.h"

#include <math.h>

/* Where a node is in the tree; the root is node 0. */
typedef struct {
    int32_t parent;
    int32_t size; /* nodes below it, itself included */
} place_t;

/* The edge from a node to its parent. */
typedef struct {
    int64_t flow;
    double cost;
} edge_t;

/* What a tree is built from. */
typedef struct {
    int32_t row, column;
    int64_t flow;
    double cost;
} shipment_t;

typedef struct {
    int64_t n, m, nodes;
    place_t *place; /* (nodes) */
    edge_t *edge;   /* (nodes) */
    tour_t tour;

    int64_t arcs, room;
    int32_t *row, *column; /* (room) of each arc; the column as a node */
    double *cost;          /* (room) */
    int64_t next_arc;      /* where the search for an arc goes on */

    double tolerance; /* reduced costs down to minus this count as 0 */
    int64_t pivots, until_look;
    arena_t *arena;
    const stop_t *stop;
} simplex_t;

/* Pivots between two looks at `stop`, and arcs that are looked at for as much work as a pivot. */
enum { PIVOTS_PER_LOOK = 1024, ARCS_PER_PIVOT = 256, SMALLEST_BLOCK = 8 };

/* A block holds this part of the square root of the number of arcs; of the largest height, what counts as 0. */
static const double BLOCK_PART = 1.0, DRIFT = 4e-15;

static int simplex_make(simplex_t *s, arena_t *a, int64_t n, int64_t m, int64_t room, const stop_t *stop) {
    const int64_t nodes = n + m;
    *s = (simplex_t){
        .n = n,
        .m = m,
        .nodes = nodes,
        .place = arena_take(a, nodes, sizeof *s->place),
        .edge = arena_take(a, nodes, sizeof *s->edge),
        .room = room,
        .row = arena_take(a, room, sizeof *s->row),
        .column = arena_take(a, room, sizeof *s->column),
        .cost = arena_take(a, room, sizeof *s->cost),
        .until_look = PIVOTS_PER_LOOK,
        .arena = a,
        .stop = stop,
    };
    return tour_make(&s->tour, a, nodes);
}

/* False where there is no memory. */
static int simplex_add(simplex_t *s, int64_t row, int64_t column, double cost) {
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
    s->column[s->arcs] = (int32_t)(s->n + column);
    s->cost[s->arcs++] = cost;
    return 1;
}

/* ---- the tree ---- */

/* Heights from the costs of the tree alone, so that what pivots add up to rounds no further. */
static void renew_heights(simplex_t *s) {
    tour_t *t = &s->tour;
    double largest = 0.0;
    tour_pack(t);
    for (int64_t k = 0; k < t->steps; k++) {
        const int32_t node = t->node[t->order[k]];
        if (node >= 0) {
            const double cost = s->edge[node].cost, below = t->height[s->place[node].parent].raw;
            const double height = node < s->n ? below + cost : below - cost;
            t->height[node].raw = height;
            largest = fabs(height) > largest ? fabs(height) : largest;
        }
    }
    s->tolerance = DRIFT * largest;
}

/* The tree of nodes - 1 shipments that span it. Where one ships nothing its row must lie further from row 0 than its
 * column. False where there is no memory. */
static int simplex_plant(simplex_t *s, const shipment_t *shipments) {
    arena_t arena = {0};
    const int64_t count = s->nodes - 1;
    int64_t *begin = arena_take(&arena, s->nodes + 1, sizeof *begin),
            *next = arena_take(&arena, s->nodes, sizeof *next);
    int32_t *at = arena_take(&arena, 2 * count, sizeof *at), *walk = arena_take(&arena, s->nodes, sizeof *walk);
    if (arena.failed) {
        arena_free(&arena);
        return 0;
    }
    /* The shipments of a node stand at at[begin[node]] to at[begin[node + 1]], once each begin has been moved there. */
    for (int64_t k = 0; k < count; k++) {
        begin[shipments[k].row]++;
        begin[s->n + shipments[k].column]++;
    }
    for (int64_t node = 0, sum = 0; node <= s->nodes; node++) {
        sum += node < s->nodes ? begin[node] : 0;
        begin[node] = sum;
    }
    for (int64_t k = count - 1; k >= 0; k--) {
        at[--begin[shipments[k].row]] = (int32_t)k;
        at[--begin[s->n + shipments[k].column]] = (int32_t)k;
    }
    memcpy(next, begin, (size_t)s->nodes * sizeof *next);
    s->place[0] = (place_t){-1, 1};
    /* Depth first: down into a node, and up once all it is connected with has been seen. */
    int64_t depth = 0, steps = 0;
    walk[depth++] = 0;
    while (depth > 0) {
        const int32_t node = walk[depth - 1];
        if (next[node] == begin[node + 1]) {
            depth--;
            if (depth > 0) {
                s->tour.order[steps++] = s->tour.up[node];
                s->place[walk[depth - 1]].size += s->place[node].size;
            }
            continue;
        }
        const shipment_t *k = &shipments[at[next[node]++]];
        const int32_t other = node < s->n ? (int32_t)s->n + k->column : k->row;
        if (other != s->place[node].parent) {
            s->place[other] = (place_t){node, 1};
            s->edge[other] = (edge_t){k->flow, k->cost};
            s->tour.order[steps++] = s->tour.down[other];
            walk[depth++] = other;
        }
    }
    tour_lay(&s->tour);
    renew_heights(s);
    arena_free(&arena);
    return 1;
}

/* What the edge above a node, which is not the root, ships. */
static inline shipment_t shipment_above(const simplex_t *s, int32_t node) {
    const int32_t parent = s->place[node].parent;
    const int32_t row = node < s->n ? node : parent, column = node < s->n ? parent : node;
    return (shipment_t){row, column - (int32_t)s->n, s->edge[node].flow, s->edge[node].cost};
}

/* Duals of the rows and of the columns. */
static void simplex_duals(const simplex_t *s, double *u, double *v) {
    for (int32_t node = 0; node < s->nodes; node++) {
        if (node < s->n) {
            u[node] = tour_height(&s->tour, node);
        } else {
            v[node - s->n] = -tour_height(&s->tour, node);
        }
    }
}

/* ---- pivots ---- */

/* Where the cycle of an arc closes, and the edge that leaves it: of those that carry least against the cycle the last,
 * seen from the top, which keeps the tree strongly feasible. */
typedef struct {
    int32_t join, leaving; /* the edge above this node */
    int64_t flow;          /* what goes around */
    int on_column_side;    /* whether it lies above the arc's column, else above its row */
} cycle_t;

static inline cycle_t find_cycle(const simplex_t *s, int32_t row, int32_t column) {
    const place_t *place = s->place;
    int64_t row_flow = INT64_MAX, column_flow = INT64_MAX;
    int32_t row_leaving = -1, column_leaving = -1;
    while (row != column) {
        const int32_t row_size = place[row].size, column_size = place[column].size;
        if (row_size <= column_size) {
            if (row < s->n && s->edge[row].flow < row_flow) {
                row_flow = s->edge[row].flow;
                row_leaving = row;
            }
            row = place[row].parent;
        }
        if (column_size <= row_size) {
            if (column >= s->n && s->edge[column].flow <= column_flow) {
                column_flow = s->edge[column].flow;
                column_leaving = column;
            }
            column = place[column].parent;
        }
    }
    return column_flow <= row_flow ? (cycle_t){row, column_leaving, column_flow, 1}
                                   : (cycle_t){row, row_leaving, row_flow, 0};
}

static void send_around(simplex_t *s, int32_t row, int32_t column, const cycle_t *cycle) {
    for (int32_t node = row; node != cycle->join; node = s->place[node].parent) {
        s->edge[node].flow += node < s->n ? -cycle->flow : cycle->flow;
    }
    for (int32_t node = column; node != cycle->join; node = s->place[node].parent) {
        s->edge[node].flow += node < s->n ? cycle->flow : -cycle->flow;
    }
}

/* Hang what lies below the leaving edge from `above` by its node `top`, turning the edges between, and lift it. */
static void hang(simplex_t *s, int32_t top, int32_t above, const cycle_t *cycle, double cost, double lift) {
    const int32_t leaving = cycle->leaving, total = s->place[leaving].size;
    for (int32_t node = s->place[leaving].parent; node != cycle->join; node = s->place[node].parent) {
        s->place[node].size -= total;
    }
    for (int32_t node = above; node != cycle->join; node = s->place[node].parent) {
        s->place[node].size += total;
    }
    tour_move(&s->tour, leaving, top, above, lift);
    const steps_t given = tour_steps(&s->tour, leaving);
    steps_t steps = given;
    int64_t flow = cycle->flow;
    int32_t below = 0, parent = above;
    for (int32_t node = top;;) {
        const place_t place = s->place[node];
        const edge_t edge = s->edge[node];
        const steps_t old = tour_steps(&s->tour, node);
        s->place[node] = (place_t){parent, total - below};
        s->edge[node] = (edge_t){flow, cost};
        tour_give(&s->tour, node, steps);
        if (node == leaving) {
            return;
        }
        below = place.size;
        parent = node;
        flow = edge.flow;
        cost = edge.cost;
        /* The way down to a node is the way up from what was its parent. */
        steps = (steps_t){old.up, old.down};
        node = place.parent;
    }
}

static void pivot(simplex_t *s, int64_t arc, double reduced) {
    const int32_t row = s->row[arc], column = s->column[arc];
    const cycle_t cycle = find_cycle(s, row, column);
    if (cycle.flow > 0) {
        send_around(s, row, column, &cycle);
    }
    const int32_t top = cycle.on_column_side ? column : row, above = cycle.on_column_side ? row : column;
    if (tour_is_ragged(&s->tour)) {
        renew_heights(s);
    }
    hang(s, top, above, &cycle, s->cost[arc], top < s->n ? reduced : -reduced);
    s->pivots++;
}

/* Pivot until no known arc would lower the cost. */
static outcome_t simplex_run(simplex_t *s) {
    const tour_t *t = &s->tour;
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
                const double reduced = s->cost[at] - tour_height(t, s->row[at]) + tour_height(t, s->column[at]);
                if (reduced < least) {
                    least = reduced;
                    best = at;
                }
            }
            at = at == s->arcs ? 0 : at;
        }
        fruitless = best < 0 ? fruitless + looked : 0;
        s->until_look -= 1 + looked / ARCS_PER_PIVOT;
        if (best >= 0) {
            pivot(s, best, least);
        }
        if (s->until_look <= 0) {
            s->until_look = PIVOTS_PER_LOOK;
            const outcome_t outcome = stopped(s->stop);
            if (outcome != SOLVED) {
                return outcome;
            }
        }
    }
    s->next_arc = at;
    renew_heights(s);
    return SOLVED;
}

#endif
