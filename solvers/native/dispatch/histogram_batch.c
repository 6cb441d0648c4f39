/* Pairs of histograms on several threads. */
#include "core/parallel_for.h"
#include "dispatch/kernels.h"

enum {
    COSTS_PER_CLAIM = 16384,   /* about what a thread claims at a time */
    COSTS_PER_THREAD = 131072, /* fewer are solved sooner than a thread starts */
};

typedef struct {
    const histograms_t *histograms;
    histogram_solver_t *solve;
} batch_t;

static void solve_one(void *context, int64_t pair, double *scratch) {
    const batch_t *batch = context;
    batch->solve(batch->histograms, pair, scratch);
}

outcome_t histograms_solve(const histograms_t *h, const kernels_t *kernels, int threads, const stop_t *stop) {
    batch_t batch = {h, kernels->histogram};
    parallel_for_t tasks = {.solve = solve_one,
                            .context = &batch,
                            .tasks = h->pairs,
                            .claim = 1 + COSTS_PER_CLAIM / (h->n * h->m),
                            .scratch = kernels->histogram_scratch(h->n, h->m)};
    const int64_t worth = h->pairs * h->n * h->m / COSTS_PER_THREAD;
    return parallel_for_run(&tasks, threads - 1 < worth ? threads - 1 : worth, stop);
}
