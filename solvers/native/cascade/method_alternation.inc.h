/* Alternation of methods on a matrix: the search on lists, the method of Jonker and Volgenant, and a plain auction take
 * turns, in case the starting prices were bad. Compiled per type (COST).
 */
#pragma once

#include "cascade/dense_costs.inc.h"

assignment_solver_t NAME(jonker_volgenant);
assignment_solver_t NAME(auction);

/* The search on lists and the method of Jonker and Volgenant alternate, each time for twice as long, so neither can
 * take more than a few times as long as the other would. A plain auction of whole rows takes about as long for all
 * costs: it has a turn before the first of the latter, starting from scratch, and more turns later. */
typedef struct {
    work_budget_t lists; /* first, for `on_spent` */
    int64_t row_scans;   /* row scans allowed to the method of Jonker and Volgenant in its next turn */
    int laborious; /* whether the solver of small problems, which works like it, has found that others are faster */
    assignment_t *task;
    const auction_t *auction;
    const path_search_t *paths;
    outcome_t outcome;     /* its outcome, if lists are OVERTAKEN */
    int64_t auction_scans; /* scans of each row allowed to an auction in its next turn */
    int64_t auction_due;   /* the auction's next turn is when Jonker and Volgenant's method is allowed that many
                            * scans */
} alternation_t;

/* Scans of each row that either method may make at first. Jonker and Volgenant's method is tried before the lists, for
 * longer, if rows are few; and before anything else, briefly, if rows are few or columns are left over: then few rows
 * lose a column. */
enum {
    LISTS_SCANS = 80,
    ROWS_SCANS = 64,
    FIRST_SCANS = 64,
    SOON_SCANS = 4,
    WIDE_SCANS = 16,
    EASIEST_SCANS = 6,
    EASY_SCANS = 10,
    AUCTION_SCANS = 200
};

/* Pass the pairs that are held, all of them the cheapest of their rows, and the prices to Jonker and Volgenant's
 * method, unless it knows more pairs already. */
static void pass_pairs_on(assignment_t *t, const auction_t *k) {
    int64_t known = 0, held = 0;
    for (int64_t i = 0; i < t->n; i++) {
        known += t->stage != FROM_NOTHING && t->x[i] >= 0;
        held += k->held[i] >= 0;
    }
    if (known >= held) {
        return;
    }
    t->stage = FROM_PAIRS;
    memcpy(t->x, k->held, (size_t)t->n * sizeof *t->x);
    for (int64_t j = 0; j < t->m; j++) {
        t->y[j] = k->owner[j];
        t->v[j] = -k->price[j];
    }
}

/* Run it for so many row scans; OVERTAKEN if it finished. */
static outcome_t run_jonker_volgenant(alternation_t *methods, int64_t scans) {
    assignment_t *t = methods->task;
    t->most_scans = t->counters.row_scans + scans;
    methods->outcome = NAME(jonker_volgenant)(t);
    t->most_scans = 0;
    t->outcome = SOLVED;
    return methods->outcome == SPENT ? SOLVED : OVERTAKEN;
}

/* Allocate the result of a problem of its own. */
static void take_result_arrays(assignment_t *t, arena_t *a) {
    t->x = arena_take(a, t->n, sizeof *t->x);
    t->y = arena_take(a, t->m, sizeof *t->y);
    t->u = arena_take(a, t->n, sizeof *t->u);
    t->v = arena_take(a, t->m, sizeof *t->v);
}

static outcome_t run_plain_auction(alternation_t *methods) {
    assignment_t *t = methods->task;
    const int64_t n = t->n, m = t->m;
    arena_t arena = {0};
    assignment_t part = {.n = m, .m = m, .given = n, .cost = t->cost, .limit = INFINITY, .stop = t->stop};
    part.zeros = arena_take(&arena, m + WIDTH, sizeof(cost_t));
    take_result_arrays(&part, &arena);
    part.check_every = t->check_every;
    part.counters = t->counters;
    part.most_scans = t->counters.row_scans + methods->auction_scans * m;
    methods->auction_scans *= 4;
    methods->auction_due = 4 * methods->row_scans;
    methods->outcome = OUT_OF_MEMORY;
    if (!arena.failed) {
        methods->outcome = NAME(auction)(&part);
        t->counters = part.counters;
    }
    /* A Hall set of the square problem may contain rows of zeros, so infeasibility is left to the others to prove. */
    const int goes_on = methods->outcome == SPENT || methods->outcome == INFEASIBLE || methods->outcome == CHANGED;
    if (!goes_on && methods->outcome != OUT_OF_MEMORY) {
        memcpy(t->x, part.x, (size_t)n * sizeof *t->x);
        memcpy(t->u, part.u, (size_t)n * sizeof *t->u);
        memcpy(t->v, part.v, (size_t)m * sizeof *t->v);
    }
    arena_free(&arena);
    return goes_on ? SOLVED : OVERTAKEN;
}

/* The search on lists has used up its budget. */
static outcome_t alternate_methods(work_budget_t *work) {
    alternation_t *methods = (alternation_t *)work;
    if (methods->paths->settled && methods->auction->spare == 0) {
        pass_pairs_on(methods->task, methods->auction);
    }
    outcome_t outcome = SOLVED;
    if (methods->row_scans >= methods->auction_due) {
        outcome = run_plain_auction(methods);
    }
    if (outcome == SOLVED) {
        outcome = run_jonker_volgenant(methods, methods->row_scans);
    }
    methods->row_scans *= 2;
    work->most *= 2;
    return outcome;
}
