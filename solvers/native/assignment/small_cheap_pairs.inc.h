/* Small matrices of which most costs equal the largest: distances cut off at a gate, boxes that do not overlap.
 *
 * A row without one of the cheaper pairs may take any column left over, since n <= m. So only the cheaper pairs are
 * listed, and a row may stay out at the largest cost.
 *
 * Compiled per instruction set; rows are doubles and may be read to the next multiple of WIDTH.
 */
#pragma once

#include "assignment/small_pairs.inc.h"
#include "simd/simd.h"

#include <stdlib.h>
#include <string.h>

/* Cheaper pairs are few if they are at most one in FEW_OF of all. */
enum { FEW_OF = 8 };

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
static inline int list_cheap_pairs(small_pairs_t *p, const double *const *row, double allowed, int64_t most,
                                   int32_t *begin, int32_t *column, double *cost) {
    enum { WORD_BITS = 64 };
    const v4_t largest = v4_all(p->out);
    int64_t count = 0;
    double least = 0.0;
    for (int64_t i = 0; i < p->n; i++) {
        begin[i] = (int32_t)count;
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
                const int64_t j = lowest_bit(below);
                if (count == most) {
                    return 0;
                }
                column[count] = (int32_t)(start + j);
                cost[count] = c[j];
                least = c[j] < least ? c[j] : least;
                count++;
            }
        }
    }
    begin[p->n] = (int32_t)count;
    return least >= -allowed;
}

/* Rows that stayed out take the columns left over. */
static inline void take_columns_left(small_pairs_t *p) {
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
static int match_cheap_pairs(const double *const *row, int64_t n, int64_t m, double allowed, counters_t *counters,
                             int32_t *y, double *v) {
    double largest, other;
    if (!is_mostly_largest(row[0], m, &largest) || !is_mostly_largest(row[n / 2], m, &other) || largest != other ||
        !(largest <= allowed && largest >= -allowed)) {
        return 0;
    }
    const int64_t most = n * m / FEW_OF + m;
    int32_t *begin, *column;
    double *cost;
    small_pairs_t *p = new_small_pairs(n, m, most, &begin, &column, &cost);
    if (!p) {
        return 0;
    }
    p->out = largest;
    p->counters = counters;
    const int few = list_cheap_pairs(p, row, allowed, most, begin, column, cost);
    if (few) {
        memset(p->v, 0, (size_t)m * sizeof *p->v);
        match_listed_pairs(p, INT64_MAX / 2);
        take_columns_left(p);
        memcpy(y, p->y, (size_t)m * sizeof *y);
        memcpy(v, p->v, (size_t)m * sizeof *v);
    }
    free(p);
    return few;
}
