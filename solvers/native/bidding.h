/* Phases of the forward auction with epsilon-scaling on a market (D. P. Bertsekas, Annals of Operations Research 14
 * (1988)). What it is run for is its prices: the matching is optimal to within epsilon a row only, and made exact
 * later.
 *
 * Why a phase ends. Each bid raises a price by at least epsilon, or by a unit in its last place where that is more. A
 * row bids only where it holds nothing, and a column that was once bid for stays held until the phase is over, so a
 * phase is over once every column has been bid for. A column that nobody bids for keeps its price, hence no price gets
 * further above the lowest than the longest alternating path of costs: bids are bounded by n times that over epsilon.
 * That bound is far beyond what anybody would wait for; a budget of bids ends the phase long before, and the exact end
 * takes the prices as they are.
 */
#ifndef LAPMARK_BIDDING_H
#define LAPMARK_BIDDING_H

#include "market.h"

/* The lowest column of the heap at its price of today; the heap may know an earlier, lower one. */
static inline heap_entry_t cheapest_rising(market_t *k) {
    heap_entry_t first = k->rising.entries[0];
    while (k->price[first.item] > first.key) {
        heap_pop(&k->rising);
        heap_push(&k->rising, k->price[first.item], first.item);
        first = k->rising.entries[0];
    }
    return first;
}

static inline void release(market_t *k, int64_t i) {
    k->owner[k->held[i]] = -1;
    k->held[i] = -1;
}

/* The spare class takes the cheapest column that it does not hold. Its level follows the next cheapest: that is what
 * the last of its rows would bid; a free column at the level or below is taken without. Returns the row that it drove
 * out, -1 where none. */
static int64_t spare_bid(market_t *k, double epsilon) {
    const heap_entry_t taken = cheapest_rising(k);
    heap_pop(&k->rising);
    const int32_t loser = k->owner[taken.item];
    if (loser >= 0 || taken.key > k->level) {
        const double next = k->rising.count > 0 ? cheapest_rising(k).key : taken.key;
        const double bid = (next > taken.key ? next : taken.key) + epsilon;
        k->level = bid > k->level ? bid : k->level;
    }
    if (loser >= 0) {
        release(k, loser);
    }
    k->owner[taken.item] = (int32_t)k->n;
    k->price[taken.item] = k->level;
    return loser;
}

/* The spare class starts a phase with the cheapest columns, all at the price of the dearest of them. */
static void spare_start(market_t *k, double epsilon) {
    for (int64_t j = 0; j < k->m; j++) {
        k->owner[j] = k->owner[j] == k->n ? -1 : k->owner[j];
        /* A column that a row holds is left to it for less than epsilon. */
        const double value = k->price[j] + (k->owner[j] < 0 ? 0.0 : epsilon);
        k->offers[j] = (offer_t){value, 0.0, (int32_t)j};
    }
    offers_select(k->offers, k->m, k->spare - 1);
    k->level = -INFINITY;
    for (int64_t s = 0; s < k->spare; s++) {
        const double price = k->price[k->offers[s].column];
        k->level = price > k->level ? price : k->level;
    }
    k->rising.count = 0;
    for (int64_t s = 0; s < k->m; s++) {
        const int32_t j = k->offers[s].column;
        if (s >= k->spare) {
            heap_push(&k->rising, k->price[j], j);
            continue;
        }
        if (k->owner[j] >= 0) {
            release(k, k->owner[j]);
        }
        k->owner[j] = (int32_t)k->n;
        k->price[j] = k->level;
    }
}

/* Held columns rise with the level of their class, and so does any other that is below it by rounding or epsilon: then
 * the class holds what is cheapest exactly. */
static void spare_settle(market_t *k) {
    for (int64_t j = 0; j < k->m; j++) {
        k->price[j] = k->price[j] < k->level ? k->level : k->price[j];
    }
}

/* How a phase ended: all rows hold a column; or bids ran out, with few rows left or with many; or a row has no column.
 */
typedef enum { PHASE_DONE = 0, PHASE_FEW_LEFT, PHASE_TOO_LONG, PHASE_GAVE_UP } phase_end_t;

/* Few are one row in so many: between regions whose prices are off against each other, one row can take most bids. */
enum { ROWS_PER_LEFT = 1024 };

/* Whether what a phase has left over is for the exact end. */
static inline int is_nearly_done(phase_end_t end) { return end == PHASE_DONE || end == PHASE_FEW_LEFT; }

/* One phase: rows that hold no column within epsilon of their best bid until all hold one. With an epsilon of 0, as in
 * the row reduction of Jonker and Volgenant, every pair that is held is the cheapest of its row, but rows that tie for
 * a column stay free. */
static outcome_t bid_phase(market_t *k, double epsilon, int64_t bids, phase_end_t *end) {
    const int64_t n = k->n;
    int64_t oldest = 0, waiting = 0;
#define ENQUEUE(row) (k->queue[(oldest + waiting++) % n] = (int32_t)(row))
    *end = PHASE_DONE;
    k->counters->phases++;
    prices_rose(k);
    if (k->spare > 0) {
        spare_start(k, epsilon);
    }
    for (int64_t i = 0; i < n; i++) {
        const int32_t j = k->held[i];
        if (j >= 0) {
            const choice_t c = best_of_list(k, i);
            const double least = c.first < k->beyond[i] ? c.first : k->beyond[i];
            if (k->price[j] + k->held_cost[i] <= least + epsilon) {
                continue;
            }
            release(k, i);
        }
        ENQUEUE(i);
    }
    const int64_t last_bid = k->counters->bids + bids;
    int32_t aside[ASIDE];
    int64_t aside_count = 0, renewed = -1;
    const int together = shares_looks(k);
    while (waiting + aside_count > 0) {
        const int64_t scans = k->counters->row_scans;
        if (aside_count > 0 && (waiting == 0 || aside_count == ASIDE)) {
            /* They go on before all others, in the order in which they came. */
            list_rows(k, aside, aside_count);
            renewed = aside[0];
            for (; aside_count > 0; waiting++) {
                aside_count--;
                oldest += k->newest_first ? 0 : n - 1;
                k->queue[(oldest + (k->newest_first ? waiting : 0)) % n] = aside[aside_count];
            }
        }
        const int64_t at = k->newest_first ? oldest + waiting - 1 : oldest++;
        waiting--;
        const int64_t i = k->queue[at % n];
        choice_t c = best_of_list(k, i);
        if (c.first > k->beyond[i] && together && i != renewed) {
            aside[aside_count++] = (int32_t)i;
            continue;
        }
        c = look_beyond(k, i, c);
        renewed = -1;
        if (c.slot < 0) {
            *end = PHASE_GAVE_UP;
            break;
        }
        if (k->counters->bids >= last_bid) {
            *end = waiting < n / ROWS_PER_LEFT ? PHASE_FEW_LEFT : PHASE_TOO_LONG;
            break;
        }
        const int32_t j = k->column[c.slot], loser = k->owner[j];
        if (loser == n && k->price[j] < k->level) {
            k->price[j] = k->level;
            ENQUEUE(i);
            continue;
        }
        /* A row without a second column offers what no row with one could outbid. */
        const double second = c.second < k->beyond[i] ? c.second : k->beyond[i];
        const double lead = second - c.first < 2.0 * k->largest ? second - c.first : 2.0 * k->largest;
        double raised = k->price[j] + (lead + epsilon);
        if (!(raised > k->price[j])) {
            if (epsilon > 0.0) {
                raised = nextafter(k->price[j], INFINITY);
            } else if (loser >= 0) {
                continue; /* without an epsilon there is nothing to outbid an equal with: the row stays free */
            }
        }
        k->counters->bids++;
        k->price[j] = raised;
        k->owner[j] = (int32_t)i;
        k->held[i] = j;
        k->held_cost[i] = k->cost[c.slot];
        int64_t driven_out = loser;
        if (loser == n) {
            heap_push(&k->rising, raised, j);
            driven_out = spare_bid(k, epsilon);
        } else if (loser >= 0) {
            k->held[loser] = -1;
        }
        if (driven_out >= 0) {
            ENQUEUE(driven_out);
        }
        if (k->counters->bids % BIDS_PER_REFRESH == 0) {
            prices_rose(k);
        }
        const outcome_t outcome = market_look(k, 1, k->counters->row_scans - scans);
        if (outcome != SOLVED) {
            return outcome;
        }
    }
#undef ENQUEUE
    if (k->spare > 0) {
        spare_settle(k);
    }
    return SOLVED;
}

/* The row reduction of Jonker and Volgenant from prices that are all 0, before any other phase: a column that nobody
 * wants stays at 0, so that spare rows would only hold what is free already. */
static inline outcome_t reduce_rows(market_t *k, int64_t bids, phase_end_t *end) {
    const int64_t spare = k->spare;
    k->spare = 0;
    const outcome_t outcome = bid_phase(k, 0.0, bids, end);
    k->spare = spare;
    return outcome;
}

#endif
