/* Small problems one at a time and many at once: the choice of build, the memory, the threads. */
#include "builds.h"
#include "small.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
    LINE = 64,                /* bytes of a line of the cache */
    ROOM_ON_STACK = 4096,     /* doubles; larger copies are on the heap */
    COSTS_PER_CLAIM = 4096,   /* about what a thread takes up at a time */
    COSTS_PER_THREAD = 65536, /* fewer take no longer to solve than a thread to start */
    MOST_THREADS = 256,
};

/* Seconds between two looks at the interpreter; each has to wait for its lock. */
static const double PATIENCE = 0.05;

void small_f32_scalar(small_t *, double *);
void small_f64_scalar(small_t *, double *);

#ifdef LAPMARK_HAS_AVX2
void small_f32_avx2(small_t *, double *);
void small_f64_avx2(small_t *, double *);
#endif

small_build_t find_small_build(int avx2, int single) {
#ifdef LAPMARK_HAS_AVX2
    if (avx2) {
        return !processor_has_avx2() ? NULL : single ? small_f32_avx2 : small_f64_avx2;
    }
#endif
    return avx2 ? NULL : single ? small_f32_scalar : small_f64_scalar;
}

static inline void solve_in(small_t *p, double *room) { find_small_build(processor_has_avx2(), p->single)(p, room); }

/* NULL where there is none. */
static double *make_room(int64_t doubles) { return aligned_alloc(LINE, (size_t)doubles * sizeof(double)); }

void small_solve(small_t *p) {
    _Alignas(LINE) double on_stack[ROOM_ON_STACK];
    if (small_room(p) <= ROOM_ON_STACK) {
        solve_in(p, on_stack);
        return;
    }
    double *room = make_room(small_room(p));
    p->solved = 0;
    if (room) {
        solve_in(p, room);
    }
    free(room);
}

typedef struct {
    small_t *problems;
    int64_t count, claim, room;
    atomic_llong next;
    atomic_int stopped;
} batch_t;

/* Take up problems until none is left. Only the thread with `stop` asks it, on behalf of all. */
static stop_reason_t work(batch_t *b, const stop_t *stop) {
    stop_reason_t reason = GO_ON;
    double asked = monotonic_seconds();
    double *room = make_room(b->room);
    while (room && !b->stopped) {
        const int64_t start = atomic_fetch_add(&b->next, b->claim);
        if (start >= b->count) {
            break;
        }
        for (int64_t k = start; k < start + b->claim && k < b->count; k++) {
            if (b->problems[k].cost) {
                solve_in(b->problems + k, room);
            }
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

static void *help(void *batch) {
    work(batch, NULL);
    return NULL;
}

stop_reason_t small_solve_all(small_t *problems, int64_t count, int threads, const stop_t *stop) {
    batch_t b = {.problems = problems, .count = count};
    int64_t costs = 1;
    for (int64_t k = 0; k < count; k++) {
        const int64_t room = small_room(problems + k);
        b.room = room > b.room ? room : b.room;
        costs += problems[k].n * problems[k].m;
        problems[k].solved = 0;
    }
    b.claim = 1 + count * COSTS_PER_CLAIM / costs;
    pthread_t helpers[MOST_THREADS];
    int started = 0;
    while (started < MOST_THREADS && started + 1 < threads && started < costs / COSTS_PER_THREAD &&
           pthread_create(helpers + started, NULL, help, &b) == 0) {
        started++;
    }
    const stop_reason_t reason = work(&b, stop);
    while (started > 0) {
        pthread_join(helpers[--started], NULL);
    }
    return reason;
}
