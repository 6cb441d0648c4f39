/* A pair of histograms as a transport problem: its memory, and the bins, masses and costs that take part. */
#pragma once

#include "core/double_double.h"
#include "core/variant_names.h"
#include "simd/simd.h"
#include "transport/histograms/histograms.h"
#include "transport/network_simplex/spanning_tree.h"

/* ROWS are priced for each pivot. */
enum { ROWS = 5, LAST_RENEWALS = 8, STEP = 2 * WIDTH };

/* Nodes in depth-first order: what is below a node follows it, up to `last`. */
typedef struct {
    int32_t next, previous, last;
} line_t;

/* The bins of one side that take part, and their masses. One more, with bin -1, takes the difference of the sums. */
typedef struct {
    int64_t count;
    int32_t *bin; /* (count) */
    mass_t *mass; /* (count) */
} side_t;

typedef struct {
    side_t rows, columns;
    int32_t spare;  /* the node that is not a bin; -1 if all are */
    int64_t width;  /* doubles from one row of costs to the next */
    double *cost;   /* (rows, width), +inf beyond the columns */
    double *height; /* (rows + width) of the nodes */
    double tolerance, least_tolerance;
    tree_t tree;
    line_t *line;          /* (nodes) */
    shipment_t *shipments; /* (nodes) */
    int32_t *leader;       /* (nodes) see union_find.h */
    int32_t *walk, *plant; /* (2 nodes), (tree_build_room) */
    /* For the first tree: minus the mean of each column, +inf if no mass is wanted; the mean of each row; and the least
     * cost relative to these in each row, +inf if no mass is left, and its column. */
    double *charge;   /* (width) */
    double *mean;     /* (rows) */
    double *low;      /* (rows, padded to whole steps) */
    int32_t *best;    /* (rows) */
    mass_t *whole[2]; /* (n), (m) */
    /* For refinement: base heights, which all others are relative to if `rebased`. */
    dd_t *base; /* (nodes) */
    int rebased;
    int64_t pivots;
} state_t;

static inline int64_t in_steps(int64_t count) { return (count + STEP - 1) / STEP * STEP; }

/* Take memory for `count` items off `room`, in whole cache lines; only count it if `room` is NULL. */
static void *take(double **room, int64_t *taken, int64_t count, size_t size) {
    const int64_t doubles = in_steps((int64_t)(((size_t)count * size + sizeof(double) - 1) / sizeof(double)));
    void *here = *room;
    *taken += doubles;
    if (*room) {
        *room += doubles;
    }
    return here;
}

/* Place all arrays for histograms of n and m bins and the spare one. Return the doubles needed. */
static int64_t place_all(state_t *s, int64_t n, int64_t m, double *room) {
    const int64_t nodes = n + m + 1, width = in_steps(m + 1);
    int64_t taken = 0;
    s->cost = take(&room, &taken, (n + 1) * width, sizeof *s->cost);
    s->height = take(&room, &taken, in_steps(n + 1) + width, sizeof *s->height);
    s->low = take(&room, &taken, in_steps(n + 1), sizeof *s->low);
    s->mean = take(&room, &taken, n + 1, sizeof *s->mean);
    s->charge = take(&room, &taken, width, sizeof *s->charge);
    s->tree.place = take(&room, &taken, nodes, sizeof *s->tree.place);
    s->tree.edge = take(&room, &taken, nodes, sizeof *s->tree.edge);
    s->line = take(&room, &taken, nodes, sizeof *s->line);
    s->shipments = take(&room, &taken, nodes, sizeof *s->shipments);
    s->leader = take(&room, &taken, nodes, sizeof *s->leader);
    s->walk = take(&room, &taken, 2 * nodes, sizeof *s->walk);
    s->plant = take(&room, &taken, tree_build_room(nodes), sizeof *s->plant);
    s->best = take(&room, &taken, n + 1, sizeof *s->best);
    s->base = take(&room, &taken, nodes, sizeof *s->base);
    s->rows.bin = take(&room, &taken, n + 1, sizeof *s->rows.bin);
    s->columns.bin = take(&room, &taken, m + 1, sizeof *s->columns.bin);
    s->rows.mass = take(&room, &taken, n + 1, sizeof *s->rows.mass);
    s->columns.mass = take(&room, &taken, m + 1, sizeof *s->columns.mass);
    s->whole[0] = take(&room, &taken, n, sizeof *s->whole[0]);
    s->whole[1] = take(&room, &taken, m, sizeof *s->whole[1]);
    return taken;
}

static void list_bins(side_t *side, const mass_t *whole, int64_t count) {
    side->count = 0;
    for (int64_t k = 0; k < count; k++) {
        side->bin[side->count] = (int32_t)k;
        side->mass[side->count] = whole[k];
        side->count += whole[k] > 0;
    }
}

/* Set up the masses that take part. Return the mass of a unit. */
static double set_up_masses(state_t *s, const histograms_t *h, const double *a, const double *b) {
    mass_t *const *whole = s->whole;
    int partial = h->partial;
    if (partial) {
        const double sum_a = sum_up_to(a, h->n, INFINITY), sum_b = sum_up_to(b, h->m, INFINITY);
        partial = fabs(sum_a - sum_b) > h->rounding * (sum_a > sum_b ? sum_a : sum_b);
    }
    const mass_scale_t measure = masses_to_integers(a, h->n, b, h->m, partial, whole[0], whole[1]);
    const mass_t over = measure.over;
    if (h->metric) {
        for (int64_t k = 0; k < h->n; k++) {
            const mass_t both = whole[0][k] < whole[1][k] ? whole[0][k] : whole[1][k];
            whole[0][k] -= both;
            whole[1][k] -= both;
        }
    }
    list_bins(&s->rows, whole[0], h->n);
    list_bins(&s->columns, whole[1], h->m);
    s->spare = -1;
    if (over > 0) {
        s->columns.bin[s->columns.count] = -1;
        s->columns.mass[s->columns.count++] = over;
    } else if (over < 0) {
        s->rows.bin[s->rows.count] = -1;
        s->rows.mass[s->rows.count++] = -over;
    }
    if (over != 0) {
        s->spare = (int32_t)(s->rows.count + (over > 0 ? s->columns.count : 0)) - 1;
    }
    return measure.unit;
}

static inline double *row_of(const state_t *s, int64_t i) { return s->cost + i * s->width; }

/* Copy row i of the matrix, with costs limited so that their sums are finite. */
static inline void copy_costs(const double *restrict from, int64_t count, double *restrict to) {
    const v4_t most = v4_all(LARGEST_COST), least = v4_all(-LARGEST_COST);
    int64_t j = 0;
    for (; j + WIDTH <= count; j += WIDTH) {
        v4_store(to + j, v4_max(v4_min(v4_load(from + j), most), least));
    }
    for (; j < count; j++) {
        to[j] = as_cost(from[j]);
    }
}

static void set_up_costs(state_t *s, const histograms_t *h) {
    const int64_t m = s->columns.count, bins = m - (m > 0 && s->columns.bin[m - 1] < 0);
    const int all = bins == h->m;
    s->width = in_steps(m);
    for (int64_t i = 0; i < s->rows.count; i++) {
        double *restrict to = row_of(s, i);
        const int32_t *restrict bin = s->columns.bin;
        if (s->rows.bin[i] < 0) {
            memset(to, 0, (size_t)m * sizeof *to);
        } else {
            const double *restrict from = h->cost + s->rows.bin[i] * h->m;
            if (all) {
                copy_costs(from, bins, to);
            } else {
                for (int64_t j = 0; j < bins; j++) {
                    to[j] = as_cost(from[bin[j]]);
                }
            }
            to[bins] = 0.0; /* the spare bin costs nothing; otherwise the next loop overwrites this */
        }
        for (int64_t j = m; j < s->width; j++) {
            to[j] = INFINITY;
        }
    }
}

/* The smallest a + b over whole steps. */
static inline double least_sum(const double *restrict a, const double *restrict b, int64_t width) {
    v4_t low = v4_all(INFINITY), next = low;
    for (int64_t j = 0; j < width; j += STEP) {
        low = v4_min(low, v4_add(v4_load(a + j), v4_load(b + j)));
        next = v4_min(next, v4_add(v4_load(a + j + WIDTH), v4_load(b + j + WIDTH)));
    }
    return v4_lowest(v4_min(low, next));
}

/* The first index where a + b is at most `value`; there must be one. */
static inline int32_t place_of_sum(const double *restrict a, const double *restrict b, double value) {
    for (int64_t j = 0;; j += WIDTH) {
        const unsigned lanes = v4_at_most(v4_add(v4_load(a + j), v4_load(b + j)), v4_all(value));
        if (lanes) {
            return (int32_t)j + first_lane(lanes);
        }
    }
}
