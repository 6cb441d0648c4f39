/* Cascade on sparse costs: every row's list is all that it allows, so that no row is ever looked at beyond it.
 *
 * Under a limit each row has one more column, which nobody else may have and which costs as much as the limit: it is
 * what a row that stays out is matched to. */
#include "sparse.h"
#include "lapmark.h"
#include "names.h"

typedef sparse_t costs_t;

#include "bidding.h"
#include "exact.h"
#include "ranked.h"

enum { BIDS_PER_ROW = 60, REDUCING_BIDS = 12, SAMPLE = 128, RANK = 8 };

/* Parts of the typical rise from a row's cheapest column to its RANK-th: epsilon of the first phase and of the last. */
static const double START = 0.03, END = 0.0003, SCALING = 7.0;

/* An auction breaks ties by amounts of its own making, which is dear to mend: where rows have this many cheapest
 * columns on average, the exact end does better alone. So it does where paths are short, in chains and bands: up to so
 * many rows long on average. Where this part of the rows could still find a free column, hardly any has to
 * be outbid and no epsilon is needed. */
static const double TIED = 2.0, ROOMY = 0.125;
enum { SHORT_PATH = 8 };

/* ---- what the market asks: nothing, as no list has an end beyond which to look ---- */

static int64_t nearby(market_t *k, int64_t i, double spread, double *beyond) {
    (void)k, (void)i, (void)spread;
    *beyond = INFINITY;
    return 0;
}

static int64_t within(market_t *k, int64_t i, double bound) {
    (void)k, (void)i, (void)bound;
    return 0;
}

static void prices_rose(market_t *k) { (void)k; }

static void sit_down(costs_t *c, const desk_t *desk) { (void)c, (void)desk; }

/* Lists padded to whole vectors; under a limit the row's own column is the last. */
static outcome_t list_entries(market_t *k, arena_t *a, const sparse_t *c, const task_t *t) {
    const int own = is_limited(t);
    for (int64_t i = 0; i < k->n; i++) {
        k->begin[i + 1] = k->begin[i] + (c->begin[i + 1] - c->begin[i] + own + WIDTH - 1) / WIDTH * WIDTH;
    }
    k->column = arena_take(a, k->begin[k->n], sizeof *k->column);
    k->cost = arena_take(a, k->begin[k->n], sizeof *k->cost);
    if (a->failed) {
        return OUT_OF_MEMORY;
    }
    for (int64_t i = 0; i < k->n; i++) {
        const int64_t count = c->begin[i + 1] - c->begin[i];
        for (int64_t s = 0; s < k->begin[i + 1] - k->begin[i]; s++) {
            const int used = s < count;
            k->column[k->begin[i] + s] = used ? c->column[c->begin[i] + s] : (int32_t)k->m;
            k->cost[k->begin[i] + s] = used ? c->cost[c->begin[i] + s] : 0.0;
        }
        if (own) {
            k->column[k->begin[i] + count] = (int32_t)(t->m + i);
            k->cost[k->begin[i] + count] = t->limit;
        }
        k->beyond[i] = INFINITY;
    }
    return SOLVED;
}

/* Every column begins at the price at which its cheapest row would pay nothing; where some columns stay free, at the
 * same price as these. */
static void price_by_cheapest_rows(market_t *k, const sparse_t *c) {
    if (k->spare > 0) {
        return;
    }
    for (int64_t j = 0; j < k->m; j++) {
        k->price[j] = -INFINITY;
    }
    for (int64_t e = 0; e < c->begin[k->n]; e++) {
        const int32_t j = c->column[e];
        k->price[j] = -c->cost[e] > k->price[j] ? -c->cost[e] : k->price[j];
    }
    for (int64_t j = 0; j < k->m; j++) {
        k->price[j] = k->price[j] > -INFINITY ? k->price[j] : 0.0;
    }
}

/* What rows look like: the median rise of value from the cheapest column to the RANK-th, and the mean number of columns
 * that are cheapest. */
typedef struct {
    double rise, ties;
} look_t;

static look_t look_at_rows(market_t *k) {
    double rises[SAMPLE];
    const int64_t rows = k->n < SAMPLE ? k->n : SAMPLE;
    int64_t sampled = 0, ties = 0;
    for (int64_t s = 0; s < rows; s++) {
        const int64_t i = s * k->n / rows;
        const double low = best_of_list(k, i).first;
        int64_t count = 0;
        for (int64_t slot = k->begin[i]; slot < k->begin[i + 1]; slot++) {
            const double value = k->cost[slot] + k->price[k->column[slot]];
            if (value < INFINITY) {
                k->offers[count++] = (offer_t){value, k->cost[slot], k->column[slot]};
                ties += value == low;
            }
        }
        if (count > 1) {
            const int64_t rank = count < RANK ? count - 1 : RANK - 1;
            offers_select(k->offers, count, rank);
            rises[sampled++] = k->offers[rank].value - low;
        }
    }
    qsort(rises, (size_t)sampled, sizeof *rises, ascending);
    return (look_t){sampled > 0 ? rises[sampled / 2] : 0.0, (double)ties / (double)rows};
}

static outcome_t bid_down(market_t *k, double rise) {
    outcome_t outcome = SOLVED;
    phase_end_t how = PHASE_DONE;
    /* An epsilon that is lost in the rounding of prices would end a phase at once. */
    const double end = END * rise > 0x1p-40 * k->largest ? END * rise : 0x1p-40 * k->largest;
    for (double epsilon = START * rise; outcome == SOLVED && how == PHASE_DONE && epsilon > end;) {
        outcome = bid_phase(k, epsilon, BIDS_PER_ROW * k->n, &how);
        epsilon /= SCALING;
    }
    return outcome;
}

/* The exact end, as long as its paths are short. */
typedef struct {
    work_t work; /* first, for `ask` */
    const counters_t *counters;
    int64_t n;
} local_t;

static outcome_t is_local(work_t *work) {
    const local_t *l = (const local_t *)work;
    return l->counters->path_rows <= l->n + SHORT_PATH * l->counters->augmentations ? SOLVED : SPENT;
}

/* The exact end, after what bids are worth their while. */
static outcome_t solve_with_bids(market_t *k, paths_t *s) {
    const look_t look = look_at_rows(k);
    outcome_t outcome = SOLVED;
    phase_end_t how;
    if (k->without.levels || look.ties >= TIED) {
        k->work->most = INT64_MAX;
    } else if ((double)k->spare >= ROOMY * (double)k->n) {
        k->work->most = INT64_MAX;
        outcome = reduce_rows(k, REDUCING_BIDS * k->n, &how);
    }
    outcome = outcome == SOLVED ? solve_exactly(k, s) : outcome;
    if (outcome == SPENT) {
        k->work->most = INT64_MAX;
        outcome = bid_down(k, look.rise);
        outcome = outcome == SOLVED ? solve_exactly(k, s) : outcome;
    }
    return outcome;
}

static double largest_of(const sparse_t *c, int64_t entries) {
    double largest = 0.0;
    for (int64_t e = 0; e < entries; e++) {
        largest = fabs(c->cost[e]) > largest ? fabs(c->cost[e]) : largest;
    }
    return largest;
}

/* Who is matched, at what duals. What stays out has no price, and nothing is worth more than it costs. */
static void write_answer(const market_t *k, task_t *t) {
    const double limit = is_limited(t) ? t->limit : 0.0;
    for (int64_t i = 0; i < t->n; i++) {
        const int32_t column = k->held[i];
        if (column >= t->m) {
            t->x[i] = -1;
            t->u[i] = 0.0;
            continue;
        }
        int64_t slot = k->begin[i];
        while (k->column[slot] != column && slot + 1 < k->begin[i + 1]) {
            slot++;
        }
        t->x[i] = column;
        t->u[i] = k->cost[slot] - limit - t->v[column];
        t->u[i] = is_limited(t) && t->u[i] > 0.0 ? 0.0 : t->u[i];
    }
}

outcome_t NAME(cascade_sparse)(task_t *t);

/* n <= m, or a limit; t->cost is a sparse_t. */
outcome_t NAME(cascade_sparse)(task_t *t) {
    const sparse_t *c = t->cost;
    arena_t arena = {0};
    const double largest = largest_of(c, c->begin[t->n]);
    t->largest = largest;
    local_t local = {.work = {.ask = is_local}, .counters = &t->counters, .n = t->n};
    market_t k = {.n = t->n,
                  .m = is_limited(t) ? t->m + t->n : t->m,
                  .largest = is_limited(t) ? fmax(largest, fabs(t->limit)) : largest,
                  .without = t->without,
                  .counters = &t->counters,
                  .stop = &t->stop,
                  .scan_work = 1,
                  .work = &local.work};
    paths_t s;
    outcome_t outcome = OUT_OF_MEMORY;
    double *v = arena_take(&arena, k.m, sizeof *v);
    if (market_make(&k, &arena, 0) && paths_make(&s, &arena, k.n, k.m)) {
        outcome = list_entries(&k, &arena, c, t);
    }
    if (outcome == SOLVED) {
        price_by_cheapest_rows(&k, c);
        outcome = stopped(&t->stop);
    }
    if (outcome == SOLVED) {
        outcome = solve_with_bids(&k, &s);
    }
    if (outcome == SOLVED || outcome == TIMED_OUT) {
        write_column_duals(&k, NULL, v);
        memcpy(t->v, v, (size_t)t->m * sizeof *v);
    }
    if (outcome == SOLVED) {
        write_answer(&k, t);
    } else if (outcome == INFEASIBLE) {
        outcome = name_hall_set(t, &s);
    }
    arena_free(&arena);
    return outcome;
}
