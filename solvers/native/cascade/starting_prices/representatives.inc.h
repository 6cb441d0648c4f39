/* Representative rows and columns for the coarse levels: a stratified sample. Rows with similar costs to a few landmark
 * columns are put next to each other, by repeated splits at the median of the landmark that differs most, and every
 * k-th row of that order is taken. With columns chosen at random the solver takes twice as long.
 */
#pragma once

#include "cascade/dense_costs.inc.h"

enum { LANDMARKS = 6, STRATUM = 4 };

/* 64-bit mixer (G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014):
 * pseudorandom choices that are the same in every run. */
static inline uint64_t scrambled(uint64_t x) {
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

#define SELECT_FUNCTION select_feature
#define SELECT_PARAMETERS int32_t *order, const double *features, int axis
#define SELECT_KEY(place) features[(int64_t)order[place] * LANDMARKS + axis]
#define SELECT_SWAP(a, b) swap_places(order + (a), order + (b))
#define SELECT_PIVOT(low, high) SELECT_KEY((low + high) / 2)
#include "core/quickselect.inc.h"

/* Order rows or columns so that neighbours resemble each other; the recursion depth is log2 of their number. */
static void stratify(int32_t *order, int64_t begin, int64_t end, const double *features) {
    if (end - begin <= STRATUM) {
        return;
    }
    int widest = 0;
    double width = -1.0;
    for (int axis = 0; axis < LANDMARKS; axis++) {
        double low = INFINITY, high = -INFINITY;
        for (int64_t i = begin; i < end; i++) {
            const double x = features[(int64_t)order[i] * LANDMARKS + axis];
            low = x < low ? x : low;
            high = x > high ? x : high;
        }
        if (high - low > width) {
            width = high - low;
            widest = axis;
        }
    }
    const int64_t middle = (begin + end) / 2;
    select_feature(order, features, widest, begin, end - 1, middle);
    stratify(order, begin, middle, features);
    stratify(order, middle, end, features);
}

/* Subtract the mean: an offset common to all landmarks does not affect the matching. */
static void centre_features(double *features, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        double *own = features + i * LANDMARKS, mean = 0.0;
        for (int l = 0; l < LANDMARKS; l++) {
            mean += own[l] / LANDMARKS;
        }
        for (int l = 0; l < LANDMARKS; l++) {
            own[l] -= mean;
        }
    }
}

/* Orders of the n rows and of the m columns; a forbidden pair counts as `dear`. */
static int strata_make(arena_t *a, const dense_costs_t *c, int64_t n, int64_t m, double dear, int32_t *rows,
                       int32_t *columns) {
    double *features = arena_take(a, (n > m ? n : m) * LANDMARKS, sizeof *features);
    if (a->failed) {
        return 0;
    }
    for (int64_t i = 0; i < n; i++) {
        rows[i] = (int32_t)i;
        for (uint64_t l = 0; l < LANDMARKS; l++) {
            const double cost = (double)row_of(c, i)[scrambled(l) % (uint64_t)m];
            features[i * LANDMARKS + (int64_t)l] = cost < dear ? cost : dear;
        }
    }
    centre_features(features, n);
    stratify(rows, 0, n, features);
    for (int64_t j = 0; j < m; j++) {
        columns[j] = (int32_t)j;
        for (uint64_t l = 0; l < LANDMARKS; l++) {
            const double cost = (double)row_of(c, (int64_t)(scrambled(~l) % (uint64_t)n))[j];
            features[j * LANDMARKS + (int64_t)l] = cost < dear ? cost : dear;
        }
    }
    centre_features(features, m);
    stratify(columns, 0, m, features);
    return 1;
}

/* The middle one of each of `count` equal parts of an order. */
static inline int32_t representative(const int32_t *order, int64_t length, int64_t count, int64_t part) {
    return order[(2 * part + 1) * length / (2 * count)];
}
