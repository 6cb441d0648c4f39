/* Small problems, one or many: the choice between kernels, the memory, the threads. */
#include "core/parallel_for.h"
#include "dispatch/kernels.h"

enum {
    DOUBLES_ON_STACK = 4096,  /* larger copies are on the heap */
    COSTS_PER_CLAIM = 4096,   /* about what a thread claims at a time */
    COSTS_PER_THREAD = 65536, /* fewer are solved sooner than a thread starts */
};

static int never(void) { return 0; }

typedef struct {
    small_t *problems;
    const kernels_t *kernels;
} batch_t;

static inline void solve_in(small_t *p, const kernels_t *all, double *scratch) {
    const dense_kernels_t *kernels = &all->dense[p->single != 0];
    p->solved = 0;
    if (is_clearly_wide(p)) {
        const stop_t stop = {.interrupted = never, .deadline = INFINITY};
        kernels->wide(p, &stop);
    }
    if (!p->solved) {
        kernels->small(p, scratch);
    }
}

outcome_t wide_solve(small_t *p, const kernels_t *kernels, const stop_t *stop) {
    return kernels->dense[p->single != 0].wide(p, stop);
}

void small_solve(small_t *p, const kernels_t *kernels) {
    _Alignas(CACHE_LINE) double on_stack[DOUBLES_ON_STACK];
    if (small_scratch(p) <= DOUBLES_ON_STACK) {
        solve_in(p, kernels, on_stack);
        return;
    }
    double *scratch = cache_aligned(small_scratch(p));
    p->solved = 0;
    if (scratch) {
        solve_in(p, kernels, scratch);
    }
    aligned_memory_free(scratch);
}

static void solve_one(void *context, int64_t k, double *scratch) {
    const batch_t *batch = context;
    if (batch->problems[k].cost) {
        solve_in(batch->problems + k, batch->kernels, scratch);
    }
}

outcome_t small_solve_all(small_t *problems, int64_t count, const kernels_t *kernels, int threads, const stop_t *stop) {
    batch_t batch = {problems, kernels};
    parallel_for_t tasks = {.solve = solve_one, .context = &batch, .tasks = count};
    int64_t costs = 1;
    for (int64_t k = 0; k < count; k++) {
        const int64_t scratch = small_scratch(problems + k);
        tasks.scratch = scratch > tasks.scratch ? scratch : tasks.scratch;
        costs += problems[k].n * problems[k].m;
        problems[k].solved = 0;
    }
    tasks.claim = 1 + count * COSTS_PER_CLAIM / costs;
    const int64_t worth = costs / COSTS_PER_THREAD;
    const outcome_t outcome = parallel_for_run(&tasks, threads - 1 < worth ? threads - 1 : worth, stop);
    return outcome == OUT_OF_MEMORY ? SOLVED : outcome; /* then some problems are left unsolved */
}
