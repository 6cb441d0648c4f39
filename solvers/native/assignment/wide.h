/* Dense problems with more columns than rows. */
#pragma once

#include "assignment/small.h"

/* Whether a small problem is solved sooner as one with more columns than rows: there are enough to spare, and enough
 * costs to be worth the memory. */
static inline int is_clearly_wide(const small_t *p) {
    const int64_t n = p->n < p->m ? p->n : p->m, m = p->n < p->m ? p->m : p->n;
    return 2 * m >= 3 * n && n * m >= 512;
}

/* Solve a problem of any size with n != m. Unsolved as in small.h, and if it takes too much work or more digits than a
 * double has. */
typedef outcome_t wide_solver_t(small_t *p, const stop_t *stop);
outcome_t wide_solve(small_t *p, const struct kernels *kernels, const stop_t *stop);
