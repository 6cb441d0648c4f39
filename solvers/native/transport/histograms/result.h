/* Duals, plan and cost of a pair of histograms, from the tree of the simplex. */
#pragma once

#include "transport/histograms/reduced_problem.h"

/* With the base, if there is one. */
static inline double height_of(const state_t *s, int32_t node) {
    return s->rebased ? dd_add(s->base[node], (dd_t){s->height[node], 0.0}).high : s->height[node];
}

static inline double smaller(double a, double b) { return a < b ? a : b; }

/* Write the duals of all bins. Bins that take no part get the best dual that the others allow; `end` is the height at
 * which a dual is 0. */
static void write_duals(const state_t *s, const histograms_t *h, double *f, double *g) {
    const int64_t n = s->rows.count, m = s->columns.count;
    const double end = s->spare >= 0 ? height_of(s, s->spare) : 0.0;
    const double most_f = s->spare >= n ? 0.0 : INFINITY, most_g = s->spare >= 0 && s->spare < n ? 0.0 : INFINITY;
    if (n == 0 || m == 0) {
        memset(f, 0, (size_t)h->n * sizeof *f);
        memset(g, 0, (size_t)h->m * sizeof *g);
        return;
    }
    /* A metric bounds the difference of the duals of neighbouring bins, so the duals of one side give those of the
     * other. */
    const int from_rows = h->metric && s->spare >= 0 && s->spare < n;
    if (!from_rows) {
        for (int64_t i = 0; i < h->n; i++) {
            f[i] = most_f;
        }
        for (int64_t j = 0; j < m; j++) {
            for (int64_t i = 0; i < h->n && s->columns.bin[j] >= 0; i++) {
                f[i] = smaller(f[i], h->cost[i * h->m + s->columns.bin[j]] + (height_of(s, (int32_t)(n + j)) - end));
            }
        }
    }
    for (int64_t j = 0; j < h->m; j++) {
        g[j] = most_g;
    }
    for (int64_t k = 0; k < (from_rows ? n : h->n); k++) {
        const int64_t i = from_rows ? s->rows.bin[k] : k;
        const double dual = from_rows ? height_of(s, (int32_t)k) - end : f[i];
        for (int64_t j = 0; j < h->m && i >= 0; j++) {
            g[j] = smaller(g[j], h->cost[i * h->m + j] - dual);
        }
    }
    for (int64_t i = 0; i < h->n && from_rows; i++) {
        f[i] = -g[i];
    }
}

/* Mass that moves between two bins. */
typedef struct {
    int32_t row, column;
    double mass;
} move_t;

/* Return the move along the edge above a node; nothing if one end is not a bin, or if only rounding has caused it. */
static inline move_t move_above(const state_t *s, int32_t node, double unit, const double *a, const double *b) {
    const shipment_t k = shipment_above(&s->tree, node);
    const int32_t i = s->rows.bin[k.row], j = s->columns.bin[k.column];
    const double mass = (double)k.flow * unit;
    return (move_t){i, j, i < 0 || j < 0 || is_dust(mass, a[i], b[j]) ? 0.0 : mass};
}

/* Write all moves, and the mass that stays in its bin. */
static void write_plan(const state_t *s, const histograms_t *h, double unit, const double *a, const double *b,
                       int32_t *rows, int32_t *columns, double *moved) {
    int64_t count = 0;
    for (int32_t node = 1; node < s->tree.nodes; node++) {
        const move_t move = move_above(s, node, unit, a, b);
        if (move.mass > 0.0) {
            rows[count] = move.row;
            columns[count] = move.column;
            moved[count++] = move.mass;
        }
    }
    for (int32_t i = 0; i < h->n && h->metric; i++) {
        const double both = smaller(a[i], b[i]);
        if (both > 0.0) {
            rows[count] = columns[count] = i;
            moved[count++] = both;
        }
    }
    for (; count < h->n + h->m - 1; count++) {
        rows[count] = columns[count] = 0;
        moved[count] = 0.0;
    }
}

static double total_cost(const state_t *s, const histograms_t *h, double unit, const double *a, const double *b) {
    double total = 0.0;
    for (int32_t node = 1; node < s->tree.nodes; node++) {
        const move_t move = move_above(s, node, unit, a, b);
        total += move.mass > 0.0 ? h->cost[move.row * h->m + move.column] * move.mass : 0.0;
    }
    return total;
}
