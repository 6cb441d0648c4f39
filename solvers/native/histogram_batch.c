/* Pairs of histograms: the choice of build, the memory, the threads. */
#include "builds.h"
#include "bulk.h"
#include "histograms.h"

enum {
    COSTS_PER_CLAIM = 16384,   /* about what a thread takes up at a time */
    COSTS_PER_THREAD = 131072, /* fewer take no longer to solve than a thread to start */
};

void histogram_scalar(const histograms_t *, int64_t, double *);
int64_t histogram_room_scalar(int64_t, int64_t);
int is_metric_scalar(const double *, int64_t);

#ifdef LAPMARK_HAS_AVX2
void histogram_avx2(const histograms_t *, int64_t, double *);
int is_metric_avx2(const double *, int64_t);
#endif

histogram_build_t find_histogram_build(int avx2) {
#ifdef LAPMARK_HAS_AVX2
    if (avx2) {
        return processor_has_avx2() ? histogram_avx2 : NULL;
    }
#endif
    return avx2 ? NULL : histogram_scalar;
}

int is_metric(const double *cost, int64_t n, int avx2) {
#ifdef LAPMARK_HAS_AVX2
    if (avx2) {
        return is_metric_avx2(cost, n);
    }
#endif
    return !avx2 && is_metric_scalar(cost, n);
}

/* The same in every build. */
int64_t histogram_room(int64_t n, int64_t m) { return histogram_room_scalar(n, m); }

typedef struct {
    const histograms_t *histograms;
    histogram_build_t solve;
} work_t;

static void solve_one(void *context, int64_t pair, double *room) {
    const work_t *work = context;
    work->solve(work->histograms, pair, room);
}

outcome_t histograms_solve(const histograms_t *h, histogram_build_t solve, int threads, const stop_t *stop) {
    work_t work = {h, solve};
    bulk_t b = {.solve = solve_one,
                .context = &work,
                .tasks = h->pairs,
                .claim = 1 + COSTS_PER_CLAIM / (h->n * h->m),
                .room = histogram_room(h->n, h->m)};
    const int64_t worth = h->pairs * h->n * h->m / COSTS_PER_THREAD;
    switch (bulk_solve(&b, threads - 1 < worth ? threads - 1 : worth, stop)) {
    case STOP_INTERRUPTED:
        return INTERRUPTED;
    case STOP_LATE:
        return TIMED_OUT;
    default:
        return bulk_is_done(&b) ? SOLVED : OUT_OF_MEMORY;
    }
}
