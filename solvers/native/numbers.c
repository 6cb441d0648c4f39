#include "numbers.h"

#include "arena.h"
#include "error_free.h"
#include "masses.h"

enum { STEPS_PER_LOOK = 1 << 18 };

static const exact_t NOUGHT = {0.0, 0.0};

static exact_t cost(const numbers_t *c, int64_t i, int64_t j) {
    const double apart = c->x[i] - c->y[j], rest = difference_rest(c->x[i], c->y[j]);
    const exact_t distance = apart < 0.0 ? (exact_t){-apart, -rest} : (exact_t){apart, rest};
    if (c->power == 1.0) {
        return c->scale == 1.0 ? distance : exact_times(distance, c->scale);
    }
    if (c->power == 2.0) {
        const exact_t square = exact_square(distance);
        return c->scale == 1.0 ? square : exact_times(square, c->scale);
    }
    return (exact_t){c->scale * pow(distance.high, c->power), 0.0};
}

static inline int is_less(exact_t a, exact_t b) { return a.high < b.high || (a.high == b.high && a.low < b.low); }
static inline exact_t at_least(exact_t a, exact_t b) { return is_less(a, b) ? b : a; }
static inline exact_t no_more(exact_t a, exact_t b) { return is_less(b, a) ? b : a; }
static inline exact_t halved(exact_t a) { return (exact_t){0.5 * a.high, 0.5 * a.low}; }

/* By how much a row's cost rises from one column to the next. */
static exact_t rise(const numbers_t *c, int64_t i, int64_t j) { return exact_minus(cost(c, i, j + 1), cost(c, i, j)); }

/* ---- matching ---- */

/* A run of columns without a gap, all held by the rows from `row` on in order. */
typedef struct {
    int64_t row, column, length;
} run_t;

typedef struct {
    const numbers_t *costs;
    run_t *runs; /* (n) from left to right, with a free column between any two */
    int64_t count;
    exact_t all_left; /* what it would cost to move the last run by one column to the left; nothing where there is none */
    int64_t until_look;
    const stop_t *stop;
} runs_t;

static void weigh_last(runs_t *s) {
    const run_t *last = &s->runs[s->count - 1];
    s->all_left = NOUGHT;
    for (int64_t k = 0; k < last->length && last->column > 0; k++) {
        s->all_left = exact_minus(s->all_left, rise(s->costs, last->row + k, last->column + k - 1));
    }
    s->until_look -= last->length;
}

/* Runs that touch become one. */
static void join_last(runs_t *s) {
    while (s->count > 1) {
        run_t *before = &s->runs[s->count - 2];
        const run_t *last = &s->runs[s->count - 1];
        if (before->column + before->length < last->column) {
            return;
        }
        before->length += last->length;
        s->count--;
    }
}

/* Row i, to the right of all before it, gets a column: its nearest where that is free, else the next one to the right of
 * the last run or, if that costs less, the last of the run, which moves to the left by one. No row may take one of the
 * last columns that the rows after it need. */
static void add_row(runs_t *s, int64_t i, int64_t nearest) {
    const numbers_t *c = s->costs;
    const int64_t most = c->m - c->n + i;
    run_t *last = s->count > 0 ? &s->runs[s->count - 1] : NULL;
    const int64_t next = last ? last->column + last->length : 0;
    int64_t at = nearest < most ? nearest : most;
    if (at < next) {
        at = next;
        if (last->column > 0 && (next > most || is_less(s->all_left, rise(c, i, next - 1)))) {
            last->column--;
            last->length++;
            join_last(s);
            weigh_last(s);
            return;
        }
    }
    if (last && at == next) {
        last->length++;
        s->all_left = exact_minus(s->all_left, last->column > 0 ? rise(c, i, at - 1) : NOUGHT);
        return;
    }
    s->runs[s->count++] = (run_t){i, at, 1};
    weigh_last(s);
}

/* Duals of the columns of a run. With those of the rows as what is left, u_k = c_kk - v_k, each step v_{k+1} - v_k lies
 * between what row k + 1 and what row k gain by it; a free column at either end leaves its neighbour no less than what
 * the row there would gain by it; all else follows, as the costs are Monge. Lower and upper ends of what is possible go
 * from left to right, and what is chosen back. */
static void price_run(const numbers_t *c, const run_t *run, exact_t *low, exact_t *high, double *v) {
    const int64_t end = run->column + run->length, spare = c->m - c->n;
    const exact_t most = spare > 0 ? NOUGHT : (exact_t){INFINITY, 0.0}, none = {-INFINITY, 0.0};
    for (int64_t k = 0; k < run->length; k++) {
        const int64_t i = run->row + k, j = run->column + k;
        if (k == 0) {
            low[k] = j > 0 && spare > 0 ? rise(c, i, j - 1) : none;
            high[k] = most;
        } else {
            low[k] = low[k - 1].high > -INFINITY ? exact_plus(low[k - 1], rise(c, i, j - 1)) : none;
            high[k] = high[k - 1].high < INFINITY ? no_more(most, exact_plus(high[k - 1], rise(c, i - 1, j - 1))) : most;
        }
    }
    exact_t chosen = NOUGHT;
    for (int64_t k = run->length - 1; k >= 0; k--) {
        const int64_t i = run->row + k, j = run->column + k;
        if (k == run->length - 1) {
            low[k] = end < c->m && spare > 0 ? at_least(low[k], exact_minus(NOUGHT, rise(c, i, j))) : low[k];
        } else {
            chosen = exact_minus(chosen, halved(exact_plus(rise(c, i, j), rise(c, i + 1, j))));
        }
        chosen = no_more(at_least(chosen, low[k]), high[k]);
        v[j] = chosen.high;
    }
}

outcome_t match_numbers(const numbers_t *c, int32_t *column, double *v, const stop_t *stop) {
    arena_t arena = {0};
    runs_t s = {.costs = c, .runs = arena_take(&arena, c->n, sizeof *s.runs), .until_look = STEPS_PER_LOOK, .stop = stop};
    exact_t *low = arena_take(&arena, c->n, sizeof *low), *high = arena_take(&arena, c->n, sizeof *high);
    outcome_t outcome = arena.failed ? OUT_OF_MEMORY : SOLVED;
    for (int64_t i = 0, nearest = 0; i < c->n && outcome == SOLVED; i++) {
        while (nearest + 1 < c->m && fabs(c->x[i] - c->y[nearest + 1]) <= fabs(c->x[i] - c->y[nearest])) {
            nearest++;
        }
        add_row(&s, i, nearest);
        if (--s.until_look < 0) {
            s.until_look = STEPS_PER_LOOK;
            outcome = stopped(stop);
        }
    }
    for (int64_t j = 0; j < c->m; j++) {
        v[j] = 0.0;
    }
    for (int64_t r = 0; r < s.count && outcome == SOLVED; r++) {
        const run_t *run = &s.runs[r];
        for (int64_t k = 0; k < run->length; k++) {
            column[run->row + k] = (int32_t)(run->column + k);
        }
        price_run(c, run, low, high, v);
    }
    arena_free(&arena);
    return outcome;
}

/* ---- transport ---- */

outcome_t ship_numbers(const numbers_t *c, const double *a, const double *b, int32_t *rows, int32_t *columns,
                       double *moved, int64_t *count, double *f, double *g, const stop_t *stop) {
    arena_t arena = {0};
    mass_t *supply = arena_take(&arena, c->n, sizeof *supply), *demand = arena_take(&arena, c->m, sizeof *demand);
    *count = 0;
    if (arena.failed) {
        arena_free(&arena);
        return OUT_OF_MEMORY;
    }
    const double unit = whole_masses(a, c->n, b, c->m, 0, supply, demand).unit;
    outcome_t outcome = SOLVED;
    exact_t u = cost(c, 0, 0), v = NOUGHT;
    f[0] = u.high;
    g[0] = v.high;
    for (int64_t i = 0, j = 0; i < c->n && j < c->m && outcome == SOLVED;) {
        const mass_t here = supply[i] < demand[j] ? supply[i] : demand[j];
        rows[*count] = (int32_t)i;
        columns[*count] = (int32_t)j;
        moved[(*count)++] = (double)here * unit;
        supply[i] -= here;
        demand[j] -= here;
        /* The side that is through goes on; where both are, prices move by what lies between the gains of either row. */
        const int next_row = supply[i] == 0 && i + 1 < c->n, next_column = demand[j] == 0 && j + 1 < c->m;
        if (next_row && next_column) {
            v = exact_plus(v, halved(exact_plus(rise(c, i, j), rise(c, i + 1, j))));
        } else if (next_column) {
            v = exact_minus(cost(c, i, j + 1), u);
        } else if (!next_row) {
            break;
        }
        i += next_row;
        j += next_column;
        u = next_row ? exact_minus(cost(c, i, j), v) : u;
        f[i] = u.high;
        g[j] = v.high;
        outcome = stopped_every(stop, *count, STEPS_PER_LOOK);
    }
    arena_free(&arena);
    return outcome;
}

/* ---- minima ---- */

typedef struct {
    const numbers_t *costs;
    const double *g, *tail;
    double lost;
} values_t;

/* Costs less duals; what the last rounding takes off is noted. */
static exact_t value(values_t *s, int64_t i, int64_t j) {
    const exact_t c = cost(s->costs, i, j);
    const double high = c.high - s->g[j], missing = difference_rest(c.high, s->g[j]);
    const double part = missing + c.low, rest = part - s->tail[j];
    const double lost = fabs(difference_rest(missing, -c.low)) + fabs(difference_rest(part, s->tail[j]));
    s->lost = lost > s->lost ? lost : s->lost;
    const double sum = high + rest;
    return (exact_t){sum, rest - (sum - high)};
}

/* The best column of a row among those from `first` to `last`. */
static int64_t best_between(values_t *s, int64_t i, int64_t first, int64_t last) {
    int64_t best = first;
    exact_t least = value(s, i, first);
    for (int64_t j = first + 1; j <= last; j++) {
        const exact_t here = value(s, i, j);
        if (is_less(here, least)) {
            least = here;
            best = j;
        }
    }
    return best;
}

/* The best column moves to the right with the row: so the rows halfway between two that are known look between the
 * columns of these only, log2 n times over all columns. */
outcome_t least_numbers(const numbers_t *c, const double *g, const double *tail, int64_t *best, double *lost,
                        const stop_t *stop) {
    values_t s = {c, g, tail, 0.0};
    int64_t step = 1;
    while (step < c->n) {
        step *= 2;
    }
    for (; step > 0; step /= 2) {
        for (int64_t i = step - 1; i < c->n; i += 2 * step) {
            const int64_t before = i - step, after = i + step;
            const int64_t first = before >= 0 ? best[before] : 0, last = after < c->n ? best[after] : c->m - 1;
            best[i] = best_between(&s, i, first, last > first ? last : first);
        }
        const outcome_t outcome = stopped(stop);
        if (outcome != SOLVED) {
            return outcome;
        }
    }
    *lost = s.lost;
    return SOLVED;
}
