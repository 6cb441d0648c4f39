/* The spanning tree of a network simplex between rows and columns: what its edges carry, the cycle that an arc closes
 * in it, and the edge that leaves.
 *
 * Masses are whole numbers, so that ties are exact and trees stay strongly feasible: an edge of the tree that carries
 * nothing leads from a row up to its parent. Then no sequence of pivots comes back to a tree it has left, and the
 * simplex ends (W. H. Cunningham, "A network simplex method", Math. Programming 11 (1976)).
 *
 * Nodes 0 to n - 1 are the rows, n to nodes - 1 the columns. The height of a row is its dual u, that of a column -v, so
 * that along an edge of the tree heights differ by its cost. How heights are kept is a matter of the tree's size, and
 * of whoever uses it.
 */
#ifndef LAPMARK_TREE_H
#define LAPMARK_TREE_H

#include "masses.h"

#include <stdint.h>
#include <string.h>

/* What costs are at most when they are checked. One that has come to be anything else counts as such a large one: so
 * sums along a tree are numbers, with which the simplex ends. */
static const double LARGEST_COST = 1e300;

static inline double as_cost(double cost) {
    const double most = cost < LARGEST_COST ? cost : LARGEST_COST; /* which NaN becomes, too */
    return most > -LARGEST_COST ? most : -LARGEST_COST;
}

/* Where a node is in the tree; the root is node 0. */
typedef struct {
    int32_t parent;
    int32_t size; /* nodes below it, itself included */
} place_t;

/* The edge from a node to its parent. */
typedef struct {
    mass_t flow;
    double cost;
} edge_t;

/* What a tree is built from. */
typedef struct {
    int32_t row, column;
    mass_t flow;
    double cost;
} shipment_t;

typedef struct {
    int64_t n, nodes;
    place_t *place; /* (nodes) */
    edge_t *edge;   /* (nodes) */
} tree_t;

/* Reduced costs down to minus this part of the largest height count as 0: that is what rounding makes of them. */
static const double DRIFT = 4e-15;

/* That where heights have come to be up to `largest`, by a sum or by a lift; `least` otherwise. */
static inline double tolerance_of(double largest, double least) {
    return DRIFT * largest > least ? DRIFT * largest : least;
}

/* What tree_plant works in, in int32_t. */
static inline int64_t plant_room(int64_t nodes) { return 4 * nodes; }

/* The tree of nodes - 1 shipments that span it. Where one ships nothing its row must lie further from row 0 than its
 * column. `walk` (2 nodes - 2) is set to each node as it is come to, depth first, and to its complement when it is
 * left. */
static void tree_plant(tree_t *t, const shipment_t *shipments, int32_t *room, int32_t *walk) {
    const int32_t count = (int32_t)t->nodes - 1, n = (int32_t)t->n;
    /* The shipments of a node stand at at[begin[node]] to at[begin[node + 1]], once each begin has been moved there. */
    int32_t *begin = room, *next = begin + t->nodes + 1, *at = next + t->nodes;
    memset(begin, 0, (size_t)(t->nodes + 1) * sizeof *begin);
    for (int32_t k = 0; k < count; k++) {
        begin[shipments[k].row]++;
        begin[n + shipments[k].column]++;
    }
    for (int32_t node = 0, sum = 0; node <= t->nodes; node++) {
        sum += begin[node];
        begin[node] = sum;
    }
    for (int32_t k = count - 1; k >= 0; k--) {
        at[--begin[shipments[k].row]] = k;
        at[--begin[n + shipments[k].column]] = k;
    }
    memcpy(next, begin, (size_t)t->nodes * sizeof *next);
    t->place[0] = (place_t){-1, 1};
    /* Down into a node, and up once all it is connected with has been seen. */
    for (int32_t node = 0, steps = 0; steps < 2 * count;) {
        if (next[node] == begin[node + 1]) {
            const int32_t parent = t->place[node].parent;
            walk[steps++] = ~node;
            t->place[parent].size += t->place[node].size;
            node = parent;
            continue;
        }
        const shipment_t *k = &shipments[at[next[node]++]];
        const int32_t other = node < n ? n + k->column : k->row;
        if (other != t->place[node].parent) {
            t->place[other] = (place_t){node, 1};
            t->edge[other] = (edge_t){k->flow, k->cost};
            walk[steps++] = other;
            node = other;
        }
    }
}

/* What the edge above a node, which is not the root, ships. */
static inline shipment_t shipment_above(const tree_t *t, int32_t node) {
    const int32_t parent = t->place[node].parent;
    const int32_t row = node < t->n ? node : parent, column = node < t->n ? parent : node;
    return (shipment_t){row, column - (int32_t)t->n, t->edge[node].flow, t->edge[node].cost};
}

/* Where the cycle of an arc closes, and the edge that leaves it: of those that carry least against the cycle the last,
 * seen from the top, which keeps the tree strongly feasible. */
typedef struct {
    int32_t join, leaving; /* the edge above this node */
    mass_t flow;           /* what goes around */
    int on_column_side;    /* whether it lies above the arc's column, else above its row */
} cycle_t;

static inline cycle_t find_cycle(const tree_t *t, int32_t row, int32_t column) {
    const place_t *place = t->place;
    mass_t row_flow = MASS_MAX, column_flow = MASS_MAX;
    int32_t row_leaving = -1, column_leaving = -1;
    while (row != column) {
        const int32_t row_size = place[row].size, column_size = place[column].size;
        if (row_size <= column_size) {
            if (row < t->n && t->edge[row].flow < row_flow) {
                row_flow = t->edge[row].flow;
                row_leaving = row;
            }
            row = place[row].parent;
        }
        if (column_size <= row_size) {
            if (column >= t->n && t->edge[column].flow <= column_flow) {
                column_flow = t->edge[column].flow;
                column_leaving = column;
            }
            column = place[column].parent;
        }
    }
    return column_flow <= row_flow ? (cycle_t){row, column_leaving, column_flow, 1}
                                   : (cycle_t){row, row_leaving, row_flow, 0};
}

static inline void send_around(tree_t *t, int32_t row, int32_t column, const cycle_t *cycle) {
    for (int32_t node = row; node != cycle->join; node = t->place[node].parent) {
        t->edge[node].flow += node < t->n ? -cycle->flow : cycle->flow;
    }
    for (int32_t node = column; node != cycle->join; node = t->place[node].parent) {
        t->edge[node].flow += node < t->n ? cycle->flow : -cycle->flow;
    }
}

/* Count what lies below the leaving edge above `above` instead, up to where the cycle closes. */
static inline void carry_over(tree_t *t, int32_t above, const cycle_t *cycle) {
    const int32_t total = t->place[cycle->leaving].size;
    for (int32_t node = t->place[cycle->leaving].parent; node != cycle->join; node = t->place[node].parent) {
        t->place[node].size -= total;
    }
    for (int32_t node = above; node != cycle->join; node = t->place[node].parent) {
        t->place[node].size += total;
    }
}

#endif
