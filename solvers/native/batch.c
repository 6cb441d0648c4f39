/* Small problems one at a time and many at once: the choice of build, the memory, the threads. */
#include "builds.h"
#include "bulk.h"
#include "small.h"

enum {
    ROOM_ON_STACK = 4096,     /* doubles; larger copies are on the heap */
    COSTS_PER_CLAIM = 4096,   /* about what a thread takes up at a time */
    COSTS_PER_THREAD = 65536, /* fewer take no longer to solve than a thread to start */
};

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

static void solve_one(void *problems, int64_t k, double *room) {
    small_t *p = (small_t *)problems + k;
    if (p->cost) {
        solve_in(p, room);
    }
}

stop_reason_t small_solve_all(small_t *problems, int64_t count, int threads, const stop_t *stop) {
    bulk_t b = {.solve = solve_one, .context = problems, .tasks = count};
    int64_t costs = 1;
    for (int64_t k = 0; k < count; k++) {
        const int64_t room = small_room(problems + k);
        b.room = room > b.room ? room : b.room;
        costs += problems[k].n * problems[k].m;
        problems[k].solved = 0;
    }
    b.claim = 1 + count * COSTS_PER_CLAIM / costs;
    const int64_t worth = costs / COSTS_PER_THREAD;
    return bulk_solve(&b, threads - 1 < worth ? threads - 1 : worth, stop);
}
