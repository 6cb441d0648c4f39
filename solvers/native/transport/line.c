/* Matching and transport between sorted numbers, by the order alone: the costs are Monge. */
#include "transport/line.h"

#define MONGE_COSTS line_costs_t
#define MONGE_RISE line_rise
#define MONGE_FALLS line_falls
#include "assignment/monge_matching.inc.h"
#include "transport/masses.h"

static dd_t cost(const line_costs_t *c, int64_t i, int64_t j) {
    const dd_t apart = dd_difference(c->x[i], c->y[j]);
    const dd_t distance = apart.high < 0.0 ? (dd_t){-apart.high, -apart.low} : apart;
    if (c->power == 1.0) {
        return c->scale == 1.0 ? distance : dd_mul(distance, c->scale);
    }
    if (c->power == 2.0) {
        const dd_t square = dd_square(distance);
        return c->scale == 1.0 ? square : dd_mul(square, c->scale);
    }
    return (dd_t){c->scale * pow(distance.high, c->power), 0.0};
}

/* How much a row's cost rises from one column to the next. */
static dd_t line_rise(const line_costs_t *c, int64_t i, int64_t j) { return dd_sub(cost(c, i, j + 1), cost(c, i, j)); }

static int line_falls(const line_costs_t *c, int64_t i, int64_t j) {
    return fabs(c->x[i] - c->y[j + 1]) <= fabs(c->x[i] - c->y[j]);
}

outcome_t line_match(const line_costs_t *c, int32_t *column, double *v, const stop_t *stop) {
    return monge_match(c, column, v, stop);
}

outcome_t line_transport(const line_costs_t *c, const double *a, const double *b, int32_t *rows, int32_t *columns,
                         double *moved, int64_t *count, double *f, double *g, const stop_t *stop) {
    arena_t arena = {0};
    mass_t *supply = arena_take(&arena, c->n, sizeof *supply), *demand = arena_take(&arena, c->m, sizeof *demand);
    *count = 0;
    if (arena.failed) {
        arena_free(&arena);
        return OUT_OF_MEMORY;
    }
    const double unit = masses_to_integers(a, c->n, b, c->m, 0, supply, demand).unit;
    outcome_t outcome = SOLVED;
    dd_t u = cost(c, 0, 0), v = DD_ZERO;
    f[0] = u.high;
    g[0] = v.high;
    for (int64_t i = 0, j = 0; i < c->n && j < c->m && outcome == SOLVED;) {
        const mass_t here = supply[i] < demand[j] ? supply[i] : demand[j];
        rows[*count] = (int32_t)i;
        columns[*count] = (int32_t)j;
        moved[(*count)++] = (double)here * unit;
        supply[i] -= here;
        demand[j] -= here;
        /* The side that is used up moves on. If both are, the dual moves by the mean of what the two rows gain. */
        const int next_row = supply[i] == 0 && i + 1 < c->n, next_column = demand[j] == 0 && j + 1 < c->m;
        if (next_row && next_column) {
            v = dd_add(v, dd_half(dd_add(line_rise(c, i, j), line_rise(c, i + 1, j))));
        } else if (next_column) {
            v = dd_sub(cost(c, i, j + 1), u);
        } else if (!next_row) {
            break;
        }
        i += next_row;
        j += next_column;
        u = next_row ? dd_sub(cost(c, i, j), v) : u;
        f[i] = u.high;
        g[j] = v.high;
        outcome = stopped_every(stop, *count, MONGE_STEPS_PER_CHECK);
    }
    arena_free(&arena);
    return outcome;
}

typedef struct {
    const line_costs_t *costs;
    const double *g, *tail;
    double lost;
} values_t;

/* Cost less duals; s->lost is what the last rounding dropped, at most. */
static dd_t value(values_t *s, int64_t i, int64_t j) {
    const dd_t c = cost(s->costs, i, j);
    const double high = c.high - s->g[j], missing = difference_error(c.high, s->g[j]);
    const double part = missing + c.low, rest = part - s->tail[j];
    const double lost = fabs(difference_error(missing, -c.low)) + fabs(difference_error(part, s->tail[j]));
    s->lost = lost > s->lost ? lost : s->lost;
    const double sum = high + rest;
    return (dd_t){sum, rest - (sum - high)};
}

/* The best column of a row among those from `first` to `last`. */
static int64_t best_between(values_t *s, int64_t i, int64_t first, int64_t last) {
    int64_t best = first;
    dd_t least = value(s, i, first);
    for (int64_t j = first + 1; j <= last; j++) {
        const dd_t here = value(s, i, j);
        if (dd_less(here, least)) {
            least = here;
            best = j;
        }
    }
    return best;
}

/* The best column moves right with the row, so the rows halfway between two known ones search only between the columns
 * of these: log2 n passes over the columns. */
outcome_t line_row_minima(const line_costs_t *c, const double *g, const double *tail, int64_t *best, double *lost,
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
