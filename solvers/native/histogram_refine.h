/* More digits for the simplex on histograms that has come to its end: iterative refinement, as in rebase.h.
 * histograms.c includes it.
 */
#ifndef LAPMARK_HISTOGRAM_REFINE_H
#define LAPMARK_HISTOGRAM_REFINE_H

enum { REBASES = 16 };

/* Sums along the tree are exact to such a part of the largest; rounded, and of computed costs, to such a part. */
static const double EXACT_DRIFT = 0x1p-92, HIDDEN = 0x1p-47;

/* What a row and a column cost; a spare one costs nothing. */
static exact_t exact_cost(const state_t *s, const histograms_t *h, int64_t i, int64_t j) {
    const int32_t row = s->rows.bin[i], column = s->columns.bin[j];
    if (row < 0 || column < 0) {
        return (exact_t){0.0, 0.0};
    }
    if (!h->x) {
        return (exact_t){as_cost(h->cost[row * h->m + column]), 0.0};
    }
    exact_t square = {0.0, 0.0};
    for (int64_t axis = 0; axis < h->dimensions; axis++) {
        const double x = h->x[row * h->dimensions + axis], y = h->y[column * h->dimensions + axis];
        square = exact_plus(square, exact_square((exact_t){x - y, difference_rest(x, y)}));
    }
    return exact_times(h->power == 2 ? square : exact_root(square), h->scale);
}

/* What a pair costs beyond the base. */
static double beyond_base(const state_t *s, const histograms_t *h, int64_t i, int64_t j) {
    const exact_t difference = exact_minus(s->base[i], s->base[s->rows.count + j]);
    return exact_minus(exact_cost(s, h, i, j), difference).high;
}

static inline int is_edge(const state_t *s, int32_t row, int32_t column) {
    return s->tree.place[row].parent == column || s->tree.place[column].parent == row;
}

/* Heights of the tree, summed anew, become the base; the largest of them. */
static double sum_exactly(state_t *s, const histograms_t *h) {
    const int32_t n = (int32_t)s->rows.count;
    double largest = 0.0;
    s->base[0] = (exact_t){0.0, 0.0};
    for (int32_t node = s->line[0].next; node != 0; node = s->line[node].next) {
        const shipment_t edge = shipment_above(&s->tree, node);
        const exact_t cost = exact_cost(s, h, edge.row, edge.column), below = s->base[s->tree.place[node].parent];
        s->base[node] = node < n ? exact_plus(below, cost) : exact_minus(below, cost);
        largest = fabs(s->base[node].high) > largest ? fabs(s->base[node].high) : largest;
    }
    return largest;
}

/* Whether a pair that is not in the tree would lower the cost, as far as rounding hides that: among the pairs whose
 * reduced cost is 0 but for rounding. Only if there are such pairs, heights are summed exactly, and become the base. */
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

/* From the optimum that rounding leaves to that of the costs as they are. */
static void refine(state_t *s, const histograms_t *h) {
    const int64_t n = s->rows.count, m = s->columns.count;
    for (int round = 0; round < REBASES && !h->exact && rounding_hides_something(s, h); round++) {
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

#endif
