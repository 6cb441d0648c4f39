/* The inner loops that the native solvers share: one row of costs against the duals of the columns.
 *
 * A source that includes this is compiled once per type of the cost (COST: float or double) and per instruction set.
 * The cost stays in memory as it was given and every sum is taken in double, so float32 input is solved exactly as the
 * numbers it holds. Both instruction sets evaluate the same expressions in the same order and break ties by the lowest
 * index, hence they give the same answers and the same counters, to the bit.
 *
 * A closed column is one that takes no further part in a search: its v is -inf and its distance +inf, so that it is
 * neither improved nor chosen, without a test in any loop.
 */
#ifndef LAPMARK_KERNELS_H
#define LAPMARK_KERNELS_H

#include "names.h"

#include <math.h>
#include <stdint.h>

typedef COST cost_t;

/* Columns are handled in blocks of this many; a multiple of every unrolled vector loop. */
enum { BLOCK = 128 };

static inline int64_t blocks_of(int64_t m) { return (m + BLOCK - 1) / BLOCK; }
static inline int64_t block_end(int64_t block, int64_t m) {
    const int64_t end = (block + 1) * BLOCK;
    return end < m ? end : m;
}

/* The smallest and the second smallest of c[j] - v[j], ordered by (value, index). A missing one is +inf at -1; one that
 * was changed before its place was looked for is at -1, too. */
typedef struct {
    double first, second;
    int64_t j1, j2;
} two_minima_t;

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

#ifdef LAPMARK_AVX2
#include "kernels_avx2.h"
#else
#include "kernels_scalar.h"
#endif

/* First column of [start, end) other than `skip` with c[j] - v[j] == value, -1 where there is none any more. */
static inline int64_t find_reduced(const cost_t *restrict c, const double *restrict v, int64_t start, int64_t end,
                                   double value, int64_t skip) {
    int64_t j = start;
    while (j < end && !((double)c[j] - v[j] == value && j != skip)) {
        j++;
    }
    return j < end ? j : -1;
}

/* Two minima of a row in one pass: values block by block, and an index only for the two blocks that hold them. */
static inline two_minima_t two_minima(const cost_t *restrict c, const double *restrict v, int64_t m) {
    pair_t best = {INFINITY, INFINITY};
    int64_t in1 = -1, in2 = -1;
    for (int64_t block = 0; block < blocks_of(m); block++) {
        const pair_t here = block_two_minima(c, v, block * BLOCK, block_end(block, m), best.second);
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
    two_minima_t result = {best.first, best.second, -1, -1};
    if (in1 >= 0) {
        result.j1 = find_reduced(c, v, in1 * BLOCK, block_end(in1, m), best.first, -1);
    }
    if (in2 >= 0) {
        result.j2 = find_reduced(c, v, in2 * BLOCK, block_end(in2, m), best.second, result.j1);
    }
    return result;
}

#endif
