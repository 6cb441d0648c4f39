/* A small dense problem with its answer, and the functions that solve one or many. */
#pragma once

#include "assignment/assignment.h"

/* The most rows and columns of a small problem, and the largest small_width. */
enum { SMALL_SIDE = 640, SMALL_WIDTH = SMALL_SIDE + 8 };

typedef struct {
    const void *cost; /* (n, m) in C order, float or double; n and m at least 1 */
    int64_t n, m;
    int single;           /* whether the costs are float */
    int maximize;         /* largest total instead of least */
    double largest;       /* magnitude that no finite cost may exceed */
    intptr_t *row_to_col; /* (n) column of each row, -1 where it is left out */
    double *u, *v;        /* (n), (m) duals of the answer if n <= m; or both NULL */
    counters_t counters;  /* work done is added, also if it was in vain */
    double total;         /* sum of the chosen costs, in the order of rows */
    int laborious;        /* whether it is left unsolved since other methods are faster */
    int solved; /* false if a cost is NaN, too large or the wrong infinity, if no matching is complete, if other
                 * methods are faster, or without memory */
} small_t;

/* Solve a problem in small_scratch doubles, preferably aligned to a cache line. */
typedef void small_solver_t(small_t *p, double *scratch);

/* Doubles from one row to the next: whole steps of the vector loops, and not a power of two, or copied rows would fall
 * into the same few sets of the cache. */
static inline int64_t small_width(const small_t *p) {
    const int64_t m = p->n > p->m ? p->n : p->m, lines = (m + 7) / 8;
    return 8 * (lines + (lines % 16 == 0));
}

static inline int64_t small_scratch(const small_t *p) { return (p->n < p->m ? p->n : p->m) * small_width(p); }

/* Solve one problem, or many on up to `threads` threads. If `stop` says so, or without memory, problems are left
 * unsolved. */
struct kernels;
void small_solve(small_t *p, const struct kernels *kernels);
outcome_t small_solve_all(small_t *problems, int64_t count, const struct kernels *kernels, int threads,
                          const stop_t *stop);
