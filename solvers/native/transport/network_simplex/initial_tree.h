/* Initial tree of the network simplex: shipments along pairs that close no cycle, completed to a spanning tree. */
#pragma once

#include "transport/network_simplex/network_simplex.h"
#include "transport/network_simplex/pair_costs.h"

typedef struct {
    pair_costs_t costs;
    int64_t n, m;
    int32_t *leader;       /* (n + m) see union_find.h */
    int32_t *column;       /* (n) a column that the row is connected with */
    shipment_t *shipments; /* (n + m) */
    int64_t count;
} initial_tree_t;

#define initial_tree_init ISA_NAME(initial_tree_init)
#define initial_tree_connect ISA_NAME(initial_tree_connect)
#define initial_tree_ship ISA_NAME(initial_tree_ship)
#define initial_tree_north_west_corner ISA_NAME(initial_tree_north_west_corner)
#define initial_tree_finish ISA_NAME(initial_tree_finish)

int initial_tree_init(initial_tree_t *f, arena_t *a, pair_costs_t costs, int64_t n, int64_t m);

/* Connect a row and a column that are not connected yet, by an edge that carries `flow`. */
void initial_tree_connect(initial_tree_t *f, int64_t row, int64_t column, mass_t flow);

/* Ship from a row to a column as much as supply and demand allow; this uses up one of them, so no cycle closes. */
void initial_tree_ship(initial_tree_t *f, mass_t *supply, mass_t *demand, int64_t row, int64_t column);

/* Ship all that is left, in order: the north-west corner rule. */
void initial_tree_north_west_corner(initial_tree_t *f, mass_t *supply, mass_t *demand);

/* Complete the forest, in which every row ships something, by edges that carry nothing, and start the simplex from it.
 * False without memory. */
int initial_tree_finish(initial_tree_t *f, simplex_t *s);
