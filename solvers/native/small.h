/* Small dense problems: one problem with its answer, and what solves one or a batch of them. */
#ifndef LAPMARK_SMALL_H
#define LAPMARK_SMALL_H

#include "stop.h"

#include <stdint.h>

/* Rows and columns that a small problem has at most, and what small_width makes of them. */
enum { SMALL_SIDE = 512, SMALL_WIDTH = SMALL_SIDE + 8 };

typedef struct {
    const void *cost; /* (n, m) in C order, float or double; n and m at least 1 */
    int64_t n, m;
    int single;           /* whether the costs are float */
    int maximize;         /* largest total instead of least */
    double largest;       /* magnitude that no finite cost may exceed */
    intptr_t *row_to_col; /* (n) column of each row, -1 where it is left out */
    double total;         /* sum of the chosen costs, by rows */
    int solved; /* false where a cost is NaN, too large or the wrong infinity, where no matching is complete, and
                   where there is no memory; somebody else may find out which */
} small_t;

/* Solves a problem in `room` for small_room doubles, which had better start on a line of the cache. */
typedef void (*small_build_t)(small_t *p, double *room);

/* Rows are read, and copied where they have to be, in this many doubles: whole steps of the vector loops, and no power
 * of two, or copies would fall into the same few places of the cache. */
static inline int64_t small_width(const small_t *p) {
    const int64_t m = p->n > p->m ? p->n : p->m, lines = (m + 7) / 8;
    return 8 * (lines + (lines % 16 == 0));
}

static inline int64_t small_room(const small_t *p) { return (p->n < p->m ? p->n : p->m) * small_width(p); }

/* NULL where the processor, or this compilation, lacks AVX2. */
small_build_t find_small_build(int avx2, int single);

void small_solve(small_t *p);

/* Solve many by up to so many threads. Those not reached when `stop` says so are left as they are. */
stop_reason_t small_solve_all(small_t *problems, int64_t count, int threads, const stop_t *stop);

#endif
