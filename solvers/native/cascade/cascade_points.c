/* Cascade on points: assignment by squared Euclidean cost in O(n + m) memory.
 *
 * Duals are found coarse to fine. On each level both sides are cut into groups of neighbours, which their centroids
 * stand for. The duals of a level are carried to the next by p_j = -min_i (c_ij - u_i) over its rows; from there an
 * auction with short lists needs a few bids per row. The last level is made exact. The idea of solving transport
 * problems over a hierarchy is B. Schmitzer's ("A sparse multiscale algorithm for dense optimal transport", J. Math.
 * Imaging Vision 56 (2016)); here only duals go down, and every level is solved by auction.
 */
#include "cascade/epsilon_schedule.h"
#include "cascade/shortest_paths.h"
#include "cascade/starting_prices/coincident_points.inc.h"
#include "cascade/starting_prices/collinear_points.inc.h"

enum { RATIO_LOG = 2, COARSEST_LOG = 7 };

/* Relative to the spread: epsilon at the start and the end of a level, and at the very end. Relative to the range of
 * costs: where nothing is known yet, and what is not worth a bid. Measured on embeddings laid on grids; times change
 * little around these values. */
static const double START = 0.05, COARSE_END = 0.01, END = 0.0006, FIRST_START = 0.1, LINE_START = 2.0, LEAST = 1e-12;

/* Work of scanning a row, in bids from a list; rows from which on memory is so slow that threads share the scans. */
enum { SCAN_WORK = 32, SHARED_FROM = 1 << 16 };

/* A few units in the last place. Costs and prices are at least 0 here, so a value is as large as its parts. */
static const double ROUNDING = 0x1p-51;

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

/* The result of a level for the next one: its rows as a tree weighted with -u, and the level of the spare class. */
typedef struct {
    arena_t arena;
    point_tree_t rows;
    double level;
} coarse_level_t;

typedef struct {
    auction_t *auction;
    const coarse_level_t *coarse;
    const double *y;
} carry_t;

static void carry_part(void *context, int64_t part, int64_t parts) {
    const carry_t *carry = context;
    const auction_t *k = carry->auction;
    int64_t tile = 0;
    for (int64_t j = k->m * part / parts; j < k->m * (part + 1) / parts; j++) {
        k->price[j] = -point_tree_minimum(&carry->coarse->rows, carry->y + j * DIM, &tile);
    }
}

/* p_j = -min_i (c_ij - u_i), shifted so that the lowest is 0; with a spare class none is below its level. */
static void carry_prices(auction_t *k, const coarse_level_t *coarse, const double *y) {
    double low = INFINITY;
    carry_t carry = {k, coarse, y};
    thread_pool_run(k->pool, carry_part, &carry);
    for (int64_t j = 0; j < k->m; j++) {
        low = k->price[j] < low ? k->price[j] : low;
    }
    low = k->spare > 0 && coarse->level > low ? coarse->level : low;
    for (int64_t j = 0; j < k->m; j++) {
        k->price[j] = k->price[j] > low ? k->price[j] - low : 0.0;
    }
}

/* Set up a level of n rows at x and m columns at y, with prices from the level above if there is one. */
static outcome_t level_make(auction_t *k, point_costs_t *c, arena_t *a, const double *x, const double *y, double scale,
                            const coarse_level_t *above) {
    *c = (point_costs_t){.x = x};
    k->costs = c;
    k->access = &point_access;
    k->newest_first = 1;
    if (!auction_init(k, a, LIST) || !point_tree_build(&c->columns, a, y, k->m, scale, k->price)) {
        return OUT_OF_MEMORY;
    }
    if (above) {
        carry_prices(k, above, y);
    }
    point_tree_fit_planes(&c->columns);
    return SOLVED;
}

/* Epsilon at the start of a level. */
static double level_start(auction_t *k, const coarse_level_t *above) {
    return above ? START * k->headroom * auction_typical_spread(k) : FIRST_START * k->largest;
}

static outcome_t level_bid(auction_t *k, double start, int finest) {
    if (auction_shares_scans(k)) {
        for (int64_t i = 0; i < k->n; i++) {
            k->queue[i] = (int32_t)i;
        }
        auction_list_rows(k, k->queue, k->n);
    }
    const double least = LEAST * k->largest;
    return start > least ? auction_scale_epsilon(k, start, finest ? END : COARSE_END, least) : SOLVED;
}

/* Limit the work of a level: if coarse levels do not help, one of them shows it. The last level, whose epsilon falls
 * further, may take half as much again. */
static void grant(auction_t *k, const assignment_t *t, int finest) {
    const int64_t most = finest ? t->most_work + t->most_work / 2 : t->most_work;
    k->work->most = most > 0 ? k->work->done + most * k->n : INT64_MAX;
}

/* Solve a level of groups for its duals. */
static outcome_t solve_coarse(auction_t *k, const double *x, int64_t rows, const double *y, int64_t columns,
                              double scale, const coarse_level_t *above, coarse_level_t *answer) {
    arena_t level = {0};
    point_costs_t costs;
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
            const double low = auction_best_of_list(k, i).first;
            weight[i] = -(low < k->beyond[i] ? low : k->beyond[i]);
        }
        answer->level = k->level;
        if (point_tree_build(&answer->rows, &answer->arena, group_x, k->n, scale, weight)) {
            point_tree_fit_planes(&answer->rows);
        } else {
            outcome = OUT_OF_MEMORY;
        }
    }
    arena_free(&level);
    return outcome;
}

/* The most that costs can differ between matchings, pair by pair: the offset between the two sides is common to all. */
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

/* Solve the coarse levels; then `above` is the last one, if there was any. */
static outcome_t solve_coarse_levels(assignment_t *t, auction_t *k, const kd_ordered_t *x, const kd_ordered_t *y,
                                     coarse_level_t *coarse, coarse_level_t **above) {
    const points_t *p = t->cost;
    outcome_t outcome = SOLVED;
    int log_columns = log_parts(t->m, 4);
    while (log_columns - RATIO_LOG >= COARSEST_LOG) {
        log_columns -= RATIO_LOG;
    }
    for (; outcome == SOLVED && !t->without.levels && ((int64_t)1 << log_columns) * 2 <= t->m;
         log_columns += RATIO_LOG) {
        coarse_level_t *here = *above == &coarse[0] ? &coarse[1] : &coarse[0];
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

/* Count prices from the lowest: what all have in common takes digits that near points need beside far ones. Return
 * whether that was most of them. */
static int count_from_lowest(auction_t *k) {
    double low = INFINITY, high = -INFINITY;
    for (int64_t j = 0; j < k->m; j++) {
        low = k->price[j] < low ? k->price[j] : low;
        high = k->price[j] > high ? k->price[j] : high;
    }
    for (int64_t j = 0; j < k->m; j++) {
        k->price[j] -= low;
    }
    for (int64_t i = 0; i < k->n; i++) {
        k->beyond[i] = (k->beyond[i] - low) * (1.0 - ROUNDING); /* rather too low than too high */
    }
    k->level -= low;
    return low > high - low;
}

/* Match exactly; repeat if the result was rounded to what all prices had in common. */
static outcome_t end_exactly(auction_t *k, path_search_t *s) {
    count_from_lowest(k);
    point_tree_fit_planes(&((point_costs_t *)k->costs)->columns);
    outcome_t outcome = path_search_match_exactly(k, s);
    if (outcome == SOLVED && count_from_lowest(k)) {
        for (int64_t i = 0; i < k->n; i++) {
            k->held_cost[i] = point_cost(k->costs, i, k->held[i]);
        }
        point_tree_fit_planes(&((point_costs_t *)k->costs)->columns);
        outcome = path_search_match_exactly(k, s);
    }
    return outcome;
}

/* Start from the order along a line, if there is one: it is better than any group. */
static outcome_t start_collinear(auction_t *k, point_costs_t *c, arena_t *a, const kd_ordered_t *x,
                                 const kd_ordered_t *y, double scale, int *found) {
    arena_t arena = {0};
    ranked_t *rows = arena_take(&arena, k->n, sizeof *rows), *columns = arena_take(&arena, k->m, sizeof *columns);
    outcome_t outcome = arena.failed ? OUT_OF_MEMORY : SOLVED;
    *found = outcome == SOLVED && k->n == k->m && !k->without.levels && in_line(x->at, y->at, k->n, rows, columns);
    if (*found) {
        outcome = level_make(k, c, a, x->at, y->at, scale, NULL);
        if (outcome == SOLVED) {
            hold_along(k, rows, columns);
            count_from_lowest(k);
            point_tree_fit_planes(&c->columns);
        }
    }
    arena_free(&arena);
    return outcome;
}

static outcome_t solve_levels(assignment_t *t, auction_t *k, path_search_t *s, arena_t *a, const kd_ordered_t *x,
                              const kd_ordered_t *y) {
    const points_t *p = t->cost;
    coarse_level_t coarse[2] = {0}, *above = NULL;
    point_costs_t costs;
    int collinear;
    k->n = t->n;
    k->m = t->m;
    grant(k, t, 1);
    outcome_t outcome = start_collinear(k, &costs, a, x, y, p->scale, &collinear);
    if (outcome == SOLVED && !collinear) {
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
        outcome = level_bid(k, collinear ? LINE_START * auction_typical_spread(k) : level_start(k, above), 1);
    }
    if (outcome == SOLVED && !path_search_init(s, a, t->n, t->m)) {
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

assignment_solver_t NAME(cascade_points);

/* n <= m; t->cost is a points_t. */
outcome_t NAME(cascade_points)(assignment_t *t) {
    const points_t *p = t->cost;
    arena_t arena = {0};
    kd_ordered_t x, y;
    const double range = range_of(p, t->n, t->m);
    work_budget_t work = {.most = INT64_MAX};
    auction_t k = {.largest = range,
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
    path_search_t s;
    outcome_t outcome = OUT_OF_MEMORY;
    if (auction_start_threads(&k, &arena, t->threads, MOST_CANDIDATES, 0) && kd_ordered_make(&x, &arena, p->x, t->n) &&
        kd_ordered_make(&y, &arena, p->y, t->m)) {
        outcome = solve_levels(t, &k, &s, &arena, &x, &y);
    }
    if (k.pool) {
        thread_pool_stop(k.pool);
    }
    /* Prices prove a bound at any time, once they are those of the columns themselves. */
    if (outcome == SOLVED || (outcome == TIMED_OUT && k.m == t->m)) {
        auction_write_column_duals(&k, y.order, t->v);
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
