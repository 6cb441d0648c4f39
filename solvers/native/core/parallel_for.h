/* Many small independent tasks on several threads: each thread claims a few at a time from a shared counter and works
 * in scratch memory of its own. */
#pragma once

#include "core/arena.h"
#include "core/outcome.h"

#include <stdatomic.h>

enum { PARALLEL_FOR_MOST_THREADS = 256 };

/* Seconds between two checks of `stop`; each has to wait for the interpreter's lock. */
static const double SECONDS_PER_CHECK = 0.05;

typedef struct {
    void (*solve)(void *context, int64_t task, double *scratch);
    void *context;
    int64_t tasks, claim; /* their number, and how many a thread claims at a time */
    int64_t scratch;      /* doubles per thread */
    atomic_llong next;
    atomic_int stopped;
} parallel_for_t;

/* Run tasks until none is left. Only the thread that has `stop` checks it, on behalf of all. */
static outcome_t parallel_for_work(parallel_for_t *p, const stop_t *stop) {
    outcome_t outcome = SOLVED;
    double checked = monotonic_seconds();
    double *scratch = cache_aligned(p->scratch);
    while (scratch && !p->stopped) {
        const int64_t start = atomic_fetch_add(&p->next, p->claim);
        if (start >= p->tasks) {
            break;
        }
        for (int64_t k = start; k < start + p->claim && k < p->tasks; k++) {
            p->solve(p->context, k, scratch);
        }
        if (stop && monotonic_seconds() > checked + SECONDS_PER_CHECK) {
            outcome = stopped(stop);
            p->stopped = outcome != SOLVED;
            checked = monotonic_seconds();
        }
    }
    aligned_memory_free(scratch);
    return outcome;
}

static void parallel_for_help(void *shared) { parallel_for_work(shared, NULL); }

/* Run every task on the caller's thread and up to `helpers` more. Tasks that were not reached before the stop, or for
 * which no thread had memory, are left untouched; then the outcome is not SOLVED. */
static outcome_t parallel_for_run(parallel_for_t *p, int64_t helpers, const stop_t *stop) {
    thread_t *threads[PARALLEL_FOR_MOST_THREADS];
    int started = 0;
    while (started < PARALLEL_FOR_MOST_THREADS && started < helpers &&
           (threads[started] = thread_start(parallel_for_help, p))) {
        started++;
    }
    const outcome_t outcome = parallel_for_work(p, stop);
    while (started > 0) {
        thread_join(threads[--started]);
    }
    return outcome == SOLVED && p->next < p->tasks ? OUT_OF_MEMORY : outcome;
}
