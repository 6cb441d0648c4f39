/* Cascade on a matrix: find good starting prices, then match exactly by shortest augmenting paths.
 *
 * The time depends on the starting prices, and the shortest way to good prices depends on the structure of the costs.
 * If rows and columns resemble each other, as for distances, prices are found coarse to fine. If they do not, that
 * would be in vain, and one auction with a small epsilon is enough. Few distinct rows, Monge costs and ties each have a
 * start of their own.
 *
 * A start may fail after a few scans per row; the result is exact in any case.
 */
#include "cascade/method_alternation.inc.h"
#include "cascade/small_first.inc.h"
#include "cascade/starting_prices/coarse_levels.inc.h"
#include "cascade/starting_prices/duplicate_rows.inc.h"
#include "cascade/starting_prices/few_cheap_pairs.inc.h"
#include "cascade/starting_prices/monge_costs.inc.h"
#include "cascade/starting_prices/separable_costs.inc.h"
#include "cascade/starting_prices/tied_costs.inc.h"

/* The single auction: epsilon relative to the spread, with short lists since few bids are made. */
static const double SMALL_EPSILON = 0.01;
enum { SHORT_LIST = 8, ENOUGH_BIDS = 3, SINGLE_BIDS = 30, PROBE_BIDS = 24, FEW_ROWS = 640, TINY = 64 };

/* Share of rows that have to agree with their column, and range of values relative to the costs, below which costs are
 * soon reduced. */
static const double AGREED = 0.9, NEARLY_FLAT = 1e-5;

/* Costs that exceed the cheapest by this many times the span of a list say nothing about the scale. */
static const double WIDE_SPAN = 1000.0;

/* Rows and columns of the probe, if there are more than FEW_ROWS; ties per row from which on costs count as tied. */
enum { PROBE = 256, TIED = 3 };

/* Properties of the rows of a sample at present prices. */
typedef struct {
    int64_t ties;      /* median number of columns that tie for the cheapest */
    double range;      /* largest range of the values of a row */
    double scale;      /* differences of costs that matter: a multiple of the span of a row's list, at most the range */
    double size;       /* median magnitude of a row's cheapest cost and its price, plus the scale */
    double agree;      /* share of rows whose cheapest column has no row that is cheaper for it */
    double at_largest; /* share of costs that equal the largest */
} row_sample_t;

static row_sample_t sample_rows(auction_t *k, double dearest) {
    double ties[SAMPLE], spans[SAMPLE], sizes[SAMPLE];
    row_sample_t sample = {0};
    int64_t agree = 0, at_largest = 0;
    const int64_t count = k->n < SAMPLE ? k->n : SAMPLE;
    for (int64_t s = 0; s < count; s++) {
        const cost_t *c = row_of(k->costs, s * k->n / count);
        const double least = row_minima(c, k->price, k->m, k->lane_low);
        const double span = bound_from_lanes(k) - least;
        spans[s] = span < INFINITY ? span : 0.0;
        ties[s] = (double)collect(k, c, least);
        const candidate_t *first = k->candidates;
        sizes[s] = ties[s] > 0.0 ? fabs(first->cost) + fabs(k->price[first->column]) : 0.0;
        agree += least <= 0.0;
        for (int64_t j = 0; j < k->m; j++) {
            const double above = (double)c[j] + k->price[j] - least;
            sample.range = above > sample.range && above < INFINITY ? above : sample.range;
            at_largest += (double)c[j] == dearest;
        }
    }
    k->counters->row_scans += count;
    qsort(ties, (size_t)count, sizeof *ties, compare_ascending);
    qsort(spans, (size_t)count, sizeof *spans, compare_ascending);
    qsort(sizes, (size_t)count, sizeof *sizes, compare_ascending);
    sample.ties = (int64_t)ties[count / 2];
    const double scale = WIDE_SPAN * spans[count / 2];
    sample.scale = scale > 0.0 && scale < sample.range ? scale : sample.range;
    sample.size = sizes[count / 2] + sample.scale;
    sample.agree = (double)agree / (double)count;
    sample.at_largest = (double)at_largest / (double)(count * k->m);
    return sample;
}

/* The smallest epsilon that is not lost in rounding when added to such costs and prices. */
static double least_epsilon(const row_sample_t *sample) { return 8.0 * DBL_EPSILON * sample->size; }

/* Restart with lists of `slots` columns, no more than they were made with. */
static void forget_lists(auction_t *k, int64_t slots) {
    ((dense_costs_t *)k->costs)->list = slots;
    for (int64_t i = 0; i < k->n; i++) {
        k->held[i] = -1;
        k->beyond[i] = -INFINITY;
        k->spread[i] = -1.0;
        k->begin[i + 1] = (i + 1) * slots;
    }
    for (int64_t j = 0; j < k->m; j++) {
        k->owner[j] = -1;
    }
    for (int64_t s = 0; s < k->n * slots; s++) {
        k->column[s] = (int32_t)k->m;
    }
}

/* Run one auction with a small epsilon; repeat with less while it was so large that rows hardly bid. */
static outcome_t run_single_auction(auction_t *k, const dense_problem_t *problem, int64_t bids_per_row,
                                    phase_end_t *how) {
    const int64_t before = k->counters->bids;
    outcome_t outcome;
    double epsilon = SMALL_EPSILON * auction_typical_spread(k);
    do {
        const int64_t left = bids_per_row * k->n - (k->counters->bids - before);
        epsilon = epsilon > problem->least ? epsilon : problem->least;
        outcome = auction_run_phase(k, epsilon, left, how);
        epsilon *= SMALL_EPSILON;
    } while (outcome == SOLVED && *how == PHASE_DONE && k->counters->bids - before < ENOUGH_BIDS * k->n &&
             epsilon > problem->least);
    return outcome;
}

/* Costs that are a_i + b_j up to rounding leave ties of all sizes, too many for any list. */
static int is_nearly_flat(const cost_range_t *cost_range, const row_sample_t *sample) {
    return sample->range <= NEARLY_FLAT * largest_magnitude(cost_range);
}

/* Find out whether the method of Jonker and Volgenant finishes on a submatrix within so many scans per row. */
static outcome_t is_easy_for_jonker_volgenant(const subproblem_t *sub, const auction_t *problem, int64_t scans,
                                              int *easy) {
    const int64_t n = sub->auction.n;
    arena_t arena = {0};
    assignment_t task = {
        .n = n, .m = n, .given = n, .cost = sub->costs.entries, .limit = INFINITY, .stop = *problem->stop};
    take_result_arrays(&task, &arena);
    task.check_every = CHECK_EVERY;
    task.most_scans = scans * n;
    outcome_t outcome = arena.failed ? OUT_OF_MEMORY : NAME(jonker_volgenant)(&task);
    problem->counters->row_scans += task.counters.row_scans;
    *easy = outcome == SOLVED;
    arena_free(&arena);
    return outcome == SPENT || outcome == INFEASIBLE || outcome == CHANGED ? SOLVED : outcome;
}

/* Properties of some rows and columns chosen at random, which stand for all. */
typedef struct {
    int unstructured; /* the single auction ends soon: it takes 4 to 9 bids per row there, and 46 or more elsewhere */
    int easy;         /* otherwise, whether Jonker and Volgenant's method does; tested first whether it ends at once */
} probe_t;

static outcome_t probe_submatrix(const dense_problem_t *problem, int tied, probe_t *probe) {
    const auction_t *w = problem->auction;
    int32_t rows[PROBE], columns[PROBE];
    for (int64_t s = 0; s < PROBE; s++) {
        const uint64_t height = (uint64_t)(w->n / PROBE), width = (uint64_t)(w->m / PROBE);
        rows[s] = (int32_t)(s * (int64_t)height + (int64_t)(scrambled((uint64_t)s) % height));
        columns[s] = (int32_t)(s * (int64_t)width + (int64_t)(scrambled(~(uint64_t)s) % width));
    }
    subproblem_t sub;
    phase_end_t how = PHASE_GAVE_UP;
    outcome_t outcome = subproblem_init(&sub, problem, rows, PROBE, columns, PROBE, SHORT_LIST);
    if (outcome == SOLVED && !tied) {
        outcome = run_single_auction(&sub.auction, problem, PROBE_BIDS, &how);
        probe->unstructured = how == PHASE_DONE;
    }
    if (outcome == SOLVED && !probe->unstructured) {
        outcome = is_easy_for_jonker_volgenant(&sub, w, EASY_SCANS, &probe->easy);
    }
    arena_free(&sub.arena);
    return outcome;
}

/* Either kind of auction leads to prices. */
static outcome_t start_by_auction(auction_t *k, dense_problem_t *problem, int tied, arena_t *a) {
    probe_t probe = {.unstructured = k->n <= FEW_ROWS};
    outcome_t outcome = SOLVED;
    if (!probe.unstructured) {
        outcome = probe_submatrix(problem, tied, &probe);
    }
    if (outcome == SOLVED && probe.easy) {
        outcome = run_jonker_volgenant((alternation_t *)k->work, 2 * EASY_SCANS * k->n);
    }
    if (outcome == SOLVED && probe.unstructured) {
        phase_end_t how;
        forget_lists(k, SHORT_LIST);
        outcome = run_single_auction(k, problem, SINGLE_BIDS, &how);
        if (outcome != SOLVED || phase_is_nearly_done(how)) {
            return outcome;
        }
        forget_lists(k, LIST);
    }
    return outcome == SOLVED ? start_coarse_levels(k, problem, a) : outcome;
}

/* Try the method of Jonker and Volgenant because the costs suggest that it is faster; with few rows then a plain
 * auction, and at once if the former is known to be slow. */
static outcome_t try_jonker_volgenant_first(auction_t *k, path_search_t *s) {
    alternation_t *methods = (alternation_t *)k->work;
    outcome_t outcome = SOLVED;
    if (methods->laborious) {
        outcome = run_plain_auction(methods);
        if (outcome != SOLVED) {
            return outcome;
        }
    }
    if (methods->task->stage == FROM_NOTHING && k->spare == 0) {
        outcome = match_column_minima(k, s);
        if (outcome != SOLVED) {
            return outcome;
        }
        pass_pairs_on(methods->task, k);
    }
    outcome = run_jonker_volgenant(methods, FIRST_SCANS * k->n);
    return outcome == SOLVED && k->n <= FEW_ROWS && !methods->laborious ? run_plain_auction(methods) : outcome;
}

static outcome_t start_square(auction_t *k, path_search_t *s, dense_problem_t *problem, arena_t *a,
                              const row_sample_t *sample, start_t *start) {
    outcome_t outcome = SOLVED;
    if (!problem->cost_range.forbids) {
        outcome = start_separable(k, start);
        if (outcome == SOLVED && *start == START_NONE && is_nearly_flat(&problem->cost_range, sample)) {
            outcome = try_jonker_volgenant_first(k, s);
        }
        for (int columns = 0; columns < 2 && outcome == SOLVED && *start == START_NONE; columns++) {
            outcome = start_duplicates(k, s, columns, problem->cost_range.high - problem->cost_range.low, start);
        }
        if (outcome == SOLVED && *start == START_NONE) {
            outcome = start_monge(k, s, problem, start);
        }
        if (outcome == SOLVED && *start == START_PRICES) {
            /* What rounding has left of Monge costs is noise: lists and auctions have a long search among near ties. */
            alternation_t *methods = (alternation_t *)k->work;
            methods->lists.most /= 8;
            methods->auction_due = 8 * methods->row_scans;
            return level_bid(k, problem, 0, 1);
        }
    }
    /* Few rows are matched one by one sooner than by bids. So are the few rows left over if nearly every row has a
     * column that no other row is cheaper for. */
    if (outcome == SOLVED && *start == START_NONE &&
        (k->n <= FEW_ROWS || sample->agree >= AGREED || sample->ties >= TIED)) {
        outcome = try_jonker_volgenant_first(k, s);
    }
    if (outcome == SOLVED && *start == START_NONE && sample->ties >= TIED) {
        outcome = start_tied(k, s, start);
        if (*start == START_NONE) {
            forget_lists(k, LIST);
        }
    }
    return outcome == SOLVED && *start == START_NONE ? start_by_auction(k, problem, sample->ties >= TIED, a) : outcome;
}

static int64_t count_free(const auction_t *k) {
    int64_t count = 0;
    for (int64_t i = 0; i < k->n; i++) {
        count += k->held[i] < 0;
    }
    return count;
}

/* More columns than rows: few rows lose a column to another. */
static outcome_t start_rectangular(auction_t *k, path_search_t *s, dense_problem_t *problem, arena_t *a,
                                   const row_sample_t *sample, start_t *start) {
    if (!problem->cost_range.forbids) {
        outcome_t outcome = start_separable_rectangular(k, s, problem->column_low, start);
        if (outcome == SOLVED && *start == START_NONE) {
            price_by_column(k, problem->column_low);
            outcome = start_duplicates(k, s, 0, problem->cost_range.high - problem->cost_range.low, start);
        }
        if (outcome == SOLVED && *start == START_NONE) {
            outcome = start_monge(k, s, problem, start);
        }
        if (outcome != SOLVED || *start != START_NONE) {
            return outcome;
        }
    }
    const outcome_t tried = k->n <= FEW_ROWS ? try_jonker_volgenant_first(k, s)
                                             : run_jonker_volgenant((alternation_t *)k->work, WIDE_SCANS * k->n);
    if (tried != SOLVED) {
        return tried;
    }
    if (sample->ties >= TIED) {
        auction_typical_spread(k);
        return SOLVED;
    }
    phase_end_t how;
    forget_lists(k, SHORT_LIST);
    auction_typical_spread(k);
    const outcome_t outcome = auction_reduce_rows(k, SINGLE_BIDS * k->n, &how);
    if (outcome != SOLVED || (phase_is_nearly_done(how) && count_free(k) <= k->n / 4)) {
        return outcome;
    }
    forget_lists(k, LIST);
    return start_coarse_levels(k, problem, a);
}

static outcome_t choose_start(assignment_t *t, auction_t *k, path_search_t *s, arena_t *a, start_t *start) {
    dense_problem_t problem = {.auction = k};
    problem.column_low = arena_take(a, k->m, sizeof *problem.column_low);
    outcome_t outcome = problem.column_low ? SOLVED : OUT_OF_MEMORY;
    if (outcome == SOLVED && t->column_low) {
        memcpy(problem.column_low, t->column_low, (size_t)k->m * sizeof *problem.column_low);
        problem.cost_range = t->range;
        settle_range(&problem.cost_range);
    } else if (outcome == SOLVED) {
        outcome = find_cost_range(k, problem.column_low, &problem.cost_range);
    }
    if (outcome == SOLVED) {
        const double range = problem.cost_range.high - problem.cost_range.low;
        t->largest = range;
        const double most = sizeof(cost_t) == sizeof(float) ? FLT_MAX : DBL_MAX;
        problem.forbidden_cost = problem.cost_range.high < most - range ? problem.cost_range.high + range : most;
        price_by_column(k, problem.column_low);
        const row_sample_t sample = sample_rows(k, problem.cost_range.high);
        k->largest = sample.scale;
        problem.least = least_epsilon(&sample);
        int few = 0;
        if (!problem.cost_range.forbids && sample.range > 0.0 && sample.at_largest >= 1.0 - FEW_PAIRS) {
            outcome = solve_cheap_pairs(t, problem.cost_range.high, a, &few);
        }
        if (few || outcome != SOLVED) {
            *start = START_ANSWERED;
            return outcome;
        }
        outcome = (k->spare > 0 ? start_rectangular : start_square)(k, s, &problem, a, &sample, start);
    }
    return outcome;
}

/* Write the duals of the columns, counted from the level of the spare class, which costs nothing. */
static void set_column_duals(assignment_t *t, const auction_t *k, double level) {
    for (int64_t j = 0; j < t->m; j++) {
        const double above = k->price[j] - level;
        t->v[j] = k->spare > 0 && above < 0.0 ? 0.0 : -above;
    }
}

/* n <= m; t->cost is a row-major matrix. */
outcome_t NAME(cascade_dense)(assignment_t *t) {
    if (is_limited(t)) {
        return solve_limited(t);
    }
    const int is_whole = !(t->without.levels || t->without.lists);
    int laborious = 0;
    if (is_whole && t->m <= SMALL_SIDE && stopped(&t->stop) == SOLVED && is_solved_as_small(t, &laborious)) {
        return t->outcome = SOLVED;
    }
    if (t->n <= TINY) {
        return NAME(jonker_volgenant)(t); /* solved before anything could be learned about the costs */
    }
    arena_t arena = {0};
    dense_costs_t costs = {0};
    path_search_t s = {0};
    auction_t k = {.costs = &costs,
                   .n = t->n,
                   .m = t->m,
                   .without = t->without,
                   .counters = &t->counters,
                   .stop = &t->stop,
                   .scan_work = scan_work(t->m)};
    alternation_t methods = {.lists = {.most = LISTS_SCANS * t->n * pass_work(t->m), .on_spent = alternate_methods},
                             .row_scans = ROWS_SCANS * t->n,
                             .auction_scans = AUCTION_SCANS,
                             .laborious = laborious && t->n == t->m,
                             .task = t,
                             .auction = &k,
                             .paths = &s};
    k.work = &methods.lists;
    start_t start = START_NONE;
    outcome_t outcome = t->outcome = stopped(&t->stop);
    if (outcome != SOLVED) {
        return stop_without_prices(t);
    }
    if (t->n < t->m || (t->n <= FEW_ROWS && !methods.laborious)) {
        outcome = run_jonker_volgenant(&methods, (t->n <= FEW_ROWS ? 2 * SOON_SCANS : SOON_SCANS) * t->n);
    }
    if (outcome == SOLVED &&
        !(auction_start_threads(&k, &arena, t->threads, t->m, blocks_of(t->m) * WIDTH) &&
          dense_auction_init(&k, &costs, &arena, t->cost, LIST) && path_search_init(&s, &arena, t->n, t->m))) {
        outcome = OUT_OF_MEMORY;
    }
    if (outcome == SOLVED) {
        outcome = choose_start(t, &k, &s, &arena, &start);
    }
    if (outcome == SOLVED && (start == START_NONE || start == START_PRICES)) {
        outcome = path_search_match_exactly(&k, &s);
    }
    if (outcome == OVERTAKEN) {
        outcome = methods.outcome;
        t->largest = 0.0; /* the other method looks at its duals and at the costs of the pairs that it takes */
    } else if (start == START_ANSWERED) {
        /* the result is complete */
    } else if (outcome == INFEASIBLE) {
        outcome = path_search_name_hall_set(t, &s);
    } else if (outcome == SOLVED) {
        set_column_duals(t, &k, k.spare > 0 ? s.u[k.n] : 0.0);
        for (int64_t i = 0; i < t->n; i++) {
            t->x[i] = k.held[i];
            t->u[i] = (double)row_of(&costs, i)[t->x[i]] - t->v[t->x[i]];
        }
    } else if (outcome != OUT_OF_MEMORY) {
        double low = INFINITY;
        for (int64_t j = 0; j < t->m; j++) {
            low = k.price[j] < low ? k.price[j] : low;
        }
        set_column_duals(t, &k, k.spare > 0 ? low : 0.0);
    }
    if (k.pool) {
        thread_pool_stop(k.pool);
    }
    arena_free(&arena);
    return outcome;
}
