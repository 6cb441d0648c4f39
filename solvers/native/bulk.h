/* Many small tasks by several threads: each takes up a few at a time, and works in room of its own. */
#ifndef LAPMARK_BULK_H
#define LAPMARK_BULK_H

#include "stop.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

enum { MOST_THREADS = 256, LINE = 64 /* bytes of a line of the cache */ };

/* Seconds between two looks at the interpreter; each has to wait for its lock. */
static const double PATIENCE = 0.05;

typedef struct {
    void (*solve)(void *context, int64_t task, double *room);
    void *context;
    int64_t tasks, claim; /* how many, and how many a thread takes up at a time */
    int64_t room;         /* doubles that a thread works in */
    atomic_llong next;
    atomic_int stopped;
} bulk_t;

/* On a line of the cache; NULL where there is no memory. */
static inline double *make_room(int64_t doubles) { return aligned_alloc(LINE, (size_t)doubles * sizeof(double)); }

/* Take up tasks until none is left. Only the thread with `stop` asks it, on behalf of all. */
static stop_reason_t bulk_work(bulk_t *b, const stop_t *stop) {
    stop_reason_t reason = GO_ON;
    double asked = monotonic_seconds();
    double *room = make_room(b->room);
    while (room && !b->stopped) {
        const int64_t start = atomic_fetch_add(&b->next, b->claim);
        if (start >= b->tasks) {
            break;
        }
        for (int64_t k = start; k < start + b->claim && k < b->tasks; k++) {
            b->solve(b->context, k, room);
        }
        if (stop && monotonic_seconds() > asked + PATIENCE) {
            reason = stop_asked(stop);
            b->stopped = reason != GO_ON;
            asked = monotonic_seconds();
        }
    }
    free(room);
    return reason;
}

static void *bulk_help(void *bulk) {
    bulk_work(bulk, NULL);
    return NULL;
}

/* Every task by the caller and up to so many helpers. Those not reached when `stop` says so are left as they are, and
 * so are those that no thread had memory for. */
static stop_reason_t bulk_solve(bulk_t *b, int64_t helpers, const stop_t *stop) {
    pthread_t threads[MOST_THREADS];
    int started = 0;
    while (started < MOST_THREADS && started < helpers && pthread_create(threads + started, NULL, bulk_help, b) == 0) {
        started++;
    }
    const stop_reason_t reason = bulk_work(b, stop);
    while (started > 0) {
        pthread_join(threads[--started], NULL);
    }
    return reason;
}

/* Whether all tasks have been taken up; asked when the threads are done. */
static inline int bulk_is_done(const bulk_t *b) { return b->next >= b->tasks; }

#endif
