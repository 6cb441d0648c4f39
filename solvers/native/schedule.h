/* How epsilon falls over the phases of an auction, in parts of a row's spread: the rise of value from its cheapest
 * column to the end of its list. */
#ifndef LAPMARK_SCHEDULE_H
#define LAPMARK_SCHEDULE_H

#include "bidding.h"
#include "ranked.h"

/* Bids a row that a phase may take: a first one that takes more starts from prices further off than it supposed, and
 * epsilon rises. Among many rows, to whom free columns are further away, a phase may take longer and it rises by less.
 */
enum { BIDS_RISING = 16, BIDS_RISING_MANY = 32, MANY_ROWS = 1 << 14, BIDS_EASY = 4, BIDS_FALLING = 60, SAMPLE = 64 };

static const double SCALING = 5.0, RISE = 5.0, RISE_MANY = 2.5;

/* The median over some rows, which tells the others how far to look at first. */
static double typical_spread(market_t *k) {
    double sample[SAMPLE];
    const int64_t count = k->n < SAMPLE ? k->n : SAMPLE;
    for (int64_t s = 0; s < count; s++) {
        const int64_t i = s * k->n / count;
        const double low = best_of_row(k, i).first;
        sample[s] = k->beyond[i] < INFINITY ? k->beyond[i] - low : k->largest;
    }
    qsort(sample, (size_t)count, sizeof *sample, ascending);
    const double spread = sample[count / 2];
    for (int64_t i = 0; i < k->n; i++) {
        k->spread[i] = k->spread[i] < 0.0 ? spread : k->spread[i];
    }
    return spread;
}

/* What the next level may expect of its prices: what this one found, or a little better where few bids showed none to
 * be off. */
static void note_headroom(market_t *k, double growth, int64_t bids) {
    const double eased = bids > BIDS_EASY * k->n ? k->headroom : k->headroom / SCALING;
    const double found = growth > 1.0 ? k->headroom * growth : eased;
    k->headroom = found > 1.0 ? found : 1.0;
}

/* Auction from epsilon `start` down to a part of the typical spread, which shows only as prices become right, or to
 * `least`. Where bids run out on the way up, epsilon grows until a phase gets through; few rows that are left over wait
 * for the next phase. */
static outcome_t auction_down(market_t *k, double start, double end_part, double least) {
    const int many = k->n >= MANY_ROWS;
    int falling = 0;
    const double first = start > least ? start : least;
    for (double epsilon = first;;) {
        phase_end_t how;
        const int64_t before = k->counters->bids;
        const int64_t most = falling ? BIDS_FALLING : (many ? BIDS_RISING_MANY : BIDS_RISING);
        const outcome_t outcome = bid_phase(k, epsilon, most * k->n, &how);
        if (outcome != SOLVED || how == PHASE_GAVE_UP || (how != PHASE_DONE && falling)) {
            return outcome;
        }
        if (how == PHASE_TOO_LONG && epsilon < k->largest) {
            epsilon *= many ? RISE_MANY : RISE;
            continue;
        }
        if (!falling) {
            note_headroom(k, epsilon / first, k->counters->bids - before);
        }
        falling = 1;
        double end = end_part * typical_spread(k);
        end = end > least ? end : least;
        if (epsilon <= 1.5 * end) {
            return SOLVED; /* or values are beyond all numbers, and epsilon would not fall any more */
        }
        epsilon = epsilon / SCALING > end ? epsilon / SCALING : end;
    }
}

#endif
