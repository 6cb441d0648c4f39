/* Flow on grids without Python, for the sanitizers: one to six axes, masses that tie, that are few, and of many sizes.
 * Each plan is proven by its heights, and all kernels must agree to the bit. */
#include "check.h"

enum { SMALL_MASSES, FEW_MASSES, MANY_SIZES, MASS_KINDS };

static mass_t draw_mass(int kind) {
    switch (kind) {
    case SMALL_MASSES:
        return (mass_t)(random_bits() % 4);
    case FEW_MASSES:
        return random_bits() % 16 == 0 ? (mass_t)random_bits() : 0;
    default:
        return (mass_t)1 << random_bits() % 100;
    }
}

static grid_flow_t run(grid_flow_solver_t *solver, grid_t grid, int64_t count, const mass_t *supply,
                       const mass_t *demand, interrupted_t interrupted, double deadline, outcome_t *outcome) {
    const int64_t room = grid_flow_room(grid.axes, count);
    grid_flow_t t = {.grid = grid,
                     .count = count,
                     .supply = supply,
                     .demand = demand,
                     .height = exactly(count, sizeof *t.height),
                     .rows = exactly(room, sizeof *t.rows),
                     .columns = exactly(room, sizeof *t.columns),
                     .shipped = exactly(room, sizeof *t.shipped),
                     .stop = {interrupted, deadline}};
    *outcome = solver(&t);
    return t;
}

static void discard(grid_flow_t *t) {
    free(t->height);
    free(t->rows);
    free(t->columns);
    free(t->shipped);
}

/* Check that all mass arrives, that heights of neighbours differ by at most a step, and that they fall by the cost of
 * each shipment. */
static void prove(const grid_flow_t *t, int seed) {
    const grid_t *g = &t->grid;
    const int64_t n = t->count;
    mass_t *supply = exactly(n, sizeof *supply), *demand = exactly(n, sizeof *demand);
    memcpy(supply, t->supply, (size_t)n * sizeof *supply);
    memcpy(demand, t->demand, (size_t)n * sizeof *demand);
    int arrives = 1, feasible = 1, tight = 1;
    for (int64_t k = 0; k < t->pairs; k++) {
        const int64_t i = t->rows[k], j = t->columns[k];
        int64_t cost = 0, stride = 1;
        supply[i] -= t->shipped[k];
        demand[j] -= t->shipped[k];
        arrives = arrives && t->shipped[k] > 0;
        for (int64_t axis = g->axes - 1; axis >= 0; axis--) {
            cost += llabs(i / stride % g->bins[axis] - j / stride % g->bins[axis]) * g->step[axis];
            stride *= g->bins[axis];
        }
        tight = tight && t->height[i] - t->height[j] == cost;
    }
    for (int64_t i = 0; i < n; i++) {
        int64_t stride = 1;
        arrives = arrives && supply[i] == 0 && demand[i] == 0;
        for (int64_t axis = g->axes - 1; axis >= 0; axis--) {
            if (i / stride % g->bins[axis] + 1 < g->bins[axis]) {
                feasible = feasible && llabs(t->height[i] - t->height[i + stride]) <= g->step[axis];
            }
            stride *= g->bins[axis];
        }
    }
    free(supply);
    free(demand);
    expect(arrives, "all mass arrives", n, n, seed);
    expect(feasible, "heights differ by at most a step", n, n, seed);
    expect(tight, "heights fall by the cost of a shipment", n, n, seed);
}

static void try_grid(grid_t grid, int kind, int seed) {
    seed_random(seed);
    int64_t n = 1;
    for (int64_t k = 0; k < grid.axes; k++) {
        n *= grid.bins[k];
    }
    mass_t *supply = zeroed(n, sizeof *supply), *demand = zeroed(n, sizeof *demand), missing = 1;
    for (int64_t i = 0; i < n; i++) {
        supply[i] = draw_mass(kind);
        demand[i] = draw_mass(kind);
        missing += supply[i] - demand[i];
    }
    supply[0] += missing < 0 ? 1 - missing : 1;
    demand[n - 1] += missing < 0 ? 0 : missing;
    outcome_t outcome;
    grid_flow_t a = run(find_kernels(ISA_SCALAR)->grid_flow, grid, n, supply, demand, never, INFINITY, &outcome);
    expect(outcome == SOLVED, "a problem is solved", n, n, seed);
    prove(&a, seed);
    for (isa_t isa = 1; isa < ISA_COUNT && find_kernels(isa); isa++) {
        grid_flow_t b = run(find_kernels(isa)->grid_flow, grid, n, supply, demand, never, INFINITY, &outcome);
        const int same = a.pairs == b.pairs && a.searches == b.searches && a.lifts == b.lifts &&
                         a.augmentations == b.augmentations && same_bytes(a.height, b.height, n, sizeof *a.height) &&
                         same_bytes(a.rows, b.rows, a.pairs, sizeof *a.rows) &&
                         same_bytes(a.columns, b.columns, a.pairs, sizeof *a.columns) &&
                         same_bytes(a.shipped, b.shipped, a.pairs, sizeof *a.shipped);
        expect(same, "kernels agree", n, n, seed);
        discard(&b);
    }
    discard(&a);
    if (n >= 4096) {
        grid_flow_t late = run(find_kernels(ISA_SCALAR)->grid_flow, grid, n, supply, demand, never, 0.0, &outcome);
        expect(outcome == TIMED_OUT, "stops past the deadline", n, n, seed);
        discard(&late);
        grid_flow_t stopped =
            run(find_kernels(ISA_SCALAR)->grid_flow, grid, n, supply, demand, always, INFINITY, &outcome);
        expect(outcome == INTERRUPTED, "stops when asked", n, n, seed);
        discard(&stopped);
    }
    free(supply);
    free(demand);
}

int main(void) {
    static const int64_t bins[][6] = {{1},
                                      {2},
                                      {7},
                                      {500},
                                      {1, 9},
                                      {8, 8},
                                      {5, 64},
                                      {64, 5},
                                      {65, 63},
                                      {128, 100},
                                      {3, 1, 4},
                                      {9, 10, 11},
                                      {20, 20, 20},
                                      {5, 6, 7, 8},
                                      {2, 70, 3},
                                      {130, 2, 65},
                                      {3, 3, 3, 3, 3, 3}};
    static const int64_t steps[][6] = {{1, 1, 1, 1, 1, 1}, {3, 1, 7, 2, 5, 4}, {16, 9, 1, 12, 7, 11}};
    int seed = 0;
    for (size_t g = 0; g < sizeof bins / sizeof *bins; g++) {
        int64_t axes = 0;
        while (axes < 6 && bins[g][axes] > 0) {
            axes++;
        }
        for (size_t s = 0; s < sizeof steps / sizeof *steps; s++) {
            for (int kind = 0; kind < MASS_KINDS; kind++, seed++) {
                try_grid((grid_t){axes, bins[g], steps[s]}, kind, seed);
            }
        }
    }
    return finish(seed);
}
