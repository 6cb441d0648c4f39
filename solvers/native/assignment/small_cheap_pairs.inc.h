/* Small matrices of which most costs equal the largest: distances cut off at a gate, boxes that do not overlap.
 *
 * A row without one of the cheaper pairs may take any column left over, since n <= m. So only the cheaper pairs are
 * listed, and a row may stay out at the largest cost. The method is that of wide.c on lists: duals of 0, augmenting row
 * reduction, and shortest augmenting paths, which may also end by leaving out a row.
 *
 * Compiled per instruction set; rows are doubles and may be read to the next multiple of WIDTH.
 */
#pragma once

#include "assignment/small.h"
#include "simd/simd.h"

#include <stdlib.h>

/* Cheaper pairs are few if they are at most one in FEW_OF of all; a row that is outbid bids at most CHAIN times. */
enum { FEW_OF = 8, CHAIN = 4 };

typedef struct {
    int64_t n, m;
    double largest;                /* cost of all other pairs, and of staying out */
    int32_t begin[SMALL_SIDE + 1]; /* of each row's pairs */
    int32_t *column;               /* of each pair */
    double *cost;                  /* of each pair */
    double v[SMALL_SIDE];          /* duals of the columns */
    int32_t x[SMALL_SIDE];         /* column of each row, -1 if it has none */
    int32_t y[SMALL_SIDE];         /* row of each column, -1 if it is free */
    double distance[SMALL_SIDE];   /* of columns that a search reached: -inf once closed, else +inf */
    int32_t from[SMALL_SIDE];      /* row before each of them */
    int32_t open[SMALL_SIDE];      /* columns reached, not closed */
    int32_t closed[SMALL_SIDE];    /* columns in the order of closing, */
    double closed_at[SMALL_SIDE];  /* and their distances */
    int64_t open_count, closed_count;
} cheap_pairs_t;

/* Whether most costs of a row equal its largest. */
static inline int is_mostly_largest(const double *row, int64_t m, double *largest) {
    double high = row[0];
    int64_t count = 0;
    for (int64_t j = 1; j < m; j++) {
        high = row[j] > high ? row[j] : high;
    }
    for (int64_t j = 0; j < m; j++) {
        count += row[j] == high;
    }
    *largest = high;
    return 4 * count >= 3 * m;
}

/* List the pairs below the largest cost. False if a cost is not allowed or exceeds it, or if the pairs are not few. */
static inline int list_cheap_pairs(cheap_pairs_t *p, const double *const *row, double allowed, int64_t most) {
    enum { WORD_BITS = 64 };
    const v4_t largest = v4_all(p->largest);
    int64_t count = 0;
    double least = 0.0;
    for (int64_t i = 0; i < p->n; i++) {
        p->begin[i] = (int32_t)count;
        for (int64_t start = 0; start < p->m; start += WORD_BITS) {
            const int64_t end = start + WORD_BITS < p->m ? start + WORD_BITS : p->m;
            const double *c = row[i] + start;
            uint64_t equal = 0, below = 0;
            for (int64_t j = 0; j < end - start; j += WIDTH) {
                const v4_t x = v4_load(c + j);
                below |= (uint64_t)v4_below(x, largest) << j;
                equal |= (uint64_t)v4_at_most(x, largest) << j;
            }
            const uint64_t all = ~(uint64_t)0 >> (WORD_BITS - (end - start));
            if (~equal & all) {
                return 0;
            }
            for (below &= all; below; below &= below - 1) {
                const int64_t j = __builtin_ctzll(below);
                if (count == most) {
                    return 0;
                }
                p->column[count] = (int32_t)(start + j);
                p->cost[count] = c[j];
                least = c[j] < least ? c[j] : least;
                count++;
            }
        }
    }
    p->begin[p->n] = (int32_t)count;
    return least >= -allowed;
}

/* A free column of this value for row i; -1 if there is none. */
static inline int64_t free_column_at(const cheap_pairs_t *p, int64_t i, double value) {
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
static inline int64_t bid_for_cheap_pair(cheap_pairs_t *p, int64_t i) {
    double first = p->largest, second = p->largest;
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
        return -1; /* for good, since no dual will rise */
    }
    const double lowered = p->v[j] - (second - first);
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

static inline void relax_cheap_pairs(cheap_pairs_t *p, int32_t i, double h, path_end_t *end) {
    if (p->largest - h < end->at) {
        *end = (path_end_t){p->largest - h, -1, i};
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
static inline int64_t close_nearest_of(cheap_pairs_t *p, double *reach, double end) {
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

/* Match row `start`, or leave it or another row out, along a shortest path. */
static void augment_by_cheap_pairs(cheap_pairs_t *p, int32_t start) {
    path_end_t end = {INFINITY, -1, -1};
    double reach = -INFINITY;
    relax_cheap_pairs(p, start, 0.0, &end);
    for (int64_t j; (j = close_nearest_of(p, &reach, end.at)) >= 0;) {
        const int32_t i = p->y[j];
        int64_t e = p->begin[i];
        while (p->column[e] != j) {
            e++;
        }
        relax_cheap_pairs(p, i, p->cost[e] - p->v[j] - reach, &end);
    }
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
}

static inline void match_listed_pairs(cheap_pairs_t *p) {
    int32_t waiting[SMALL_SIDE];
    int64_t count = 0;
    for (int64_t j = 0; j < p->m; j++) {
        p->v[j] = 0.0;
        p->y[j] = -1;
        p->distance[j] = INFINITY;
    }
    for (int64_t i = 0; i < p->n; i++) {
        int64_t left = i, bidder = -1;
        p->x[i] = -1;
        for (int bids = 0; bids < CHAIN && left >= 0 && left != bidder; bids++) {
            bidder = left;
            left = bid_for_cheap_pair(p, bidder);
        }
        if (left >= 0) {
            waiting[count++] = (int32_t)left;
        }
    }
    for (int64_t k = 0; k < count; k++) {
        augment_by_cheap_pairs(p, waiting[k]);
    }
}

/* Rows that stayed out take the columns left over. */
static inline void take_columns_left(cheap_pairs_t *p) {
    int32_t j = 0;
    for (int64_t i = 0; i < p->n; i++) {
        if (p->x[i] < 0) {
            while (p->y[j] >= 0) {
                j++;
            }
            p->x[i] = j;
            p->y[j] = (int32_t)i;
        }
    }
}

/* Set y (m), the row of each column or -1, and v (m), the duals, if most costs equal the largest and all are allowed;
 * else return 0. */
static int match_cheap_pairs(const double *const *row, int64_t n, int64_t m, double allowed, int32_t *y, double *v) {
    double largest, other;
    if (!is_mostly_largest(row[0], m, &largest) || !is_mostly_largest(row[n / 2], m, &other) || largest != other ||
        !(largest <= allowed && largest >= -allowed)) {
        return 0;
    }
    const int64_t most = n * m / FEW_OF + m;
    cheap_pairs_t *p = malloc(sizeof *p + (size_t)most * (sizeof *p->cost + sizeof *p->column));
    if (!p) {
        return 0;
    }
    p->n = n;
    p->m = m;
    p->largest = largest;
    p->open_count = p->closed_count = 0;
    p->cost = (double *)(p + 1);
    p->column = (int32_t *)(p->cost + most);
    const int few = list_cheap_pairs(p, row, allowed, most);
    if (few) {
        match_listed_pairs(p);
        take_columns_left(p);
        memcpy(y, p->y, (size_t)m * sizeof *y);
        memcpy(v, p->v, (size_t)m * sizeof *v);
    }
    free(p);
    return few;
}
