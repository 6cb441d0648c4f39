/* Small problems given by lists of pairs: augmenting row reduction, and shortest augmenting paths, which may also end
 * by leaving out a row, at a cost of its own. Duals only fall.
 */
#pragma once

#include "assignment/small.h"

/* The most rows and columns; a row that is outbid bids at most CHAIN times. */
enum { MOST_LISTED = 1280, CHAIN = 4 };

typedef struct {
    int64_t n, m;
    double out;                     /* cost of staying out, +inf if no row may */
    int32_t begin[MOST_LISTED + 1]; /* of each row's pairs */
    const int32_t *column;          /* of each pair */
    const double *cost;             /* of each pair */
    counters_t *counters;
    double v[MOST_LISTED];         /* duals of the columns */
    int32_t x[MOST_LISTED];        /* column of each row, -1 if it has none */
    int32_t y[MOST_LISTED];        /* row of each column, -1 if it is free */
    double distance[MOST_LISTED];  /* of columns that a search reached: -inf once closed, else +inf */
    int32_t from[MOST_LISTED];     /* row before each of them */
    int32_t open[MOST_LISTED];     /* columns reached, not closed */
    int32_t closed[MOST_LISTED];   /* columns in the order of closing, */
    double closed_at[MOST_LISTED]; /* and their distances */
    int64_t open_count, closed_count;
} small_pairs_t;

/* A free column of this value for row i; -1 if there is none. */
static inline int64_t free_column_at(const small_pairs_t *p, int64_t i, double value) {
    for (int64_t e = p->begin[i]; e < p->begin[i + 1]; e++) {
        const int32_t j = p->column[e];
        if (p->y[j] < 0 && p->cost[e] - p->v[j] <= value) {
            return j;
        }
    }
    return -1;
}

/* Row i bids for its cheapest column. Return the row that has none afterwards: i itself, the one that lost its column,
 * or -1, also if row i stays out. */
static inline int64_t bid_for_pair(small_pairs_t *p, int64_t i) {
    double first = p->out, second = p->out;
    int64_t j = -1;
    for (int64_t e = p->begin[i]; e < p->begin[i + 1]; e++) {
        const double x = p->cost[e] - p->v[p->column[e]];
        if (x < first) {
            second = first;
            first = x;
            j = p->column[e];
        } else if (x < second) {
            second = x;
        }
    }
    if (j < 0) {
        return p->out < INFINITY ? -1 : i; /* it stays out for good, since no dual will rise */
    }
    const double lowered = second < INFINITY ? p->v[j] - (second - first) : p->v[j];
    if (p->y[j] >= 0 && !(lowered < p->v[j])) {
        j = free_column_at(p, i, first);
        if (j < 0) {
            return i;
        }
    } else {
        p->v[j] = lowered;
    }
    const int32_t loser = p->y[j];
    p->y[j] = (int32_t)i;
    p->x[i] = (int32_t)j;
    if (loser >= 0) {
        p->x[loser] = -1;
    }
    return loser;
}

/* Where a path ends, as far as it is known: at a free column, or at a row that stays out. */
typedef struct {
    double at;
    int32_t column, row; /* the other is -1 */
} path_end_t;

static inline void relax_pairs(small_pairs_t *p, int32_t i, double h, path_end_t *end) {
    if (p->out - h < end->at) {
        *end = (path_end_t){p->out - h, -1, i};
    }
    for (int64_t e = p->begin[i]; e < p->begin[i + 1]; e++) {
        const int32_t j = p->column[e];
        const double offer = p->cost[e] - p->v[j] - h;
        if (!(offer < end->at && offer < p->distance[j])) {
            continue;
        }
        p->from[j] = i;
        if (p->y[j] < 0) {
            *end = (path_end_t){offer, j, -1};
            continue;
        }
        if (p->distance[j] == INFINITY) {
            p->open[p->open_count++] = j;
        }
        p->distance[j] = offer;
    }
}

/* Close the nearest open column; return it, or -1 if the path ends before. */
static inline int64_t close_nearest_of(small_pairs_t *p, double *reach, double end) {
    int64_t best = -1;
    double least = end;
    for (int64_t k = 0; k < p->open_count && least > *reach; k++) {
        const double here = p->distance[p->open[k]];
        best = here < least ? k : best;
        least = here < least ? here : least;
    }
    if (best < 0) {
        return -1;
    }
    const int32_t j = p->open[best];
    p->open[best] = p->open[--p->open_count];
    *reach = least > *reach ? least : *reach; /* rounding may put it slightly below those closed before */
    p->closed[p->closed_count] = j;
    p->closed_at[p->closed_count++] = *reach;
    p->distance[j] = -INFINITY;
    return j;
}

/* Match row `start`, or leave it or another row out, along a shortest path. Return 0 if there is none. */
static int augment_by_pairs(small_pairs_t *p, int32_t start) {
    path_end_t end = {INFINITY, -1, -1};
    double reach = -INFINITY;
    relax_pairs(p, start, 0.0, &end);
    for (int64_t j; (j = close_nearest_of(p, &reach, end.at)) >= 0;) {
        const int32_t i = p->y[j];
        int64_t e = p->begin[i];
        while (p->column[e] != j) {
            e++;
        }
        relax_pairs(p, i, p->cost[e] - p->v[j] - reach, &end);
    }
    p->counters->path_rows += 1 + p->closed_count;
    if (end.at == INFINITY) {
        return 0;
    }
    p->counters->augmentations++;
    for (int64_t k = 0; k < p->closed_count; k++) {
        const double fall = end.at - p->closed_at[k];
        p->v[p->closed[k]] -= fall > 0.0 ? fall : 0.0;
        p->distance[p->closed[k]] = INFINITY;
    }
    for (int64_t k = 0; k < p->open_count; k++) {
        p->distance[p->open[k]] = INFINITY;
    }
    p->open_count = p->closed_count = 0;
    int32_t j = end.column;
    if (j < 0) {
        j = p->x[end.row];
        p->x[end.row] = -1;
    }
    for (int32_t i = -1; i != start && j >= 0;) {
        i = p->from[j];
        p->y[j] = i;
        const int32_t next = p->x[i];
        p->x[i] = j;
        j = next;
    }
    return 1;
}

/* Match all rows, from duals v of which those of columns left free must be 0. Return 0 if a row cannot be, or after
 * more than `most` rows on paths. */
static int match_listed_pairs(small_pairs_t *p, int64_t most) {
    int32_t waiting[MOST_LISTED];
    int64_t count = 0;
    for (int64_t j = 0; j < p->m; j++) {
        p->y[j] = -1;
        p->distance[j] = INFINITY;
    }
    p->open_count = p->closed_count = 0;
    for (int64_t i = 0; i < p->n; i++) {
        int64_t left = i, bidder = -1;
        p->x[i] = -1;
        for (int bids = 0; bids < CHAIN && left >= 0 && left != bidder; bids++) {
            bidder = left;
            left = bid_for_pair(p, bidder);
            p->counters->reductions++;
        }
        if (left >= 0) {
            waiting[count++] = (int32_t)left;
        }
    }
    most += p->counters->path_rows;
    int complete = 1;
    for (int64_t k = 0; k < count && complete; k++) {
        complete = p->counters->path_rows <= most && augment_by_pairs(p, waiting[k]);
    }
    return complete;
}
