/* One level of resolution of a grid: its cells, their heights and masses, and the flow along its edges. */
#pragma once

#include "core/arena.h"
#include "core/variant_names.h"
#include "transport/grid/grid_flow.h"

enum { MOST_AXES = 31 }; /* with two bins or more, of at most 2^31 cells */

/* Direction 2k leads to the next cell along axis k, direction 2k + 1 back. An arc is open if flow may be sent along it
 * without raising the cost: if the heights fall by a step, or if the edge carries flow in the other direction. */
typedef struct {
    arena_t arena;
    int64_t count, words, axes;
    int64_t bins[MOST_AXES], stride[MOST_AXES], step[MOST_AXES];
    int64_t *height; /* (count) */
    mass_t *excess;  /* (count) mass to ship, below 0 to receive */
    mass_t *flow;    /* (axes, count) to the next cell along an axis; below 0 from it */
    uint64_t *open;  /* (2 axes, words) one bit for each cell: whether its arc in a direction is open */
} grid_level_t;

static inline int has_bit(const uint64_t *set, int64_t k) { return (int)(set[k >> 6] >> (k & 63) & 1); }
static inline void set_bit(uint64_t *set, int64_t k) { set[k >> 6] |= (uint64_t)1 << (k & 63); }
static inline void clear_bit(uint64_t *set, int64_t k) { set[k >> 6] &= ~((uint64_t)1 << (k & 63)); }

static inline uint64_t *arcs_open(const grid_level_t *l, int64_t direction) { return l->open + direction * l->words; }

static inline int64_t offset_of(const grid_level_t *l, int64_t direction) {
    return direction & 1 ? -l->stride[direction >> 1] : l->stride[direction >> 1];
}

/* The flow of an edge, at the cell where it starts. */
static inline mass_t *flow_of(const grid_level_t *l, int64_t cell, int64_t direction) {
    const int64_t axis = direction >> 1;
    return l->flow + axis * l->count + (direction & 1 ? cell - l->stride[axis] : cell);
}

#define grid_level_init ISA_NAME(grid_level_init)
#define grid_level_coarsen ISA_NAME(grid_level_coarsen)
#define grid_level_refine ISA_NAME(grid_level_refine)
#define grid_level_open_arcs ISA_NAME(grid_level_open_arcs)

/* Make a level with heights, masses and flow of 0; axes of one bin are left out. False without memory. */
int grid_level_init(grid_level_t *l, const grid_t *grid);

/* Make the level of half the resolution, each cell with the masses of up to 2^axes cells. False without memory. */
int grid_level_coarsen(const grid_level_t *fine, grid_level_t *coarse);

/* Interpolate the heights of a coarser level. False without memory. */
int grid_level_refine(const grid_level_t *coarse, grid_level_t *fine);

/* Find which arcs are open, without flow. */
void grid_level_open_arcs(grid_level_t *l);
