/* Iterative refinement of the simplex on histograms, as in transport/network_simplex/iterative_refinement.c. */
#pragma once

#include "transport/histograms/simplex.h"

/* Part of the largest height that rounding can hide in sums of computed costs along the tree. */
static const double HIDDEN = 0x1p-47;

/* Cost of a row and a column; 0 for the spare one. */
static dd_t exact_cost(const state_t *s, const histograms_t *h, int64_t i, int64_t j) {
    const int32_t row = s->rows.bin[i], column = s->columns.bin[j];
    if (row < 0 || column < 0) {
        return DD_ZERO;
    }
    if (!h->x) {
        return (dd_t){as_cost(h->cost[row * h->m + column]), 0.0};
    }
    dd_t square = DD_ZERO;
    for (int64_t axis = 0; axis < h->dimensions; axis++) {
        const double x = h->x[row * h->dimensions + axis], y = h->y[column * h->dimensions + axis];
        square = dd_add(square, dd_square(dd_difference(x, y)));
    }
    return dd_mul(h->power == 2 ? square : dd_sqrt(square), h->scale);
}

/* Cost of a pair beyond the base heights. */
static double beyond_base(const state_t *s, const histograms_t *h, int64_t i, int64_t j) {
    const dd_t difference = dd_sub(s->base[i], s->base[s->rows.count + j]);
    return dd_sub(exact_cost(s, h, i, j), difference).high;
}

static inline int is_edge(const state_t *s, int32_t row, int32_t column) {
    return s->tree.place[row].parent == column || s->tree.place[column].parent == row;
}

/* Sum up the heights of the tree in double-double as the base; return the largest. */
static double sum_exactly(state_t *s, const histograms_t *h) {
    const int32_t n = (int32_t)s->rows.count;
    double largest = 0.0;
    s->base[0] = DD_ZERO;
    for (int32_t node = s->line[0].next; node != 0; node = s->line[node].next) {
        const shipment_t edge = shipment_above(&s->tree, node);
        const dd_t cost = exact_cost(s, h, edge.row, edge.column), below = s->base[s->tree.place[node].parent];
        s->base[node] = node < n ? dd_add(below, cost) : dd_sub(below, cost);
        largest = fabs(s->base[node].high) > largest ? fabs(s->base[node].high) : largest;
    }
    return largest;
}

/* Whether a pair that is not in the tree would lower the cost, among the pairs whose reduced cost is 0 up to rounding.
 * Only if there are such pairs, heights are summed exactly and become the base. */
static int rounding_hides_something(state_t *s, const histograms_t *h) {
    const int64_t n = s->rows.count, m = s->columns.count;
    double largest = 0.0, drift = -1.0;
    int found = 0;
    for (int64_t node = 0; node < n + m; node++) {
        largest = fabs(s->height[node]) > largest ? fabs(s->height[node]) : largest;
    }
    const double hidden = (s->rebased ? 0.0 : HIDDEN * largest) + 2.0 * s->tolerance, *height = s->height + n;
    for (int64_t i = 0; i < n && !found; i++) {
        const double *cost = row_of(s, i);
        for (int64_t j = 0; j < s->width && !found; j += WIDTH) {
            const v4_t sums = v4_add(v4_load(cost + j), v4_load(height + j));
            for (unsigned lanes = v4_at_most(sums, v4_all(s->height[i] + hidden)); lanes && !found;
                 lanes &= lanes - 1) {
                const int64_t at = j + first_lane(lanes);
                if (is_edge(s, (int32_t)i, (int32_t)(n + at))) {
                    continue;
                }
                drift = drift < 0.0 ? EXACT_DRIFT * sum_exactly(s, h) : drift;
                found = beyond_base(s, h, i, at) < -drift;
            }
        }
    }
    if (drift >= 0.0) {
        s->rebased = 1;
        s->least_tolerance = drift;
        memset(s->height, 0, (size_t)(n + m) * sizeof *s->height);
    }
    return found;
}

/* From the optimum up to rounding to that of the costs as they are. */
static void refine(state_t *s, const histograms_t *h) {
    const int64_t n = s->rows.count, m = s->columns.count;
    for (int round = 0; round < MOST_REFINEMENTS && !h->exact && rounding_hides_something(s, h); round++) {
        for (int64_t i = 0; i < n; i++) {
            for (int64_t j = 0; j < m; j++) {
                row_of(s, i)[j] = beyond_base(s, h, i, j);
            }
        }
        for (int32_t node = 1; node < s->tree.nodes; node++) {
            s->tree.edge[node].cost = 0.0;
        }
        renew_heights(s);
        run(s);
    }
}
