/* Tiles: points of one side in boxes of neighbours, each within a larger one of the next level. Compiled per dimension
 * (DIM) and power (POWER).
 */
#pragma once

#include "core/arena.h"
#include "sinkhorn/point_marginals.h"

#include <math.h>

enum {
    SMALL_TILE = 64, /* points of the smallest tiles */
    FAN = 4,         /* tiles per tile of the next level */
    LEVELS = 3,
    TILE = 1024,       /* points of the largest tiles */
    MANY = 1 << 15,    /* points from which on the largest tiles are used */
    LARGEST_STEP = 16, /* tiles are padded to a multiple of this */
    CHANNELS = 4,
    WORTH_A_THREAD = 1 << 19, /* pairs */
};

/* Limits of float32: its exponents end at 127 and -126, its sums have a relative error of 2e-6. */
static const double F32_MOST = 100.0, F32_BEST = 2e-6;
/* If costs are wanted, exponents matter that are smaller by this: pairs that hold little may cost the most. */
static const double COST_DEPTH = 10.0;
/* Potential of the padding of a tile. */
static const double FILLER_POTENTIAL = -1e30;
static const double LOG2_E = 1.4426950408889634, LOG_2 = 0.6931471805599453;

/* The tiles of one level, the last one padded; potentials and offsets are exponents to base 2. */
typedef struct {
    int64_t count, tiles, size;
    double *middle[DIM], *half[DIM];
    double *offset;     /* (tiles) potential that those of a tile are relative to */
    double *expected;   /* (tiles) the smallest exponent that matters to its sums */
    double *potential;  /* (count, padded) for squared distances less the part of x' */
    double *local[DIM]; /* (count, padded) x' */
} tile_level_t;

typedef struct {
    tile_level_t level[LEVELS]; /* the smallest tiles first */
    double *mass;               /* (count, padded) relative to the heaviest */
    double heaviest;            /* unit of the sums of these masses */
} tiled_points_t;

static inline int64_t filled_up(int64_t count) { return (count + LARGEST_STEP - 1) / LARGEST_STEP * LARGEST_STEP; }

static inline int64_t tile_begin(const tile_level_t *s, int64_t tile) { return tile * s->size; }

/* Points of a tile, padding included. */
static inline int tile_size(const tile_level_t *s, int64_t tile) {
    const int64_t rest = filled_up(s->count) - tile_begin(s, tile);
    return (int)(rest < s->size ? rest : s->size);
}

/* Clamp x to between the quartiles of a sample of `count` values, so that no outlier takes the digits of the others. */
static double among_most(double x, const double *values, int64_t count, int64_t stride) {
    enum { SAMPLE = 9 };
    double sample[SAMPLE];
    for (int k = 0; k < SAMPLE; k++) {
        const double value = values[(count - 1) * k / (SAMPLE - 1) * stride];
        int at = k;
        for (; at > 0 && sample[at - 1] > value; at--) {
            sample[at] = sample[at - 1];
        }
        sample[at] = value;
    }
    const double low = sample[SAMPLE / 4], high = sample[SAMPLE - 1 - SAMPLE / 4];
    return x < low ? low : (x > high ? high : x);
}

static void tile_init(tile_level_t *s, int64_t tile, const point_marginals_t *t, const double *points,
                      const double *potential, double opposite) {
    const int64_t begin = tile_begin(s, tile), past = begin + tile_size(s, tile);
    const int64_t end = past < s->count ? past : s->count;
    for (int d = 0; d < DIM; d++) {
        double low = INFINITY, high = -INFINITY;
        for (int64_t i = begin; i < end; i++) {
            const double x = points[i * DIM + d];
            low = x < low ? x : low;
            high = x > high ? x : high;
        }
        const double middle = among_most(low + 0.5 * (high - low), points + begin * DIM + d, end - begin, DIM);
        s->middle[d][tile] = middle;
        s->half[d][tile] = high - middle > middle - low ? high - middle : middle - low;
    }
    double highest = -INFINITY;
    for (int64_t i = begin; i < end; i++) {
        highest = potential[i] > highest ? potential[i] : highest;
    }
    const double unit = LOG2_E / t->epsilon, from = among_most(highest, potential + begin, end - begin, 1);
    for (int64_t i = begin; i < past; i++) {
        double square = 0.0;
        for (int d = 0; d < DIM; d++) {
            const double x = i < end ? points[i * DIM + d] - s->middle[d][tile] : 0.0;
            s->local[d][i] = x;
            square += x * x;
        }
        const double rest = POWER == 2 ? t->scale * square : 0.0;
        s->potential[i] = i < end ? unit * (potential[i] - from - rest) : FILLER_POTENTIAL;
    }
    s->offset[tile] = unit * from;
    /* Where a potential is high, a sum of less than 1 is expected; where it is low, the plan may still be far from
     * that. */
    s->expected[tile] = log2(t->precision / opposite) - (highest > 0.0 ? LOG2_E * highest / t->rho : 0.0);
    s->expected[tile] -= t->with_spent ? COST_DEPTH : 0.0;
}

/* `opposite`: mass of the other side. */
static void tile_level_init(tile_level_t *s, arena_t *a, int64_t size, int64_t count, const point_marginals_t *t,
                            const double *points, const double *potential, double opposite) {
    *s = (tile_level_t){.count = count, .tiles = (count + size - 1) / size, .size = size};
    for (int d = 0; d < DIM; d++) {
        s->middle[d] = arena_take(a, s->tiles, sizeof(double));
        s->half[d] = arena_take(a, s->tiles, sizeof(double));
        s->local[d] = arena_take(a, filled_up(count), sizeof(double));
    }
    s->offset = arena_take(a, s->tiles, sizeof(double));
    s->expected = arena_take(a, s->tiles, sizeof(double));
    s->potential = arena_take(a, filled_up(count), sizeof(double));
    for (int64_t tile = 0; tile < s->tiles && !a->failed; tile++) {
        tile_init(s, tile, t, points, potential, opposite);
    }
}

static double total_mass(const double *mass, int64_t count) {
    double sum = 0.0;
    for (int64_t i = 0; i < count; i++) {
        sum += mass[i];
    }
    return sum;
}

static int tiled_points_init(tiled_points_t *s, arena_t *a, int64_t count, const point_marginals_t *t,
                             const double *points, const double *potential, const double *mass, double opposite) {
    s->mass = arena_take(a, filled_up(count), sizeof(double));
    for (int64_t k = 0, size = SMALL_TILE; k < LEVELS; k++, size *= FAN) {
        tile_level_init(&s->level[k], a, size, count, t, points, potential, opposite);
    }
    for (int64_t i = 0; i < count && !a->failed; i++) {
        s->heaviest = mass[i] > s->heaviest ? mass[i] : s->heaviest;
    }
    for (int64_t i = 0; i < count && !a->failed; i++) {
        s->mass[i] = s->heaviest > 0.0 ? mass[i] / s->heaviest : 0.0;
    }
    return !a->failed;
}
