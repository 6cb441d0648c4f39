/* Spanning tree of a network simplex between rows and columns: the flow of its edges, the cycle that an arc closes in
 * it, and the edge that leaves.
 *
 * Masses are integers, so ties are exact and trees stay strongly feasible: an edge of the tree that carries nothing
 * leads from a row up to its parent. Then no sequence of pivots returns to an earlier tree, and the simplex ends (W. H.
 * Cunningham, "A network simplex method", Math. Programming 11 (1976)).
 *
 * Nodes 0 to n - 1 are the rows, n to nodes - 1 the columns. The height of a row is its dual u, that of a column is -v,
 * so along an edge of the tree heights differ by its cost. Where heights are stored depends on the size of the tree: in
 * an Euler tour, or in an array for histograms.
 */
#pragma once

#include "core/variant_names.h"
#include "transport/masses.h"

#include <stdint.h>
#include <string.h>

/* Magnitude limit of validated costs. A cost that another thread has changed counts as at most that, so sums along a
 * tree are finite and the simplex ends. */
static const double LARGEST_COST = 1e300;

static inline double as_cost(double cost) {
    const double most = cost < LARGEST_COST ? cost : LARGEST_COST; /* NaN becomes this, too */
    return most > -LARGEST_COST ? most : -LARGEST_COST;
}

/* Place of a node in the tree; the root is node 0. */
typedef struct {
    int32_t parent;
    int32_t size; /* number of nodes below it, itself included */
} place_t;

/* The edge from a node to its parent. */
typedef struct {
    mass_t flow;
    double cost;
} tree_edge_t;

/* An edge to build a tree from. */
typedef struct {
    int32_t row, column;
    mass_t flow;
    double cost;
} shipment_t;

typedef struct {
    int64_t n, nodes;
    place_t *place;    /* (nodes) */
    tree_edge_t *edge; /* (nodes) */
} tree_t;

/* Reduced costs down to minus this part of the largest height count as 0: their rounding error. */
static const double DRIFT = 4e-15;

/* The same for sums in double-double, and the most rounds of iterative refinement. */
static const double EXACT_DRIFT = 0x1p-92;
enum { MOST_REFINEMENTS = 16 };

/* The tolerance once heights reach `largest`, by a sum or a lift; at least `least`. */
static inline double tolerance_of(double largest, double least) {
    return DRIFT * largest > least ? DRIFT * largest : least;
}

/* int32_t that tree_build needs as scratch. */
static inline int64_t tree_build_room(int64_t nodes) { return 4 * nodes; }

#define tree_build ISA_NAME(tree_build)

/* Build the tree of nodes - 1 shipments that span it. If one ships nothing, its row must be further from row 0 than its
 * column. `walk` (2 nodes - 2) gets each node when it is reached, depth first, and its complement when it is left. */
void tree_build(tree_t *t, const shipment_t *shipments, int32_t *room, int32_t *walk);

/* Return the shipment on the edge above a node other than the root. */
static inline shipment_t shipment_above(const tree_t *t, int32_t node) {
    const int32_t parent = t->place[node].parent;
    const int32_t row = node < t->n ? node : parent, column = node < t->n ? parent : node;
    return (shipment_t){row, column - (int32_t)t->n, t->edge[node].flow, t->edge[node].cost};
}

/* Where the cycle of an arc closes, and its leaving edge: among those with the least flow against the cycle the last,
 * seen from the top, which keeps the tree strongly feasible. */
typedef struct {
    int32_t join, leaving; /* the leaving edge is above this node */
    mass_t flow;           /* amount sent around the cycle */
    int on_column_side;    /* whether the leaving edge is above the arc's column, else above its row */
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

/* Move the size of what lies below the leaving edge from its old ancestors to `above` and its ancestors, up to where
 * the cycle closes. */
static inline void carry_over(tree_t *t, int32_t above, const cycle_t *cycle) {
    const int32_t total = t->place[cycle->leaving].size;
    for (int32_t node = t->place[cycle->leaving].parent; node != cycle->join; node = t->place[node].parent) {
        t->place[node].size -= total;
    }
    for (int32_t node = above; node != cycle->join; node = t->place[node].parent) {
        t->place[node].size += total;
    }
}
