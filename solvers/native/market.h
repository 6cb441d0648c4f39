/* The market of an assignment problem: rows bid for columns, and prices of columns only ever rise.
 *
 * What makes it quick is that a bid looks at a short list of columns instead of a whole row. Beside each list stands a
 * bound: every column off the list costs the row at least `beyond`, now and for ever, because prices only rise. A row
 * whose cheapest listed column costs more than that must look at the whole row again; until then its list decides
 * exactly as the row would.
 *
 * A source includes this after it has defined `costs_t`, and defines what a market asks about costs:
 *
 *     static int64_t nearby(market_t *k, int64_t i, double spread, double *beyond);
 *     static int64_t within(market_t *k, int64_t i, double bound);
 *     static void prices_rose(market_t *k);
 *     static void sit_down(costs_t *c, const desk_t *desk);
 *
 * The first two write offers to k->offers and return how many. `nearby`: every column whose value, its cost to row i
 * plus its price, is at most *beyond, which it chooses, at about `spread` above the smallest value (spread < 0: not
 * known yet); *beyond = +inf says that these were all that are allowed, and the smallest value is always among them.
 * `within`: every column whose value is at most `bound`. A forbidden pair is never offered. `prices_rose` is called
 * when a phase begins and now and then in it, for bounds that are better renewed. `sit_down` makes a copy of the costs
 * one that a helper can look at by itself.
 *
 * Rectangular problems are made square by m - n spare rows that cost nothing. They are all alike and are treated as
 * one class: it holds its columns at one price, `level`, and bids as one (D. P. Bertsekas, D. A. Castanon, "The auction
 * algorithm for the transportation problem", Annals of Operations Research 20 (1989)).
 */
#ifndef LAPMARK_MARKET_H
#define LAPMARK_MARKET_H

#include "arena.h"
#include "crew.h"
#include "heap.h"
#include "lapmark.h"
#include "offers.h"
#include "vec.h"

/* What is done, and what may be. The unit of work is a bid from a list. */
typedef struct work {
    int64_t done, most;               /* as of the last look; beyond that a search is SPENT */
    outcome_t (*ask)(struct work *w); /* then, where this is not NULL, it is asked whether to go on all the same */
} work_t;

/* What one of a crew needs to look at rows by itself. */
typedef struct {
    offer_t *offers;
    double *low; /* see matrix.h */
    counters_t counters;
} desk_t;

/* A bid from a list takes as long as it takes to go along so many edges in the search for a path. */
enum { EDGES_PER_BID = 4 };

typedef struct {
    costs_t *costs;
    int64_t n, m;
    int64_t spare;     /* m - n: rows of the class that costs nothing */
    double largest;    /* by how much two finite costs can differ */
    double rounding;   /* the part by which a value may be off because its cost is computed; 0 where costs are given */
    double headroom;   /* how many times as far off as supposed the prices of the level above were; 1 at first */
    parts_t without;   /* see lapmark.h */
    int newest_first;  /* who bids next: the row that lost its column last, or first */
    double *price;     /* (m + WIDTH) those past m are +inf */
    int32_t *owner;    /* (m) the row that holds each column, n for the spare class, -1 where free */
    int32_t *held;     /* (n) the column that each row holds, -1 where none */
    double *held_cost; /* (n) what it costs, but for its price */

    /* Lists: slots begin[i] to begin[i + 1] belong to row i; an empty slot names column m. */
    int64_t *begin;  /* (n + 1) multiples of WIDTH */
    int32_t *column; /* (slots) */
    double *cost;    /* (slots) */
    double *beyond;  /* (n) */
    double *spread;  /* (n) values above the smallest that a row's list reached last time; < 0 at first */
    offer_t *offers; /* (m) what the last question was answered with */

    double level;  /* price of the columns that the spare class holds */
    heap_t rising; /* the other columns by price, or by an earlier one */

    int32_t *queue; /* (n) */
    counters_t *counters;
    const stop_t *stop;
    int64_t until_look; /* work left until `stop` is looked at */
    int64_t scan_work;  /* what a look at a whole row counts for, in bids */
    work_t *work;
    crew_t *crew;        /* who looks at rows, NULL where only the caller does */
    desk_t *desks;       /* one for each of the crew; the first, the caller's own, is not used */
    int64_t shared_from; /* rows from which on they look together */
} market_t;

static int64_t nearby(market_t *k, int64_t i, double spread, double *beyond);
static int64_t within(market_t *k, int64_t i, double bound);
static void prices_rose(market_t *k);
static void sit_down(costs_t *c, const desk_t *desk);

/* `stop` is looked at once in so much work. */
enum { WORK_PER_LOOK = 4096, BIDS_PER_REFRESH = 1024 };

/* Rows that are put aside until they are looked at together, and how much work it takes to be worth sharing. */
enum { ASIDE = 16, WORTH_SHARING = 512 };

/* Whether rows are looked at by the whole crew. */
static inline int shares_looks(const market_t *k) {
    return k->crew && k->crew->parts > 1 && k->n >= k->shared_from && !k->without.lists;
}

/* To be called after some bids and looks at whole rows. */
static inline outcome_t market_look(market_t *k, int64_t bids, int64_t scans) {
    k->until_look -= bids + scans * k->scan_work;
    if (k->until_look > 0) {
        return SOLVED;
    }
    k->work->done += WORK_PER_LOOK - k->until_look;
    k->until_look = WORK_PER_LOOK;
    const outcome_t outcome = stopped(k->stop);
    if (outcome != SOLVED || k->work->done <= k->work->most) {
        return outcome;
    }
    return k->work->ask ? k->work->ask(k->work) : SPENT;
}

/* The same after a row of a matrix was scanned. */
static inline outcome_t count_scan(market_t *k) {
    k->counters->row_scans++;
    return market_look(k, 0, 1);
}

/* Arrays of a market whose lists have room for `slots` columns a row; begin is left to be set where slots is 0. */
static inline int market_make(market_t *k, arena_t *a, int64_t slots) {
    const int64_t n = k->n, m = k->m;
    k->spare = m - n;
    k->price = arena_take(a, m + WIDTH, sizeof *k->price);
    k->owner = arena_take(a, m, sizeof *k->owner);
    k->held = arena_take(a, n, sizeof *k->held);
    k->held_cost = arena_take(a, n, sizeof *k->held_cost);
    k->begin = arena_take(a, n + 1, sizeof *k->begin);
    k->beyond = arena_take(a, n, sizeof *k->beyond);
    k->spread = arena_take(a, n, sizeof *k->spread);
    k->offers = arena_take(a, m, sizeof *k->offers);
    k->queue = arena_take(a, n, sizeof *k->queue);
    if (slots > 0) {
        k->column = arena_take(a, n * slots, sizeof *k->column);
        k->cost = arena_take(a, n * slots, sizeof *k->cost);
    }
    if (k->spare > 0) {
        heap_make(&k->rising, a, m);
    }
    if (a->failed) {
        return 0;
    }
    k->until_look = WORK_PER_LOOK;
    for (int64_t j = 0; j < m; j++) {
        k->owner[j] = -1;
    }
    for (int64_t j = m; j < m + WIDTH; j++) {
        k->price[j] = INFINITY;
    }
    for (int64_t i = 0; i < n; i++) {
        k->held[i] = -1;
        k->beyond[i] = -INFINITY;
        k->spread[i] = -1.0;
        k->begin[i + 1] = (i + 1) * slots;
    }
    for (int64_t s = 0; s < n * slots; s++) {
        k->column[s] = (int32_t)m;
    }
    return 1;
}

/* A crew of up to `threads`, to be dismissed before the arena is freed; room for so many offers and, where a matrix is
 * looked at, minima of lanes at each desk. */
static inline int market_hire(market_t *k, arena_t *a, int64_t threads, int64_t offers, int64_t lanes) {
    threads = threads < 1 ? 1 : (threads < MOST_THREADS ? threads : MOST_THREADS);
    k->desks = arena_take(a, threads, sizeof *k->desks);
    for (int64_t part = 1; part < threads && !a->failed; part++) {
        k->desks[part].offers = arena_take(a, offers, sizeof(offer_t));
        k->desks[part].low = arena_take(a, lanes, sizeof(double));
    }
    k->crew = a->failed ? NULL : crew_make(a, threads);
    return k->crew != NULL;
}

/* Values up to here count as equal to this one. */
static inline double rounded_up(const market_t *k, double value) { return value + k->rounding * fabs(value); }

/* The cheapest column of a row's list, and the value of the second cheapest. */
typedef struct {
    double first, second;
    int64_t slot; /* of the cheapest, the earliest where several are; -1 where the list is empty */
} choice_t;

static inline choice_t best_of_list(const market_t *k, int64_t i) {
    const int64_t begin = k->begin[i], end = k->begin[i + 1];
    v4_t first = v4_all(INFINITY), second = first, at = v4_all(-1.0), here = v4_load((const double[]){0, 1, 2, 3});
    for (int64_t s = begin; s < end; s += WIDTH) {
        const v4_t value = v4_add(v4_load(k->cost + s), v4_gather(k->price, k->column + s));
        second = v4_min(second, v4_max(first, value));
        at = v4_tag_below(value, first, here, at);
        first = v4_min(value, first);
        here = v4_add(here, v4_all(WIDTH));
    }
    choice_t c = {v4_lowest(first), INFINITY, -1};
    double lane_first[WIDTH], lane_second[WIDTH], lane_at[WIDTH];
    v4_store(lane_first, first);
    v4_store(lane_second, second);
    v4_store(lane_at, at);
    int winner = -1;
    for (int l = 0; l < WIDTH; l++) {
        if (lane_first[l] == c.first && lane_at[l] >= 0 && (winner < 0 || lane_at[l] < lane_at[winner])) {
            winner = l;
        }
    }
    if (winner < 0) {
        return c;
    }
    c.slot = begin + (int64_t)lane_at[winner];
    for (int l = 0; l < WIDTH; l++) {
        const double runner_up = l == winner ? lane_second[l] : lane_first[l];
        c.second = runner_up < c.second ? runner_up : c.second;
    }
    return c;
}

/* Where more columns tie for the cheapest than a list holds, the free ones first, and each row begins elsewhere: rows
 * that all list the same few columns would fight for them one bid at a time. */
static void pick_among_ties(market_t *k, int64_t i, int64_t ties, int64_t room) {
    offer_t *offers = k->offers;
    int64_t unowned = 0;
    for (int64_t s = 0; s < ties; s++) {
        if (k->owner[offers[s].column] < 0) {
            const offer_t other = offers[unowned];
            offers[unowned++] = offers[s];
            offers[s] = other;
        }
    }
    const int64_t from = unowned >= room ? 0 : unowned, to = unowned >= room ? unowned : ties;
    const int64_t turn = (int64_t)((uint64_t)i * 2654435761u % (uint64_t)(to - from));
    /* A rotation in place by `turn`: three reversals. */
    offers_reverse(offers + from, turn);
    offers_reverse(offers + from + turn, to - from - turn);
    offers_reverse(offers + from, to - from);
}

/* Fill the list of row i with its cheapest columns at present prices. */
static void list_row(market_t *k, int64_t i) {
    const int64_t begin = k->begin[i], room = k->begin[i + 1] - begin;
    double beyond = INFINITY;
    int64_t count = nearby(k, i, k->spread[i], &beyond);
    double low = INFINITY;
    for (int64_t s = 0; s < count; s++) {
        low = k->offers[s].value < low ? k->offers[s].value : low;
    }
    const int full = count > room;
    if (full) {
        offers_select(k->offers, count, room);
        beyond = k->offers[room].value;
        if (beyond <= rounded_up(k, low)) {
            const int64_t ties = offers_gather_ties(k->offers, count, rounded_up(k, low));
            pick_among_ties(k, i, ties, room);
            beyond = low;
        }
        count = room;
    }
    for (int64_t s = 0; s < room; s++) {
        const int used = s < count;
        k->column[begin + s] = used ? k->offers[s].column : (int32_t)k->m;
        k->cost[begin + s] = used ? k->offers[s].cost : 0.0;
    }
    k->beyond[i] = beyond;
    if (beyond < INFINITY) {
        /* A little less than what filled the list, a little more than what left it half empty. */
        if (full) {
            k->spread[i] = 0.95 * (beyond - low);
        } else if (5 * count < 3 * room) {
            const double reached = beyond - low, least = 1e-12 * k->largest;
            k->spread[i] = 1.15 * (reached > least ? reached : least);
        }
    }
    k->counters->row_scans++;
}

/* The cheapest column of row i, whose list has c. */
static inline choice_t look_beyond(market_t *k, int64_t i, choice_t c) {
    if (c.first > k->beyond[i] || k->without.lists) {
        list_row(k, i);
        return best_of_list(k, i);
    }
    return c;
}

/* The cheapest column of row i, looked for beyond its list only where need be. */
static inline choice_t best_of_row(market_t *k, int64_t i) { return look_beyond(k, i, best_of_list(k, i)); }

typedef struct {
    const market_t *market;
    const int32_t *rows;
    int64_t count;
} batch_t;

static void list_part(void *on, int64_t part, int64_t parts) {
    const batch_t *batch = on;
    market_t own = *batch->market;
    costs_t costs = *own.costs;
    own.costs = &costs;
    if (part > 0) {
        desk_t *desk = &own.desks[part];
        own.offers = desk->offers;
        own.counters = &desk->counters;
        sit_down(&costs, desk);
    }
    for (int64_t s = batch->count * part / parts; s < batch->count * (part + 1) / parts; s++) {
        list_row(&own, batch->rows[s]);
    }
}

/* Fill the lists of some rows, at the same time where that is worth waiting for each other. */
static void list_rows(market_t *k, const int32_t *rows, int64_t count) {
    if (count * k->scan_work < WORTH_SHARING) {
        for (int64_t s = 0; s < count; s++) {
            list_row(k, rows[s]);
        }
        return;
    }
    batch_t batch = {k, rows, count};
    crew_work(k->crew, list_part, &batch);
    for (int64_t part = 1; part < k->crew->parts; part++) {
        k->counters->row_scans += k->desks[part].counters.row_scans;
        k->desks[part].counters.row_scans = 0;
    }
}

#endif
