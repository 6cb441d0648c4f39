/* Dense costs for cascade's auction: one pass over a row and the prices keeps the smallest value of each lane of each
 * block; later searches in the row visit only the few blocks where something can be found. Compiled per type (COST). */
#pragma once

#include "cascade/epsilon_schedule.h"
#include "cascade/shortest_paths.h"

#include <float.h>

typedef COST cost_t;

enum { BLOCK = 64, ROWS_AT_ONCE = 4, READ_AHEAD = 2048 };

typedef struct {
    const cost_t *entries; /* (n, stride) row-major, +inf where forbidden */
    int64_t stride;
    int64_t list; /* number of columns that a list should hold */
} dense_costs_t;

/* Result of a start: nothing; prices to go on from; the optimal matching and its prices; or the whole answer, by
 * another method. */
typedef enum { START_NONE = 0, START_PRICES, START_OPTIMUM, START_ANSWERED } start_t;

/* Entries of a row that are read in the time of a bid from a list; work of making a list of them, in bids. */
enum { ENTRIES_PER_BID = 64, LIST_WORK = 16 };

static inline int64_t pass_work(int64_t m) { return 1 + m / ENTRIES_PER_BID; }

static inline int64_t scan_work(int64_t m) { return LIST_WORK + pass_work(m); }

static inline int64_t blocks_of(int64_t m) { return (m + BLOCK - 1) / BLOCK; }

static inline int64_t block_end(int64_t block, int64_t m) { return (block + 1) * BLOCK < m ? (block + 1) * BLOCK : m; }

static inline const cost_t *row_of(const dense_costs_t *c, int64_t i) { return c->entries + i * c->stride; }

static inline double entry(const dense_costs_t *c, int64_t i, int64_t j) { return (double)row_of(c, i)[j]; }

/* Write the smallest value of each lane of each block to `low`; return the smallest of all. */
static double row_minima(const cost_t *c, const double *price, int64_t m, double *low) {
    v4_t least = v4_all(INFINITY);
    int64_t block = 0;
    for (; (block + 1) * BLOCK <= m; block++, c += BLOCK, price += BLOCK) {
        v4_t even = v4_all(INFINITY), odd = even;
        for (int j = 0; j < BLOCK; j += 2 * WIDTH) {
            even = v4_min(even, v4_add(v4_load_costs(c + j), v4_load(price + j)));
            odd = v4_min(odd, v4_add(v4_load_costs(c + j + WIDTH), v4_load(price + j + WIDTH)));
        }
        for (size_t ahead = 0; ahead < BLOCK * sizeof *c; ahead += 64) {
            prefetch((const char *)c + READ_AHEAD + ahead);
        }
        even = v4_min(even, odd);
        least = v4_min(least, even);
        v4_store(low + block * WIDTH, even);
    }
    if (block == blocks_of(m)) {
        return v4_lowest(least);
    }
    double lane[WIDTH] = {INFINITY, INFINITY, INFINITY, INFINITY};
    for (int64_t j = 0; j < m - block * BLOCK; j++) {
        const double value = (double)c[j] + price[j];
        lane[j % WIDTH] = value < lane[j % WIDTH] ? value : lane[j % WIDTH];
    }
    v4_store(low + block * WIDTH, v4_load(lane));
    return v4_lowest(v4_min(least, v4_load(lane)));
}

/* Collect every column of value at most `bound`, in a row that `row_minima` has been through. */
static int64_t collect(auction_t *k, const cost_t *c, double bound) {
    const double *low = k->lane_low;
    const double limit = bound < INFINITY ? bound : DBL_MAX;
    const v4_t limits = v4_all(limit);
    int64_t count = 0;
    for (int64_t block = 0; block < blocks_of(k->m); block++) {
        const int64_t end = block_end(block, k->m);
        for (unsigned lanes = v4_at_most(v4_load(low + block * WIDTH), limits); lanes; lanes &= lanes - 1) {
            for (int64_t j = block * BLOCK + first_lane(lanes); j < end; j += WIDTH) {
                const double value = (double)c[j] + k->price[j];
                if (value <= limit) {
                    k->candidates[count++] = (candidate_t){value, (double)c[j], (int32_t)j};
                }
            }
        }
    }
    return count;
}

/* A bound that about as many columns meet as a list holds: each lane minimum that meets it stands for at least one. */
static double bound_from_lanes(auction_t *k) {
    const int64_t lanes = blocks_of(k->m) * WIDTH;
    const int64_t list = ((const dense_costs_t *)k->costs)->list;
    if (lanes <= list) {
        return INFINITY;
    }
    for (int64_t l = 0; l < lanes; l++) {
        k->candidates[l].value = k->lane_low[l];
    }
    candidates_select(k->candidates, lanes, list);
    return k->candidates[list].value;
}

/* To collect is cheap compared with the pass over the row, so a list that turns out too short is collected again. */
static int64_t dense_nearest(auction_t *k, int64_t i, double spread, double *beyond) {
    const cost_t *c = row_of(k->costs, i);
    const double least = row_minima(c, k->price, k->m, k->lane_low);
    *beyond = spread < 0.0 ? bound_from_lanes(k) : least + spread;
    int64_t count = collect(k, c, *beyond);
    if (4 * count < ((const dense_costs_t *)k->costs)->list && *beyond < INFINITY) {
        *beyond = bound_from_lanes(k);
        count = collect(k, c, *beyond);
    }
    return count;
}

static int64_t dense_within(auction_t *k, int64_t i, double bound) {
    const cost_t *c = row_of(k->costs, i);
    row_minima(c, k->price, k->m, k->lane_low);
    return collect(k, c, bound);
}

static void dense_prices_rose(auction_t *k) { (void)k; }

static const cost_access_t dense_access = {dense_nearest, dense_within, dense_prices_rose};

/* An auction of k->n rows and k->m columns on a matrix, with lists of `list` columns. */
static int dense_auction_init(auction_t *k, dense_costs_t *c, arena_t *a, const cost_t *entries, int64_t list) {
    *c = (dense_costs_t){entries, k->m, list};
    k->costs = c;
    k->access = &dense_access;
    k->scan_work = scan_work(k->m);
    k->lane_low = arena_take(a, blocks_of(k->m) * WIDTH, sizeof *k->lane_low);
    return auction_init(k, a, list);
}

/* Lower low_j to at most c_ij - u_i for a few rows i at once; return the largest cost among them. */
static double dense_lower_columns(const cost_t *const c[ROWS_AT_ONCE], const double u[ROWS_AT_ONCE], int64_t m,
                                  double *low) {
    const v4_t u0 = v4_all(u[0]), u1 = v4_all(u[1]), u2 = v4_all(u[2]), u3 = v4_all(u[3]);
    v4_t most = v4_all(-INFINITY);
    int64_t j = 0;
    for (; j + WIDTH <= m; j += WIDTH) {
        const v4_t c0 = v4_load_costs(c[0] + j), c1 = v4_load_costs(c[1] + j), c2 = v4_load_costs(c[2] + j),
                   c3 = v4_load_costs(c[3] + j);
        most = v4_max(most, v4_max(v4_max(c0, c1), v4_max(c2, c3)));
        const v4_t first = v4_min(v4_sub(c0, u0), v4_sub(c1, u1)), second = v4_min(v4_sub(c2, u2), v4_sub(c3, u3));
        v4_store(low + j, v4_min(v4_load(low + j), v4_min(first, second)));
    }
    double largest = v4_highest(most);
    for (; j < m; j++) {
        for (int r = 0; r < ROWS_AT_ONCE; r++) {
            const double cost = (double)c[r][j], value = cost - u[r];
            largest = cost > largest ? cost : largest;
            low[j] = value < low[j] ? value : low[j];
        }
    }
    return largest;
}
