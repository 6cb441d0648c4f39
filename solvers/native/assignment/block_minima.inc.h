/* Minima of the blocks of a row of costs. One pass finds the smallest cost of each block of 64 columns. Since v <= 0,
 * it bounds c_j - v_j from below for good, so that later scans of the row read only the blocks that may hold what they
 * look for: usually the two with the smallest costs.
 *
 * Compiled per type of the cost (COST) and per instruction set; see wide.c.
 */
#pragma once

#include "assignment/assignment.h"
#include "core/portability.h"
#include "simd/two_minima.h"

typedef COST cost_t;

/* Columns of a block, one bit each in a word; bytes to prefetch before they are read. */
enum { LANE_BLOCK = 64, AHEAD = 4096 };

/* A problem in progress: the minima of blocks, and the scratch memory of wide.c. */
typedef struct {
    assignment_t *task;
    int64_t blocks;    /* of a row */
    cost_t *low;       /* (n, blocks) smallest cost of each block, */
    int32_t *best;     /* (n, 2) and the two blocks with the smallest */
    double *distance;  /* (m) of the columns reached: -inf once closed, else +inf */
    int32_t *from;     /* (m) row before each column reached */
    int32_t *open;     /* (m) columns reached, not closed */
    int32_t *closed;   /* (n) columns in the order of closing, */
    double *closed_at; /* (n) and their distances */
    int32_t *waiting;  /* (n) rows for step 2 */
    int64_t open_count, closed_count, waiting_count;
    int64_t work, most_work; /* costs read in scans after the first of each row */
    double largest;          /* magnitude that no finite cost may exceed */
} wide_t;

static inline const cost_t *row_of(const assignment_t *t, int64_t i) { return (const cost_t *)t->cost + i * t->m; }

static inline int64_t block_length(const wide_t *w, int64_t block) {
    const int64_t left = w->task->m - block * LANE_BLOCK;
    return left < LANE_BLOCK ? left : LANE_BLOCK;
}

/* Smallest and largest of `count` costs. The smallest is -inf if one is NaN. */
static inline double block_low(const cost_t *c, int64_t count, v4_t *highest) {
    v4_t low[4], high = v4_all(-INFINITY);
    for (int k = 0; k < 4; k++) {
        low[k] = v4_all(INFINITY);
    }
    int64_t j = 0;
    for (; j + 4 * WIDTH <= count; j += 4 * WIDTH) {
        prefetch((const char *)(c + j) + AHEAD);
        prefetch((const char *)(c + j + 2 * WIDTH) + AHEAD);
        for (int k = 0; k < 4; k++) {
            const v4_t x = v4_nan_to_lowest(v4_load_costs(c + j + k * WIDTH));
            low[k] = v4_min(low[k], x);
            high = v4_max(high, x);
        }
    }
    for (; j < count; j += WIDTH) {
        double rest[WIDTH];
        for (int k = 0; k < WIDTH; k++) {
            rest[k] = (double)c[j + k < count ? j + k : count - 1];
        }
        const v4_t x = v4_nan_to_lowest(v4_load(rest));
        low[0] = v4_min(low[0], x);
        high = v4_max(high, x);
    }
    *highest = high;
    return v4_lowest(v4_min(v4_min(low[0], low[1]), v4_min(low[2], low[3])));
}

/* Whether every cost that is not +inf is at most `largest`. */
static int are_at_most(const cost_t *c, int64_t count, double largest) {
    int holds = 1;
    for (int64_t j = 0; j < count; j++) {
        holds &= (double)c[j] <= largest || (double)c[j] == INFINITY;
    }
    return holds;
}

/* Find the smallest cost of each block of row i, and its best two blocks. False if a cost is not allowed. */
static inline int read_row(wide_t *w, int64_t i) {
    const cost_t *c = row_of(w->task, i);
    cost_t *low = w->low + i * w->blocks;
    const v4_t largest = v4_all(w->largest);
    double first = INFINITY, second = INFINITY;
    int64_t best = 0, other = w->blocks - 1;
    int allowed = 1;
    for (int64_t b = 0; b < w->blocks; b++) {
        v4_t highest;
        const double here = block_low(c + b * LANE_BLOCK, block_length(w, b), &highest);
        if (v4_below(largest, highest)) {
            allowed = allowed && are_at_most(c + b * LANE_BLOCK, block_length(w, b), w->largest);
        }
        low[b] = (cost_t)here;
        other = here < first ? best : here < second ? b : other;
        second = here < first ? first : here < second ? here : second;
        best = here < first ? b : best;
        first = here < first ? here : first;
    }
    w->best[2 * i] = (int32_t)best;
    w->best[2 * i + 1] = (int32_t)other;
    return allowed && first >= -w->largest;
}

/* Add the c_j - v_j of a block. */
static inline void add_block(value_minima_t *minima, wide_t *w, const cost_t *c, int64_t block) {
    const double *v = w->task->v + block * LANE_BLOCK;
    const int64_t count = block_length(w, block);
    c += block * LANE_BLOCK;
    w->work += count;
    int64_t j = 0;
    for (; j + 2 * WIDTH <= count; j += 2 * WIDTH) {
        value_minima_add(minima, 0, v4_sub(v4_load_costs(c + j), v4_load(v + j)));
        value_minima_add(minima, 1, v4_sub(v4_load_costs(c + j + WIDTH), v4_load(v + j + WIDTH)));
    }
    for (; j < count; j += WIDTH) {
        double rest[WIDTH];
        for (int k = 0; k < WIDTH; k++) {
            rest[k] = j + k < count ? (double)c[j + k] - v[j + k] : INFINITY;
        }
        value_minima_add(minima, 0, v4_load(rest));
    }
}

/* The columns of a block with c_j - v_j <= value, one bit each. */
static inline uint64_t block_at_most(const wide_t *w, const cost_t *c, int64_t block, double value) {
    const double *v = w->task->v + block * LANE_BLOCK;
    const int64_t count = block_length(w, block);
    const v4_t bound = v4_all(value);
    uint64_t bits = 0;
    c += block * LANE_BLOCK;
    int64_t j = 0;
    for (; j + WIDTH <= count; j += WIDTH) {
        bits |= (uint64_t)v4_at_most(v4_sub(v4_load_costs(c + j), v4_load(v + j)), bound) << j;
    }
    for (; j < count; j++) {
        bits |= (uint64_t)((double)c[j] - v[j] <= value) << j;
    }
    return bits;
}

/* The two smallest c_j - v_j of a row, and the column of the first; -1 if none qualifies any more because another
 * thread changed the costs. */
typedef struct {
    double first, second;
    int64_t column;
} choice_t;

static inline choice_t two_minima(wide_t *w, int64_t i) {
    const cost_t *c = row_of(w->task, i), *low = w->low + i * w->blocks;
    const int64_t best = w->best[2 * i], other = w->best[2 * i + 1];
    value_minima_t minima = value_minima_none();
    choice_t choice = {INFINITY, INFINITY, -1};
    int64_t later = -1;
    add_block(&minima, w, c, best);
    if (other != best) {
        add_block(&minima, w, c, other);
    }
    value_minima_result(&minima, &choice.first, &choice.second);
    int64_t b = w->blocks > 2 ? 0 : w->blocks;
    for (; b < w->blocks; b += WIDTH) {
        unsigned below = v4_below(v4_load_costs(low + b), v4_all(choice.second));
        for (; below; below &= below - 1) {
            const int64_t block = b + first_lane(below);
            if (block < w->blocks && block != best && block != other && (double)low[block] < choice.second) {
                const double before = choice.first;
                add_block(&minima, w, c, block);
                value_minima_result(&minima, &choice.first, &choice.second);
                later = choice.first < before ? block : later;
            }
        }
    }
    if (later >= 0) {
        const uint64_t bits = block_at_most(w, c, later, choice.first);
        choice.column = bits ? later * LANE_BLOCK + lowest_bit(bits) : -1;
        return choice;
    }
    const uint64_t bits = block_at_most(w, c, best, choice.first);
    const uint64_t others = bits ? bits : block_at_most(w, c, other, choice.first);
    choice.column = others ? (bits ? best : other) * LANE_BLOCK + lowest_bit(others) : -1;
    return choice;
}

/* The first free column with c_j - v_j <= value; -1 if there is none. */
static int64_t find_free_tie(wide_t *w, int64_t i, double value) {
    const cost_t *c = row_of(w->task, i), *low = w->low + i * w->blocks;
    for (int64_t b = 0; b < w->blocks; b++) {
        if ((double)low[b] <= value) {
            w->work += LANE_BLOCK;
            for (uint64_t bits = block_at_most(w, c, b, value); bits; bits &= bits - 1) {
                const int64_t j = b * LANE_BLOCK + lowest_bit(bits);
                if (w->task->y[j] < 0) {
                    return j;
                }
            }
        }
    }
    return -1;
}
