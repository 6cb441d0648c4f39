/* What the binding and the native solvers agree on. */
#ifndef LAPMARK_H
#define LAPMARK_H

#include "stop.h"

#include <math.h>
#include <stdint.h>

/* Costs are read where their owner has them, who may write to them at any time, and into what was checked before. So no
 * index, no count and no end of a loop follows from costs alone: where they contradict what is known of them, an answer
 * may be wrong, or the outcome is CHANGED.
 *
 * SPENT: a search has done as much as it was to do, and may go on from where it is. OVERTAKEN: another has come to an
 * end first. */
typedef enum { SOLVED = 0, INFEASIBLE, INTERRUPTED, TIMED_OUT, OUT_OF_MEMORY, CHANGED, SPENT, OVERTAKEN } outcome_t;

/* How a solver that is asked to stop ends; SOLVED while it may go on. */
static inline outcome_t stopped(const stop_t *stop) {
    switch (stop_asked(stop)) {
    case STOP_INTERRUPTED:
        return INTERRUPTED;
    case STOP_LATE:
        return TIMED_OUT;
    default:
        return SOLVED;
    }
}

/* The same once in so many steps, at the first, the every-th and so on. */
static inline outcome_t stopped_every(const stop_t *stop, int64_t step, int64_t every) {
    return step % every == 0 ? stopped(stop) : SOLVED;
}

/* Work done; equal from run to run and between instruction sets. */
typedef struct {
    int64_t row_scans, augmentations, reductions, bids, phases, path_rows;
} counters_t;

/* Parts of cascade: duals coarse to fine, or of sparse costs from bids, and lists that spare looks at whole rows. */
typedef struct {
    int levels, lists;
} parts_t;

/* Of the method of Jonker and Volgenant: from nothing; from duals v that are feasible and pairs x and y that are tight;
 * or from these after augmenting row reduction. */
typedef enum { FROM_NOTHING = 0, FROM_PAIRS, REDUCED } stage_t;

/* n rows to match to distinct ones of m columns, n <= m, and room for the answer. The first `given` rows are a
 * row-major matrix; any further row costs nothing everywhere and takes no memory of its own. */
typedef struct {
    int64_t n, m, given;
    const void *cost;
    const void *zeros; /* (m) the row that stands for every row from `given` on */
    int32_t *x;        /* (n) column of each row, -1 where free */
    int32_t *y;        /* (m) row of each column, -1 where free */
    double *u, *v;     /* (n), (m) duals; where TIMED_OUT, v is feasible and u is not set */
    double limit;      /* where finite, c - limit is minimised over matchings of any size, and u <= 0, v <= 0 */
    double largest;    /* by how much costs differ that the search has looked at; 0 where it does not say */
    int64_t blocked;   /* where INFEASIBLE: x begins with so many rows, y with all columns they allow, one less */
    counters_t counters;
    stop_t stop;
    int64_t threads;    /* at most so many, 0 and 1: only the caller's */
    parts_t without;    /* what cascade is to do without, to show what it is worth */
    int64_t look_every; /* entries of costs to go through between two looks at `stop` */
    int64_t until_look; /* those left; 0 at first */
    outcome_t outcome;  /* SOLVED until a look says otherwise */
    int64_t most_scans; /* rows to scan before the method of Jonker and Volgenant is SPENT; 0: any number */
    stage_t stage;      /* where that method is to begin, and where it has got to */
    int64_t most_work;  /* for each row of a level of points, in bids, before they are SPENT; 0: any amount */
} task_t;

static inline int is_limited(const task_t *t) { return t->limit < INFINITY; }

/* The usual look_every: milliseconds, since a look may have to wait for the interpreter's lock. */
enum { LOOK_EVERY = 1 << 22 };

/* Asked before each scan of a row; true once the solver has to give up, and from then on. */
static inline int must_stop(task_t *t) {
    if (t->most_scans > 0 && t->counters.row_scans >= t->most_scans && t->outcome == SOLVED) {
        t->outcome = SPENT;
    }
    t->until_look -= t->m;
    if (t->until_look < 0 && t->outcome == SOLVED) {
        t->until_look = t->look_every;
        t->outcome = stopped(&t->stop);
    }
    return t->outcome != SOLVED;
}

#endif
