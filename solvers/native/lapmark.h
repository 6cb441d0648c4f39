/* What the binding and the native solvers agree on. */
#ifndef LAPMARK_H
#define LAPMARK_H

#include <stdint.h>

typedef enum { SOLVED = 0, INFEASIBLE, INTERRUPTED, OUT_OF_MEMORY } outcome_t;

/* Asked now and then by a long loop; true when the user wants it to stop. */
typedef int (*interrupted_t)(void);

/* Work done; equal from run to run and between instruction sets. */
typedef struct {
    int64_t row_scans, augmentations, reductions, bids, phases;
} counters_t;

/* n rows to match to distinct ones of m columns, n <= m, and room for the answer. The first `given` rows are a
 * row-major matrix; any further row costs nothing everywhere and takes no memory of its own. */
typedef struct {
    int64_t n, m, given;
    const void *cost;
    const void *zeros; /* (m) the row that stands for every row from `given` on */
    int32_t *x;        /* (n) column of each row, -1 where free */
    int32_t *y;        /* (m) row of each column, -1 where free */
    double *u, *v;     /* (n), (m) duals */
    int64_t bad_row;   /* a row that cannot be matched, where INFEASIBLE */
    counters_t counters;
    interrupted_t interrupted;
} task_t;

#endif
