/* Forward auction with epsilon scaling (D. P. Bertsekas, "The auction algorithm", Annals of Operations Research 14
 * (1988)), made exact by shortest augmenting paths.
 *
 * Rows bid for columns; v[j] is the negative price of column j, so a row pays c[j] - v[j] for it. The matching of the
 * auction is optimal to within n * epsilon only. It is run for its prices: from prices this good, the exact search that
 * follows is short.
 *
 * Rectangular problems get rows of zeros up to m rows. Then prices may be kept from phase to phase as in a square
 * problem, which the plain forward auction for n < m does not allow.
 */
#include "assignment/augmenting_paths.inc.h"

/* Factor between the epsilons of two phases; range of the costs over the first epsilon, and over the last one times n.
 * Measured on embeddings laid on grids; times change little around these values. */
static const double SCALING = 5.0, FIRST_DIVISOR = 8.0, LAST_DIVISOR = 100.0;

/* Bids per row in one phase before the rest is left to the shortest paths. */
enum { BIDS_PER_ROW = 2000 };

/* Return the largest less the smallest finite cost, and write the largest magnitude. */
static double range_of(assignment_t *t, double *magnitude) {
    double low = INFINITY, high = -INFINITY;
    for (int64_t i = 0; i < t->given && !must_stop(t); i++) {
        const cost_t *c = row_of(t, i);
        for (int64_t j = 0; j < t->m; j++) {
            const double x = (double)c[j];
            if (x < INFINITY) {
                low = x < low ? x : low;
                high = x > high ? x : high;
            }
        }
    }
    if (t->given < t->n) {
        low = 0.0 < low ? 0.0 : low;
        high = 0.0 > high ? 0.0 : high;
    }
    if (high < low) {
        low = high = 0.0;
    }
    *magnitude = fabs(low) > fabs(high) ? fabs(low) : fabs(high);
    return high - low;
}

/* Run one phase: every row bids until each holds a column, at the prices of the phase before. Return whether it
 * finished.
 *
 * Why it ends: each bid lowers some v by at least epsilon, which the caller keeps well above the rounding unit of every
 * v that can occur, and bids are counted. */
static int run_phase(assignment_t *t, int32_t *queue, double epsilon, double range, double lowest_v) {
    for (int64_t i = 0; i < t->n; i++) {
        t->x[i] = -1;
        t->y[i] = -1;
        queue[i] = (int32_t)(t->n - 1 - i);
    }
    int64_t waiting = t->n, budget = BIDS_PER_ROW * t->n;
    while (waiting > 0) {
        const int32_t i = queue[--waiting];
        if (budget-- <= 0 || must_stop(t)) {
            return 0;
        }
        const row_choice_t low = row_two_minima(row_of(t, i), t->v, t->m);
        t->counters.row_scans++;
        t->counters.bids++;
        if (low.j1 < 0) {
            return 0;
        }
        /* If only one column is allowed, a bid of the whole range outbids any row that has a second one. */
        const double lead = low.j2 < 0 ? range : low.second - low.first;
        const double lowered = t->v[low.j1] - lead - epsilon;
        if (!(lowered < t->v[low.j1]) || lowered < lowest_v) {
            return 0;
        }
        const int32_t loser = t->y[low.j1];
        t->v[low.j1] = lowered;
        t->x[i] = (int32_t)low.j1;
        t->y[low.j1] = i;
        if (loser >= 0) {
            t->x[loser] = -1;
            queue[waiting++] = loser;
        }
    }
    return 1;
}

static double highest_v(const assignment_t *t) {
    double highest = -INFINITY;
    for (int64_t j = 0; j < t->m; j++) {
        highest = t->v[j] > highest ? t->v[j] : highest;
    }
    return highest;
}

/* Columns held by rows of zeros differ by at most epsilon. Made equal, all of them are cheapest to every such row,
 * which would otherwise need a search each. */
static void level_zero_rows(assignment_t *t) {
    const double highest = highest_v(t);
    for (int64_t i = t->given; i < t->n; i++) {
        if (t->x[i] >= 0) {
            t->v[t->x[i]] = highest;
        }
    }
}

/* Keep the pairs that are exactly the cheapest of their row: the shortest paths need nothing else. */
static void keep_tight(assignment_t *t) {
    for (int64_t j = 0; j < t->m; j++) {
        t->y[j] = -1;
    }
    for (int64_t i = 0; i < t->n && !must_stop(t); i++) {
        const cost_t *c = row_of(t, i);
        const row_choice_t low = row_two_minima(c, t->v, t->m);
        t->counters.row_scans++;
        int64_t j = t->x[i];
        if (j < 0 || !((double)c[j] - t->v[j] == low.first)) {
            j = low.j1;
        }
        const int taken = j < 0 || low.first == INFINITY || t->y[j] >= 0;
        t->x[i] = taken ? -1 : (int32_t)j;
        if (!taken) {
            t->y[j] = (int32_t)i;
        }
    }
}

/* Whether rounding errors of the duals could hide a difference between matchings of this cost: if costs differ by many
 * orders of magnitude, prices as large as the largest have no digits left for the small ones. */
static int prices_drown_costs(const assignment_t *t) {
    double size = 0.0, prices = 0.0;
    for (int64_t i = 0; i < t->given; i++) {
        size += fabs((double)row_of(t, i)[t->x[i]]);
    }
    for (int64_t j = 0; j < t->m; j++) {
        prices += fabs(t->v[j]);
    }
    return 0x1p-52 * prices > 1e-10 * size;
}

assignment_solver_t NAME(jonker_volgenant);
assignment_solver_t NAME(auction);

outcome_t NAME(auction)(assignment_t *t) {
    int32_t *queue = malloc(((size_t)t->n + 1) * sizeof *queue);
    if (!queue) {
        return OUT_OF_MEMORY;
    }
    double magnitude = 0.0;
    const double range = range_of(t, &magnitude);
    /* In a feasible problem no price exceeds the length of an alternating path. */
    const double lowest_v = -(double)(t->n + 1) * 2.0 * range;
    const double rounding = 0x1p-50 * (magnitude - lowest_v);
    const double last = range / (LAST_DIVISOR * (double)t->n);
    for (int64_t j = 0; j < t->m; j++) {
        t->v[j] = 0.0;
        t->x[j] = -1; /* n == m here; without a phase, nothing else would set it */
    }
    double epsilon = range / FIRST_DIVISOR;
    int going = range > 0.0;
    while (going && epsilon > rounding) {
        t->counters.phases++;
        going = run_phase(t, queue, epsilon, range, lowest_v) && epsilon > last;
        epsilon = epsilon / SCALING > last ? epsilon / SCALING : last;
    }
    free(queue);
    if (t->outcome == SOLVED) {
        level_zero_rows(t);
        keep_tight(t);
    }
    if (augment_all(t) != SOLVED) {
        /* A rectangular problem needs v <= 0, and the closer to 0, the better the bound. */
        const double highest = t->given < t->n ? highest_v(t) : 0.0;
        for (int64_t j = 0; j < t->m; j++) {
            t->v[j] -= highest;
        }
        return t->outcome;
    }
    if (prices_drown_costs(t)) {
        t->n = t->given;
        return NAME(jonker_volgenant)(t);
    }
    if (t->given < t->n) {
        /* All rows of zeros have the same dual. Subtract it from every row and add it to every column: then v is 0 on
         * the columns that they hold and at most 0 on the others, as a rectangular problem needs. */
        const double shared = t->u[t->given];
        for (int64_t i = 0; i < t->n; i++) {
            t->u[i] -= shared;
        }
        for (int64_t j = 0; j < t->m; j++) {
            const double shifted = t->v[j] + shared;
            t->v[j] = t->y[j] < t->given && shifted < 0.0 ? shifted : 0.0;
        }
    }
    return SOLVED;
}
