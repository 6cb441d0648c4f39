/* First tree of the simplex on histograms: ship along those pairs first that cost least relative to the means of their
 * row and column. */
#pragma once

#include "core/union_find.h"
#include "transport/histograms/reduced_problem.h"

static inline int32_t component(state_t *s, int64_t node) { return union_find_root(s->leader, (int32_t)node); }

static inline void connect(state_t *s, int64_t *count, int64_t i, int64_t j, mass_t flow) {
    s->shipments[(*count)++] = (shipment_t){(int32_t)i, (int32_t)j, flow, row_of(s, i)[j]};
    s->leader[component(s, i)] = component(s, s->rows.count + j);
}

static inline void look_for(state_t *s, int64_t i) {
    const double low = least_sum(row_of(s, i), s->charge, s->width);
    s->low[i] = low - s->mean[i];
    s->best[i] = low < INFINITY ? place_of_sum(row_of(s, i), s->charge, low) : -1;
}

static void take_means(state_t *s) {
    const int64_t n = s->rows.count, m = s->columns.count;
    for (int64_t j = 0; j < s->width; j += WIDTH) {
        v4_t sum = v4_all(0.0);
        for (int64_t i = 0; i < n; i++) {
            sum = v4_add(sum, v4_load(row_of(s, i) + j));
        }
        v4_store(s->charge + j, v4_mul(sum, v4_all(-1.0 / (double)n)));
    }
    for (int64_t j = m; j < s->width; j++) {
        s->charge[j] = INFINITY;
    }
    for (int64_t i = 0; i < n; i++) {
        v4_t sums = v4_all(0.0);
        int64_t j = 0;
        for (; j + WIDTH <= m; j += WIDTH) {
            sums = v4_add(sums, v4_load(row_of(s, i) + j));
        }
        double lane[WIDTH];
        v4_store(lane, sums);
        double sum = (lane[0] + lane[1]) + (lane[2] + lane[3]);
        for (; j < m; j++) {
            sum += row_of(s, i)[j];
        }
        s->mean[i] = sum / (double)m;
    }
}

static void start(state_t *s) {
    const int64_t n = s->rows.count, m = s->columns.count, tall = in_steps(n);
    mass_t *supply = s->rows.mass, *demand = s->columns.mass;
    int64_t count = 0;
    double *zeros = s->height; /* free until there is a tree */
    for (int32_t node = 0; node < n + m; node++) {
        s->leader[node] = node;
    }
    take_means(s);
    for (int64_t i = 0; i < tall; i++) {
        s->low[i] = INFINITY;
        zeros[i] = 0.0;
    }
    for (int64_t i = 0; i < n; i++) {
        look_for(s, i);
    }
    for (double low = least_sum(s->low, zeros, tall); low < INFINITY; low = least_sum(s->low, zeros, tall)) {
        const int64_t i = place_of_sum(s->low, zeros, low), j = s->best[i];
        if (demand[j] == 0) {
            look_for(s, i);
            continue;
        }
        const mass_t flow = supply[i] < demand[j] ? supply[i] : demand[j];
        connect(s, &count, i, j, flow);
        supply[i] -= flow;
        demand[j] -= flow;
        s->charge[j] = demand[j] == 0 ? INFINITY : s->charge[j];
        s->low[i] = supply[i] == 0 ? INFINITY : s->low[i];
    }
    /* Parts that are not connected with row 0 are hung from it by a row, with an edge that carries nothing. */
    for (int64_t i = 1; i < n; i++) {
        if (component(s, i) != component(s, 0)) {
            int64_t best = -1;
            for (int64_t j = 0; j < m; j++) {
                if (component(s, n + j) == component(s, 0) && (best < 0 || row_of(s, i)[j] < row_of(s, i)[best])) {
                    best = j;
                }
            }
            connect(s, &count, i, best, 0);
        }
    }
}
