/* Cascade on sparse costs: the list of a row holds all columns that it allows, so no row is scanned beyond it.
 *
 * Under a limit each row has one more column, which only it may have and which costs as much as the limit: a row that
 * stays out is matched to it.
 */
#include "assignment/small_pairs.inc.h"
#include "cascade/auction_phase.h"
#include "cascade/shortest_paths.h"
#include "core/sparse_costs.h"

enum { BIDS_PER_ROW = 60, REDUCING_BIDS = 12, SAMPLE = 128, RANK = 8 };

/* Relative to the typical rise from a row's cheapest column to its RANK-th: epsilon of the first phase and of the last.
 */
static const double START = 0.03, END = 0.0003, SCALING = 7.0;

/* An auction breaks ties by arbitrary amounts, which is expensive to repair: with this many cheapest columns per row on
 * average, the exact search alone is faster. So it is if paths are short, as in chains and bands: up to so many rows
 * long on average. If this share of the rows could still find a free column, few rows lose theirs and no epsilon is
 * needed. */
static const double TIED_COLUMNS = 2.0, FREE_SHARE = 0.125;
enum { SHORT_PATH = 8 };

/* Rows and columns of a small problem; rows on paths, per row, before it is left to bids. */
enum { SMALL_LISTED = 2560, MOST_PATH_ROWS = 24 };

/* No list has an end beyond which to look. */
static int64_t sparse_nearest(auction_t *k, int64_t i, double spread, double *beyond) {
    (void)k, (void)i, (void)spread;
    *beyond = INFINITY;
    return 0;
}

static int64_t sparse_within(auction_t *k, int64_t i, double bound) {
    (void)k, (void)i, (void)bound;
    return 0;
}

static void sparse_prices_rose(auction_t *k) { (void)k; }

static const cost_access_t sparse_access = {sparse_nearest, sparse_within, sparse_prices_rose};

/* Copy the lists, padded to whole vectors; under a limit the row's own column comes last. */
static outcome_t list_entries(auction_t *k, arena_t *a, const sparse_costs_t *c, const assignment_t *t) {
    const int own = is_limited(t);
    for (int64_t i = 0; i < k->n; i++) {
        k->begin[i + 1] = k->begin[i] + padded_to_width(c->begin[i + 1] - c->begin[i] + own);
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

/* Every column starts at the price at which its cheapest row would pay nothing; if some columns stay free, all start at
 * 0. */
static void price_by_cheapest_rows(auction_t *k, const sparse_costs_t *c) {
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

/* Properties of rows: the median rise of value from the cheapest column to the RANK-th, and the mean number of cheapest
 * columns. */
typedef struct {
    double rise, ties;
} row_sample_t;

static row_sample_t sample_rows(auction_t *k) {
    double rises[SAMPLE];
    const int64_t rows = k->n < SAMPLE ? k->n : SAMPLE;
    int64_t sampled = 0, ties = 0;
    for (int64_t s = 0; s < rows; s++) {
        const int64_t i = s * k->n / rows;
        const double low = auction_best_of_list(k, i).first;
        int64_t count = 0;
        for (int64_t slot = k->begin[i]; slot < k->begin[i + 1]; slot++) {
            const double value = k->cost[slot] + k->price[k->column[slot]];
            if (value < INFINITY) {
                k->candidates[count++] = (candidate_t){value, k->cost[slot], k->column[slot]};
                ties += value == low;
            }
        }
        if (count > 1) {
            const int64_t rank = count < RANK ? count - 1 : RANK - 1;
            candidates_select(k->candidates, count, rank);
            rises[sampled++] = k->candidates[rank].value - low;
        }
    }
    qsort(rises, (size_t)sampled, sizeof *rises, compare_ascending);
    return (row_sample_t){sampled > 0 ? rises[sampled / 2] : 0.0, (double)ties / (double)rows};
}

static outcome_t bid_down(auction_t *k, double rise) {
    outcome_t outcome = SOLVED;
    phase_end_t how = PHASE_DONE;
    /* An epsilon that is lost in the rounding of prices would end a phase at once. */
    const double end = END * rise > 0x1p-40 * k->largest ? END * rise : 0x1p-40 * k->largest;
    for (double epsilon = START * rise; outcome == SOLVED && how == PHASE_DONE && epsilon > end;) {
        outcome = auction_run_phase(k, epsilon, BIDS_PER_ROW * k->n, &how);
        epsilon /= SCALING;
    }
    return outcome;
}

/* The exact search is allowed as long as its paths are short. */
typedef struct {
    work_budget_t work; /* first, for `on_spent` */
    const counters_t *counters;
    int64_t n;
} path_length_check_t;

static outcome_t paths_are_short(work_budget_t *work) {
    const path_length_check_t *l = (const path_length_check_t *)work;
    return l->counters->path_rows <= l->n + SHORT_PATH * l->counters->augmentations ? SOLVED : SPENT;
}

/* Match exactly, after the bids that pay. */
static outcome_t solve_with_bids(auction_t *k, path_search_t *s) {
    const row_sample_t sample = sample_rows(k);
    outcome_t outcome = SOLVED;
    phase_end_t how;
    if (k->without.levels || sample.ties >= TIED_COLUMNS) {
        k->work->most = INT64_MAX;
    } else if ((double)k->spare >= FREE_SHARE * (double)k->n) {
        k->work->most = INT64_MAX;
        outcome = auction_reduce_rows(k, REDUCING_BIDS * k->n, &how);
    }
    outcome = outcome == SOLVED ? path_search_match_exactly(k, s) : outcome;
    if (outcome == SPENT) {
        k->work->most = INT64_MAX;
        outcome = bid_down(k, sample.rise);
        outcome = outcome == SOLVED ? path_search_match_exactly(k, s) : outcome;
    }
    return outcome;
}

static double largest_of(const sparse_costs_t *c, int64_t entries) {
    double largest = 0.0;
    for (int64_t e = 0; e < entries; e++) {
        largest = fabs(c->cost[e]) > largest ? fabs(c->cost[e]) : largest;
    }
    return largest;
}

/* Write the column of a row, -1 if it stays out, and its dual from the cost of the pair and the column's dual. A row
 * that stays out has no price, and no dual is positive under a limit. */
static void write_row(assignment_t *t, int64_t i, int32_t column, double cost) {
    const int limited = is_limited(t);
    const double u = column < 0 ? 0.0 : cost - (limited ? t->limit : 0.0) - t->v[column];
    t->x[i] = column;
    t->u[i] = limited && u > 0.0 ? 0.0 : u;
}

/* Write the matching and its duals. */
static void write_answer(const auction_t *k, assignment_t *t) {
    for (int64_t i = 0; i < t->n; i++) {
        const int32_t column = k->held[i];
        if (column >= t->m) {
            write_row(t, i, -1, 0.0);
            continue;
        }
        int64_t slot = k->begin[i];
        while (k->column[slot] != column && slot + 1 < k->begin[i + 1]) {
            slot++;
        }
        write_row(t, i, column, k->cost[slot]);
    }
}

/* Solve a small problem by the method of Jonker and Volgenant on its lists; return 0 if it has no answer or takes too
 * many steps. */
static int solve_small(assignment_t *t, const sparse_costs_t *c) {
    int32_t *begin, *column;
    double *cost;
    small_pairs_t *p = new_small_pairs(t->n, t->m, 0, &begin, &column, &cost);
    if (!p) {
        return 0;
    }
    p->out = t->limit;
    p->column = c->column;
    p->cost = c->cost;
    p->counters = &t->counters;
    for (int64_t i = 0; i <= t->n; i++) {
        begin[i] = (int32_t)c->begin[i];
    }
    const int all_are_matched = t->n == t->m && !is_limited(t);
    for (int64_t j = 0; j < t->m; j++) {
        p->v[j] = all_are_matched ? INFINITY : 0.0;
    }
    for (int32_t e = 0; e < begin[t->n] && all_are_matched; e++) {
        double *low = &p->v[c->column[e]];
        *low = c->cost[e] < *low ? c->cost[e] : *low;
    }
    int has_answer = 1;
    for (int64_t j = 0; j < t->m; j++) {
        has_answer &= p->v[j] < INFINITY;
    }
    has_answer = has_answer && match_listed_pairs(p, MOST_PATH_ROWS * t->n);
    if (has_answer) {
        memcpy(t->v, p->v, (size_t)t->m * sizeof *t->v);
    }
    for (int64_t i = 0; i < t->n && has_answer; i++) {
        int32_t e = begin[i];
        while (p->x[i] >= 0 && c->column[e] != p->x[i]) {
            e++;
        }
        write_row(t, i, p->x[i], p->x[i] < 0 ? 0.0 : c->cost[e]);
    }
    free(p);
    return has_answer;
}

assignment_solver_t ISA_NAME(cascade_sparse);

/* n <= m, or a limit; t->cost is a sparse_costs_t. */
outcome_t ISA_NAME(cascade_sparse)(assignment_t *t) {
    const sparse_costs_t *c = t->cost;
    arena_t arena = {0};
    const double largest = largest_of(c, c->begin[t->n]);
    t->largest = largest;
    const int is_small = t->m <= SMALL_LISTED && t->n <= SMALL_LISTED && c->begin[t->n] < INT32_MAX;
    if (is_small && !t->without.levels && stopped(&t->stop) == SOLVED && solve_small(t, c)) {
        return SOLVED;
    }
    path_length_check_t check = {.work = {.on_spent = paths_are_short}, .counters = &t->counters, .n = t->n};
    auction_t k = {.access = &sparse_access,
                   .n = t->n,
                   .m = is_limited(t) ? t->m + t->n : t->m,
                   .largest = is_limited(t) ? fmax(largest, fabs(t->limit)) : largest,
                   .without = t->without,
                   .counters = &t->counters,
                   .stop = &t->stop,
                   .scan_work = 1,
                   .work = &check.work};
    path_search_t s;
    outcome_t outcome = OUT_OF_MEMORY;
    double *v = arena_take(&arena, k.m, sizeof *v);
    if (auction_init(&k, &arena, 0) && path_search_init(&s, &arena, k.n, k.m)) {
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
        auction_write_column_duals(&k, NULL, v);
        memcpy(t->v, v, (size_t)t->m * sizeof *v);
    }
    if (outcome == SOLVED) {
        write_answer(&k, t);
    } else if (outcome == INFEASIBLE) {
        outcome = path_search_name_hall_set(t, &s);
    }
    arena_free(&arena);
    return outcome;
}
