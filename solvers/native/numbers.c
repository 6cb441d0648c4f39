#include "numbers.h"

typedef numbers_t in_order_t;

#include "masses.h"
#include "runs.h"

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

/* By how much a row's cost rises from one column to the next. */
static exact_t rise(const numbers_t *c, int64_t i, int64_t j) { return exact_minus(cost(c, i, j + 1), cost(c, i, j)); }

static int is_nearer(const numbers_t *c, int64_t i, int64_t j) {
    return fabs(c->x[i] - c->y[j + 1]) <= fabs(c->x[i] - c->y[j]);
}

outcome_t match_numbers(const numbers_t *c, int32_t *column, double *v, const stop_t *stop) {
    return match_in_order(c, column, v, stop);
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
        /* The side that is through goes on; where both are, prices move by what lies between the gains of either row.
         */
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
