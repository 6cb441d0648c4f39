/* One pass over all costs: how large they are, and the smallest of each column. */
#ifndef LAPMARK_SURVEY_H
#define LAPMARK_SURVEY_H

#include "matrix.h"

typedef struct {
    double low, high; /* smallest and largest finite cost; 0 where there is none */
    int forbids;      /* whether a pair is forbidden */
} survey_t;

/* Rows between two looks at whether to go on. */
enum { ROWS_PER_LOOK = 256 };

/* A stretch of rows and what they do to the smallest of each column. */
typedef struct {
    const costs_t *costs;
    const int32_t *order;
    const double *u;
    int64_t first, end, m;
    double *column_low;
    survey_t *found; /* one for each of the crew, whose `high` is up to now -inf or so; NULL where nobody asks */
} stretch_t;

/* Every part lowers columns of its own, in all rows. */
static void lower_part(void *on, int64_t part, int64_t parts) {
    const stretch_t *s = on;
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
        double largest = lower_columns(rows, duals, end - begin, s->column_low + begin);
        if (s->found) {
            survey_t *found = &s->found[part];
            if (largest == INFINITY) {
                found->forbids = 1;
                largest = largest_allowed(rows, end - begin);
            }
            found->high = largest > found->high ? largest : found->high;
        }
    }
}

/* Lower each of the m entries of `column_low` to the smallest c_ij - u of the rows order[0], order[1], ..., or of rows
 * 0, 1, ... at u = 0. */
static outcome_t lower_by_rows(market_t *k, const costs_t *c, const int32_t *order, const double *u, int64_t count,
                               int64_t m, double *column_low, survey_t *survey) {
    survey_t found[MOST_THREADS];
    stretch_t s = {c, order, u, 0, 0, m, column_low, survey ? found : NULL};
    for (int64_t part = 0; part < k->crew->parts; part++) {
        found[part] = (survey_t){.high = -INFINITY};
    }
    for (outcome_t outcome; s.end < count;) {
        s.first = s.end;
        s.end = s.first + ROWS_PER_LOOK < count ? s.first + ROWS_PER_LOOK : count;
        crew_work(k->crew, lower_part, &s);
        outcome = market_look(k, 0, s.end - s.first);
        if (outcome != SOLVED) {
            return outcome;
        }
    }
    for (int64_t part = 0; part < k->crew->parts && survey; part++) {
        survey->forbids |= found[part].forbids;
        survey->high = found[part].high > survey->high ? found[part].high : survey->high;
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

static double largest_magnitude(const survey_t *found) { return fmax(fabs(found->high), fabs(found->low)); }

#endif
