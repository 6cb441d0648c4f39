/* The range of the costs of a matrix and the minima of its columns. A large matrix takes longer to read than anything
 * else that is done with an easy one, so that validation and the search share this pass.
 */
#include "assignment/cost_range.h"

#include "assignment/largest_allowed.inc.h"
#include "core/variant_names.h"

enum { ROWS = 4 };

cost_range_pass_t NAME(cost_range);

/* Lower the minima of the columns; return the largest cost. A NaN counts as -inf. */
static double lower_columns(const cost_t *const c[ROWS], int64_t m, double *restrict low) {
    const v4_t least = v4_all(-INFINITY);
    v4_t most[2] = {least, least};
    int64_t j = 0;
    for (; j + WIDTH <= m; j += WIDTH) {
        v4_t x[ROWS];
        for (int r = 0; r < ROWS; r++) {
            x[r] = v4_nan_to_lowest(v4_load_costs(c[r] + j));
        }
        most[0] = v4_max(most[0], v4_max(x[0], x[1]));
        most[1] = v4_max(most[1], v4_max(x[2], x[3]));
        v4_store(low + j, v4_min(v4_load(low + j), v4_min(v4_min(x[0], x[1]), v4_min(x[2], x[3]))));
    }
    double largest = v4_highest(v4_max(most[0], most[1]));
    for (; j < m; j++) {
        for (int r = 0; r < ROWS; r++) {
            const double cost = (double)c[r][j] > -INFINITY ? (double)c[r][j] : -INFINITY;
            largest = cost > largest ? cost : largest;
            low[j] = cost < low[j] ? cost : low[j];
        }
    }
    return largest;
}

void NAME(cost_range)(const void *cost, int64_t n, int64_t m, double *column_low, cost_range_t *range) {
    for (int64_t first = 0; first < n; first += ROWS) {
        const cost_t *rows[ROWS];
        for (int64_t r = 0; r < ROWS; r++) {
            rows[r] = (const cost_t *)cost + (first + r < n ? first + r : n - 1) * m;
        }
        double largest = lower_columns(rows, m, column_low);
        if (largest == INFINITY) {
            range->forbids = 1;
            largest = largest_allowed(rows, ROWS, m);
        }
        range->high = largest > range->high ? largest : range->high;
    }
    for (int64_t j = 0; j < m; j++) {
        range->low = column_low[j] < range->low ? column_low[j] : range->low;
    }
}
