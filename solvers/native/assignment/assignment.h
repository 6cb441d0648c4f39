/* An assignment problem, its options and its result, as the bindings and all assignment solvers exchange them. */
#pragma once

#include "assignment/cost_range.h"
#include "core/outcome.h"

#include <math.h>

/* Work done; identical from run to run and between instruction sets. */
typedef struct {
    int64_t row_scans, augmentations, reductions, bids, phases, path_rows;
} counters_t;

/* Parts of cascade that are switched off to measure what each is worth: duals coarse to fine (for sparse costs, bids),
 * and candidate lists. */
typedef struct {
    int levels, lists;
} ablation_t;

/* Where the method of Jonker and Volgenant starts: from scratch; from feasible duals v and tight pairs x, y; or from
 * these after augmenting row reduction. */
typedef enum { FROM_NOTHING = 0, FROM_PAIRS, REDUCED } stage_t;

/* Match n rows to distinct ones of m columns, n <= m. The first `given` rows are a row-major matrix; later rows cost
 * nothing and take no memory. */
typedef struct {
    int64_t n, m, given;
    const void *cost;  /* a matrix, a points_t or a sparse_costs_t */
    const void *zeros; /* (m) stands for every row from `given` on */
    int32_t *x;        /* (n) column of each row, -1 where free */
    int32_t *y;        /* (m) row of each column, -1 where free */
    double *u, *v;     /* (n), (m) duals; if TIMED_OUT, v is feasible and u is not set */
    double limit;      /* if finite, minimise c - limit over matchings of any size, with u <= 0 and v <= 0 */
    double largest;    /* range of the costs that the search looked at; 0 if it does not say */
    int64_t blocked;   /* if INFEASIBLE: x starts with this many rows that allow only the blocked - 1 columns y */
    counters_t counters;
    stop_t stop;
    int64_t threads;          /* at most; 0 and 1: only the caller's */
    ablation_t without;       /* parts of cascade to leave out */
    int64_t check_every;      /* cost entries to read between two checks of `stop` */
    int64_t until_check;      /* entries left until the next check; 0 at first */
    outcome_t outcome;        /* SOLVED until a check says otherwise */
    int64_t most_scans;       /* row scans before Jonker and Volgenant's method is SPENT; 0: no limit */
    stage_t stage;            /* where that method starts, and where it is */
    int64_t most_work;        /* bids per row of a level of points before cascade is SPENT; 0: no limit */
    const double *column_low; /* (m) the smallest cost of each column of a matrix, NULL if not known yet */
    cost_range_t range;       /* of a matrix, if these are known */
} assignment_t;

typedef outcome_t assignment_solver_t(assignment_t *t);

static inline int is_limited(const assignment_t *t) { return t->limit < INFINITY; }

/* The usual check_every: milliseconds of work, since a check may wait for the interpreter's lock. */
enum { CHECK_EVERY = 1 << 22 };

/* Whether the solver has to give up, for good; called before each row scan. */
static inline int must_stop(assignment_t *t) {
    if (t->most_scans > 0 && t->counters.row_scans >= t->most_scans && t->outcome == SOLVED) {
        t->outcome = SPENT;
    }
    t->until_check -= t->m;
    if (t->until_check < 0 && t->outcome == SOLVED) {
        t->until_check = t->check_every;
        t->outcome = stopped(&t->stop);
    }
    return t->outcome != SOLVED;
}
