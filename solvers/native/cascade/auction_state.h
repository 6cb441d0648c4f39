/* State of cascade's auction: rows bid for columns, whose prices only ever rise.
 *
 * It is fast because a bid reads a short candidate list instead of a whole row. Beside each list stands a bound: every
 * column off the list costs the row at least `beyond` now and later, because prices only rise. A row whose cheapest
 * candidate costs more than that must scan the whole row again; otherwise its list decides exactly as the row would.
 *
 * Rectangular problems are made square by m - n spare rows that cost nothing. They are identical and treated as one
 * class, which holds all its columns at one price, `level`, and bids as one (D. P. Bertsekas, D. A. Castanon, "The
 * auction algorithm for the transportation problem", Annals of Operations Research 20 (1989)).
 */
#pragma once

#include "assignment/assignment.h"
#include "core/binary_heap.h"
#include "core/candidates.h"
#include "core/thread_pool.h"
#include "core/variant_names.h"
#include "simd/two_minima.h"

/* Work done and allowed. The unit of work is a bid from a list. */
typedef struct work_budget {
    int64_t done, most;                           /* at the last check; a search beyond `most` is SPENT */
    outcome_t (*on_spent)(struct work_budget *w); /* if not NULL, decides then whether to go on all the same */
} work_budget_t;

/* What a thread of the pool needs to scan rows on its own. */
typedef struct {
    candidate_t *candidates;
    double *lane_low; /* see dense_costs.inc.h */
    counters_t counters;
} worker_t;

typedef struct auction auction_t;

/* Access to the costs, which the solvers of matrices, points and sparse costs each implement. The first two functions
 * write candidates to k->candidates and return their number. A forbidden pair is never a candidate. */
typedef struct {
    /* Every column whose value, its cost to row i plus its price, is at most *beyond. The function chooses *beyond,
     * about `spread` above the smallest value (spread < 0: unknown yet); +inf says that these were all allowed columns.
     * The smallest value is always among them. */
    int64_t (*nearest)(auction_t *k, int64_t i, double spread, double *beyond);
    /* Every column whose value is at most `bound`. */
    int64_t (*within)(auction_t *k, int64_t i, double bound);
    /* Renew lower bounds that depend on prices: called when a phase starts, and now and then in it. */
    void (*prices_rose)(auction_t *k);
} cost_access_t;

struct auction {
    void *costs;
    const cost_access_t *access;
    int64_t n, m;
    int64_t spare;      /* m - n: rows of the class that costs nothing */
    double largest;     /* the most that two finite costs can differ by */
    double rounding;    /* relative error of a value whose cost is computed; 0 for given costs */
    double headroom;    /* error of the prices of the level above, relative to the expected one; 1 at first */
    ablation_t without; /* see assignment.h */
    int newest_first;   /* who bids next: the row that lost its column last, or first */
    double *price;      /* (m + WIDTH) those past m are +inf */
    int32_t *owner;     /* (m) row that holds each column, n for the spare class, -1 where free */
    int32_t *held;      /* (n) column that each row holds, -1 where none */
    double *held_cost;  /* (n) its cost, without the price */

    /* Candidate lists: slots begin[i] to begin[i + 1] belong to row i; an empty slot names column m. */
    int64_t *begin;          /* (n + 1) multiples of WIDTH */
    int32_t *column;         /* (slots) */
    double *cost;            /* (slots) */
    double *beyond;          /* (n) */
    double *spread;          /* (n) how far above the smallest value a row's list reached last time; < 0 at first */
    candidate_t *candidates; /* (m) answer of the last call of `access` */
    double *lane_low;        /* see dense_costs.inc.h */
    int64_t latest;          /* see point_costs.inc.h */

    double level;  /* price of the columns that the spare class holds */
    heap_t rising; /* all other columns by price, or by an earlier price */

    int32_t *queue; /* (n) */
    counters_t *counters;
    const stop_t *stop;
    int64_t until_check; /* work left until `stop` is checked */
    int64_t scan_work;   /* work of scanning a whole row */
    work_budget_t *work;
    thread_pool_t *pool; /* threads that scan rows; NULL: only the caller */
    worker_t *workers;   /* one per thread; the first, the caller's own, is unused */
    int64_t shared_from; /* number of rows from which on threads share the scans */
};

/* Work between two checks of `stop`; bids between two calls of `prices_rose`. */
enum { WORK_PER_CHECK = 4096, BIDS_PER_REFRESH = 1024 };

/* Edges in a search for a path that take as long as a bid from a list. */
enum { EDGES_PER_BID = 4 };

/* Whether rows are scanned by the whole pool. */
static inline int auction_shares_scans(const auction_t *k) {
    return k->pool && k->pool->parts > 1 && k->n >= k->shared_from && !k->without.lists;
}

/* Account for some bids and row scans, and check now and then whether to stop. */
static inline outcome_t auction_count_work(auction_t *k, int64_t bids, int64_t scans) {
    k->until_check -= bids + scans * k->scan_work;
    if (k->until_check > 0) {
        return SOLVED;
    }
    k->work->done += WORK_PER_CHECK - k->until_check;
    k->until_check = WORK_PER_CHECK;
    const outcome_t outcome = stopped(k->stop);
    if (outcome != SOLVED || k->work->done <= k->work->most) {
        return outcome;
    }
    return k->work->on_spent ? k->work->on_spent(k->work) : SPENT;
}

/* The same after one row of a matrix was scanned. */
static inline outcome_t auction_count_scan(auction_t *k) {
    k->counters->row_scans++;
    return auction_count_work(k, 0, 1);
}

/* The largest value that counts as equal to this one. */
static inline double auction_rounded_up(const auction_t *k, double value) { return value + k->rounding * fabs(value); }

/* The cheapest candidate of a row, and the value of the second cheapest. */
typedef struct {
    double first, second;
    int64_t slot; /* of the cheapest, the first one if tied; -1 if the list is empty */
} bid_choice_t;

static inline bid_choice_t auction_best_of_list(const auction_t *k, int64_t i) {
    const int64_t begin = k->begin[i], end = k->begin[i + 1];
    lane_minima_t minima = lane_minima_none();
    for (int64_t s = begin; s < end; s += WIDTH) {
        lane_minima_add(&minima, v4_add(v4_load(k->cost + s), v4_gather(k->price, k->column + s)));
    }
    const two_minima_t m = lane_minima_result(&minima);
    return (bid_choice_t){m.first, m.second, m.at < 0 ? -1 : begin + m.at};
}

#define auction_init ISA_NAME(auction_init)
#define auction_start_threads ISA_NAME(auction_start_threads)
#define auction_list_row ISA_NAME(auction_list_row)
#define auction_list_rows ISA_NAME(auction_list_rows)

/* Allocate all arrays, with lists of `slots` columns per row; with 0 slots the caller makes the lists. */
int auction_init(auction_t *k, arena_t *a, int64_t slots);

/* Start up to `threads` threads, to be stopped before the arena is freed. Each has room for so many candidates and, for
 * matrices, for the minima of so many lanes. */
int auction_start_threads(auction_t *k, arena_t *a, int64_t threads, int64_t candidates, int64_t lanes);

/* Fill the list of row i with its cheapest columns at present prices. */
void auction_list_row(auction_t *k, int64_t i);

/* Fill the lists of some rows, on all threads if that is worth the synchronisation. */
void auction_list_rows(auction_t *k, const int32_t *rows, int64_t count);

/* The cheapest column of row i, whose list gave c. */
static inline bid_choice_t auction_look_beyond(auction_t *k, int64_t i, bid_choice_t c) {
    if (c.first > k->beyond[i] || k->without.lists) {
        auction_list_row(k, i);
        return auction_best_of_list(k, i);
    }
    return c;
}

/* The cheapest column of row i; the row is scanned only if its list cannot tell. */
static inline bid_choice_t auction_best_of_row(auction_t *k, int64_t i) {
    return auction_look_beyond(k, i, auction_best_of_list(k, i));
}
