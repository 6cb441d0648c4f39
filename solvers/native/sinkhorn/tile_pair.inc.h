/* A pair of tiles: its exponents, their bound, and whether it matters. Compiled per dimension (DIM) and power (POWER).
 */
#pragma once

#include "core/thread_pool.h"
#include "sinkhorn/exponential_series.inc.h"

/* Sums of one thread. */
typedef struct {
    double *columns; /* (m, padded) */
    double spent;
    int64_t pairs;
    outcome_t outcome;
} thread_sums_t;

typedef struct {
    point_marginals_t *task;
    tiled_points_t x, y;
    double *weights; /* (groups of CHANNELS) x (m, padded): values times mass; last 1 times mass */
    double *largest; /* (channels + 1) scale of the values */
    double lift;     /* added to every exponent, so that very small or large masses stay in range */
    int64_t groups;
    int top; /* level of the tiles that are dealt out */
    series_t series[DEGREES];
    thread_sums_t *sums;
    atomic_int over;
} pass_t;

/* Where the sums over a pair of tiles go. */
typedef struct {
    double *rows, *spent, *columns;
} pair_sums_t;

/* A pair of tiles: the parts of the exponents that depend on the row and on the column, in double. */
typedef struct {
    const tile_level_t *x, *y;
    int64_t at, other;
    int rows, columns; /* points of each, a multiple of LARGEST_STEP */
    double row[TILE], column[TILE];
    double apart[DIM]; /* between the middles */
    double top, least; /* upper bound of the exponents; lower bound of those that matter */
    double rounding;   /* error in float32 of the exponents that matter */
    int degree;        /* of the series that is accurate enough, 0 if none is */
} tile_pair_t;

static inline double largest_of(const double *v, int count) {
    double best[8];
    memcpy(best, v, sizeof best);
    for (int i = 8; i < count; i += 8) {
        for (int k = 0; k < 8; k++) {
            best[k] = v[i + k] > best[k] ? v[i + k] : best[k];
        }
    }
    for (int k = 1; k < 8; k++) {
        best[0] = best[k] > best[0] ? best[k] : best[0];
    }
    return best[0];
}

/* Set up a pair of tiles; 0 if nothing between them matters. */
static int tile_pair_init(tile_pair_t *w, const pass_t *s, const tile_level_t *x, int64_t at, const tile_level_t *y,
                          int64_t other) {
    const point_marginals_t *t = s->task;
    const double unit = LOG2_E / t->epsilon * t->scale;
    const int64_t row = tile_begin(x, at), column = tile_begin(y, other);
    double constant = x->offset[at] + y->offset[other] + s->lift, curved = 0.0;
    w->x = x;
    w->y = y;
    w->at = at;
    w->other = other;
    w->rows = tile_size(x, at);
    w->columns = tile_size(y, other);
#if POWER == 2
    double tilt[DIM];
    for (int d = 0; d < DIM; d++) {
        w->apart[d] = x->middle[d][at] - y->middle[d][other];
        constant -= unit * w->apart[d] * w->apart[d];
        curved += 2.0 * unit * x->half[d][at] * y->half[d][other];
        tilt[d] = 2.0 * unit * w->apart[d];
    }
    for (int i = 0; i < w->rows; i++) {
        double r = x->potential[row + i];
        for (int d = 0; d < DIM; d++) {
            r -= tilt[d] * x->local[d][row + i];
        }
        w->row[i] = r;
    }
    for (int j = 0; j < w->columns; j++) {
        double c = y->potential[column + j];
        for (int d = 0; d < DIM; d++) {
            c += tilt[d] * y->local[d][column + j];
        }
        w->column[j] = c;
    }
    const double highest = largest_of(w->row, w->rows);
    w->top = constant + highest + largest_of(w->column, w->columns) + curved;
#else
    double near = 0.0, far = 0.0;
    for (int d = 0; d < DIM; d++) {
        w->apart[d] = x->middle[d][at] - y->middle[d][other];
        const double sides = x->half[d][at] + y->half[d][other], middles = fabs(w->apart[d]);
        near += middles > sides ? (middles - sides) * (middles - sides) : 0.0;
        far += (middles + sides) * (middles + sides);
    }
    memcpy(w->row, x->potential + row, (size_t)w->rows * sizeof *w->row);
    memcpy(w->column, y->potential + column, (size_t)w->columns * sizeof *w->column);
    const double highest = largest_of(w->row, w->rows);
    w->top = constant + highest + largest_of(w->column, w->columns) - unit * sqrt(near);
    curved = 2.0 * unit * sqrt(far);
#endif
    w->least = s->lift + (x->expected[at] < y->expected[other] ? x->expected[at] : y->expected[other]);
    if (!(w->top >= w->least)) {
        return 0;
    }
    for (int i = 0; i < w->rows; i++) {
        w->row[i] -= highest;
    }
    for (int j = 0; j < w->columns; j++) {
        w->column[j] += highest + constant;
    }
    w->degree = 0;
    for (int degree = DEGREES - 1; degree > 0 && POWER == 2 && curved <= s->series[degree].reach; degree -= 2) {
        w->degree = degree;
    }
    const double depth = w->top - w->least - (s->task->with_spent ? COST_DEPTH : 0.0);
    w->rounding = 0x1p-24 * LOG_2 * (2.0 * depth + fabs(w->top) + 2.0 * curved);
    return 1;
}
