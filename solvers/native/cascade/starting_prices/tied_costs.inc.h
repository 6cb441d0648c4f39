/* Tied costs: the Hungarian method in phases. Match as many rows as possible along pairs that are the cheapest of their
 * row, move the duals by one search from all free rows at once, and repeat. Few distinct costs mean few phases.
 *
 * Cheapest pairs are stored as one bit each, since no list is long enough for ties; a word of 64 columns is tested as
 * fast as one. A phase scans every row at most twice, and it must match its share of the free rows, or it is the last.
 */
#pragma once

#include "cascade/dense_costs.inc.h"

typedef struct {
    int64_t words;    /* for each row */
    uint64_t *tight;  /* (n, words) the cheapest columns of each row */
    char *unknown;    /* (n) whether a row's are still to be found: its columns of value 0 */
    uint64_t *unheld; /* (words) columns that no row holds */
    uint64_t *unseen; /* (words) columns that a pass has not visited yet */
    double *open;     /* (m + WIDTH) prices, +inf for closed columns */
    double *distance; /* (m + BLOCK) of open columns, +inf for closed ones */
} ties_t;

static int ties_make(ties_t *b, arena_t *a, int64_t n, int64_t m) {
    const int64_t words = blocks_of(m);
    *b = (ties_t){
        .words = words,
        .tight = arena_take(a, n * words, sizeof *b->tight),
        .unknown = arena_take(a, n, sizeof *b->unknown),
        .unheld = arena_take(a, words, sizeof *b->unheld),
        .unseen = arena_take(a, words, sizeof *b->unseen),
        .open = arena_take(a, m + WIDTH, sizeof *b->open),
        .distance = arena_take(a, m + BLOCK, sizeof *b->distance),
    };
    return !a->failed;
}

/* One bit per column of a block: whether its value is at most `bound`. */
static inline uint64_t block_at_most(const cost_t *c, const double *price, int64_t count, double bound) {
    uint64_t bits = 0;
    int64_t j = 0;
    for (; j + WIDTH <= count; j += WIDTH) {
        const v4_t value = v4_add(v4_load_costs(c + j), v4_load(price + j));
        bits |= (uint64_t)v4_at_most(value, v4_all(bound)) << j;
    }
    for (; j < count; j++) {
        bits |= (uint64_t)((double)c[j] + price[j] <= bound) << j;
    }
    return bits;
}

/* The bits of a row, found when they are needed first if its dual is 0 or more. */
static inline const uint64_t *tight_of(const auction_t *k, const ties_t *b, int64_t i) {
    uint64_t *tight = b->tight + i * b->words;
    if (b->unknown[i]) {
        const cost_t *c = row_of(k->costs, i);
        for (int64_t w = 0; w < b->words; w++) {
            const int64_t at = w * BLOCK;
            tight[w] = block_at_most(c + at, k->price + at, block_end(w, k->m) - at, 0.0);
        }
        b->unknown[i] = 0;
    }
    return tight;
}

/* Compute the duals and bits of every row at present prices. A pair that is held stays, in spite of rounding. */
static outcome_t find_ties(auction_t *k, ties_t *b, double *u) {
    double *low = k->lane_low;
    for (int64_t i = 0; i < k->n; i++) {
        const cost_t *c = row_of(k->costs, i);
        uint64_t *tight = b->tight + i * b->words;
        u[i] = row_minima(c, k->price, k->m, low);
        for (int64_t w = 0; w < b->words; w++) {
            const int64_t at = w * BLOCK, count = block_end(w, k->m) - at;
            const int some = u[i] < INFINITY && v4_at_most(v4_load(low + w * WIDTH), v4_all(u[i]));
            tight[w] = some ? block_at_most(c + at, k->price + at, count, u[i]) : 0;
        }
        if (k->held[i] >= 0) {
            tight[k->held[i] / BLOCK] |= (uint64_t)1 << k->held[i] % BLOCK;
        }
        const outcome_t outcome = auction_count_scan(k);
        if (outcome != SOLVED) {
            return outcome;
        }
    }
    return SOLVED;
}

/* The first column, from word *at on, that is in both sets; -1 if there is none. *at moves on to its word. */
static inline int64_t first_common(const uint64_t *a, const uint64_t *b, int64_t words, int64_t *at) {
    for (; *at < words; ++*at) {
        const uint64_t both = a[*at] & b[*at];
        if (both) {
            return *at * BLOCK + lowest_bit(both);
        }
    }
    return -1;
}

/* Look for a free column for `start` along cheapest pairs; the rows on the way are in s->stack. */
static int64_t descend_ties(const auction_t *k, ties_t *b, path_search_t *s, int64_t start, int64_t *depth) {
    *depth = 0;
    s->stack[(*depth)++] = (int32_t)start;
    s->next[start] = 0;
    while (*depth > 0) {
        const int64_t i = s->stack[*depth - 1];
        const uint64_t *tight = tight_of(k, b, i);
        const int64_t sink = first_common(tight, b->unheld, b->words, s->look + i);
        if (sink >= 0) {
            return sink;
        }
        const int64_t j = first_common(tight, b->unseen, b->words, s->next + i);
        if (j < 0) {
            --*depth;
            continue;
        }
        b->unseen[j / BLOCK] &= ~((uint64_t)1 << j % BLOCK);
        const int32_t owner = k->owner[j];
        if (owner != i) {
            s->stack[(*depth)++] = owner;
            s->next[owner] = 0;
        }
    }
    return -1;
}

/* Match free rows along cheapest pairs until no more can be, as in shortest_paths.c. */
static outcome_t match_ties(auction_t *k, ties_t *b, path_search_t *s) {
    s->free_count = 0;
    for (int64_t i = 0; i < k->n; i++) {
        s->look[i] = 0;
        if (k->held[i] < 0) {
            s->free_rows[s->free_count++] = (int32_t)i;
        }
    }
    memset(b->unheld, 0, (size_t)b->words * sizeof *b->unheld);
    for (int64_t j = 0; j < k->m; j++) {
        b->unheld[j / BLOCK] |= (uint64_t)(k->owner[j] < 0) << j % BLOCK;
    }
    for (int64_t before = s->free_count + 1; s->free_count > 0 && s->free_count < before;) {
        before = s->free_count;
        s->free_count = 0;
        memset(b->unseen, 0xff, (size_t)b->words * sizeof *b->unseen);
        for (int64_t f = 0; f < before; f++) {
            const int32_t i = s->free_rows[f];
            int64_t depth;
            const int64_t sink = descend_ties(k, b, s, i, &depth);
            if (sink >= 0) {
                path_search_shift(k, s, depth, sink);
                b->unheld[sink / BLOCK] &= ~((uint64_t)1 << sink % BLOCK);
            } else {
                s->free_rows[s->free_count++] = i;
            }
            const outcome_t outcome = auction_count_work(k, 1 + depth, 0);
            if (outcome != SOLVED) {
                return outcome;
            }
        }
    }
    return SOLVED;
}

/* Relax all columns from row i, at its values plus h; return the smallest distance. */
static double relax(const cost_t *c, const double *open, double h, int64_t m, double *distance, double *low) {
    const v4_t shift = v4_all(h);
    v4_t least = v4_all(INFINITY);
    int64_t j = 0;
    for (int64_t block = 0; block < blocks_of(m); block++) {
        const int64_t end = (block + 1) * BLOCK < m ? (block + 1) * BLOCK : m;
        v4_t here = v4_all(INFINITY);
        for (; j + WIDTH <= end; j += WIDTH) {
            const v4_t value = v4_add(v4_add(v4_load_costs(c + j), v4_load(open + j)), shift);
            const v4_t nearest = v4_min(value, v4_load(distance + j)); /* the old distance, if the value is NaN */
            v4_store(distance + j, nearest);
            here = v4_min(here, nearest);
        }
        double lane[WIDTH];
        v4_store(lane, here);
        for (; j < end; j++) {
            const double value = ((double)c[j] + open[j]) + h;
            distance[j] = value < distance[j] ? value : distance[j];
            lane[j % WIDTH] = distance[j] < lane[j % WIDTH] ? distance[j] : lane[j % WIDTH];
        }
        here = v4_load(lane);
        v4_store(low + block * WIDTH, here);
        least = v4_min(least, here);
    }
    return v4_lowest(least);
}

/* Close the columns at a distance of at most `reach`; their rows follow. Return whether one of them was free. */
static int close_columns(auction_t *k, ties_t *b, path_search_t *s, double reach) {
    const double *low = k->lane_low;
    int free_one = 0;
    for (int64_t block = 0; block < b->words; block++) {
        if (!v4_at_most(v4_load(low + block * WIDTH), v4_all(reach))) {
            continue;
        }
        const int64_t end = (block + 1) * BLOCK < k->m ? (block + 1) * BLOCK : k->m;
        for (int64_t j = block * BLOCK; j < end; j++) {
            if (b->distance[j] > reach) {
                continue;
            }
            if (k->owner[j] < 0) {
                free_one = 1;
                continue;
            }
            s->reached[s->reached_count++] = (int32_t)j;
            s->distance[j] = reach;
            s->row_distance[k->owner[j]] = reach;
            s->rows[s->row_count++] = k->owner[j];
            b->distance[j] = INFINITY;
            b->open[j] = INFINITY;
        }
    }
    return free_one;
}

/* Move the duals by the distance between the free rows and the nearest free column; *found is 0 if there is none. Each
 * row is scanned at most once, since each column is closed at most once. */
static outcome_t move_towards_free(auction_t *k, ties_t *b, path_search_t *s, int *found) {
    double reach = 0.0, least = INFINITY;
    outcome_t outcome = SOLVED;
    memcpy(b->open, k->price, (size_t)(k->m + WIDTH) * sizeof *b->open);
    for (int64_t j = 0; j < k->m; j++) {
        b->distance[j] = INFINITY;
    }
    s->row_count = s->reached_count = 0;
    for (int64_t f = 0; f < s->free_count; f++) {
        s->rows[s->row_count++] = s->free_rows[f];
        s->row_distance[s->free_rows[f]] = 0.0;
    }
    *found = 0;
    for (int64_t r = 0; outcome == SOLVED && !*found; r++) {
        if (r == s->row_count || (r >= s->free_count && least <= reach)) {
            /* Rounding may put a column slightly below those closed already: treat it as level with them. */
            reach = least > reach ? least : reach;
            if (reach == INFINITY) {
                break;
            }
            *found = close_columns(k, b, s, reach);
            if (*found) {
                break;
            }
        }
        const int64_t i = s->rows[r];
        least = relax(row_of(k->costs, i), b->open, s->row_distance[i] - s->u[i], k->m, b->distance, k->lane_low);
        k->counters->row_scans++;
        k->counters->path_rows++;
        outcome = auction_count_work(k, 0, 1);
    }
    for (int64_t c = 0; c < s->reached_count; c++) {
        const int64_t j = s->reached[c];
        k->price[j] += *found ? reach - s->distance[j] : 0.0;
        s->distance[j] = INFINITY;
    }
    s->reached_count = s->row_count = 0;
    return outcome;
}

/* Run phases as long as they pay; those on the last few rows always do. */
static outcome_t match_in_phases(auction_t *k, ties_t *b, path_search_t *s) {
    outcome_t outcome = find_ties(k, b, s->u);
    for (int64_t i = 0; i < k->n && outcome == SOLVED; i++) {
        if (s->u[i] == INFINITY) {
            return SOLVED; /* no column is allowed to this row: the exact search will say so */
        }
    }
    if (outcome == SOLVED) {
        outcome = match_ties(k, b, s);
    }
    for (int pays = 1; outcome == SOLVED && pays && s->free_count > 0;) {
        const int64_t before = s->free_count;
        int found;
        k->counters->phases++;
        outcome = move_towards_free(k, b, s, &found);
        if (outcome == SOLVED && !found) {
            return SOLVED;
        }
        if (outcome == SOLVED) {
            outcome = find_ties(k, b, s->u);
        }
        if (outcome == SOLVED) {
            outcome = match_ties(k, b, s);
        }
        pays = (before - s->free_count) * LEAST_SHARE >= before;
    }
    return outcome;
}

/* Give rows a free column of value 0. The scan of a row ends at the first one. */
static outcome_t hold_free_columns(auction_t *k, ties_t *b) {
    for (int64_t j = 0; j < k->m; j++) {
        b->unheld[j / BLOCK] |= (uint64_t)(k->owner[j] < 0) << j % BLOCK;
    }
    for (int64_t i = 0; i < k->n; i++) {
        const cost_t *c = row_of(k->costs, i);
        for (int64_t w = 0; w < b->words && k->held[i] < 0; w++) {
            const int64_t at = w * BLOCK, count = block_end(w, k->m) - at;
            const uint64_t free = b->unheld[w] ? b->unheld[w] & block_at_most(c + at, k->price + at, count, 0.0) : 0;
            if (free) {
                const int64_t j = at + lowest_bit(free);
                b->unheld[w] &= ~(free & -free);
                k->owner[j] = (int32_t)i;
                k->held[i] = (int32_t)j;
                k->held_cost[i] = (double)c[j];
            }
        }
        const outcome_t outcome = auction_count_scan(k);
        if (outcome != SOLVED) {
            return outcome;
        }
    }
    return SOLVED;
}

/* Match as many rows as possible along pairs of value 0 while each column's price is its least cost: no value is below
 * 0, so that these pairs are the cheapest of their rows, and few rows have to be read to their end. */
static outcome_t match_column_minima(auction_t *k, path_search_t *s) {
    ties_t ties;
    arena_t arena = {0};
    outcome_t outcome = OUT_OF_MEMORY;
    if (ties_make(&ties, &arena, k->n, k->m)) {
        memset(ties.unknown, 1, (size_t)k->n);
        outcome = hold_free_columns(k, &ties);
        if (outcome == SOLVED) {
            outcome = match_ties(k, &ties, s);
        }
    }
    arena_free(&arena);
    return outcome;
}

static outcome_t start_tied(auction_t *k, path_search_t *s, start_t *start) {
    ties_t ties;
    arena_t arena = {0};
    s->free_count = k->n;
    const outcome_t outcome = ties_make(&ties, &arena, k->n, k->m) ? match_in_phases(k, &ties, s) : OUT_OF_MEMORY;
    arena_free(&arena);
    *start = outcome == SOLVED && s->free_count == 0 ? START_OPTIMUM : START_NONE;
    return outcome;
}
