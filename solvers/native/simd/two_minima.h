/* The two smallest of many values, with the index of the first or alone: running minima in each lane, reduced at the
 * end. */
#pragma once

#include "simd/simd.h"

typedef struct {
    double first, second;
    int64_t at; /* index of the first, the lowest if tied; -1 if all values are +inf */
} two_minima_t;

/* Running minima of each lane. */
typedef struct {
    v4_t first, second, at, here;
} lane_minima_t;

static inline lane_minima_t lane_minima_none(void) {
    const v4_t none = v4_all(INFINITY);
    return (lane_minima_t){none, none, v4_all(-1.0), v4_load((const double[]){0, 1, 2, 3})};
}

static inline void lane_minima_add(lane_minima_t *s, v4_t value) {
    s->second = v4_min(s->second, v4_max(s->first, value));
    s->at = v4_tag_below(value, s->first, s->here, s->at);
    s->first = v4_min(value, s->first);
    s->here = v4_add(s->here, v4_all(WIDTH));
}

static inline two_minima_t lane_minima_result(const lane_minima_t *s) {
    two_minima_t result = {v4_lowest(s->first), INFINITY, -1};
    double first[WIDTH], second[WIDTH], at[WIDTH];
    v4_store(first, s->first);
    v4_store(second, s->second);
    v4_store(at, s->at);
    int winner = -1;
    for (int l = 0; l < WIDTH; l++) {
        if (first[l] == result.first && at[l] >= 0 && (winner < 0 || at[l] < at[winner])) {
            winner = l;
        }
    }
    if (winner < 0) {
        return result;
    }
    result.at = (int64_t)at[winner];
    for (int l = 0; l < WIDTH; l++) {
        const double runner_up = l == winner ? second[l] : first[l];
        result.second = runner_up < result.second ? runner_up : result.second;
    }
    return result;
}

static inline double smaller(double a, double b) { return a < b ? a : b; }
static inline double larger(double a, double b) { return a > b ? a : b; }

/* Running minima of each lane without the index, in two sets, so that additions need not wait for each other. */
typedef struct {
    v4_t first[2], second[2];
} value_minima_t;

static inline value_minima_t value_minima_none(void) {
    const v4_t none = v4_all(INFINITY);
    return (value_minima_t){{none, none}, {none, none}};
}

static inline void value_minima_add(value_minima_t *s, int set, v4_t value) {
    s->second[set] = v4_min(s->second[set], v4_max(s->first[set], value));
    s->first[set] = v4_min(s->first[set], value);
}

static inline void value_minima_result(const value_minima_t *s, double *first, double *second) {
    double a[WIDTH], b[WIDTH];
    v4_store(a, v4_min(s->first[0], s->first[1]));
    v4_store(b, v4_min(v4_min(s->second[0], s->second[1]), v4_max(s->first[0], s->first[1])));
    const double left = smaller(a[0], a[1]), right = smaller(a[2], a[3]);
    const double beaten = smaller(larger(left, right), smaller(larger(a[0], a[1]), larger(a[2], a[3])));
    *first = smaller(left, right);
    *second = smaller(beaten, smaller(smaller(b[0], b[1]), smaller(b[2], b[3])));
}
