/* How a solver ends, and when it must stop early: on Ctrl-C or past a deadline. */
#pragma once

#include "core/portability.h"

/* Costs are read in the caller's memory, which another thread may change after validation. No index, count or loop
 * bound may therefore depend on costs alone. Where costs contradict what is known about them, the result may be wrong,
 * or the outcome is CHANGED.
 *
 * SPENT: the work budget is used up; the search can be resumed. OVERTAKEN: another method finished first. */
typedef enum { SOLVED = 0, INFEASIBLE, INTERRUPTED, TIMED_OUT, OUT_OF_MEMORY, CHANGED, SPENT, OVERTAKEN } outcome_t;

/* Returns whether the user wants to stop. */
typedef int (*interrupted_t)(void);

typedef struct {
    interrupted_t interrupted;
    double deadline; /* seconds on the monotonic clock; +inf: none */
} stop_t;

/* SOLVED while the solver may go on, else INTERRUPTED or TIMED_OUT. It costs a system call and a call into the
 * interpreter: ask once per few hundred microseconds of work. */
static inline outcome_t stopped(const stop_t *stop) {
    if (stop->interrupted()) {
        return INTERRUPTED;
    }
    return monotonic_seconds() > stop->deadline ? TIMED_OUT : SOLVED;
}

/* The same, at every `every`-th step only. */
static inline outcome_t stopped_every(const stop_t *stop, int64_t step, int64_t every) {
    return step % every == 0 ? stopped(stop) : SOLVED;
}
