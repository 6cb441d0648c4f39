/* What a market asks of a matrix of costs: one pass over a row against the prices, which keeps the smallest value of
 * each lane of each block, so that whatever is looked for afterwards visits only the few places where it can be. */
#ifndef LAPMARK_MATRIX_H
#define LAPMARK_MATRIX_H

#include "lapmark.h"
#include "names.h"
#include "offers.h"
#include "vec.h"

#include <float.h>
#include <stdint.h>

typedef COST cost_t;

enum { BLOCK = 64, ROWS_AT_ONCE = 4, READ_AHEAD = 2048 };

typedef struct {
    const cost_t *entries; /* (n, stride) row-major, +inf where forbidden */
    int64_t stride;
    int64_t list; /* columns that a list is meant to hold */
    double *low;  /* (WIDTH for each block) smallest value of each lane in the row that was looked at last */
} costs_t;

#include "bidding.h"
#include "exact.h"

/* What an opening has come to: nothing, prices to go on from, the matching and the prices that prove it, or the end:
 * another method has answered. */
typedef enum { NOTHING = 0, PRICES, OPTIMUM, ANSWERED } opening_t;

static inline v4_t load_costs(const cost_t *c) {
    return _Generic(c, const float *: v4_load_f32, const double *: v4_load)(c);
}

/* A bid from a list takes as long as a look at so many entries of a row, and it takes so many to make a list of them.
 */
enum { ENTRIES_PER_BID = 64, LIST_WORK = 16 };

static inline int64_t pass_work(int64_t m) { return 1 + m / ENTRIES_PER_BID; }

static inline int64_t scan_work(int64_t m) { return LIST_WORK + pass_work(m); }

static inline int64_t blocks_of(int64_t m) { return (m + BLOCK - 1) / BLOCK; }

static inline const cost_t *row_of(const costs_t *c, int64_t i) { return c->entries + i * c->stride; }

static int costs_make(costs_t *c, arena_t *a, const cost_t *entries, int64_t stride, int64_t list) {
    *c = (costs_t){.entries = entries, .stride = stride, .list = list};
    c->low = arena_take(a, blocks_of(stride) * WIDTH, sizeof *c->low);
    return !a->failed;
}

/* Fill `low` from one row; the smallest value of all. */
static double row_minima(const cost_t *c, const double *price, int64_t m, double *low) {
    v4_t least = v4_all(INFINITY);
    int64_t block = 0;
    for (; (block + 1) * BLOCK <= m; block++, c += BLOCK, price += BLOCK) {
        v4_t even = v4_all(INFINITY), odd = even;
        for (int j = 0; j < BLOCK; j += 2 * WIDTH) {
            even = v4_min(even, v4_add(load_costs(c + j), v4_load(price + j)));
            odd = v4_min(odd, v4_add(load_costs(c + j + WIDTH), v4_load(price + j + WIDTH)));
        }
        for (size_t ahead = 0; ahead < BLOCK * sizeof *c; ahead += 64) {
            __builtin_prefetch((const char *)c + READ_AHEAD + ahead);
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

/* Every column whose value is at most `bound`, in a row that `row_minima` has gone through. */
static int64_t collect(market_t *k, const cost_t *c, double bound) {
    const double *low = k->costs->low;
    const double limit = bound < INFINITY ? bound : DBL_MAX;
    const v4_t limits = v4_all(limit);
    int64_t count = 0;
    for (int64_t block = 0; block < blocks_of(k->m); block++) {
        const int64_t end = (block + 1) * BLOCK < k->m ? (block + 1) * BLOCK : k->m;
        for (unsigned lanes = v4_at_most(v4_load(low + block * WIDTH), limits); lanes; lanes &= lanes - 1) {
            for (int64_t j = block * BLOCK + first_lane(lanes); j < end; j += WIDTH) {
                const double value = (double)c[j] + k->price[j];
                if (value <= limit) {
                    k->offers[count++] = (offer_t){value, (double)c[j], (int32_t)j};
                }
            }
        }
    }
    return count;
}

/* A bound that about a list of columns meet, from the lanes: each of those that meet it has a column that does. */
static double bound_from_lanes(market_t *k) {
    const int64_t lanes = blocks_of(k->m) * WIDTH;
    const int64_t list = k->costs->list;
    if (lanes <= list) {
        return INFINITY;
    }
    for (int64_t l = 0; l < lanes; l++) {
        k->offers[l].value = k->costs->low[l];
    }
    offers_select(k->offers, lanes, list);
    return k->offers[list].value;
}

/* Collecting is cheap next to the pass over the row: what turns out too short is collected again. */
static int64_t nearby(market_t *k, int64_t i, double spread, double *beyond) {
    const cost_t *c = row_of(k->costs, i);
    const double least = row_minima(c, k->price, k->m, k->costs->low);
    *beyond = spread < 0.0 ? bound_from_lanes(k) : least + spread;
    int64_t count = collect(k, c, *beyond);
    if (4 * count < k->costs->list && *beyond < INFINITY) {
        *beyond = bound_from_lanes(k);
        count = collect(k, c, *beyond);
    }
    return count;
}

static int64_t within(market_t *k, int64_t i, double bound) {
    const cost_t *c = row_of(k->costs, i);
    row_minima(c, k->price, k->m, k->costs->low);
    return collect(k, c, bound);
}

static void prices_rose(market_t *k) { (void)k; }

static void sit_down(costs_t *c, const desk_t *desk) { c->low = desk->low; }

/* low_j becomes at most c_ij - u_i for a few rows i at once; the largest cost among them. */
static double lower_columns(const cost_t *const c[ROWS_AT_ONCE], const double u[ROWS_AT_ONCE], int64_t m, double *low) {
    const v4_t u0 = v4_all(u[0]), u1 = v4_all(u[1]), u2 = v4_all(u[2]), u3 = v4_all(u[3]);
    v4_t most = v4_all(-INFINITY);
    int64_t j = 0;
    for (; j + WIDTH <= m; j += WIDTH) {
        const v4_t c0 = load_costs(c[0] + j), c1 = load_costs(c[1] + j), c2 = load_costs(c[2] + j),
                   c3 = load_costs(c[3] + j);
        most = v4_max(most, v4_max(v4_max(c0, c1), v4_max(c2, c3)));
        const v4_t first = v4_min(v4_sub(c0, u0), v4_sub(c1, u1)), second = v4_min(v4_sub(c2, u2), v4_sub(c3, u3));
        v4_store(low + j, v4_min(v4_load(low + j), v4_min(first, second)));
    }
    double lane[WIDTH], largest = -INFINITY;
    v4_store(lane, most);
    for (int l = 0; l < WIDTH; l++) {
        largest = lane[l] > largest ? lane[l] : largest;
    }
    for (; j < m; j++) {
        for (int r = 0; r < ROWS_AT_ONCE; r++) {
            const double cost = (double)c[r][j], value = cost - u[r];
            largest = cost > largest ? cost : largest;
            low[j] = value < low[j] ? value : low[j];
        }
    }
    return largest;
}

/* The largest finite cost of a few rows, -inf where there is none. */
static double largest_allowed(const cost_t *const c[ROWS_AT_ONCE], int64_t m) {
    const v4_t forbidden = v4_all(INFINITY), none = v4_all(-INFINITY);
    v4_t most = none;
    double lane[WIDTH], largest = -INFINITY;
    for (int r = 0; r < ROWS_AT_ONCE; r++) {
        int64_t j = 0;
        for (; j + WIDTH <= m; j += WIDTH) {
            const v4_t cost = load_costs(c[r] + j);
            most = v4_max(most, v4_tag_below(cost, forbidden, cost, none));
        }
        for (; j < m; j++) {
            const double cost = (double)c[r][j];
            largest = cost < INFINITY && cost > largest ? cost : largest;
        }
    }
    v4_store(lane, most);
    for (int l = 0; l < WIDTH; l++) {
        largest = lane[l] > largest ? lane[l] : largest;
    }
    return largest;
}

#endif
