/* Cascade on a matrix.
 *
 * What decides is the prices that the exact end starts from, and which way to good prices is short depends on the
 * structure of the costs; the opening looks for it. Where rows and columns resemble each other, as for distances,
 * prices come coarse to fine: from an auction among a quarter of the rows and columns, whose prices come from a
 * sixteenth, ... Where nothing resembles anything that would be in vain, and one auction with hardly any epsilon is all
 * it takes.
 */
#include "flat.h"
#include "landmarks.h"
#include "matrix.h"
#include "monge.h"
#include "survey.h"
#include "tied.h"

/* Parts of a row's spread, the rise of value from the cheapest column to the end of its list: epsilon at the start and
 * end of a level and at the very end. */
static const double START = 0.2, COARSE_END = 0.01, END = 0.003, FIRST_START = 0.1, SCALING = 5.0, FLATTEST = 0.5;

enum { LIST = 24, SHORT_LIST = 8, RATIO = 4, COARSEST = 150, BIDS_PER_ROW = 60, SAMPLE = 64 };

static int ascending(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median over some rows of how far values rise to the end of a list. */
static double typical_spread(market_t *k) {
    double sample[SAMPLE];
    const int64_t count = k->n < SAMPLE ? k->n : SAMPLE;
    for (int64_t s = 0; s < count; s++) {
        const int64_t i = s * k->n / count;
        const double low = best_of_row(k, i).first;
        sample[s] = k->beyond[i] < INFINITY ? k->beyond[i] - low : k->largest;
    }
    qsort(sample, (size_t)count, sizeof *sample, ascending);
    const double spread = sample[count / 2];
    for (int64_t i = 0; i < k->n; i++) {
        k->spread[i] = k->spread[i] < 0.0 ? spread : k->spread[i];
    }
    return spread;
}

/* Auction from `start` down to `end`. */
static outcome_t auction_down(market_t *k, double start, double end, phase_end_t *how) {
    outcome_t outcome = SOLVED;
    *how = PHASE_DONE;
    for (double epsilon = start > end ? start : end; outcome == SOLVED && *how == PHASE_DONE; epsilon /= SCALING) {
        epsilon = epsilon > end ? epsilon : end;
        outcome = bid_phase(k, epsilon, BIDS_PER_ROW * k->n, how);
        if (epsilon <= end) {
            break;
        }
    }
    return outcome;
}

/* ---- levels ---- */

/* What a level leaves to the next: the rows that took part, their duals, and the level of the spare class. */
typedef struct {
    int64_t rows;
    int32_t *row;
    double *u;
    double level;
} coarse_t;

typedef struct {
    int32_t *rows, *columns; /* (n), (m) the strata */
    survey_t survey;
    double dear; /* what a forbidden pair counts as on a coarse level */
} strata_t;

/* p_j = -min_i (c_ij - u_i) over the rows of the level above, shifted so that the lowest is 0; with a spare class none
 * is below its level. */
static outcome_t carry_prices(market_t *k, const coarse_t *above, const costs_t *from, double dear) {
    double highest = -INFINITY, low = INFINITY;
    for (int64_t i = 0; i < above->rows; i++) {
        highest = above->u[i] > highest ? above->u[i] : highest;
    }
    for (int64_t j = 0; j < k->m; j++) {
        k->price[j] = dear - highest;
    }
    const outcome_t outcome = lower_by_rows(k, from, above->row, above->u, above->rows, k->price, NULL);
    for (int64_t j = 0; j < k->m; j++) {
        k->price[j] = -k->price[j];
        low = k->price[j] < low ? k->price[j] : low;
    }
    low = k->spare > 0 && above->level > low ? above->level : low;
    for (int64_t j = 0; j < k->m; j++) {
        k->price[j] = k->price[j] > low ? k->price[j] - low : 0.0;
    }
    return outcome;
}

static outcome_t level_bid(market_t *k, int coarsest, int finest) {
    const double flattest = FLATTEST * k->largest / (double)k->n;
    double spread = typical_spread(k);
    spread = spread > flattest ? spread : flattest;
    phase_end_t how;
    return auction_down(k, coarsest ? FIRST_START * k->largest : START * spread, (finest ? END : COARSE_END) * spread,
                        &how);
}

static int costs_make(costs_t *c, arena_t *a, const cost_t *entries, int64_t stride, int64_t list) {
    *c = (costs_t){.entries = entries, .stride = stride, .list = list};
    c->low = arena_take(a, blocks_of(stride) * WIDTH + WIDTH, sizeof *c->low);
    return !a->failed;
}

/* Every column is as cheap to its best row; where rows are to leave columns free, all cost nothing beforehand. */
static void price_by_column(market_t *k, const double *column_low) {
    for (int64_t j = 0; j < k->m; j++) {
        k->price[j] = k->spare > 0 || column_low[j] == INFINITY ? 0.0 : -column_low[j];
    }
}

/* Solve a level of n and m representatives of the whole for its duals. */
static outcome_t solve_coarse(market_t *k, const strata_t *strata, const market_t *whole, const coarse_t *above,
                              coarse_t *answer, arena_t *a) {
    arena_t level = {0};
    costs_t costs;
    const int64_t n = k->n, m = k->m;
    cost_t *entries = arena_take(&level, n * m, sizeof *entries);
    int32_t *columns = arena_take(&level, m, sizeof *columns);
    *answer = (coarse_t){n, arena_take(a, n, sizeof *answer->row), arena_take(a, n, sizeof *answer->u), 0.0};
    outcome_t outcome = OUT_OF_MEMORY;
    if (!a->failed && costs_make(&costs, &level, entries, m, LIST) && market_make(k, &level, LIST)) {
        outcome = SOLVED;
        k->costs = &costs;
        for (int64_t j = 0; j < m; j++) {
            columns[j] = representative(strata->columns, whole->m, m, j);
        }
        for (int64_t i = 0; i < n; i++) {
            answer->row[i] = representative(strata->rows, whole->n, n, i);
            const cost_t *from = row_of(whole->costs, answer->row[i]);
            for (int64_t j = 0; j < m; j++) {
                const cost_t cost = from[columns[j]];
                entries[i * m + j] = cost < (cost_t)strata->dear ? cost : (cost_t)strata->dear;
            }
        }
    }
    if (outcome == SOLVED && above) {
        outcome = SOLVED;
        double *all = arena_take(&level, whole->m + WIDTH, sizeof *all);
        if (!all) {
            outcome = OUT_OF_MEMORY;
        } else {
            market_t view = *whole;
            view.price = all;
            outcome = carry_prices(&view, above, whole->costs, strata->dear);
            for (int64_t j = 0; j < m; j++) {
                k->price[j] = all[columns[j]];
            }
        }
    }
    if (outcome == SOLVED && !above) {
        double *column_low = arena_take(&level, m, sizeof *column_low);
        survey_t survey;
        outcome = column_low ? survey_all(k, column_low, &survey) : OUT_OF_MEMORY;
        if (outcome == SOLVED) {
            price_by_column(k, column_low);
        }
    }
    if (outcome == SOLVED) {
        outcome = level_bid(k, above == NULL, 0);
    }
    if (outcome == SOLVED) {
        double sum = 0.0;
        for (int64_t i = 0; i < n; i++) {
            const double low = best_of_list(k, i).first;
            answer->u[i] = low < k->beyond[i] ? low : k->beyond[i];
            sum += answer->u[i] / (double)n;
        }
        answer->level = k->level;
    }
    arena_free(&level);
    return outcome;
}

static outcome_t open_by_levels(market_t *k, strata_t *strata, arena_t *a) {
    int64_t divisor = 1;
    while (k->n / (divisor * RATIO) >= COARSEST) {
        divisor *= RATIO;
    }
    strata->rows = arena_take(a, k->n, sizeof *strata->rows);
    strata->columns = arena_take(a, k->m, sizeof *strata->columns);
    if (!strata_make(a, k->costs, k->n, k->m, strata->dear, strata->rows, strata->columns)) {
        return OUT_OF_MEMORY;
    }
    coarse_t coarse[2], *above = NULL;
    outcome_t outcome = SOLVED;
    for (; outcome == SOLVED && divisor > 1; divisor /= RATIO) {
        coarse_t *here = above == &coarse[0] ? &coarse[1] : &coarse[0];
        market_t level = {.largest = k->largest, .counters = k->counters, .stop = k->stop};
        level.n = k->n / divisor;
        level.m = k->m / divisor;
        outcome = solve_coarse(&level, strata, k, above, here, a);
        above = here;
    }
    if (outcome == SOLVED && above) {
        outcome = carry_prices(k, above, k->costs, strata->dear);
    }
    return outcome == SOLVED ? level_bid(k, above == NULL, 1) : outcome;
}

/* ---- openings ---- */

/* Part of the spread that epsilon is for a single auction, and how many bids a row it may take. */
static const double SLIGHT = 0.01;
enum { SINGLE_BIDS = 20, PROBE_BIDS = 10, PROBE = 512, PROBED_FROM = 700, TIED = 3 };

/* Begin anew, with lists of `slots` columns. */
static void forget_lists(market_t *k, int64_t slots) {
    k->costs->list = slots;
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

/* One auction with hardly any epsilon. */
static outcome_t auction_once(market_t *k, int64_t bids_per_row, phase_end_t *how) {
    const double epsilon = SLIGHT * typical_spread(k), least = 1e-12 * k->largest;
    return bid_phase(k, epsilon > least ? epsilon : least, bids_per_row * k->n, how);
}

/* What the rows of a sample are like at present prices. */
typedef struct {
    int64_t ties; /* how many columns tie for the cheapest, the median */
    double range; /* from the smallest value of a row to its largest, the largest */
} look_t;

static look_t look_at_rows(market_t *k) {
    double ties[SAMPLE];
    look_t look = {0};
    const int64_t count = k->n < SAMPLE ? k->n : SAMPLE;
    for (int64_t s = 0; s < count; s++) {
        const cost_t *c = row_of(k->costs, s * k->n / count);
        const double least = row_minima(c, k->price, k->m, k->costs->low);
        ties[s] = (double)collect(k, c, least);
        for (int64_t j = 0; j < k->m; j++) {
            const double above = (double)c[j] + k->price[j] - least;
            look.range = above > look.range && above < INFINITY ? above : look.range;
        }
    }
    k->counters->row_scans += count;
    qsort(ties, (size_t)count, sizeof *ties, ascending);
    look.ties = (int64_t)ties[count / 2];
    return look;
}

/* Whether the single auction is over soon on some rows and columns chosen at random: it then is on all of them. */
static outcome_t looks_unstructured(const market_t *whole, double dear, int *unstructured) {
    arena_t arena = {0};
    costs_t costs;
    market_t k = {.costs = &costs,
                  .n = PROBE,
                  .m = PROBE,
                  .largest = whole->largest,
                  .counters = whole->counters,
                  .stop = whole->stop};
    cost_t *entries = arena_take(&arena, PROBE * PROBE, sizeof *entries);
    double *column_low = arena_take(&arena, PROBE, sizeof *column_low);
    outcome_t outcome = OUT_OF_MEMORY;
    if (costs_make(&costs, &arena, entries, PROBE, SHORT_LIST) && market_make(&k, &arena, SHORT_LIST)) {
        survey_t survey;
        for (int64_t i = 0; i < PROBE; i++) {
            const cost_t *from = row_of(whole->costs, (int64_t)(scrambled((uint64_t)i) % (uint64_t)(whole->n / PROBE)) +
                                                          i * (whole->n / PROBE));
            for (int64_t j = 0; j < PROBE; j++) {
                const cost_t cost =
                    from[(int64_t)(scrambled(~(uint64_t)j) % (uint64_t)(whole->m / PROBE)) + j * (whole->m / PROBE)];
                entries[i * PROBE + j] = cost < (cost_t)dear ? cost : (cost_t)dear;
            }
        }
        outcome = survey_all(&k, column_low, &survey);
    }
    phase_end_t how = PHASE_GAVE_UP;
    if (outcome == SOLVED) {
        price_by_column(&k, column_low);
        outcome = auction_once(&k, PROBE_BIDS, &how);
    }
    *unstructured = how == PHASE_DONE;
    arena_free(&arena);
    return outcome;
}

/* Rounding of a sum or two of costs, in the type they are given in. */
static double rounding_of(const survey_t *found) {
    const double epsilon = sizeof(cost_t) == sizeof(float) ? FLT_EPSILON : DBL_EPSILON;
    return 4.0 * epsilon * (fabs(found->high) > fabs(found->low) ? fabs(found->high) : fabs(found->low));
}

static outcome_t open_square(market_t *k, paths_t *s, strata_t *strata, arena_t *a, opening_t *opening) {
    const look_t look = look_at_rows(k);
    k->largest = look.range;
    outcome_t outcome = SOLVED;
    if (!strata->survey.forbids) {
        outcome = open_flat(k, opening);
        if (outcome == SOLVED && !*opening) {
            outcome = open_monge(k, rounding_of(&strata->survey), opening);
        }
    }
    if (outcome == SOLVED && !*opening && look.ties >= TIED) {
        outcome = open_tied(k, s, opening);
        if (!*opening) {
            forget_lists(k, LIST);
        }
    }
    if (outcome != SOLVED || *opening) {
        return outcome;
    }
    *opening = PRICES;
    int unstructured = 1;
    if (k->n > PROBED_FROM) {
        outcome = looks_unstructured(k, strata->dear, &unstructured);
    }
    if (outcome == SOLVED && unstructured) {
        phase_end_t how;
        forget_lists(k, SHORT_LIST);
        outcome = auction_once(k, SINGLE_BIDS, &how);
        if (outcome != SOLVED || how == PHASE_DONE) {
            return outcome;
        }
        forget_lists(k, LIST);
    }
    return outcome == SOLVED ? open_by_levels(k, strata, a) : outcome;
}

static outcome_t open_wide(market_t *k, strata_t *strata, arena_t *a) {
    const look_t look = look_at_rows(k);
    k->largest = look.range;
    if (look.ties >= TIED) {
        typical_spread(k);
        return SOLVED;
    }
    phase_end_t how;
    forget_lists(k, SHORT_LIST);
    const outcome_t outcome = auction_once(k, SINGLE_BIDS, &how);
    if (outcome != SOLVED || how == PHASE_DONE) {
        return outcome;
    }
    forget_lists(k, LIST);
    return open_by_levels(k, strata, a);
}

/* ---- the whole ---- */

outcome_t NAME(cascade)(task_t *t);

/* n <= m; t->cost is a row-major matrix. */
outcome_t NAME(cascade)(task_t *t) {
    arena_t arena = {0};
    costs_t costs;
    paths_t s;
    strata_t strata = {0};
    opening_t opening = NOTHING;
    market_t k = {.costs = &costs, .n = t->n, .m = t->m, .counters = &t->counters, .stop = &t->stop};
    outcome_t outcome = OUT_OF_MEMORY;
    double *column_low = arena_take(&arena, t->m, sizeof *column_low);
    if (costs_make(&costs, &arena, t->cost, t->m, LIST) && market_make(&k, &arena, LIST) &&
        paths_make(&s, &arena, t->n, t->m)) {
        outcome = survey_all(&k, column_low, &strata.survey);
    }
    if (outcome == SOLVED) {
        const survey_t *found = &strata.survey;
        k.largest = found->high - found->low;
        const double most = sizeof(cost_t) == sizeof(float) ? FLT_MAX : DBL_MAX;
        strata.dear = found->high < most - k.largest ? found->high + k.largest : most;
        price_by_column(&k, column_low);
        outcome = k.spare > 0 ? open_wide(&k, &strata, &arena) : open_square(&k, &s, &strata, &arena, &opening);
    }
    if (outcome == SOLVED && opening != OPTIMUM) {
        outcome = solve_exactly(&k, &s);
    }
    if (outcome == INFEASIBLE) {
        name_hall_set(t, &s);
    }
    if (outcome == SOLVED) {
        /* The spare class costs nothing, so its level is where duals are counted from. */
        const double level = k.spare > 0 ? s.u[k.n] : 0.0;
        for (int64_t j = 0; j < t->m; j++) {
            const double above = k.price[j] - level;
            t->v[j] = k.spare > 0 && above < 0.0 ? 0.0 : -above;
        }
        for (int64_t i = 0; i < t->n; i++) {
            const int32_t j = k.held[i];
            t->x[i] = j;
            t->u[i] = (double)row_of(&costs, i)[j] - t->v[j];
        }
    }
    arena_free(&arena);
    return outcome;
}
