/* The smallest value of each point of a cloud against the weighted points of another: what a certificate for points is
 * made of, without a look at every pair. */
#include "point_minima.h"

#include "cloud.h"
#include "names.h"

enum { ROWS_PER_LOOK = 256 };

point_minima_t NAME(point_minima);

/* low[i] = min_j scale |x_i - y_j|^POWER + weight_j, over m >= 1 points y. */
outcome_t NAME(point_minima)(const points_t *p, int64_t n, int64_t m, const double *weight, double *low,
                             const stop_t *stop) {
    arena_t arena = {0};
    ordered_t x, y;
    cloud_t cloud;
    double *ordered_weight = arena_take(&arena, m + WIDTH, sizeof *ordered_weight);
    outcome_t outcome = OUT_OF_MEMORY;
    if (ordered_weight && ordered_make(&x, &arena, p->x, n) && ordered_make(&y, &arena, p->y, m) &&
        cloud_make(&cloud, &arena, y.at, m, p->scale, ordered_weight)) {
        outcome = SOLVED;
        for (int64_t j = 0; j < m; j++) {
            ordered_weight[j] = weight[y.order[j]];
        }
        cloud_fit(&cloud);
        int64_t tile = 0;
        for (int64_t i = 0; i < n && outcome == SOLVED; i++) {
            low[x.order[i]] = cloud_minimum(&cloud, x.at + i * DIM, &tile);
            outcome = stopped_every(stop, i, ROWS_PER_LOOK);
        }
    }
    arena_free(&arena);
    return outcome;
}
