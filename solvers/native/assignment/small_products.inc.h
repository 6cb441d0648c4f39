/* Square matrices of costs like products of a number for the row and one for the column: rows and columns are matched
 * in order. Compiled as a part of small.c. */
#pragma once

#include "core/sorting.h"

/* Samples, and how many of them must show the order: numbers may be equal. */
enum { SAMPLES = 24, FEWEST = 12 };

static inline int sign_of(double x) { return (x > 0.0) - (x < 0.0); }

/* 1 if, in an order of the rows and an order of the columns, the difference of two columns grows with the row for all
 * sampled columns, -1 if it falls, 0 if it does neither. The differences of two columns give the order of rows, and
 * those of two rows that of columns. */
static int order_like_products(const state_t *s) {
    const double *const *c = s->row;
    const int64_t n = s->n, m = s->m, row = n / 2, column = m / 2;
    uint64_t random = 1;
    int found = 0, common = 0;
    for (int k = 0; k < SAMPLES; k++) {
        int64_t at[4];
        for (int l = 0; l < 4; l++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            at[l] = (int64_t)((random >> 33) % (uint64_t)(l < 2 ? n : m));
        }
        const double *a = c[at[0]], *b = c[at[1]];
        const int64_t j = at[2], l = at[3];
        const int rows = sign_of((a[0] - a[column]) - (b[0] - b[column]));
        const int columns = sign_of((c[0][j] - c[row][j]) - (c[0][l] - c[row][l]));
        const int sign = rows * columns * sign_of((a[j] - a[l]) - (b[j] - b[l]));
        if (sign * common < 0) {
            return 0;
        }
        common = sign != 0 ? sign : common;
        found += sign != 0;
    }
    return found >= FEWEST ? common : 0;
}

/* Match the rows in their order to the columns in theirs, or the opposite one if order > 0. The dual of a column
 * exceeds that of the one before by a difference between the differences of these columns in their two rows, which
 * makes each pair the cheapest of its row if the costs are Monge. Return how many rows have a cheaper column
 * nevertheless; they stay free, in `waiting`. */
static int64_t match_in_order(state_t *s, int order, int32_t *waiting) {
    const double *const *c = s->row;
    const int64_t n = s->n, middle = n / 2;
    ranked_t rows[SMALL_SIDE], columns[SMALL_SIDE];
    for (int64_t k = 0; k < n; k++) {
        keep_smallest(rows, k, n, c[k][0] - c[k][middle], k);
        keep_smallest(columns, k, n, order * (c[middle][k] - c[0][k]), k);
    }
    memset(s->free, 0xff, sizeof s->free);
    s->v[columns[0].at] = 0.0;
    for (int64_t k = 1; k < n; k++) {
        const int64_t left = columns[k - 1].at, right = columns[k].at;
        const double *above = c[rows[k - 1].at], *below = c[rows[k].at];
        s->v[right] = s->v[left] + 0.5 * ((above[right] - above[left]) + (below[right] - below[left]));
    }
    int64_t count = 0;
    for (int64_t k = 0; k < n; k++) {
        const int64_t i = rows[k].at, j = columns[k].at;
        double first, second;
        s->counters->row_scans++;
        two_minima(c[i], s->v, s->width, &first, &second);
        if (c[i][j] - s->v[j] <= first) {
            match(s, i, j);
        } else {
            waiting[count++] = (int32_t)i;
        }
    }
    return count;
}
