/* Small problems given by lists of pairs: augmenting row reduction, and shortest augmenting paths, which may also end
 * by leaving out a row, at a cost of its own. Duals only fall.
 */
#pragma once

#include "assignment/small.h"

#include <stdlib.h>

/* A row that is outbid bids at most CHAIN times. */
enum { CHAIN = 16 };

typedef struct {
    int64_t n, m;
    double out;            /* cost of staying out, +inf if no row may */
    const int32_t *begin;  /* (n + 1) of each row's pairs */
    const int32_t *column; /* of each pair */
    const double *cost;    /* of each pair */
    counters_t *counters;
    double *v;         /* (m) duals of the columns */
    double *distance;  /* (m) of columns that a search reached: -inf once closed, else +inf */
    double *closed_at; /* (m) distances of the closed columns */
    int32_t *x;        /* (n) column of each row, -1 if it has none */
    int32_t *waiting;  /* (n) rows to be matched by a search */
    int32_t *y;        /* (m) row of each column, -1 if it is free */
    int32_t *from;     /* (m) row before each column that a search reached */
    int32_t *open;     /* (m) columns reached, not closed: a heap by distance */
    int32_t *place;    /* (m) of each column in the heap, -1 if it is not there */
    int32_t *closed;   /* (m) columns in the order of closing */
    int64_t open_count, closed_count;
} small_pairs_t;

/* Memory for a problem and lists of so many pairs, to be freed; NULL if there is none. */
static small_pairs_t *new_small_pairs(int64_t n, int64_t m, int64_t pairs, int32_t **begin, int32_t **column,
                                      double **cost) {
    const size_t doubles = (size_t)(3 * m + pairs), integers = (size_t)(3 * n + 1 + 5 * m + pairs);
    small_pairs_t *p = malloc(sizeof *p + doubles * sizeof(double) + integers * sizeof(int32_t));
    if (!p) {
        return NULL;
    }
    double *of_doubles = (double *)(p + 1);
    int32_t *of_integers = (int32_t *)(of_doubles + doubles);
    *cost = of_doubles + 3 * m;
    *begin = of_integers;
    *column = of_integers + 3 * n + 1 + 5 * m;
    *p = (small_pairs_t){.n = n,
                         .m = m,
                         .begin = *begin,
                         .column = *column,
                         .cost = *cost,
                         .v = of_doubles,
                         .distance = of_doubles + m,
                         .closed_at = of_doubles + 2 * m,
                         .x = of_integers + n + 1,
                         .waiting = of_integers + 2 * n + 1,
                         .y = of_integers + 3 * n + 1,
                         .from = of_integers + 3 * n + 1 + m,
                         .open = of_integers + 3 * n + 1 + 2 * m,
                         .place = of_integers + 3 * n + 1 + 3 * m,
                         .closed = of_integers + 3 * n + 1 + 4 * m};
    return p;
}

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

/* The nearest end of a path found so far: a free column, or a row that stays out. */
typedef struct {
    double at;
    int32_t column, row; /* the other is -1 */
} path_end_t;

/* Put column j at place k of the heap, or above it. */
static inline void move_up(small_pairs_t *p, int32_t j, int64_t k) {
    const double distance = p->distance[j];
    for (; k > 0 && distance < p->distance[p->open[(k - 1) / 2]]; k = (k - 1) / 2) {
        p->open[k] = p->open[(k - 1) / 2];
        p->place[p->open[k]] = (int32_t)k;
    }
    p->open[k] = j;
    p->place[j] = (int32_t)k;
}

/* Take the nearest column from the heap. */
static inline int32_t take_nearest(small_pairs_t *p) {
    const int32_t first = p->open[0], j = p->open[--p->open_count];
    const double distance = p->distance[j];
    int64_t k = 0;
    for (int64_t below = 1; below < p->open_count; below = 2 * k + 1) {
        below += below + 1 < p->open_count && p->distance[p->open[below + 1]] < p->distance[p->open[below]];
        if (!(p->distance[p->open[below]] < distance)) {
            break;
        }
        p->open[k] = p->open[below];
        p->place[p->open[k]] = (int32_t)k;
        k = below;
    }
    p->open[k] = j;
    p->place[j] = (int32_t)k;
    p->place[first] = -1;
    return first;
}

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
        p->distance[j] = offer;
        move_up(p, j, p->place[j] < 0 ? p->open_count++ : p->place[j]);
    }
}

/* Close the nearest open column; return it, or -1 if the path ends before. */
static inline int64_t close_nearest_of(small_pairs_t *p, double *reach, double end) {
    if (p->open_count == 0 || !(p->distance[p->open[0]] < end)) {
        return -1;
    }
    const int32_t j = take_nearest(p);
    *reach = p->distance[j] > *reach ? p->distance[j] : *reach; /* rounding may put it slightly below earlier ones */
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
        p->place[p->open[k]] = -1;
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
    int64_t count = 0;
    for (int64_t j = 0; j < p->m; j++) {
        p->y[j] = p->place[j] = -1;
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
            p->waiting[count++] = (int32_t)left;
        }
    }
    most += p->counters->path_rows;
    int complete = 1;
    for (int64_t k = 0; k < count && complete; k++) {
        complete = p->counters->path_rows <= most && augment_by_pairs(p, p->waiting[k]);
    }
    return complete;
}
