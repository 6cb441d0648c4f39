/* The smallest value of each point of a cloud against the weighted points of another: what a certificate for points is
 * made of, without a look at every pair. */
#include "point_minima.h"

#include "cloud.h"
#include "names.h"

enum { ROWS_PER_LOOK = 256 };

point_minima_t NAME(point_minima);
near_points_t NAME(near_points);

/* Both clouds in an order in which neighbours are near each other, the second one weighted. */
typedef struct {
    ordered_t x, y;
    cloud_t cloud;
} clouds_t;

static int clouds_make(clouds_t *c, arena_t *a, const points_t *p, int64_t n, int64_t m, const double *weight) {
    double *ordered_weight = arena_take(a, m + WIDTH, sizeof *ordered_weight);
    if (!ordered_weight || !ordered_make(&c->x, a, p->x, n) || !ordered_make(&c->y, a, p->y, m) ||
        !cloud_make(&c->cloud, a, c->y.at, m, p->scale, ordered_weight)) {
        return 0;
    }
    for (int64_t j = 0; j < m; j++) {
        ordered_weight[j] = weight[c->y.order[j]];
    }
    cloud_fit(&c->cloud);
    return 1;
}

/* low[i] = min_j scale |x_i - y_j|^POWER + weight_j, over m >= 1 points y. */
outcome_t NAME(point_minima)(const points_t *p, int64_t n, int64_t m, const double *weight, double *low,
                             const stop_t *stop) {
    arena_t arena = {0};
    clouds_t c;
    outcome_t outcome = clouds_make(&c, &arena, p, n, m, weight) ? SOLVED : OUT_OF_MEMORY;
    int64_t tile = 0;
    for (int64_t i = 0; i < n && outcome == SOLVED; i++) {
        low[c.x.order[i]] = cloud_minimum(&c.cloud, c.x.at + i * DIM, &tile);
        outcome = stopped_every(stop, i, ROWS_PER_LOOK);
    }
    arena_free(&arena);
    return outcome;
}

/* Every pair of value at most bound[i], row by row in no particular order; *found is more than `room` where they are
 * too many, and then not all of them are written. */
outcome_t NAME(near_points)(const points_t *p, int64_t n, int64_t m, const double *weight, const double *bound,
                            int64_t room, int32_t *rows, int32_t *columns, int64_t *found, const stop_t *stop) {
    arena_t arena = {0};
    clouds_t c;
    offer_t *offers = arena_take(&arena, m + WIDTH, sizeof *offers);
    outcome_t outcome = offers && clouds_make(&c, &arena, p, n, m, weight) ? SOLVED : OUT_OF_MEMORY;
    *found = 0;
    for (int64_t i = 0; i < n && outcome == SOLVED && *found <= room; i++) {
        look_t look = look_from(&c.cloud, c.x.at + i * DIM);
        look.offers = offers;
        look.room = INT64_MAX;
        look.spread = INFINITY;
        look.limit = bound[c.x.order[i]];
        look_around(&c.cloud, &look, -1);
        for (int64_t o = 0; o < look.count && *found <= room; o++, ++*found) {
            if (*found < room) {
                rows[*found] = c.x.order[i];
                columns[*found] = c.y.order[offers[o].column];
            }
        }
        outcome = stopped_every(stop, i, ROWS_PER_LOOK);
    }
    arena_free(&arena);
    return outcome;
}
