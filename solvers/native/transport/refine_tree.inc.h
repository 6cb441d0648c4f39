/* Refinement of a coarse tree: the optimal tree of a level becomes a feasible one of the next level. What a group ships
 * is divided among its points, and each shipment among the points at both ends, in their order along the direction that
 * separates the other ends best. In one dimension that rule, the north-west corner, is optimal; here nearly so.
 * Compiled per dimension (DIM) and power (POWER).
 */
#pragma once

#include "core/sorting.h"
#include "geometry/kd_order.inc.h"
#include "transport/network_simplex/initial_tree.h"

/* One side of a level: groups in k-d order. */
typedef struct {
    int64_t count;
    double *at;   /* (count, DIM) */
    mass_t *mass; /* (count) */
} side_t;

typedef struct {
    side_t rows, columns;
    double scale;
} point_level_t;

static double point_cost(const void *level, int64_t row, int64_t column) {
    const point_level_t *l = level;
    double square = 0.0;
    for (int axis = 0; axis < DIM; axis++) {
        const double d = coordinate(l->rows.at, row, axis) - coordinate(l->columns.at, column, axis);
        square += d * d;
    }
    return l->scale * (POWER == 2 ? square : sqrt(square));
}

static dd_t point_exact_cost(const void *level, int64_t row, int64_t column) {
    const point_level_t *l = level;
    dd_t square = DD_ZERO;
    for (int axis = 0; axis < DIM; axis++) {
        const double x = coordinate(l->rows.at, row, axis), y = coordinate(l->columns.at, column, axis);
        square = dd_add(square, dd_square(dd_difference(x, y)));
    }
    return dd_mul(POWER == 2 ? square : dd_sqrt(square), l->scale);
}

static pair_costs_t point_costs(const point_level_t *l) { return (pair_costs_t){point_cost, point_exact_cost, l}; }

/* Steps of the power method, enough for a direction. */
enum { POWER_STEPS = 12 };

static int64_t first_of(const side_t *fine, int64_t groups, int64_t group) { return group * fine->count / groups; }

/* Centres of mass of `groups` groups; the side itself if it has no more points. */
static int group_side(side_t *side, arena_t *a, const side_t *fine, int64_t groups) {
    if (groups >= fine->count) {
        *side = *fine;
        return 1;
    }
    *side = (side_t){groups, arena_take(a, groups * DIM, sizeof *side->at), arena_take(a, groups, sizeof *side->mass)};
    for (int64_t g = 0; g < groups && !a->failed; g++) {
        const int64_t begin = first_of(fine, groups, g), end = first_of(fine, groups, g + 1);
        double sum[DIM] = {0.0}, mass = 0.0;
        for (int64_t i = begin; i < end; i++) {
            for (int axis = 0; axis < DIM; axis++) {
                sum[axis] +=
                    (double)fine->mass[i] * (coordinate(fine->at, i, axis) - coordinate(fine->at, begin, axis));
            }
            mass += (double)fine->mass[i];
            side->mass[g] += fine->mass[i];
        }
        for (int axis = 0; axis < DIM; axis++) {
            side->at[g * DIM + axis] = coordinate(fine->at, begin, axis) + sum[axis] / mass;
        }
    }
    return !a->failed;
}

/* Part of a coarse shipment that falls to one point of a group. */
typedef struct {
    int32_t point;
    mass_t flow;
} piece_t;

/* The shipments of a coarse level, and their pieces on both sides. */
typedef struct {
    int64_t count;
    int32_t *end[2];                        /* (count) the group at either end: row, column */
    mass_t *flow;                           /* (count) */
    int64_t *piece_begin[2], *piece_end[2]; /* (count) */
    piece_t *pieces[2];
} split_t;

/* The direction in which points differ most, about their mean; `weight` may be NULL. */
static void principal_axis(const double *at, const int32_t *which, const mass_t *weight, int64_t count,
                           double axis[DIM]) {
    double mean[DIM] = {0.0}, total = 0.0, spread[DIM][DIM] = {{0.0}};
    for (int64_t k = 0; k < count; k++) {
        const double w = weight ? (double)weight[k] : 1.0;
        total += w;
        for (int x = 0; x < DIM; x++) {
            mean[x] += w * (coordinate(at, which[k], x) - coordinate(at, which[0], x));
        }
    }
    for (int64_t k = 0; k < count; k++) {
        const double w = (weight ? (double)weight[k] : 1.0) / total;
        double d[DIM];
        for (int x = 0; x < DIM; x++) {
            d[x] = coordinate(at, which[k], x) - coordinate(at, which[0], x) - mean[x] / total;
        }
        for (int x = 0; x < DIM; x++) {
            for (int y = 0; y < DIM; y++) {
                spread[x][y] += w * d[x] * d[y];
            }
        }
    }
    int widest = 0;
    for (int x = 1; x < DIM; x++) {
        widest = spread[x][x] > spread[widest][widest] ? x : widest;
    }
    for (int x = 0; x < DIM; x++) {
        axis[x] = spread[widest][x];
    }
    for (int step = 0; step < POWER_STEPS; step++) {
        double next[DIM] = {0.0}, size = 0.0;
        for (int x = 0; x < DIM; x++) {
            for (int y = 0; y < DIM; y++) {
                next[x] += spread[x][y] * axis[y];
            }
            size += fabs(next[x]);
        }
        for (int x = 0; x < DIM && size > 0.0; x++) {
            axis[x] = next[x] / size;
        }
    }
}

static double along(const double *at, int64_t point, const double axis[DIM]) {
    double sum = 0.0;
    for (int x = 0; x < DIM; x++) {
        sum += axis[x] * coordinate(at, point, x);
    }
    return sum;
}

/* Divide what each group ships among its points, by the north-west corner rule: shipments and points are both sorted
 * along the axis along which the other ends lie. */
static int split_side(split_t *s, arena_t *a, int side, const side_t *groups, const side_t *others,
                      const side_t *fine) {
    arena_t arena = {0};
    int64_t *begin = arena_take(&arena, groups->count + 1, sizeof *begin);
    int64_t *at = arena_take(&arena, s->count, sizeof *at);
    ranked_t *shipments = arena_take(&arena, s->count, sizeof *shipments);
    ranked_t *points = arena_take(&arena, fine->count, sizeof *points);
    int32_t *ends = arena_take(&arena, s->count, sizeof *ends);
    mass_t *weights = arena_take(&arena, s->count, sizeof *weights);
    s->piece_begin[side] = arena_take(a, s->count, sizeof **s->piece_begin);
    s->piece_end[side] = arena_take(a, s->count, sizeof **s->piece_end);
    s->pieces[side] = arena_take(a, s->count + fine->count, sizeof **s->pieces);
    if (a->failed || arena.failed) {
        arena_free(&arena);
        return 0;
    }
    for (int64_t k = 0; k < s->count; k++) {
        begin[s->end[side][k]]++;
    }
    for (int64_t g = 0, sum = 0; g <= groups->count; g++) {
        sum += g < groups->count ? begin[g] : 0;
        begin[g] = sum;
    }
    for (int64_t k = s->count - 1; k >= 0; k--) {
        at[--begin[s->end[side][k]]] = k;
    }
    int64_t made = 0;
    for (int64_t g = 0; g < groups->count; g++) {
        const int64_t count = begin[g + 1] - begin[g];
        const int64_t first = first_of(fine, groups->count, g), last = first_of(fine, groups->count, g + 1);
        for (int64_t k = 0; k < count; k++) {
            ends[k] = s->end[1 - side][at[begin[g] + k]];
            weights[k] = s->flow[at[begin[g] + k]];
        }
        double axis[DIM];
        principal_axis(others->at, ends, weights, count, axis);
        for (int64_t k = 0; k < count; k++) {
            shipments[k] = (ranked_t){along(others->at, ends[k], axis), (int32_t)at[begin[g] + k]};
        }
        for (int64_t i = first; i < last; i++) {
            points[i - first] = (ranked_t){along(fine->at, i, axis), (int32_t)i};
        }
        qsort(shipments, (size_t)count, sizeof *shipments, compare_ranked);
        qsort(points, (size_t)(last - first), sizeof *points, compare_ranked);
        int64_t point = 0;
        mass_t left = fine->mass[points[0].at];
        for (int64_t k = 0; k < count; k++) {
            const int32_t shipment = shipments[k].at;
            s->piece_begin[side][shipment] = made;
            for (mass_t flow = s->flow[shipment]; flow > 0;) {
                if (left == 0) {
                    left = fine->mass[points[++point].at];
                }
                const mass_t part = flow < left ? flow : left;
                s->pieces[side][made++] = (piece_t){points[point].at, part};
                flow -= part;
                left -= part;
            }
            s->piece_end[side][shipment] = made;
        }
    }
    arena_free(&arena);
    return 1;
}

/* Sort the points of pieces along an axis. */
static void sort_pieces(piece_t *pieces, int64_t count, const double *at, const double axis[DIM]) {
    for (int64_t k = 1; k < count; k++) {
        const piece_t piece = pieces[k];
        const double here = along(at, piece.point, axis);
        int64_t place = k;
        for (; place > 0 && along(at, pieces[place - 1].point, axis) > here; place--) {
            pieces[place] = pieces[place - 1];
        }
        pieces[place] = piece;
    }
}

/* Turn the tree t of a coarse level into shipments between points of the fine level. False without memory. */
static int refine(const simplex_t *t, const point_level_t *g, const point_level_t *fine, initial_tree_t *forest,
                  arena_t *a) {
    split_t s = {.end = {arena_take(a, t->tree.nodes, sizeof **s.end), arena_take(a, t->tree.nodes, sizeof **s.end)},
                 .flow = arena_take(a, t->tree.nodes, sizeof *s.flow)};
    if (a->failed) {
        return 0;
    }
    for (int32_t node = 1; node < t->tree.nodes; node++) {
        const shipment_t shipment = shipment_above(&t->tree, node);
        if (shipment.flow > 0) {
            s.end[0][s.count] = shipment.row;
            s.end[1][s.count] = shipment.column;
            s.flow[s.count++] = shipment.flow;
        }
    }
    if (!split_side(&s, a, 0, &g->rows, &g->columns, &fine->rows) ||
        !split_side(&s, a, 1, &g->columns, &g->rows, &fine->columns)) {
        return 0;
    }
    int32_t *which = arena_take(a, fine->columns.count, sizeof *which);
    if (!which) {
        return 0;
    }
    for (int64_t k = 0; k < s.count; k++) {
        piece_t *from = s.pieces[0] + s.piece_begin[0][k], *to = s.pieces[1] + s.piece_begin[1][k];
        const int64_t froms = s.piece_end[0][k] - s.piece_begin[0][k], tos = s.piece_end[1][k] - s.piece_begin[1][k];
        if (froms > 1 && tos > 1) {
            double axis[DIM];
            for (int64_t p = 0; p < tos; p++) {
                which[p] = to[p].point;
            }
            principal_axis(fine->columns.at, which, NULL, tos, axis);
            sort_pieces(from, froms, fine->rows.at, axis);
            sort_pieces(to, tos, fine->columns.at, axis);
        }
        for (int64_t p = 0, q = 0; p < froms && q < tos;) {
            const mass_t flow = from[p].flow < to[q].flow ? from[p].flow : to[q].flow;
            initial_tree_connect(forest, from[p].point, to[q].point, flow);
            from[p].flow -= flow;
            to[q].flow -= flow;
            p += from[p].flow == 0;
            q += to[q].flow == 0;
        }
    }
    return 1;
}
