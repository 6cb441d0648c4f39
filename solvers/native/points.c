/* Cascade on points: assignment by squared Euclidean cost in O(n + m) memory.
 *
 * Duals are found coarse to fine. On each level both clouds are cut into groups of neighbours, whose centroids stand
 * for them; the duals of a level are carried to the next by the transform p_j = -min_i (c_ij - u_i) over its rows, from
 * where an auction with short lists needs a few bids a row; on the last level its end is made exact. The idea of
 * solving transport problems over a hierarchy is B. Schmitzer's ("A sparse multiscale algorithm for dense optimal
 * transport", J. Math. Imaging Vision 56 (2016)); here only duals go down, and every level is solved by auction.
 */
#include "points.h"

#include "cloud.h"
#include "coincident.h"
#include "names.h"

typedef struct {
    cloud_t targets;    /* weighted with the prices */
    const double *x;    /* (n, DIM) rows, neighbours near each other */
    int64_t phase;      /* the one for which planes were fitted last */
    int64_t next_raise; /* the number of bids at which to raise the floors */
    int64_t latest;     /* the row that looked last, -1 at first: its neighbours are like it */
} costs_t;

#include "exact.h"
#include "line.h"
#include "schedule.h"

enum { LIST = 32, MOST_OFFERS = 8 * LIST, RATIO_LOG = 2, COARSEST_LOG = 7 };

/* Parts of the spread: epsilon at the start and end of a level and at the very end; of the range of costs: where
 * nothing is known yet, and what is not worth bidding for. Measured on embeddings laid on grids, and flat around these
 * values. */
static const double START = 0.05, COARSE_END = 0.01, END = 0.0006, FIRST_START = 0.1, LINE_START = 2.0, LEAST = 1e-12;

/* A look around a row in bids from a list, and from how many rows on, when memory is far, sharing it is worth waiting.
 */
enum { SCAN_WORK = 32, SHARED_FROM = 1 << 16 };

/* A few units in the last place. Costs and prices are at least 0 here, so a value is as large as its parts. */
static const double ROUNDING = 0x1p-51;

/* ---- what the market asks ---- */

static int64_t keep_within_limit(offer_t *offers, int64_t count, double limit) {
    int64_t kept = 0;
    for (int64_t o = 0; o < count; o++) {
        if (offers[o].value <= limit) {
            offers[kept++] = offers[o];
        }
    }
    return kept;
}

static int64_t nearby(market_t *k, int64_t i, double spread, double *beyond) {
    costs_t *c = k->costs;
    const cloud_t *targets = &c->targets;
    look_t look = look_from(targets, c->x + i * DIM);
    int64_t tile = 0;
    if (spread < 0.0) {
        spread = c->latest >= 0 && k->spread[c->latest] >= 0.0 ? k->spread[c->latest] : INFINITY;
    }
    for (int guess = 0; guess < 2; guess++) {
        const int64_t like = guess == 0 ? i : c->latest;
        const choice_t known = like >= 0 ? best_of_list(k, like) : (choice_t){INFINITY, INFINITY, -1};
        if (known.slot >= 0) {
            tile = tile_of(targets, k->column[known.slot]);
            break;
        }
    }
    c->latest = i;
    look.offers = k->offers;
    look.enough = LIST;
    look.room = MOST_OFFERS;
    look.spread = spread;
    look.low = tile_minimum(targets, &look, tile);
    look.limit = look.low + spread;
    tile_offers(targets, &look, tile);
    look_around(targets, &look, tile);
    *beyond = look.limit;
    return keep_within_limit(k->offers, look.count, look.limit);
}

static int64_t within(market_t *k, int64_t i, double bound) {
    const costs_t *c = k->costs;
    look_t look = look_from(&c->targets, c->x + i * DIM);
    look.offers = k->offers;
    look.room = INT64_MAX;
    look.spread = INFINITY;
    look.limit = bound;
    look_around(&c->targets, &look, -1);
    return look.count;
}

/* Raising all floors costs as much as some bids for every column, fitting the planes several times that. */
static void prices_rose(market_t *k) {
    costs_t *c = k->costs;
    if (c->phase != k->counters->phases) {
        c->phase = k->counters->phases;
        cloud_fit(&c->targets);
    } else if (k->counters->bids >= c->next_raise) {
        cloud_raise_floors(&c->targets);
        c->next_raise = k->counters->bids + k->m / 3;
    }
}

static void sit_down(costs_t *c, const desk_t *desk) { (void)c, (void)desk; }

/* ---- levels ---- */

/* Centroids of `count` groups of consecutive points. */
static void centroids(const double *points, int64_t points_count, double *centres, int64_t count) {
    for (int64_t g = 0; g < count; g++) {
        const int64_t begin = g * points_count / count, end = (g + 1) * points_count / count;
        for (int axis = 0; axis < DIM; axis++) {
            double sum = 0.0;
            for (int64_t i = begin; i < end; i++) {
                sum += coordinate(points, i, axis) - coordinate(points, begin, axis);
            }
            centres[g * DIM + axis] = coordinate(points, begin, axis) + sum / (double)(end - begin);
        }
    }
}

/* What a level leaves to the next: its rows as a cloud, weighted with -u, and the level of the spare class. */
typedef struct {
    arena_t arena;
    cloud_t rows;
    double level;
} coarse_t;

typedef struct {
    market_t *market;
    const coarse_t *coarse;
    const double *y;
} carry_t;

static void carry_part(void *on, int64_t part, int64_t parts) {
    const carry_t *carry = on;
    const market_t *k = carry->market;
    int64_t tile = 0;
    for (int64_t j = k->m * part / parts; j < k->m * (part + 1) / parts; j++) {
        k->price[j] = -cloud_minimum(&carry->coarse->rows, carry->y + j * DIM, &tile);
    }
}

/* p_j = -min_i (c_ij - u_i), shifted so that the lowest is 0; with a spare class none is below its level. */
static void carry_prices(market_t *k, const coarse_t *coarse, const double *y) {
    double low = INFINITY;
    carry_t carry = {k, coarse, y};
    crew_work(k->crew, carry_part, &carry);
    for (int64_t j = 0; j < k->m; j++) {
        low = k->price[j] < low ? k->price[j] : low;
    }
    low = k->spare > 0 && coarse->level > low ? coarse->level : low;
    for (int64_t j = 0; j < k->m; j++) {
        k->price[j] = k->price[j] > low ? k->price[j] - low : 0.0;
    }
}

/* One level: n rows at x, m columns at y, prices from the level above where there is one. */
static outcome_t level_make(market_t *k, costs_t *c, arena_t *a, const double *x, const double *y, double scale,
                            const coarse_t *above) {
    k->costs = c;
    k->newest_first = 1;
    c->x = x;
    c->latest = -1;
    c->phase = c->next_raise = 0;
    if (!market_make(k, a, LIST) || !cloud_make(&c->targets, a, y, k->m, scale, k->price)) {
        return OUT_OF_MEMORY;
    }
    if (above) {
        carry_prices(k, above, y);
    }
    cloud_fit(&c->targets);
    return SOLVED;
}

/* Epsilon at the start of a level. */
static double level_start(market_t *k, const coarse_t *above) {
    return above ? START * k->headroom * typical_spread(k) : FIRST_START * k->largest;
}

static outcome_t level_bid(market_t *k, double start, int finest) {
    if (shares_looks(k)) {
        for (int64_t i = 0; i < k->n; i++) {
            k->queue[i] = (int32_t)i;
        }
        list_rows(k, k->queue, k->n);
    }
    const double least = LEAST * k->largest;
    return start > least ? auction_down(k, start, finest ? END : COARSE_END, least) : SOLVED;
}

/* A level may take so much work: whatever it is that coarse levels do not tell, it shows on one of them. On the last,
 * whose epsilon falls further, half as much again. */
static void grant(market_t *k, const task_t *t, int finest) {
    const int64_t most = finest ? t->most_work + t->most_work / 2 : t->most_work;
    k->work->most = most > 0 ? k->work->done + most * k->n : INT64_MAX;
}

/* Solve a level of groups for its duals. */
static outcome_t solve_coarse(market_t *k, const double *x, int64_t rows, const double *y, int64_t columns,
                              double scale, const coarse_t *above, coarse_t *answer) {
    arena_t level = {0};
    costs_t costs;
    double *group_x = arena_take(&answer->arena, k->n * DIM, sizeof *group_x);
    double *weight = arena_take(&answer->arena, k->n + WIDTH, sizeof *weight);
    double *group_y = arena_take(&level, k->m * DIM, sizeof *group_y);
    outcome_t outcome = level.failed || answer->arena.failed ? OUT_OF_MEMORY : SOLVED;
    if (outcome == SOLVED) {
        centroids(x, rows, group_x, k->n);
        centroids(y, columns, group_y, k->m);
        outcome = level_make(k, &costs, &level, group_x, group_y, scale, above);
    }
    if (outcome == SOLVED) {
        outcome = level_bid(k, level_start(k, above), 0);
    }
    if (outcome == SOLVED) {
        for (int64_t i = 0; i < k->n; i++) {
            const double low = best_of_list(k, i).first;
            weight[i] = -(low < k->beyond[i] ? low : k->beyond[i]);
        }
        answer->level = k->level;
        if (cloud_make(&answer->rows, &answer->arena, group_x, k->n, scale, weight)) {
            cloud_fit(&answer->rows);
        } else {
            outcome = OUT_OF_MEMORY;
        }
    }
    arena_free(&level);
    return outcome;
}

/* ---- the whole ---- */

/* Costs differ by no more than this between matchings, pair by pair: what lies in the offset between two clouds is the
 * same for all. */
static double range_of(const points_t *p, int64_t n, int64_t m) {
    double range = 0.0;
    for (int axis = 0; axis < DIM; axis++) {
        double width = 0.0;
        for (int side = 0; side < 2; side++) {
            const double *points = side ? p->y : p->x;
            double low = INFINITY, high = -INFINITY;
            for (int64_t i = 0; i < (side ? m : n); i++) {
                const double x = coordinate(points, i, axis);
                low = x < low ? x : low;
                high = x > high ? x : high;
            }
            width += 0.5 * (high - low);
        }
        range += width * width;
    }
    return p->scale * range;
}

/* Coarse to fine; then `above` is what the last coarse level left, where there was one. */
static outcome_t solve_coarse_levels(task_t *t, market_t *k, const ordered_t *x, const ordered_t *y, coarse_t *coarse,
                                     coarse_t **above) {
    const points_t *p = t->cost;
    outcome_t outcome = SOLVED;
    int log_columns = log_parts(t->m, 4);
    while (log_columns - RATIO_LOG >= COARSEST_LOG) {
        log_columns -= RATIO_LOG;
    }
    for (; outcome == SOLVED && !t->without.levels && ((int64_t)1 << log_columns) * 2 <= t->m;
         log_columns += RATIO_LOG) {
        coarse_t *here = *above == &coarse[0] ? &coarse[1] : &coarse[0];
        k->m = (int64_t)1 << log_columns;
        k->n = k->m * t->n / t->m > 1 ? k->m * t->n / t->m : 1;
        grant(k, t, 0);
        outcome = solve_coarse(k, x->at, t->n, y->at, t->m, p->scale, *above, here);
        if (*above) {
            arena_free(&(*above)->arena);
        }
        *above = here;
    }
    return outcome;
}

static double cost_of(const costs_t *c, int64_t i, int64_t j) {
    double square = 0.0;
    for (int axis = 0; axis < DIM; axis++) {
        const double d = coordinate(c->x, i, axis) - c->targets.y[axis][j];
        square += d * d;
    }
    return c->targets.scale * square;
}

/* Count prices from the lowest: what all have in common costs digits that near points need beside far ones. Whether
 * that was most of them. */
static int count_from_lowest(market_t *k) {
    double low = INFINITY, high = -INFINITY;
    for (int64_t j = 0; j < k->m; j++) {
        low = k->price[j] < low ? k->price[j] : low;
        high = k->price[j] > high ? k->price[j] : high;
    }
    for (int64_t j = 0; j < k->m; j++) {
        k->price[j] -= low;
    }
    for (int64_t i = 0; i < k->n; i++) {
        k->beyond[i] = (k->beyond[i] - low) * (1.0 - ROUNDING); /* less than that rather than more */
    }
    k->level -= low;
    return low > high - low;
}

/* The exact end; once more where what it found was rounded to what all prices had in common. */
static outcome_t end_exactly(market_t *k, paths_t *s) {
    count_from_lowest(k);
    cloud_fit(&k->costs->targets);
    outcome_t outcome = solve_exactly(k, s);
    if (outcome == SOLVED && count_from_lowest(k)) {
        for (int64_t i = 0; i < k->n; i++) {
            k->held_cost[i] = cost_of(k->costs, i, k->held[i]);
        }
        cloud_fit(&k->costs->targets);
        outcome = solve_exactly(k, s);
    }
    return outcome;
}

/* Open on a line where there is one: its order is better than any group. */
static outcome_t open_line(market_t *k, costs_t *c, arena_t *a, const ordered_t *x, const ordered_t *y, double scale,
                           int *found) {
    arena_t arena = {0};
    ranked_t *rows = arena_take(&arena, k->n, sizeof *rows), *columns = arena_take(&arena, k->m, sizeof *columns);
    outcome_t outcome = arena.failed ? OUT_OF_MEMORY : SOLVED;
    *found = outcome == SOLVED && k->n == k->m && !k->without.levels && in_line(x->at, y->at, k->n, rows, columns);
    if (*found) {
        outcome = level_make(k, c, a, x->at, y->at, scale, NULL);
        if (outcome == SOLVED) {
            hold_along(k, rows, columns);
            count_from_lowest(k);
            cloud_fit(&c->targets);
        }
    }
    arena_free(&arena);
    return outcome;
}

static outcome_t solve_levels(task_t *t, market_t *k, paths_t *s, arena_t *a, const ordered_t *x, const ordered_t *y) {
    const points_t *p = t->cost;
    coarse_t coarse[2] = {0}, *above = NULL;
    costs_t costs;
    int straight;
    k->n = t->n;
    k->m = t->m;
    grant(k, t, 1);
    outcome_t outcome = open_line(k, &costs, a, x, y, p->scale, &straight);
    if (outcome == SOLVED && !straight) {
        outcome = solve_coarse_levels(t, k, x, y, coarse, &above);
        if (outcome == SOLVED) {
            k->n = t->n;
            k->m = t->m;
            grant(k, t, 1);
            outcome = level_make(k, &costs, a, x->at, y->at, p->scale, above);
        }
        arena_free(&coarse[0].arena);
        arena_free(&coarse[1].arena);
    }
    if (outcome == SOLVED) {
        outcome = level_bid(k, straight ? LINE_START * typical_spread(k) : level_start(k, above), 1);
    }
    if (outcome == SOLVED && !paths_make(s, a, t->n, t->m)) {
        outcome = OUT_OF_MEMORY;
    }
    if (outcome == SOLVED) {
        outcome = end_exactly(k, s);
    }
    return outcome;
}

static double pair_cost(const points_t *p, int64_t i, int64_t j) {
    double square = 0.0;
    for (int axis = 0; axis < DIM; axis++) {
        const double d = coordinate(p->x, i, axis) - coordinate(p->y, j, axis);
        square += d * d;
    }
    return p->scale * square;
}

outcome_t NAME(cascade_points)(task_t *t);

/* n <= m; t->cost is a points_t. */
outcome_t NAME(cascade_points)(task_t *t) {
    const points_t *p = t->cost;
    arena_t arena = {0};
    ordered_t x, y;
    const double range = range_of(p, t->n, t->m);
    work_t work = {.most = INT64_MAX};
    market_t k = {.largest = range,
                  .rounding = ROUNDING,
                  .headroom = 1.0,
                  .without = t->without,
                  .counters = &t->counters,
                  .stop = &t->stop,
                  .scan_work = SCAN_WORK,
                  .shared_from = SHARED_FROM,
                  .work = &work};
    for (int side = 0; side < 2; side++) {
        int found;
        const outcome_t outcome = solve_coincident(t, side, range, ROUNDING, &found);
        if (found || outcome != SOLVED) {
            return outcome;
        }
    }
    paths_t s;
    outcome_t outcome = OUT_OF_MEMORY;
    if (market_hire(&k, &arena, t->threads, MOST_OFFERS, 0) && ordered_make(&x, &arena, p->x, t->n) &&
        ordered_make(&y, &arena, p->y, t->m)) {
        outcome = solve_levels(t, &k, &s, &arena, &x, &y);
    }
    if (k.crew) {
        crew_dismiss(k.crew);
    }
    /* Prices prove a bound at any time, once they are those of the columns themselves. */
    if (outcome == SOLVED || (outcome == TIMED_OUT && k.m == t->m)) {
        write_column_duals(&k, y.order, t->v);
    }
    if (outcome == SOLVED) {
        for (int64_t i = 0; i < t->n; i++) {
            const int32_t row = x.order[i], column = y.order[k.held[i]];
            t->x[row] = column;
            t->u[row] = pair_cost(p, row, column) - t->v[column];
        }
    }
    arena_free(&arena);
    return outcome;
}
