/* Exact transport between the cells of a regular grid at city block cost, as a minimum cost flow between neighbours.
 *
 * A shipment from one cell to another costs as much as a path of steps between them, so the cheapest plan is a cheapest
 * flow along the edges of the grid: n cells and d n edges instead of n^2 pairs (H. Ling, K. Okada, "An efficient earth
 * mover's distance algorithm for robust histogram comparison", IEEE TPAMI 29 (2007)). */
#pragma once

#include "core/outcome.h"
#include "transport/masses.h"

/* Number of bins along each axis, the last one contiguous, and the cost of a step, above 0. The largest cost, the sum
 * of step * (bins - 1), is at most GRID_LARGEST_COST. */
typedef struct {
    int64_t axes;
    const int64_t *bins, *step; /* (axes) */
} grid_t;

#define GRID_LARGEST_COST ((int64_t)1 << 58)

typedef struct {
    grid_t grid;
    int64_t count;                 /* number of cells, below 2^31 */
    const mass_t *supply, *demand; /* (count), of equal sums */
    int64_t *height;               /* (count) duals: heights of neighbours differ by at most a step, and by exactly one
                                    * where mass moves, downwards */
    /* The plan: `pairs` pairs of at most grid_flow_room(), which together ship all masses. */
    int32_t *rows, *columns;
    mass_t *shipped;
    int64_t pairs;
    int64_t searches, lifts, augmentations; /* work done */
    stop_t stop;
} grid_flow_t;

typedef outcome_t grid_flow_solver_t(grid_flow_t *t);

/* Capacity of the arrays of a plan: each cell, and each edge that carries flow, may divide a shipment. */
static inline int64_t grid_flow_room(int64_t axes, int64_t count) { return (axes + 3) * count; }
