/* Prices coarse to fine: an auction among representatives of a quarter of the rows and columns starts from the prices
 * of an auction among a sixteenth, ... What goes down are duals, p_j = -min_i (c_ij - u_i) over the rows i of the level
 * above. The idea of a hierarchy is B. Schmitzer's ("A sparse multiscale algorithm for dense optimal transport", J.
 * Math. Imaging Vision 56 (2016)).
 */
#ifndef LAPMARK_MULTILEVEL_H
#define LAPMARK_MULTILEVEL_H

#include "landmarks.h"
#include "matrix.h"
#include "schedule.h"
#include "survey.h"

enum { LIST = 24, RATIO = 4, COARSEST = 150 };

/* Parts of the spread: epsilon at the start and end of a level and at the very end; of the range of costs: where
 * nothing is known yet, and, over the number of rows, the least spread that is believed. */
static const double START = 0.2, COARSE_END = 0.01, END = 0.003, FIRST_START = 0.1, FLATTEST = 0.5;

/* The rows that took part in a level, their duals, and the level of the spare class. */
typedef struct {
    int64_t count;
    int32_t *row;
    double *u;
    double level;
} coarse_t;

/* The whole, and what is needed to stand for it by parts. */
typedef struct {
    const market_t *market;
    survey_t survey;
    double *column_low;      /* (m) the smallest cost of each column */
    double dear;             /* what a forbidden pair counts as on a coarse level */
    double least;            /* the least epsilon */
    int32_t *rows, *columns; /* (n), (m) neighbours near each other */
} whole_t;

/* A market of its own among some rows and columns of the whole. */
typedef struct {
    arena_t arena;
    market_t market;
    costs_t costs;
    double *column_low;
} part_t;

/* What is to be copied of the whole. */
typedef struct {
    const costs_t *from;
    const int32_t *rows, *columns;
    int64_t n, m;
    cost_t dear, *entries;
} extract_t;

static void extract_part(void *on, int64_t part, int64_t parts) {
    const extract_t *e = on;
    for (int64_t i = e->n * part / parts; i < e->n * (part + 1) / parts; i++) {
        const cost_t *from = row_of(e->from, e->rows[i]);
        for (int64_t j = 0; j < e->m; j++) {
            const cost_t cost = from[e->columns[j]];
            e->entries[i * e->m + j] = cost < e->dear ? cost : e->dear;
        }
    }
}

static outcome_t part_make(part_t *p, const whole_t *whole, const int32_t *rows, int64_t n, const int32_t *columns,
                           int64_t m, int64_t list) {
    const market_t *w = whole->market;
    *p = (part_t){
        .market = {
            .n = n, .m = m, .largest = w->largest, .without = w->without, .counters = w->counters, .stop = w->stop}};
    p->market.costs = &p->costs;
    p->market.scan_work = scan_work(m);
    p->market.work = w->work;
    p->market.crew = w->crew;
    p->market.desks = w->desks;
    cost_t *entries = arena_take(&p->arena, n * m, sizeof *entries);
    p->column_low = arena_take(&p->arena, m, sizeof *p->column_low);
    if (!costs_make(&p->costs, &p->arena, entries, m, list) || !market_make(&p->market, &p->arena, list)) {
        return OUT_OF_MEMORY;
    }
    extract_t extract = {w->costs, rows, columns, n, m, (cost_t)whole->dear, entries};
    crew_work(w->crew, extract_part, &extract);
    survey_t survey;
    const outcome_t outcome = survey_all(&p->market, p->column_low, &survey);
    price_by_column(&p->market, p->column_low);
    return outcome;
}

/* Prices of all columns from the duals of a level, shifted so that the lowest is 0; with a spare class none is below
 * its level. */
static outcome_t carry_prices(market_t *k, const whole_t *whole, const coarse_t *above, double *price) {
    const int64_t m = whole->market->m;
    double highest = -INFINITY, low = INFINITY;
    for (int64_t i = 0; i < above->count; i++) {
        highest = above->u[i] > highest ? above->u[i] : highest;
    }
    for (int64_t j = 0; j < m; j++) {
        price[j] = whole->dear - highest;
    }
    const outcome_t outcome =
        lower_by_rows(k, whole->market->costs, above->row, above->u, above->count, m, price, NULL);
    for (int64_t j = 0; j < m; j++) {
        price[j] = -price[j];
        low = price[j] < low ? price[j] : low;
    }
    low = whole->market->spare > 0 && above->level > low ? above->level : low;
    for (int64_t j = 0; j < m; j++) {
        price[j] = price[j] > low ? price[j] - low : 0.0;
    }
    return outcome;
}

static outcome_t level_bid(market_t *k, const whole_t *whole, int coarsest, int finest) {
    const double flattest = FLATTEST * k->largest / (double)k->n, end = finest ? END : COARSE_END;
    const double least = end * flattest > whole->least ? end * flattest : whole->least;
    return auction_down(k, coarsest ? FIRST_START * k->largest : START * typical_spread(k), end, least);
}

/* Solve a level of n and m representatives for its duals, which are taken from `a`. */
static outcome_t solve_coarse(const whole_t *whole, int64_t n, int64_t m, const coarse_t *above, coarse_t *answer,
                              arena_t *a) {
    int32_t *columns = arena_take(a, m, sizeof *columns);
    double *price = arena_take(a, whole->market->m, sizeof *price);
    *answer = (coarse_t){n, arena_take(a, n, sizeof *answer->row), arena_take(a, n, sizeof *answer->u), 0.0};
    if (a->failed) {
        return OUT_OF_MEMORY;
    }
    for (int64_t i = 0; i < n; i++) {
        answer->row[i] = representative(whole->rows, whole->market->n, n, i);
    }
    for (int64_t j = 0; j < m; j++) {
        columns[j] = representative(whole->columns, whole->market->m, m, j);
    }
    part_t part;
    market_t *k = &part.market;
    outcome_t outcome = part_make(&part, whole, answer->row, n, columns, m, LIST);
    if (outcome == SOLVED && above) {
        outcome = carry_prices(k, whole, above, price);
        for (int64_t j = 0; j < m; j++) {
            k->price[j] = price[columns[j]];
        }
    }
    if (outcome == SOLVED) {
        outcome = level_bid(k, whole, above == NULL, 0);
    }
    if (outcome == SOLVED) {
        for (int64_t i = 0; i < n; i++) {
            const double low = best_of_list(k, i).first;
            answer->u[i] = low < k->beyond[i] ? low : k->beyond[i];
        }
        answer->level = k->level;
    }
    arena_free(&part.arena);
    return outcome;
}

static outcome_t find_strata(whole_t *whole, arena_t *a) {
    const market_t *k = whole->market;
    whole->rows = arena_take(a, k->n, sizeof *whole->rows);
    whole->columns = arena_take(a, k->m, sizeof *whole->columns);
    return strata_make(a, k->costs, k->n, k->m, whole->dear, whole->rows, whole->columns) ? SOLVED : OUT_OF_MEMORY;
}

static outcome_t open_by_levels(market_t *k, whole_t *whole, arena_t *a) {
    int64_t divisor = 1;
    while (!k->without.levels && k->n / (divisor * RATIO) >= COARSEST) {
        divisor *= RATIO;
    }
    coarse_t coarse[2], *above = NULL;
    outcome_t outcome = SOLVED;
    if (divisor > 1) {
        outcome = find_strata(whole, a);
    }
    for (; outcome == SOLVED && divisor > 1; divisor /= RATIO) {
        coarse_t *here = above == &coarse[0] ? &coarse[1] : &coarse[0];
        outcome = solve_coarse(whole, k->n / divisor, k->m / divisor, above, here, a);
        above = here;
    }
    if (outcome == SOLVED && above) {
        outcome = carry_prices(k, whole, above, k->price);
    }
    return outcome == SOLVED ? level_bid(k, whole, above == NULL, 1) : outcome;
}

#endif
