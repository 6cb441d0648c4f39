/* Small matrices: the solver of small problems is tried first, and leaves costs like products to the other methods.
 * Compiled per type (COST). */
#pragma once

#include "assignment/small.h"
#include "cascade/dense_costs.inc.h"
#include "core/arena.h"

#include <float.h>

small_solver_t NAME(small);

/* Solve a matrix with n <= m by it; else return 0 and set only the counters, and whether other methods are faster. */
static int is_solved_as_small(assignment_t *t, int *laborious) {
    small_t p = {.cost = t->cost,
                 .n = t->n,
                 .m = t->m,
                 .single = sizeof(cost_t) == sizeof(float),
                 .largest = DBL_MAX,
                 .u = t->u,
                 .v = t->v};
    intptr_t row_to_col[SMALL_SIDE];
    p.row_to_col = row_to_col;
    double *scratch = cache_aligned(small_scratch(&p));
    if (scratch) {
        NAME(small)(&p, scratch);
    }
    aligned_memory_free(scratch);
    *laborious = p.laborious;
    t->counters.row_scans += p.counters.row_scans;
    t->counters.reductions += p.counters.reductions;
    t->counters.augmentations += p.counters.augmentations;
    for (int64_t i = 0; p.solved && i < t->n; i++) {
        t->x[i] = (int32_t)row_to_col[i];
        t->y[t->x[i]] = (int32_t)i;
    }
    return p.solved;
}
