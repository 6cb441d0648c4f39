/* Which rows, and which columns, stand for the others on a coarse level: a stratified choice. Rows whose costs to a few
 * landmark columns are alike are put next to each other by splitting at the median of the landmark that differs most,
 * again and again, and every so many-th row of that order is taken. Columns chosen at random take twice as long. */
#ifndef LAPMARK_LANDMARKS_H
#define LAPMARK_LANDMARKS_H

#include "matrix.h"

enum { LANDMARKS = 6, STRATUM = 4 };

/* A 64-bit mixer (G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014):
 * choices at random that are the same in every run. */
static inline uint64_t scrambled(uint64_t x) {
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* Order by one feature so far that place `middle` of [begin, end) is where it would be after sorting. */
static void split_by(int32_t *order, int64_t begin, int64_t end, int64_t middle, const double *features, int axis) {
#define FEATURE(place) (features[(int64_t)order[place] * LANDMARKS + axis])
    int64_t low = begin, high = end - 1;
    while (low < high) {
        const double pivot = FEATURE((low + high) / 2);
        int64_t l = low, h = high;
        while (l <= h) {
            while (FEATURE(l) < pivot) {
                l++;
            }
            while (FEATURE(h) > pivot) {
                h--;
            }
            if (l <= h) {
                const int32_t other = order[l];
                order[l++] = order[h];
                order[h--] = other;
            }
        }
        if (middle <= h) {
            high = h;
        } else if (middle >= l) {
            low = l;
        } else {
            return;
        }
    }
#undef FEATURE
}

/* Neighbours near each other; the recursion is as deep as the logarithm of count. */
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
    split_by(order, begin, end, middle, features, widest);
    stratify(order, begin, middle, features);
    stratify(order, middle, end, features);
}

/* Less their mean: what is the same for all landmarks is an offset, which no matching feels. */
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

/* Orders of the n rows and of the m columns; what is forbidden counts as `dear`. */
static int strata_make(arena_t *a, const costs_t *c, int64_t n, int64_t m, double dear, int32_t *rows,
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

/* The one from the middle of each of `count` equal parts of an order. */
static inline int32_t representative(const int32_t *order, int64_t length, int64_t count, int64_t part) {
    return order[(2 * part + 1) * length / (2 * count)];
}

#endif
