/* Search from the cells with excess along open arcs, breadth first and on 64 cells at a time; and the lift of the cells
 * that it reaches. */
#pragma once

#include "transport/grid/grid_level.h"

/* Sets of cells are arrays of `words`, one bit for each cell. */
typedef struct {
    grid_level_t *level;
    uint64_t *sources, *sinks; /* cells with mass to ship, and to receive */
    uint64_t *reached;
    int32_t *depth; /* (count) number of arcs from a source to a reached cell */
    int32_t *hits;  /* (count) the sinks reached, nearest first */
    int64_t hit_count;
    /* Scratch, with `margin` words of 0 on either side. */
    uint64_t *front, *next, *leaving;
    int64_t margin, until_check;
    const stop_t *stop;
} grid_search_t;

#define grid_search_init ISA_NAME(grid_search_init)
#define grid_search_run ISA_NAME(grid_search_run)
#define grid_search_lift ISA_NAME(grid_search_lift)

int grid_search_init(grid_search_t *s, grid_level_t *level, const stop_t *stop);

/* Reach all cells that excess can be sent to. */
outcome_t grid_search_run(grid_search_t *s);

/* Lift the cells reached, if no sink is among them, until an arc out of them opens. */
void grid_search_lift(grid_search_t *s);
