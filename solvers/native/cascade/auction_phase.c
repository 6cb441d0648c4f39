/* Phases of the forward auction with epsilon scaling (D. P. Bertsekas, Annals of Operations Research 14 (1988)). They
 * are run for their prices: the matching is optimal to within epsilon per row only, and is made exact later.
 *
 * Why a phase ends. Each bid raises a price by at least epsilon, or by a unit in its last place if that is more. A row
 * bids only if it holds nothing, and a column that has been bid for stays held until the phase ends, so a phase is over
 * once every column has been bid for. A column that nobody bids for keeps its price, so no price rises further above
 * the lowest than the longest alternating path of costs: bids are bounded by n times that over epsilon. That bound is
 * far too large in practice; a budget of bids ends the phase long before, and the exact search takes the prices as they
 * are.
 */
#include "cascade/auction_phase.h"

/* Rows that are put aside until they are scanned together. */
enum { ASIDE = 16 };

/* Few rows are left if at most one in so many is: where the prices of two regions do not fit each other, one row can
 * take most bids. */
enum { ROWS_PER_LEFT = 1024 };

/* The cheapest column of the heap at its present price; the heap may know an earlier, lower one. */
static inline heap_entry_t cheapest_rising(auction_t *k) {
    heap_entry_t first = k->rising.entries[0];
    while (k->price[first.item] > first.key) {
        heap_pop(&k->rising);
        heap_push(&k->rising, k->price[first.item], first.item);
        first = k->rising.entries[0];
    }
    return first;
}

static inline void release(auction_t *k, int64_t i) {
    k->owner[k->held[i]] = -1;
    k->held[i] = -1;
}

/* The spare class takes the cheapest column that it does not hold. Its level rises to the next cheapest price plus
 * epsilon, which is what the last of its rows would bid; a free column at or below the level is taken without a bid.
 * Returns the row that lost its column, or -1. */
static int64_t spare_bid(auction_t *k, double epsilon) {
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
static void spare_start(auction_t *k, double epsilon) {
    for (int64_t j = 0; j < k->m; j++) {
        k->owner[j] = k->owner[j] == k->n ? -1 : k->owner[j];
        /* A column that a row holds is left to it for less than epsilon. */
        const double value = k->price[j] + (k->owner[j] < 0 ? 0.0 : epsilon);
        k->candidates[j] = (candidate_t){value, 0.0, (int32_t)j};
    }
    candidates_select(k->candidates, k->m, k->spare - 1);
    k->level = -INFINITY;
    for (int64_t s = 0; s < k->spare; s++) {
        const double price = k->price[k->candidates[s].column];
        k->level = price > k->level ? price : k->level;
    }
    k->rising.count = 0;
    for (int64_t s = 0; s < k->m; s++) {
        const int32_t j = k->candidates[s].column;
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

/* Raise to the level of the spare class the columns that it holds, and those below the level by rounding or epsilon:
 * then the class holds exactly what is cheapest. */
static void spare_settle(auction_t *k) {
    for (int64_t j = 0; j < k->m; j++) {
        k->price[j] = k->price[j] < k->level ? k->level : k->price[j];
    }
}

/* Rows that wait to bid, in a ring over k->queue, and rows that wait to be scanned together. */
typedef struct {
    int64_t oldest, waiting;
    int32_t aside[ASIDE];
    int64_t aside_count;
    int64_t renewed; /* the row whose list has just been filled, -1: none */
} bidders_t;

static inline void enqueue(auction_t *k, bidders_t *b, int64_t row) {
    k->queue[(b->oldest + b->waiting++) % k->n] = (int32_t)row;
}

/* Queue the rows that hold no column within epsilon of their best one. */
static void start_bidders(auction_t *k, bidders_t *b, double epsilon) {
    *b = (bidders_t){.renewed = -1};
    for (int64_t i = 0; i < k->n; i++) {
        const int32_t j = k->held[i];
        if (j >= 0) {
            const bid_choice_t c = auction_best_of_list(k, i);
            const double least = c.first < k->beyond[i] ? c.first : k->beyond[i];
            if (k->price[j] + k->held_cost[i] <= least + epsilon) {
                continue;
            }
            release(k, i);
        }
        enqueue(k, b, i);
    }
}

/* Scan the rows put aside; they bid before all others, in the order in which they came. */
static void list_aside(auction_t *k, bidders_t *b) {
    auction_list_rows(k, b->aside, b->aside_count);
    b->renewed = b->aside[0];
    for (; b->aside_count > 0; b->waiting++) {
        b->aside_count--;
        b->oldest += k->newest_first ? 0 : k->n - 1;
        k->queue[(b->oldest + (k->newest_first ? b->waiting : 0)) % k->n] = b->aside[b->aside_count];
    }
}

/* Row i takes column j, at `slot` of its list, at a raised price. Returns the row that lost its column, or -1. */
static inline int64_t take_column(auction_t *k, int64_t i, int64_t slot, double raised, double epsilon) {
    const int32_t j = k->column[slot], loser = k->owner[j];
    k->counters->bids++;
    k->price[j] = raised;
    k->owner[j] = (int32_t)i;
    k->held[i] = j;
    k->held_cost[i] = k->cost[slot];
    if (loser == k->n) {
        heap_push(&k->rising, raised, j);
        return spare_bid(k, epsilon);
    }
    if (loser >= 0) {
        k->held[loser] = -1;
    }
    return loser;
}

outcome_t auction_run_phase(auction_t *k, double epsilon, int64_t bids, phase_end_t *end) {
    const int64_t n = k->n;
    bidders_t b;
    *end = PHASE_DONE;
    k->counters->phases++;
    k->access->prices_rose(k);
    if (k->spare > 0) {
        spare_start(k, epsilon);
    }
    start_bidders(k, &b, epsilon);
    const int64_t last_bid = k->counters->bids + bids;
    const int together = auction_shares_scans(k);
    while (b.waiting + b.aside_count > 0) {
        const int64_t scans = k->counters->row_scans;
        if (b.aside_count > 0 && (b.waiting == 0 || b.aside_count == ASIDE)) {
            list_aside(k, &b);
        }
        const int64_t at = k->newest_first ? b.oldest + b.waiting - 1 : b.oldest++;
        b.waiting--;
        const int64_t i = k->queue[at % n];
        bid_choice_t c = auction_best_of_list(k, i);
        if (c.first > k->beyond[i] && together && i != b.renewed) {
            b.aside[b.aside_count++] = (int32_t)i;
            continue;
        }
        c = auction_look_beyond(k, i, c);
        b.renewed = -1;
        if (c.slot < 0) {
            *end = PHASE_GAVE_UP;
            break;
        }
        if (k->counters->bids >= last_bid) {
            *end = b.waiting < n / ROWS_PER_LEFT ? PHASE_FEW_LEFT : PHASE_TOO_LONG;
            break;
        }
        const int32_t j = k->column[c.slot];
        if (k->owner[j] == n && k->price[j] < k->level) {
            k->price[j] = k->level;
            enqueue(k, &b, i);
            continue;
        }
        /* A row without a second column bids more than any row that has one could. */
        const double second = c.second < k->beyond[i] ? c.second : k->beyond[i];
        const double lead = second - c.first < 2.0 * k->largest ? second - c.first : 2.0 * k->largest;
        double raised = k->price[j] + (lead + epsilon);
        if (!(raised > k->price[j])) {
            if (epsilon > 0.0) {
                raised = nextafter(k->price[j], INFINITY);
            } else if (k->owner[j] >= 0) {
                continue; /* without an epsilon an equal cannot be outbid: the row stays free */
            }
        }
        const int64_t loser = take_column(k, i, c.slot, raised, epsilon);
        if (loser >= 0) {
            enqueue(k, &b, loser);
        }
        if (k->counters->bids % BIDS_PER_REFRESH == 0) {
            k->access->prices_rose(k);
        }
        const outcome_t outcome = auction_count_work(k, 1, k->counters->row_scans - scans);
        if (outcome != SOLVED) {
            return outcome;
        }
    }
    if (k->spare > 0) {
        spare_settle(k);
    }
    return SOLVED;
}

outcome_t auction_reduce_rows(auction_t *k, int64_t bids, phase_end_t *end) {
    const int64_t spare = k->spare;
    k->spare = 0;
    const outcome_t outcome = auction_run_phase(k, 0.0, bids, end);
    k->spare = spare;
    return outcome;
}
