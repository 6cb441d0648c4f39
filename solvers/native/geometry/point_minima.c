/* Minima of costs plus weights between points, from which a certificate for points is made; bounds rule out most pairs.
 */
#include "geometry/point_minima.h"

#include "core/variant_names.h"
#include "geometry/point_search.inc.h"

enum { ROWS_PER_CHECK = 256 };

point_minima_t NAME(point_minima);
near_points_t NAME(near_points);

/* Both sides in k-d order, the second one as a weighted tree. */
typedef struct {
    kd_ordered_t x, y;
    point_tree_t tree;
} two_sides_t;

static int two_sides_init(two_sides_t *c, arena_t *a, const points_t *p, int64_t n, int64_t m, const double *weight) {
    double *ordered_weight = arena_take(a, m + WIDTH, sizeof *ordered_weight);
    if (!ordered_weight || !kd_ordered_make(&c->x, a, p->x, n) || !kd_ordered_make(&c->y, a, p->y, m) ||
        !point_tree_build(&c->tree, a, c->y.at, m, p->scale, ordered_weight)) {
        return 0;
    }
    for (int64_t j = 0; j < m; j++) {
        ordered_weight[j] = weight[c->y.order[j]];
    }
    point_tree_fit_planes(&c->tree);
    return 1;
}

/* low[i] = min_j scale |x_i - y_j|^POWER + weight_j, over m >= 1 points y. */
outcome_t NAME(point_minima)(const points_t *p, int64_t n, int64_t m, const double *weight, double *low,
                             const stop_t *stop) {
    arena_t arena = {0};
    two_sides_t c;
    outcome_t outcome = two_sides_init(&c, &arena, p, n, m, weight) ? SOLVED : OUT_OF_MEMORY;
    int64_t tile = 0;
    for (int64_t i = 0; i < n && outcome == SOLVED; i++) {
        low[c.x.order[i]] = point_tree_minimum(&c.tree, c.x.at + i * DIM, &tile);
        outcome = stopped_every(stop, i, ROWS_PER_CHECK);
    }
    arena_free(&arena);
    return outcome;
}

/* List all pairs of value at most bound[i], row by row in no particular order. If they are more than `room`, *found is
 * more than that and the list is not complete. */
outcome_t NAME(near_points)(const points_t *p, int64_t n, int64_t m, const double *weight, const double *bound,
                            int64_t room, int32_t *rows, int32_t *columns, int64_t *found, const stop_t *stop) {
    arena_t arena = {0};
    two_sides_t c;
    candidate_t *candidates = arena_take(&arena, m + WIDTH, sizeof *candidates);
    outcome_t outcome = candidates && two_sides_init(&c, &arena, p, n, m, weight) ? SOLVED : OUT_OF_MEMORY;
    *found = 0;
    for (int64_t i = 0; i < n && outcome == SOLVED && *found <= room; i++) {
        const int64_t count = query_all(&c.tree, c.x.at + i * DIM, bound[c.x.order[i]], candidates);
        for (int64_t o = 0; o < count && *found <= room; o++, ++*found) {
            if (*found < room) {
                rows[*found] = c.x.order[i];
                columns[*found] = c.y.order[candidates[o].column];
            }
        }
        outcome = stopped_every(stop, i, ROWS_PER_CHECK);
    }
    arena_free(&arena);
    return outcome;
}
