/* Starting prices coarse to fine: an auction among representatives of a quarter of the rows and columns starts from the
 * prices of an auction among a sixteenth, and so on. Duals are carried down by p_j = -min_i (c_ij - u_i) over the rows
 * i of the level above. The idea of a hierarchy is B. Schmitzer's ("A sparse multiscale algorithm for dense optimal
 * transport", J. Math. Imaging Vision 56 (2016)).
 */
#pragma once

#include "cascade/starting_prices/column_minima.inc.h"
#include "cascade/starting_prices/representatives.inc.h"

enum { LIST = 24, RATIO = 4, COARSEST = 150 };

/* Relative to the spread: epsilon at the start and the end of a level, and at the very end. Relative to the range of
 * costs: epsilon where nothing is known yet and, over the number of rows, the least spread to rely on. */
static const double START = 0.2, COARSE_END = 0.01, END = 0.003, FIRST_START = 0.1, FLATTEST = 0.5;

/* The rows of a level, their duals, and the level of the spare class. */
typedef struct {
    int64_t count;
    int32_t *row;
    double *u;
    double level;
} coarse_level_t;

/* The whole problem, and what its coarse levels need. */
typedef struct {
    const auction_t *auction;
    cost_range_t cost_range;
    double *column_low;      /* (m) the smallest cost of each column */
    double forbidden_cost;   /* cost of a forbidden pair on a coarse level */
    double least;            /* the least epsilon */
    int32_t *rows, *columns; /* (n), (m) in an order in which neighbours resemble each other */
} dense_problem_t;

/* An auction among some rows and columns of the problem, on a copy of their costs. */
typedef struct {
    arena_t arena;
    auction_t auction;
    dense_costs_t costs;
    double *column_low;
} subproblem_t;

/* The submatrix to copy, for the threads of the pool. */
typedef struct {
    const dense_costs_t *from;
    const int32_t *rows, *columns;
    int64_t n, m;
    cost_t forbidden_cost, *entries;
} extract_t;

static void extract_part(void *context, int64_t part, int64_t parts) {
    const extract_t *e = context;
    for (int64_t i = e->n * part / parts; i < e->n * (part + 1) / parts; i++) {
        const cost_t *from = row_of(e->from, e->rows[i]);
        for (int64_t j = 0; j < e->m; j++) {
            const cost_t cost = from[e->columns[j]];
            e->entries[i * e->m + j] = cost < e->forbidden_cost ? cost : e->forbidden_cost;
        }
    }
}

static outcome_t subproblem_init(subproblem_t *p, const dense_problem_t *problem, const int32_t *rows, int64_t n,
                                 const int32_t *columns, int64_t m, int64_t list) {
    const auction_t *w = problem->auction;
    *p = (subproblem_t){
        .auction = {
            .n = n, .m = m, .largest = w->largest, .without = w->without, .counters = w->counters, .stop = w->stop}};
    p->auction.work = w->work;
    p->auction.pool = w->pool;
    p->auction.workers = w->workers;
    cost_t *entries = arena_take(&p->arena, n * m, sizeof *entries);
    p->column_low = arena_take(&p->arena, m, sizeof *p->column_low);
    if (!dense_auction_init(&p->auction, &p->costs, &p->arena, entries, list)) {
        return OUT_OF_MEMORY;
    }
    extract_t extract = {w->costs, rows, columns, n, m, (cost_t)problem->forbidden_cost, entries};
    thread_pool_run(w->pool, extract_part, &extract);
    cost_range_t cost_range;
    const outcome_t outcome = find_cost_range(&p->auction, p->column_low, &cost_range);
    price_by_column(&p->auction, p->column_low);
    return outcome;
}

/* Prices of all columns from the duals of a level, shifted so that the lowest is 0; with a spare class none is below
 * its level. */
static outcome_t carry_prices(auction_t *k, const dense_problem_t *problem, const coarse_level_t *above,
                              double *price) {
    const int64_t m = problem->auction->m;
    double highest = -INFINITY, low = INFINITY;
    for (int64_t i = 0; i < above->count; i++) {
        highest = above->u[i] > highest ? above->u[i] : highest;
    }
    for (int64_t j = 0; j < m; j++) {
        price[j] = problem->forbidden_cost - highest;
    }
    const outcome_t outcome =
        lower_by_rows(k, problem->auction->costs, above->row, above->u, above->count, m, price, NULL);
    for (int64_t j = 0; j < m; j++) {
        price[j] = -price[j];
        low = price[j] < low ? price[j] : low;
    }
    low = problem->auction->spare > 0 && above->level > low ? above->level : low;
    for (int64_t j = 0; j < m; j++) {
        price[j] = price[j] > low ? price[j] - low : 0.0;
    }
    return outcome;
}

static outcome_t level_bid(auction_t *k, const dense_problem_t *problem, int coarsest, int finest) {
    const double flattest = FLATTEST * k->largest / (double)k->n, end = finest ? END : COARSE_END;
    const double least = end * flattest > problem->least ? end * flattest : problem->least;
    return auction_scale_epsilon(k, coarsest ? FIRST_START * k->largest : START * auction_typical_spread(k), end,
                                 least);
}

/* Solve a level of n and m representatives for its duals, which are allocated from `a`. */
static outcome_t solve_coarse(const dense_problem_t *problem, int64_t n, int64_t m, const coarse_level_t *above,
                              coarse_level_t *answer, arena_t *a) {
    int32_t *columns = arena_take(a, m, sizeof *columns);
    double *price = arena_take(a, problem->auction->m, sizeof *price);
    *answer = (coarse_level_t){n, arena_take(a, n, sizeof *answer->row), arena_take(a, n, sizeof *answer->u), 0.0};
    if (a->failed) {
        return OUT_OF_MEMORY;
    }
    for (int64_t i = 0; i < n; i++) {
        answer->row[i] = representative(problem->rows, problem->auction->n, n, i);
    }
    for (int64_t j = 0; j < m; j++) {
        columns[j] = representative(problem->columns, problem->auction->m, m, j);
    }
    subproblem_t part;
    auction_t *k = &part.auction;
    outcome_t outcome = subproblem_init(&part, problem, answer->row, n, columns, m, LIST);
    if (outcome == SOLVED && above) {
        outcome = carry_prices(k, problem, above, price);
        for (int64_t j = 0; j < m; j++) {
            k->price[j] = price[columns[j]];
        }
    }
    if (outcome == SOLVED) {
        outcome = level_bid(k, problem, above == NULL, 0);
    }
    if (outcome == SOLVED) {
        for (int64_t i = 0; i < n; i++) {
            const double low = auction_best_of_list(k, i).first;
            answer->u[i] = low < k->beyond[i] ? low : k->beyond[i];
        }
        answer->level = k->level;
    }
    arena_free(&part.arena);
    return outcome;
}

static outcome_t find_strata(dense_problem_t *problem, arena_t *a) {
    const auction_t *k = problem->auction;
    problem->rows = arena_take(a, k->n, sizeof *problem->rows);
    problem->columns = arena_take(a, k->m, sizeof *problem->columns);
    return strata_make(a, k->costs, k->n, k->m, problem->forbidden_cost, problem->rows, problem->columns)
               ? SOLVED
               : OUT_OF_MEMORY;
}

static outcome_t start_coarse_levels(auction_t *k, dense_problem_t *problem, arena_t *a) {
    int64_t divisor = 1;
    while (!k->without.levels && k->n / (divisor * RATIO) >= COARSEST) {
        divisor *= RATIO;
    }
    coarse_level_t coarse[2], *above = NULL;
    outcome_t outcome = SOLVED;
    if (divisor > 1) {
        outcome = find_strata(problem, a);
    }
    for (; outcome == SOLVED && divisor > 1; divisor /= RATIO) {
        coarse_level_t *here = above == &coarse[0] ? &coarse[1] : &coarse[0];
        outcome = solve_coarse(problem, k->n / divisor, k->m / divisor, above, here, a);
        above = here;
    }
    if (outcome == SOLVED && above) {
        outcome = carry_prices(k, problem, above, k->price);
    }
    return outcome == SOLVED ? level_bid(k, problem, above == NULL, 1) : outcome;
}
