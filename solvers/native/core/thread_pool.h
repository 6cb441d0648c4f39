/* Thread pool for jobs of a few microseconds each: workers spin for a while before they sleep. A job is split into
 * parts; its result must not depend on which thread runs which part. */
#pragma once

#include "core/arena.h"

#include <stdatomic.h>

/* One part of a job, of `parts` in all. */
typedef void (*pool_job_t)(void *context, int64_t part, int64_t parts);

struct thread_pool;

typedef struct {
    struct thread_pool *pool;
    int64_t part;
    thread_t *thread;
} pool_worker_t;

typedef struct thread_pool {
    int64_t parts; /* the caller's and one per worker */
    pool_worker_t *workers;
    pool_job_t job;
    void *context;
    _Atomic int64_t round;   /* jobs started so far */
    _Atomic int64_t working; /* workers that have not finished the current job */
    _Atomic int64_t asleep;  /* workers that must be woken */
    int stopping;
    monitor_t *monitor;
} thread_pool_t;

/* Beyond this the threads would mostly wait for each other. */
enum { MOST_THREADS = 64 };

/* Polls before a worker goes to sleep: several times as long as waking it takes. */
enum { SPINS = 400000 };

static void thread_pool_work(void *given) {
    pool_worker_t *own = given;
    thread_pool_t *p = own->pool;
    for (int64_t seen = 0;; seen++) {
        for (int spin = 0; spin < SPINS && atomic_load(&p->round) == seen; spin++) {
        }
        if (atomic_load(&p->round) == seen) {
            monitor_lock(p->monitor);
            atomic_fetch_add(&p->asleep, 1);
            while (atomic_load(&p->round) == seen) {
                monitor_wait(p->monitor);
            }
            atomic_fetch_sub(&p->asleep, 1);
            monitor_unlock(p->monitor);
        }
        if (p->stopping) {
            return;
        }
        p->job(p->context, own->part, p->parts);
        atomic_fetch_sub(&p->working, 1);
    }
}

/* A worker counts itself asleep before it reads the round for the last time, so no wake-up is lost. */
static void thread_pool_next_round(thread_pool_t *p) {
    atomic_fetch_add(&p->round, 1);
    if (atomic_load(&p->asleep) > 0) {
        monitor_lock(p->monitor);
        monitor_wake_all(p->monitor);
        monitor_unlock(p->monitor);
    }
}

/* Start up to `threads` threads, the caller's included, as many as the system grants. Stop the pool before the arena is
 * freed. */
static inline thread_pool_t *thread_pool_start(arena_t *a, int64_t threads) {
    thread_pool_t *p = arena_take(a, 1, sizeof *p);
    pool_worker_t *workers = arena_take(a, threads, sizeof *workers);
    monitor_t *monitor = monitor_new();
    if (a->failed || !monitor) {
        a->failed = 1;
        monitor_free(monitor);
        return NULL;
    }
    *p = (thread_pool_t){.parts = threads, .workers = workers, .monitor = monitor};
    atomic_init(&p->round, 0);
    atomic_init(&p->working, 0);
    atomic_init(&p->asleep, 0);
    for (int64_t part = 1; part < threads; part++) {
        workers[part] = (pool_worker_t){.pool = p, .part = part};
        workers[part].thread = thread_start(thread_pool_work, &workers[part]);
        if (!workers[part].thread) {
            p->parts = part;
            break;
        }
    }
    return p;
}

static inline void thread_pool_stop(thread_pool_t *p) {
    p->stopping = 1;
    thread_pool_next_round(p);
    for (int64_t part = 1; part < p->parts; part++) {
        thread_join(p->workers[part].thread);
    }
    monitor_free(p->monitor);
}

/* Run all parts of a job and wait for the last. */
static inline void thread_pool_run(thread_pool_t *p, pool_job_t job, void *context) {
    p->job = job;
    p->context = context;
    if (p->parts > 1) {
        atomic_store(&p->working, p->parts - 1);
        thread_pool_next_round(p);
    }
    job(context, 0, p->parts);
    for (int spin = 0; atomic_load(&p->working) > 0; spin++) {
        if (spin > SPINS) {
            thread_yield(); /* a worker may have no core of its own */
        }
    }
}
