/* Decomposition of a flow along the edges of a grid into shipments from cells to cells. */
#pragma once

#include "transport/grid/grid_level.h"

#define flow_decompose ISA_NAME(flow_decompose)

/* Write the plan of the optimal flow of the finest level to t->rows, t->columns and t->shipped. */
outcome_t flow_decompose(grid_flow_t *t, const grid_level_t *l);
