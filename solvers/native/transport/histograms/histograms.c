/* Exact transport between small histograms, microseconds per pair, by the network simplex on the whole matrix of costs.
 *
 *    1. Masses become integers. If the cost is a metric, the mass that both histograms have in a bin stays there: by
 * the triangle inequality some optimal plan does so. Only bins that have mass left take part.
 *    2. Mass is shipped first along the pairs that cost least relative to the means of their row and column, which
 * makes a tree. For squared distances, what remains is minus twice the inner product: the outermost bins go first.
 *    3. The simplex takes the best pair of a few rows at a time. Rows of costs are short, so all their pairs are priced
 *       with vectors, and none is listed.
 *
 * Nothing is allocated, and rows of costs are padded with +inf to whole vectors.
 */
#include "transport/histograms/initial_tree.h"
#include "transport/histograms/refinement.h"
#include "transport/histograms/result.h"

histogram_scratch_t ISA_NAME(histogram_scratch);

int64_t ISA_NAME(histogram_scratch)(int64_t n, int64_t m) {
    state_t s;
    return place_all(&s, n, m, NULL);
}

histogram_solver_t ISA_NAME(histogram);

void ISA_NAME(histogram)(const histograms_t *h, int64_t pair, double *room) {
    const double *a = h->a + h->of_a[pair] * h->n, *b = h->b + h->of_b[pair] * h->m;
    const int64_t at = pair * (h->n + h->m - 1);
    state_t s = {0};
    place_all(&s, h->n, h->m, room);
    const double unit = set_up_masses(&s, h, a, b);
    if (s.rows.count > 0 && s.columns.count > 0) {
        set_up_costs(&s, h);
        start(&s);
        plant(&s);
        run(&s);
        refine(&s, h);
    }
    h->total[pair] = total_cost(&s, h, unit, a, b);
    h->pivots[pair] = s.pivots;
    if (h->f) {
        write_duals(&s, h, h->f + pair * h->n, h->g + pair * h->m);
    }
    if (h->moved) {
        write_plan(&s, h, unit, a, b, h->rows + at, h->columns + at, h->moved + at);
    }
}
