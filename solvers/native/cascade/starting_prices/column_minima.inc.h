/* The range of the costs and the minimum of each column, in one pass over the matrix. */
#pragma once

#include "assignment/largest_allowed.inc.h"
#include "cascade/dense_costs.inc.h"

/* Rows between two checks of whether to go on. */
enum { ROWS_PER_CHECK = 256 };

/* Some rows whose costs lower the minima of the columns, for the threads of the pool. */
typedef struct {
    const dense_costs_t *costs;
    const int32_t *order;
    const double *u;
    int64_t first, end, m;
    double *column_low;
    cost_range_t *found; /* one per thread, `high` -inf at first; NULL if not needed */
} column_pass_t;

/* Every part lowers some of the columns, by all rows. */
static void lower_part(void *context, int64_t part, int64_t parts) {
    const column_pass_t *s = context;
    const int64_t blocks = blocks_of(s->m), begin = blocks * part / parts * BLOCK;
    const int64_t end = part + 1 == parts ? s->m : blocks * (part + 1) / parts * BLOCK;
    for (int64_t first = s->first; first < s->end && begin < end; first += ROWS_AT_ONCE) {
        const cost_t *rows[ROWS_AT_ONCE];
        double duals[ROWS_AT_ONCE];
        for (int64_t r = 0; r < ROWS_AT_ONCE; r++) {
            const int64_t at = first + r < s->end ? first + r : s->end - 1;
            rows[r] = row_of(s->costs, s->order ? s->order[at] : at) + begin;
            duals[r] = s->u ? s->u[at] : 0.0;
        }
        double largest = dense_lower_columns(rows, duals, end - begin, s->column_low + begin);
        if (s->found) {
            cost_range_t *found = &s->found[part];
            if (largest == INFINITY) {
                found->forbids = 1;
                largest = largest_allowed(rows, ROWS_AT_ONCE, end - begin);
            }
            found->high = largest > found->high ? largest : found->high;
        }
    }
}

/* Lower each of the m entries of `column_low` to the smallest c_ij - u of the rows order[0], order[1], ..., or of rows
 * 0, 1, ... at u = 0. */
static outcome_t lower_by_rows(auction_t *k, const dense_costs_t *c, const int32_t *order, const double *u,
                               int64_t count, int64_t m, double *column_low, cost_range_t *range) {
    cost_range_t found[MOST_THREADS];
    column_pass_t s = {c, order, u, 0, 0, m, column_low, range ? found : NULL};
    for (int64_t part = 0; part < k->pool->parts; part++) {
        found[part] = (cost_range_t){.high = -INFINITY};
    }
    for (outcome_t outcome; s.end < count;) {
        s.first = s.end;
        s.end = s.first + ROWS_PER_CHECK < count ? s.first + ROWS_PER_CHECK : count;
        thread_pool_run(k->pool, lower_part, &s);
        outcome = auction_count_work(k, 0, s.end - s.first);
        if (outcome != SOLVED) {
            return outcome;
        }
    }
    for (int64_t part = 0; part < k->pool->parts && range; part++) {
        range->forbids |= found[part].forbids;
        range->high = found[part].high > range->high ? found[part].high : range->high;
    }
    return SOLVED;
}

/* Without any finite cost, both ends are 0. */
static void settle_range(cost_range_t *range) {
    if (!(range->low <= range->high)) {
        range->low = range->high = 0.0;
    }
}

/* Find the range of the costs and column_low (m), the minimum of each column. */
static outcome_t find_cost_range(auction_t *k, double *column_low, cost_range_t *range) {
    *range = (cost_range_t){.low = INFINITY, .high = -INFINITY};
    for (int64_t j = 0; j < k->m; j++) {
        column_low[j] = INFINITY;
    }
    const outcome_t outcome = lower_by_rows(k, k->costs, NULL, NULL, k->n, k->m, column_low, range);
    for (int64_t j = 0; j < k->m; j++) {
        range->low = column_low[j] < range->low ? column_low[j] : range->low;
    }
    settle_range(range);
    return outcome;
}

/* Price every column so that its best row pays nothing; if columns are to stay free, all cost nothing at first. */
static void price_by_column(auction_t *k, const double *column_low) {
    for (int64_t j = 0; j < k->m; j++) {
        k->price[j] = k->spare > 0 || column_low[j] == INFINITY ? 0.0 : -column_low[j];
    }
}

static double largest_magnitude(const cost_range_t *found) { return fmax(fabs(found->high), fabs(found->low)); }
