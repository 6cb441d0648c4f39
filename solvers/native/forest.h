/* Masses shipped between some pairs so far, none of which close a cycle: what a tree of the simplex grows from.
 *
 * A source includes this after it has defined `ground_t`, which knows what pairs cost, and
 *
 *     static double cost_at(const ground_t *ground, int64_t row, int64_t column);
 */
#ifndef LAPMARK_FOREST_H
#define LAPMARK_FOREST_H

#include "simplex.h"

typedef struct {
    const ground_t *ground;
    int64_t n, m;
    int32_t *leader;       /* (n + m) of a node's component, or a step on the way to it */
    int32_t *column;       /* (n) one that the row is connected with */
    shipment_t *shipments; /* (n + m) */
    int64_t count;
} forest_t;

static int forest_make(forest_t *f, arena_t *a, const ground_t *ground, int64_t n, int64_t m) {
    *f = (forest_t){
        .ground = ground,
        .n = n,
        .m = m,
        .leader = arena_take(a, n + m, sizeof *f->leader),
        .column = arena_take(a, n, sizeof *f->column),
        .shipments = arena_take(a, n + m, sizeof *f->shipments),
    };
    for (int32_t node = 0; node < n + m && !a->failed; node++) {
        f->leader[node] = node;
    }
    return !a->failed;
}

static inline int32_t component(forest_t *f, int32_t node) {
    while (f->leader[node] != node) {
        node = f->leader[node] = f->leader[f->leader[node]];
    }
    return node;
}

/* Connect a row and a column that were not yet, by an edge that carries so much. */
static void connect(forest_t *f, int64_t row, int64_t column, mass_t flow) {
    f->shipments[f->count++] = (shipment_t){(int32_t)row, (int32_t)column, flow, cost_at(f->ground, row, column)};
    f->leader[component(f, (int32_t)row)] = component(f, (int32_t)(f->n + column));
    f->column[row] = (int32_t)column;
}

/* Ship what one has and the other lacks; that uses up one of the two, so no cycle closes. */
static void ship(forest_t *f, mass_t *supply, mass_t *demand, int64_t row, int64_t column) {
    const mass_t flow = *supply < *demand ? *supply : *demand;
    if (flow > 0) {
        *supply -= flow;
        *demand -= flow;
        connect(f, row, column, flow);
    }
}

/* Ship all that is left, in order: the north-west corner rule. */
static void ship_in_order(forest_t *f, mass_t *supply, mass_t *demand) {
    for (int64_t i = 0, j = 0; i < f->n; i++) {
        while (supply[i] > 0) {
            if (demand[j] == 0) {
                j++;
            } else {
                ship(f, &supply[i], &demand[j], i, j);
            }
        }
    }
}

/* Edges that carry nothing make the forest, in which every row ships something, the tree of the simplex. A row that is
 * not connected with row 0 is hung to a column that the row before it is, which by then is. */
static int plant(forest_t *f, simplex_t *s) {
    for (int64_t i = 1; i < f->n; i++) {
        if (component(f, (int32_t)i) != component(f, 0)) {
            connect(f, i, f->column[i - 1], 0);
        }
    }
    return simplex_plant(s, f->shipments);
}

#endif
