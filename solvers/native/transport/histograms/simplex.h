/* Network simplex on the whole matrix of a small problem. */
#pragma once

#include "transport/histograms/reduced_problem.h"

static inline void join(state_t *s, int32_t node, int32_t next) {
    s->line[node].next = next;
    s->line[next].previous = node;
}

/* Ancestors of `node` whose range ended with `old` now end with `new`. */
static inline void end_with(state_t *s, int32_t node, int32_t old, int32_t new) {
    for (; node >= 0 && s->line[node].last == old; node = s->tree.place[node].parent) {
        s->line[node].last = new;
    }
}

/* Compute heights from the costs of the tree alone, which drops the rounding errors of pivots. */
static void renew_heights(state_t *s) {
    double largest = 0.0, *height = s->height;
    height[0] = 0.0;
    for (int32_t node = s->line[0].next; node != 0; node = s->line[node].next) {
        const double cost = s->tree.edge[node].cost, below = height[s->tree.place[node].parent];
        height[node] = node < s->tree.n ? below + cost : below - cost;
        largest = fabs(height[node]) > largest ? fabs(height[node]) : largest;
    }
    s->tolerance = tolerance_of(largest, s->least_tolerance);
}

static void plant(state_t *s) {
    const int64_t n = s->rows.count, m = s->columns.count;
    s->tree.n = n;
    s->tree.nodes = n + m;
    tree_build(&s->tree, s->shipments, s->plant, s->walk);
    int32_t last = 0;
    for (int64_t k = 0; k < 2 * (n + m - 1); k++) {
        if (s->walk[k] >= 0) {
            join(s, last, s->walk[k]);
            last = s->walk[k];
        } else {
            s->line[~s->walk[k]].last = last;
        }
    }
    join(s, last, 0);
    s->line[0].last = last;
    for (int64_t j = m; j < s->width; j++) {
        s->height[n + j] = 0.0;
    }
    renew_heights(s);
}

/* Lift the nodes from `first` to `last`. */
static inline void lift(state_t *s, int32_t first, int32_t last, double by) {
    for (int32_t node = first;; node = s->line[node].next) {
        s->height[node] += by;
        if (node == last) {
            return;
        }
    }
}

/* Hang what lies below the leaving edge from `above` by its node `top`, and reverse the edges between. In the order,
 * what is below `top` comes first, then whatever else is below each node on the way from there. */
static void hang(state_t *s, int32_t top, int32_t above, const cycle_t *cycle, double cost) {
    const int32_t leaving = cycle->leaving, total = s->tree.place[leaving].size, end = s->line[leaving].last;
    carry_over(&s->tree, above, cycle);
    end_with(s, s->tree.place[leaving].parent, end, s->line[leaving].previous);
    join(s, s->line[leaving].previous, s->line[end].next);

    const int32_t after = s->line[above].next;
    mass_t flow = cycle->flow;
    int32_t parent = above, below = 0, tail = above;
    line_t lower = {-1, -1, -1}; /* of the node before on the way; `next` is what followed all below it */
    for (int32_t node = top;;) {
        const place_t place = s->tree.place[node];
        const tree_edge_t edge = s->tree.edge[node];
        const line_t line = s->line[node];
        const int32_t behind = line.last == lower.last ? lower.next : s->line[line.last].next;
        join(s, tail, node);
        if (node != top) {
            tail = lower.previous;
        }
        if (line.last != lower.last) {
            if (node != top) {
                join(s, tail, lower.next);
            }
            tail = line.last;
        }
        s->tree.place[node] = (place_t){parent, total - below};
        s->tree.edge[node] = (tree_edge_t){flow, cost};
        lower = (line_t){behind, line.previous, line.last};
        parent = node;
        if (node == leaving) {
            break;
        }
        below = place.size;
        flow = edge.flow;
        cost = edge.cost;
        node = place.parent;
    }
    join(s, tail, after);
    for (int32_t node = leaving; node != above; node = s->tree.place[node].parent) {
        s->line[node].last = tail;
    }
    end_with(s, above, above, tail);
}

static void pivot(state_t *s, int32_t row, int32_t j, double reduced) {
    const int32_t column = (int32_t)s->rows.count + j;
    const cycle_t cycle = find_cycle(&s->tree, row, column);
    if (cycle.flow > 0) {
        send_around(&s->tree, row, column, &cycle);
    }
    const int32_t top = cycle.on_column_side ? column : row, above = cycle.on_column_side ? row : column;
    hang(s, top, above, &cycle, row_of(s, row)[j]);
    const double by = top == row ? reduced : -reduced;
    s->tolerance = tolerance_of(fabs(by), s->tolerance);
    const int32_t last = s->line[top].last;
    if (2 * s->tree.place[top].size <= s->tree.nodes) {
        lift(s, top, last, by);
    } else {
        lift(s, 0, s->line[top].previous, -by);
        if (last != s->line[0].last) {
            lift(s, s->line[last].next, s->line[0].last, -by);
        }
    }
    s->pivots++;
}

/* Pivot until no pair would lower the cost by recomputed heights. LAST_RENEWALS rules out that rounding shows a gain
 * for ever. */
static void run(state_t *s) {
    const int64_t n = s->rows.count;
    const double *of_columns = s->height + n;
    int64_t i = 0, fruitless = 0, until_renewal = s->tree.nodes;
    int fresh = 1, looks = LAST_RENEWALS;
    while (fruitless < n || (!fresh && looks > 0)) {
        if (fruitless >= n || until_renewal == 0) {
            looks -= fruitless >= n;
            renew_heights(s);
            until_renewal = s->tree.nodes;
            fruitless = 0;
            fresh = 1;
        }
        const int64_t rows = ROWS < n - fruitless ? ROWS : n - fruitless;
        double least = -s->tolerance, low = 0.0;
        int64_t best = -1;
        for (int64_t k = 0; k < rows; k++) {
            const double sum = least_sum(row_of(s, i), of_columns, s->width), reduced = sum - s->height[i];
            if (reduced < least) {
                least = reduced;
                low = sum;
                best = i;
            }
            i = i + 1 == n ? 0 : i + 1;
        }
        fruitless += rows;
        if (best >= 0) {
            i = best; /* its other columns may be next */
            pivot(s, (int32_t)best, place_of_sum(row_of(s, best), of_columns, low), least);
            fruitless = 0;
            fresh = 0;
            until_renewal--;
        }
    }
}
