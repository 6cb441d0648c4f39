/* The largest finite cost of a few rows. Compiled per type (COST) and per instruction set. */
#pragma once

#include "simd/simd.h"

typedef COST cost_t;

/* Return the largest finite cost of `rows` rows of m costs, -inf if there is none. */
static double largest_allowed(const cost_t *const *c, int rows, int64_t m) {
    const v4_t forbidden = v4_all(INFINITY), none = v4_all(-INFINITY);
    v4_t most = none;
    double largest = -INFINITY;
    for (int r = 0; r < rows; r++) {
        int64_t j = 0;
        for (; j + WIDTH <= m; j += WIDTH) {
            const v4_t cost = v4_load_costs(c[r] + j);
            most = v4_max(most, v4_tag_below(cost, forbidden, cost, none));
        }
        for (; j < m; j++) {
            const double cost = (double)c[r][j];
            largest = cost < INFINITY && cost > largest ? cost : largest;
        }
    }
    const double most_of_lanes = v4_highest(most);
    return most_of_lanes > largest ? most_of_lanes : largest;
}
