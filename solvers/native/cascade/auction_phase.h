/* One phase of the forward auction with epsilon scaling, on candidate lists. */
#pragma once

#include "cascade/auction_state.h"

/* How a phase ended: all rows hold a column; or bids ran out with few rows left, or with many; or a row allows no
 * column. */
typedef enum { PHASE_DONE = 0, PHASE_FEW_LEFT, PHASE_TOO_LONG, PHASE_GAVE_UP } phase_end_t;

/* Whether the rows that a phase has left over can be left to the shortest paths. */
static inline int phase_is_nearly_done(phase_end_t end) { return end == PHASE_DONE || end == PHASE_FEW_LEFT; }

#define auction_run_phase ISA_NAME(auction_run_phase)
#define auction_reduce_rows ISA_NAME(auction_reduce_rows)

/* Let the rows that hold no column within epsilon of their best one bid until all hold one, or until `bids` are spent.
 * With an epsilon of 0, as in the row reduction of Jonker and Volgenant, every pair that is held is the cheapest of its
 * row, but rows that tie for a column stay free. */
outcome_t auction_run_phase(auction_t *k, double epsilon, int64_t bids, phase_end_t *end);

/* The row reduction of Jonker and Volgenant, from prices that are all 0 and before any other phase. A column that no
 * row wants stays at price 0, so the spare rows need not bid. */
outcome_t auction_reduce_rows(auction_t *k, int64_t bids, phase_end_t *end);
