/* Small problems, one or many: the choice of the kernel, the memory, the threads. */
#include "core/parallel_for.h"
#include "dispatch/kernels.h"

enum {
    DOUBLES_ON_STACK = 4096,  /* larger copies are on the heap */
    COSTS_PER_CLAIM = 4096,   /* about what a thread claims at a time */
    COSTS_PER_THREAD = 65536, /* fewer are solved sooner than a thread starts */
};

static int never(void) { return 0; }

static inline void solve_in(small_t *p, double *scratch) {
    const dense_kernels_t *kernels = &find_kernels(best_isa())->dense[p->single != 0];
    p->solved = 0;
    if (is_clearly_wide(p)) {
        const stop_t stop = {.interrupted = never, .deadline = INFINITY};
        kernels->wide(p, &stop);
    }
    if (!p->solved) {
        kernels->small(p, scratch);
    }
}

outcome_t wide_solve(small_t *p, const stop_t *stop) {
    return find_kernels(best_isa())->dense[p->single != 0].wide(p, stop);
}

void small_solve(small_t *p) {
    _Alignas(CACHE_LINE) double on_stack[DOUBLES_ON_STACK];
    if (small_scratch(p) <= DOUBLES_ON_STACK) {
        solve_in(p, on_stack);
        return;
    }
    double *scratch = cache_aligned(small_scratch(p));
    p->solved = 0;
    if (scratch) {
        solve_in(p, scratch);
    }
    aligned_memory_free(scratch);
}

static void solve_one(void *problems, int64_t k, double *scratch) {
    small_t *p = (small_t *)problems + k;
    if (p->cost) {
        solve_in(p, scratch);
    }
}

outcome_t small_solve_all(small_t *problems, int64_t count, int threads, const stop_t *stop) {
    parallel_for_t tasks = {.solve = solve_one, .context = problems, .tasks = count};
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
