/* The forward auction with epsilon-scaling of D. P. Bertsekas, "The auction algorithm", Annals of Operations Research
 * 14 (1988), made exact at the end by shortest augmenting paths.
 *
 * Rows bid for columns; v[j] is the negative price of column j, so that c[j] - v[j] is what column j costs a row in
 * all. The auction's matching is only optimal to within n * epsilon, and its prices are what it is run for: from prices
 * this good the exact search that follows is short.
 *
 * Rectangular problems get rows of zeros up to m rows. Prices may then be rescaled from phase to phase like those of a
 * square problem, which the plain forward auction for n < m does not allow.
 */
#include "augment.h"

/* Factor between the epsilons of two phases, and the range of the costs over the first and over the last epsilon, the
 * latter by row: measured on grids of embeddings, and flat around these values. */
static const double SCALING = 5.0, FIRST_DIVISOR = 8.0, LAST_DIVISOR = 100.0;

/* Bids a row in one phase before the rest is left to the exact end. */
enum { BIDS_PER_ROW = 2000 };

/* Largest minus smallest finite cost, and the largest magnitude. */
static double range_of(task_t *t, double *magnitude) {
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

/* One phase: every row bids until each holds a column, at prices kept from the phase before. False where it gave up.
 *
 * Why it ends: each bid lowers some v by at least epsilon, which the caller keeps well above the rounding unit of every
 * v that can occur, and bids are counted. */
static int run_phase(task_t *t, int32_t *queue, double epsilon, double range, double lowest_v) {
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
        const two_minima_t low = two_minima(row_of(t, i), t->v, t->m);
        t->counters.row_scans++;
        t->counters.bids++;
        if (low.j1 < 0) {
            return 0;
        }
        /* Without a second column to go by, a bid of the whole range is enough to deter any row that has one. */
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

static double highest_v(const task_t *t) {
    double highest = -INFINITY;
    for (int64_t j = 0; j < t->m; j++) {
        highest = t->v[j] > highest ? t->v[j] : highest;
    }
    return highest;
}

/* Columns held by rows of zeros are within epsilon of each other. Made level, they are all cheapest to all such rows,
 * which would otherwise need a search each. */
static void level_zero_rows(task_t *t) {
    const double highest = highest_v(t);
    for (int64_t i = t->given; i < t->n; i++) {
        if (t->x[i] >= 0) {
            t->v[t->x[i]] = highest;
        }
    }
}

/* Keep the pairs that are the cheapest of their row exactly; the exact end needs nothing else. */
static void keep_tight(task_t *t) {
    for (int64_t j = 0; j < t->m; j++) {
        t->y[j] = -1;
    }
    for (int64_t i = 0; i < t->n && !must_stop(t); i++) {
        const cost_t *c = row_of(t, i);
        const two_minima_t low = two_minima(c, t->v, t->m);
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

/* Whether the rounding of the duals could hide a difference between matchings of this cost: among costs of very
 * different magnitude, prices of the size of the largest have no digits left for the small ones. */
static int prices_drown_costs(const task_t *t) {
    double size = 0.0, prices = 0.0;
    for (int64_t i = 0; i < t->given; i++) {
        size += fabs((double)row_of(t, i)[t->x[i]]);
    }
    for (int64_t j = 0; j < t->m; j++) {
        prices += fabs(t->v[j]);
    }
    return 0x1p-52 * prices > 1e-10 * size;
}

outcome_t NAME(jv)(task_t *t);
outcome_t NAME(auction)(task_t *t);

outcome_t NAME(auction)(task_t *t) {
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
        /* A rectangular problem asks for v <= 0, and the nearer to 0 the more they prove. */
        const double highest = t->given < t->n ? highest_v(t) : 0.0;
        for (int64_t j = 0; j < t->m; j++) {
            t->v[j] -= highest;
        }
        return t->outcome;
    }
    if (prices_drown_costs(t)) {
        t->n = t->given;
        return NAME(jv)(t);
    }
    if (t->given < t->n) {
        /* The rows of zeros share one dual. Taking it from every row and giving it to every column leaves v at 0 on the
         * columns that they hold and below on the others, as a rectangular problem asks. */
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
