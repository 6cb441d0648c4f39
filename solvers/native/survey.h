/* One pass over all costs: how large they are, and the smallest of each column. */
#ifndef LAPMARK_SURVEY_H
#define LAPMARK_SURVEY_H

#include "matrix.h"

typedef struct {
    double low, high; /* smallest and largest finite cost; 0 where there is none */
    int forbids;      /* whether a pair is forbidden */
} survey_t;

/* Lower each of the m entries of `column_low` to the smallest c_ij - u of the rows order[0], order[1], ..., or of rows
 * 0, 1,
 * ... at u = 0. */
static outcome_t lower_by_rows(market_t *k, const costs_t *c, const int32_t *order, const double *u, int64_t count,
                               int64_t m, double *column_low, survey_t *survey) {
    for (int64_t first = 0; first < count; first += ROWS_AT_ONCE) {
        const cost_t *rows[ROWS_AT_ONCE];
        double duals[ROWS_AT_ONCE];
        for (int64_t r = 0; r < ROWS_AT_ONCE; r++) {
            const int64_t at = first + r < count ? first + r : count - 1;
            rows[r] = row_of(c, order ? order[at] : at);
            duals[r] = u ? u[at] : 0.0;
        }
        double largest = lower_columns(rows, duals, m, column_low);
        if (survey) {
            if (largest == INFINITY) {
                survey->forbids = 1;
                largest = largest_allowed(rows, m);
            }
            survey->high = largest > survey->high ? largest : survey->high;
        }
        const outcome_t outcome = market_look(k, ROWS_AT_ONCE * SCAN_WORK);
        if (outcome != SOLVED) {
            return outcome;
        }
    }
    return SOLVED;
}

/* Survey the costs of a market; column_low: (m) the smallest of each column. */
static outcome_t survey_all(market_t *k, double *column_low, survey_t *survey) {
    *survey = (survey_t){.low = INFINITY, .high = -INFINITY};
    for (int64_t j = 0; j < k->m; j++) {
        column_low[j] = INFINITY;
    }
    const outcome_t outcome = lower_by_rows(k, k->costs, NULL, NULL, k->n, k->m, column_low, survey);
    for (int64_t j = 0; j < k->m; j++) {
        survey->low = column_low[j] < survey->low ? column_low[j] : survey->low;
    }
    if (!(survey->low <= survey->high)) {
        survey->low = survey->high = 0.0;
    }
    return outcome;
}

/* Every column is as cheap to its best row; where rows are to leave columns free, all cost nothing beforehand. */
static void price_by_column(market_t *k, const double *column_low) {
    for (int64_t j = 0; j < k->m; j++) {
        k->price[j] = k->spare > 0 || column_low[j] == INFINITY ? 0.0 : -column_low[j];
    }
}

/* The smallest epsilon that no sum of such costs and prices swallows. */
static double least_epsilon(const survey_t *found) {
    const double largest = fabs(found->high) > fabs(found->low) ? fabs(found->high) : fabs(found->low);
    return 8.0 * DBL_EPSILON * largest;
}

#endif
