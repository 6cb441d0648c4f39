/* Row kernels: the inner loops of the dense assignment solvers, one row of costs against the duals of the columns.
 *
 * Compiled per type of the cost (COST: float or double) and per instruction set. The cost is read as it was given and
 * every sum is taken in double, so float32 input is solved exactly. All instruction sets evaluate the same expressions
 * in the same order and break ties by the lowest index: results and counters are identical to the bit.
 *
 * A closed column takes no further part in a search: its v is -inf and its distance +inf, so that no loop needs a test
 * to skip it.
 */
#pragma once

#include "core/variant_names.h"
#include "simd/simd.h"

typedef COST cost_t;

/* Columns per block: a multiple of every unrolled vector loop. */
enum { BLOCK = 128 };

static inline int64_t blocks_of(int64_t m) { return (m + BLOCK - 1) / BLOCK; }
static inline int64_t block_end(int64_t block, int64_t m) {
    const int64_t end = (block + 1) * BLOCK;
    return end < m ? end : m;
}

/* The smallest and the second smallest c[j] - v[j], ordered by (value, index). The index is -1 if there is none, with
 * value +inf, or if another thread changed the cost before its index was searched for. */
typedef struct {
    double first, second;
    int64_t j1, j2;
} row_choice_t;

/* Value only: the two smallest of columns [start, end). */
typedef struct {
    double first, second;
} pair_t;

static inline pair_t pair_insert(pair_t p, double x) {
    if (x < p.first) {
        p.second = p.first;
        p.first = x;
    } else if (x < p.second) {
        p.second = x;
    }
    return p;
}

/* row_lower_columns from column `start` on. */
static inline void lower_columns_from(int64_t start, const cost_t *restrict c, double u, int64_t m, int32_t i,
                                      double *restrict low, int32_t *restrict row) {
    for (int64_t j = start; j < m; j++) {
        const double x = (double)c[j] - u;
        if (x < low[j]) {
            low[j] = x;
            row[j] = i;
        }
    }
}

/* row_relax_block from column `start` on, where the columns before have the smallest distance `least`. */
static inline double relax_from(int64_t start, double least, const cost_t *restrict c, const double *restrict v,
                                double h, int64_t end, int32_t i, double *restrict distance, int32_t *restrict row) {
    for (int64_t j = start; j < end; j++) {
        const double x = (double)c[j] - v[j] - h;
        if (x < distance[j]) {
            distance[j] = x;
            row[j] = i;
        }
        least = distance[j] < least ? distance[j] : least;
    }
    return least;
}

#ifdef SIMD_IS_EMULATED
#include "assignment/row_kernels_scalar.inc.h"
#else
#include "assignment/row_kernels_vector.inc.h"
#endif

/* The first column of [start, end) other than `skip` with c[j] - v[j] == value; -1 if there is none any more. */
static inline int64_t row_find_value(const cost_t *restrict c, const double *restrict v, int64_t start, int64_t end,
                                     double value, int64_t skip) {
    int64_t j = start;
    while (j < end && !((double)c[j] - v[j] == value && j != skip)) {
        j++;
    }
    return j < end ? j : -1;
}

/* The two minima of a row in one pass: values block by block, then indices in the two blocks that hold them. */
static inline row_choice_t row_two_minima(const cost_t *restrict c, const double *restrict v, int64_t m) {
    pair_t best = {INFINITY, INFINITY};
    int64_t in1 = -1, in2 = -1;
    for (int64_t block = 0; block < blocks_of(m); block++) {
        const pair_t here = row_two_minima_block(c, v, block * BLOCK, block_end(block, m), best.second);
        if (here.first < best.first) {
            const int second_is_here = here.second < best.first;
            best.second = second_is_here ? here.second : best.first;
            in2 = second_is_here ? block : in1;
            best.first = here.first;
            in1 = block;
        } else if (here.first < best.second) {
            best.second = here.first;
            in2 = block;
        }
    }
    row_choice_t result = {best.first, best.second, -1, -1};
    if (in1 >= 0) {
        result.j1 = row_find_value(c, v, in1 * BLOCK, block_end(in1, m), best.first, -1);
    }
    if (in2 >= 0) {
        result.j2 = row_find_value(c, v, in2 * BLOCK, block_end(in2, m), best.second, result.j1);
    }
    return result;
}
