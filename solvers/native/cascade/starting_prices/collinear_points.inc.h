/* Points on a line, or nearly: match them in their order along it, wherever the points of the other side are.
 *
 * Let the rows lie on a line in direction d. Then scale |x_i - y_j|^2 is a part that depends on the column only plus -2
 * scale (x_i.d) (y_j.d), a product, and to match products in order is optimal (A. J. Hoffman, "On simple linear
 * programming problems", 1963). Coarse groups are of little use here: the spread across the line is far smaller than a
 * group's extent along it. If points are slightly off the line, so are the prices of that order, which an auction then
 * corrects.
 */
#pragma once

#include "cascade/point_costs.inc.h"

/* The most that points may be off the line, relative to their extent along it. */
static const double NEARLY_STRAIGHT = 1e-4;

enum { POWER_STEPS = 64 };

/* Write the direction of largest spread, of length 1: power iteration on the covariance, from its longest column. False
 * if the points do not spread. */
static int main_direction(const double *points, int64_t count, double *mean, double *direction) {
    double covariance[DIM][DIM] = {{0.0}};
    for (int axis = 0; axis < DIM; axis++) {
        mean[axis] = 0.0;
        for (int64_t i = 0; i < count; i++) {
            mean[axis] += coordinate(points, i, axis) / (double)count;
        }
    }
    for (int64_t i = 0; i < count; i++) {
        for (int a = 0; a < DIM; a++) {
            for (int b = 0; b < DIM; b++) {
                covariance[a][b] += (coordinate(points, i, a) - mean[a]) * (coordinate(points, i, b) - mean[b]);
            }
        }
    }
    int widest = 0;
    for (int axis = 1; axis < DIM; axis++) {
        widest = covariance[axis][axis] > covariance[widest][widest] ? axis : widest;
    }
    memcpy(direction, covariance[widest], sizeof covariance[widest]);
    for (int step = 0; step < POWER_STEPS; step++) {
        double length = 0.0, turned[DIM] = {0.0};
        for (int axis = 0; axis < DIM; axis++) {
            length += direction[axis] * direction[axis];
        }
        length = sqrt(length);
        if (!(length > 0.0 && length < INFINITY)) {
            return 0;
        }
        for (int axis = 0; axis < DIM; axis++) {
            direction[axis] /= length;
        }
        if (step + 1 == POWER_STEPS) {
            break;
        }
        for (int a = 0; a < DIM; a++) {
            for (int b = 0; b < DIM; b++) {
                turned[a] += covariance[a][b] * direction[b];
            }
        }
        memcpy(direction, turned, sizeof turned);
    }
    return 1;
}

/* Project points on the line through `mean`; return whether they nearly lie on it. */
static int mark_along(const double *points, int64_t count, const double *mean, const double *direction,
                      ranked_t *marks) {
    double furthest = 0.0, first = INFINITY, last = -INFINITY;
    for (int64_t i = 0; i < count; i++) {
        double along = 0.0, square = 0.0;
        for (int axis = 0; axis < DIM; axis++) {
            along += (coordinate(points, i, axis) - mean[axis]) * direction[axis];
        }
        for (int axis = 0; axis < DIM; axis++) {
            const double off = coordinate(points, i, axis) - mean[axis] - along * direction[axis];
            square += off * off;
        }
        marks[i] = (ranked_t){along, (int32_t)i};
        furthest = square > furthest ? square : furthest;
        first = along < first ? along : first;
        last = along > last ? along : last;
    }
    return sqrt(furthest) <= NEARLY_STRAIGHT * (last - first);
}

/* Whether either side nearly lies on a line; then `rows` and `columns` are both sides in the order along it. */
static int in_line(const double *x, const double *y, int64_t count, ranked_t *rows, ranked_t *columns) {
    for (int side = 0; side < 2; side++) {
        double mean[DIM], direction[DIM];
        if (main_direction(side ? y : x, count, mean, direction) &&
            mark_along(side ? y : x, count, mean, direction, side ? columns : rows)) {
            mark_along(side ? x : y, count, mean, direction, side ? rows : columns);
            qsort(rows, (size_t)count, sizeof *rows, compare_ranked);
            qsort(columns, (size_t)count, sizeof *columns, compare_ranked);
            return 1;
        }
    }
    return 0;
}

/* Hold the pairs in order, at prices halfway between what the two neighbours of each step ask for. */
static void hold_along(auction_t *k, const ranked_t *rows, const ranked_t *columns) {
    double price = 0.0;
    for (int64_t a = 0; a < k->n; a++) {
        const int64_t i = rows[a].at, j = columns[a].at;
        if (a > 0) {
            const int64_t row_before = rows[a - 1].at, column_before = columns[a - 1].at;
            price += 0.5 * (point_cost(k->costs, row_before, column_before) - point_cost(k->costs, row_before, j)) +
                     0.5 * (point_cost(k->costs, i, column_before) - point_cost(k->costs, i, j));
        }
        k->price[j] = price;
        k->owner[j] = (int32_t)i;
        k->held[i] = (int32_t)j;
        k->held_cost[i] = point_cost(k->costs, i, j);
    }
}
