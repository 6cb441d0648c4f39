/* Epsilon schedule of cascade's auction: how epsilon falls from phase to phase. Its unit is a row's spread, the rise of
 * value from its cheapest column to the end of its list. */
#pragma once

#include "cascade/auction_phase.h"

/* Rows whose spread, or whose structure, stands for that of all. */
enum { SAMPLE = 64 };

#define auction_typical_spread ISA_NAME(auction_typical_spread)
#define auction_scale_epsilon ISA_NAME(auction_scale_epsilon)

/* Return the median spread of some rows. It tells the other rows how far to look at first. */
double auction_typical_spread(auction_t *k);

/* Run phases from epsilon `start` down to `end_part` of the typical spread, which is known only once prices are right,
 * or to `least`. If bids run out in the first phase, epsilon grows until a phase gets through. A few rows that are left
 * over wait for the next phase. */
outcome_t auction_scale_epsilon(auction_t *k, double start, double end_part, double least);
