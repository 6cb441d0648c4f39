/* Initial tree of the network simplex. */
#include "transport/network_simplex/initial_tree.h"

#include "core/union_find.h"

int initial_tree_init(initial_tree_t *f, arena_t *a, pair_costs_t costs, int64_t n, int64_t m) {
    *f = (initial_tree_t){
        .costs = costs,
        .n = n,
        .m = m,
        .leader = arena_take(a, n + m, sizeof *f->leader),
        .column = arena_take(a, n, sizeof *f->column),
        .shipments = arena_take(a, n + m, sizeof *f->shipments),
    };
    for (int32_t node = 0; node < n + m && !a->failed; node++) {
        f->leader[node] = node;
    }
    return !a->failed;
}

static inline int32_t component(initial_tree_t *f, int64_t node) { return union_find_root(f->leader, (int32_t)node); }

void initial_tree_connect(initial_tree_t *f, int64_t row, int64_t column, mass_t flow) {
    f->shipments[f->count++] =
        (shipment_t){(int32_t)row, (int32_t)column, flow, f->costs.cost(f->costs.source, row, column)};
    f->leader[component(f, row)] = component(f, f->n + column);
    f->column[row] = (int32_t)column;
}

void initial_tree_ship(initial_tree_t *f, mass_t *supply, mass_t *demand, int64_t row, int64_t column) {
    const mass_t flow = *supply < *demand ? *supply : *demand;
    if (flow > 0) {
        *supply -= flow;
        *demand -= flow;
        initial_tree_connect(f, row, column, flow);
    }
}

void initial_tree_north_west_corner(initial_tree_t *f, mass_t *supply, mass_t *demand) {
    for (int64_t i = 0, j = 0; i < f->n; i++) {
        while (supply[i] > 0) {
            if (demand[j] == 0) {
                j++;
            } else {
                initial_tree_ship(f, &supply[i], &demand[j], i, j);
            }
        }
    }
}

/* A row that is not connected with row 0 is hung from a column of the row before it, which by then is. */
int initial_tree_finish(initial_tree_t *f, simplex_t *s) {
    for (int64_t i = 1; i < f->n; i++) {
        if (component(f, i) != component(f, 0)) {
            initial_tree_connect(f, i, f->column[i - 1], 0);
        }
    }
    return simplex_build_tree(s, f->shipments);
}
