/* Costs that are a_i + b_j, constant costs among them: every matching is optimal. Where they are that only up to
 * rounding, the optimum hangs on the rounding errors. Lists of candidates get lost among these, so the method of Jonker
 * and Volgenant finds it.
 */
#pragma once

#include "cascade/method_alternation.inc.h"
#include "core/double_double.h"

/* Rounding error of the difference of two values, relative to the sum of its four terms. */
static const double FLAT_ROUNDING = 2.0 * DBL_EPSILON;

/* Whether a row costs the same everywhere at these prices, up to rounding, as at column `like`. Each entry is compared
 * relative to its own magnitude, or one large cost would make all others look equal. */
static int row_is_flat(const cost_t *c, const double *price, int64_t m, int64_t like) {
    const double cost_there = (double)c[like], there = cost_there + price[like];
    const v4_t level = v4_all(there), size = v4_all(fabs(cost_there) + fabs(price[like])), unit = v4_all(FLAT_ROUNDING);
    int64_t j = 0;
    for (; j + WIDTH <= m; j += WIDTH) {
        const v4_t cost = v4_load_costs(c + j), p = v4_load(price + j);
        const v4_t rounding = v4_mul(unit, v4_add(v4_add(v4_abs(cost), v4_abs(p)), size));
        if (v4_at_most(v4_abs(v4_sub(v4_add(cost, p), level)), rounding) != (1u << WIDTH) - 1) {
            return 0;
        }
    }
    for (; j < m; j++) {
        const double cost = (double)c[j], off = (cost + price[j]) - there;
        if (!(fabs(off) <= FLAT_ROUNDING * ((fabs(cost) + fabs(price[j])) + (fabs(cost_there) + fabs(price[like]))))) {
            return 0;
        }
    }
    return 1;
}

/* Whether a row costs exactly the same everywhere at these prices. */
static int row_is_exactly_flat(const cost_t *c, const double *price, int64_t m) {
    const dd_t level = dd_difference((double)c[0], -price[0]);
    int differs = 0;
    for (int64_t j = 0; j < m; j++) { /* to the end, so that it is done in vectors */
        const dd_t sum = dd_difference((double)c[j], -price[j]);
        differs |= (sum.high != level.high) | (sum.low != level.low);
    }
    return !differs;
}

/* Whether all rows are flat; for other costs one of the first is not. Then row i takes column i. */
static outcome_t start_separable(auction_t *k, start_t *start) {
    int exact = 1;
    int64_t like = 0;
    for (int64_t j = 1; j < k->m; j++) {
        like = fabs(k->price[j]) < fabs(k->price[like]) ? j : like;
    }
    for (int64_t i = 0; i < k->n; i++) {
        if (!row_is_flat(row_of(k->costs, i), k->price, k->m, like)) {
            return SOLVED;
        }
        exact = exact && row_is_exactly_flat(row_of(k->costs, i), k->price, k->m);
        const outcome_t outcome = auction_count_scan(k);
        if (outcome != SOLVED) {
            return outcome;
        }
    }
    if (!exact) {
        return run_jonker_volgenant((alternation_t *)k->work, INT64_MAX / 2);
    }
    for (int64_t i = 0; i < k->n; i++) {
        k->held[i] = (int32_t)i;
    }
    *start = START_OPTIMUM;
    return SOLVED;
}

/* The same for more columns than rows: whether the n columns that are cheapest to one row are so to all.
 * Here rounding errors are small beside what the other columns cost more. */
static outcome_t start_separable_rectangular(auction_t *k, path_search_t *s, const double *column_low, start_t *start) {
    for (int64_t j = 0; j < k->m; j++) {
        k->candidates[j] = (candidate_t){column_low[j], 0.0, (int32_t)j};
    }
    candidates_select(k->candidates, k->m, k->n - 1);
    double dearest = -INFINITY;
    for (int64_t o = 0; o < k->n; o++) {
        dearest = fmax(dearest, k->candidates[o].value);
    }
    for (int64_t j = 0; j < k->m; j++) {
        k->price[j] = fmax(dearest - column_low[j], 0.0);
    }
    for (int64_t i = 0; i < k->n; i++) {
        const cost_t *c = row_of(k->costs, i);
        const int32_t like = k->candidates[i].column;
        const double level = (double)c[like] + k->price[like], size = fabs((double)c[like]) + k->price[like];
        int flat = level - row_minima(c, k->price, k->m, k->lane_low) <= FLAT_ROUNDING * size;
        for (int64_t o = 0; o < k->n && flat; o++) {
            const int32_t j = k->candidates[o].column;
            const double cost = (double)c[j];
            flat = fabs(cost + k->price[j] - level) <= FLAT_ROUNDING * (fabs(cost) + k->price[j] + size);
        }
        if (!flat) {
            return SOLVED;
        }
        const outcome_t outcome = auction_count_scan(k);
        if (outcome != SOLVED) {
            return outcome;
        }
    }
    for (int64_t i = 0; i < k->n; i++) {
        k->held[i] = k->candidates[i].column;
    }
    s->u[k->n] = 0.0;
    *start = START_OPTIMUM;
    return SOLVED;
}
