/* A few threads that share a piece of work again and again, each time for some microseconds: they wait for the next one
 * awake for a while, and asleep after that. What they do must not depend on who does which part. */
#ifndef LAPMARK_CREW_H
#define LAPMARK_CREW_H

#include "arena.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

/* One part of a piece of work, of `parts` in all. */
typedef void (*shift_t)(void *on, int64_t part, int64_t parts);

struct crew;

typedef struct {
    struct crew *crew;
    int64_t part;
    pthread_t thread;
} helper_t;

typedef struct crew {
    int64_t parts; /* the caller's own and one for each helper */
    helper_t *helpers;
    shift_t shift;
    void *on;
    atomic_long round;   /* pieces of work given out so far */
    atomic_long working; /* helpers that are not through with the last one */
    atomic_long asleep;  /* helpers that have to be woken */
    int over;
    pthread_mutex_t lock;
    pthread_cond_t wake;
} crew_t;

/* More of them would only wait for each other. */
enum { MOST_THREADS = 64 };

/* Looks at the next round before a helper goes to sleep: some times as long as waking it would take. */
enum { PATIENCE = 400000 };

static void *crew_help(void *given) {
    helper_t *own = given;
    crew_t *c = own->crew;
    for (long seen = 0;; seen++) {
        for (int look = 0; look < PATIENCE && atomic_load(&c->round) == seen; look++) {
        }
        if (atomic_load(&c->round) == seen) {
            pthread_mutex_lock(&c->lock);
            atomic_fetch_add(&c->asleep, 1);
            while (atomic_load(&c->round) == seen) {
                pthread_cond_wait(&c->wake, &c->lock);
            }
            atomic_fetch_sub(&c->asleep, 1);
            pthread_mutex_unlock(&c->lock);
        }
        if (c->over) {
            return NULL;
        }
        c->shift(c->on, own->part, c->parts);
        atomic_fetch_sub(&c->working, 1);
    }
}

/* A helper counts itself asleep before it looks at the round for the last time, so none is missed here. */
static void crew_next_round(crew_t *c) {
    atomic_fetch_add(&c->round, 1);
    if (atomic_load(&c->asleep) > 0) {
        pthread_mutex_lock(&c->lock);
        pthread_cond_broadcast(&c->wake);
        pthread_mutex_unlock(&c->lock);
    }
}

/* Up to `threads` in all, as many as can be had; to be dismissed before the arena is freed. */
static inline crew_t *crew_make(arena_t *a, int64_t threads) {
    crew_t *c = arena_take(a, 1, sizeof *c);
    helper_t *helpers = arena_take(a, threads, sizeof *helpers);
    if (a->failed) {
        return NULL;
    }
    *c = (crew_t){.parts = threads, .helpers = helpers};
    atomic_init(&c->round, 0);
    atomic_init(&c->working, 0);
    atomic_init(&c->asleep, 0);
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->wake, NULL);
    for (int64_t part = 1; part < threads; part++) {
        helpers[part] = (helper_t){.crew = c, .part = part};
        if (pthread_create(&helpers[part].thread, NULL, crew_help, &helpers[part]) != 0) {
            c->parts = part;
            break;
        }
    }
    return c;
}

static inline void crew_dismiss(crew_t *c) {
    c->over = 1;
    crew_next_round(c);
    for (int64_t part = 1; part < c->parts; part++) {
        pthread_join(c->helpers[part].thread, NULL);
    }
    pthread_cond_destroy(&c->wake);
    pthread_mutex_destroy(&c->lock);
}

/* Have all parts done, and wait for the last. */
static inline void crew_work(crew_t *c, shift_t shift, void *on) {
    c->shift = shift;
    c->on = on;
    if (c->parts > 1) {
        atomic_store(&c->working, c->parts - 1);
        crew_next_round(c);
    }
    shift(on, 0, c->parts);
    for (int look = 0; atomic_load(&c->working) > 0; look++) {
        if (look > PATIENCE) {
            sched_yield(); /* a helper may have no core of its own */
        }
    }
}

#endif
