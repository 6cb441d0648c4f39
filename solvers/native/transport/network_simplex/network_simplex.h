/* Network simplex on a bipartite graph of which only some arcs are known: rows ship to columns, a spanning tree carries
 * the flow, and an arc that would lower the cost replaces an edge of the cycle that it closes. */
#pragma once

#include "core/double_double.h"
#include "core/outcome.h"
#include "transport/network_simplex/euler_tour.h"
#include "transport/network_simplex/spanning_tree.h"

typedef struct {
    tree_t tree;
    euler_tour_t tour;

    int64_t arcs, room, most;
    int32_t *row, *column; /* (room) of each arc; the column as a node */
    double *cost;          /* (room) */
    int64_t next_arc;      /* where the search for an arc goes on */

    double tolerance; /* reduced costs down to minus this count as 0 */
    /* Base heights, which all others are relative to, or NULL, and the least tolerance then; see
     * iterative_refinement.h. */
    dd_t *base; /* (nodes) */
    double least_tolerance;
    int64_t pivots, until_check;
    arena_t *arena;
    const stop_t *stop;
} simplex_t;

#define simplex_init ISA_NAME(simplex_init)
#define simplex_add_arc ISA_NAME(simplex_add_arc)
#define simplex_build_tree ISA_NAME(simplex_build_tree)
#define simplex_recompute_heights ISA_NAME(simplex_recompute_heights)
#define simplex_duals ISA_NAME(simplex_duals)
#define simplex_plan ISA_NAME(simplex_plan)
#define simplex_run ISA_NAME(simplex_run)

int simplex_init(simplex_t *s, arena_t *a, int64_t n, int64_t m, int64_t room, const stop_t *stop);

/* Add an arc. False without memory. */
int simplex_add_arc(simplex_t *s, int64_t row, int64_t column, double cost);

/* Start from the tree of these shipments, as tree_build takes them. False without memory. */
int simplex_build_tree(simplex_t *s, const shipment_t *shipments);

/* Compute heights from the costs of the tree alone, which drops the rounding errors of pivots. */
void simplex_recompute_heights(simplex_t *s);

/* Pivot until no known arc would lower the cost. */
outcome_t simplex_run(simplex_t *s);

/* Write the duals of rows and columns. */
void simplex_duals(const simplex_t *s, double *u, double *v);

/* Write what the edges of the tree ship. */
void simplex_plan(const simplex_t *s, int32_t *rows, int32_t *columns, mass_t *shipped);
