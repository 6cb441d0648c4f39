/* Points with many coincidences: if one side has few distinct places, these are classes (class_auction.h). Compiled per
 * dimension (DIM). */
#pragma once

#include "cascade/starting_prices/class_auction.h"
#include "core/arena.h"
#include "geometry/points.h"

/* Bidders at points, classes at places. If places are left over, the last class holds them; it costs nothing. */
typedef struct {
    const double *bidder; /* (bidders, DIM) */
    double *at[DIM];      /* (classes, padded) */
    double scale;
    int64_t padded, spare; /* spare: the class of places that are left over, -1: none */
} place_costs_t;

static void place_class_costs(const void *costs, int64_t bidder, double *cost) {
    const place_costs_t *c = costs;
    const v4_t scale = v4_all(c->scale);
    for (int64_t s = 0; s < c->padded; s += WIDTH) {
        v4_t square = v4_all(0.0);
        for (int axis = 0; axis < DIM; axis++) {
            const v4_t d = v4_sub(v4_all(c->bidder[bidder * DIM + axis]), v4_load(c->at[axis] + s));
            square = v4_add(square, v4_mul(d, d));
        }
        v4_store(cost + s, v4_mul(scale, square));
    }
    if (c->spare >= 0) {
        cost[c->spare] = 0.0;
    }
}

/* A point and its index. */
typedef struct {
    double at[DIM];
    int32_t index;
} placed_t;

static int compare_places(const void *a, const void *b) {
    const placed_t *p = a, *q = b;
    for (int axis = 0; axis < DIM; axis++) {
        if (p->at[axis] != q->at[axis]) {
            return p->at[axis] < q->at[axis] ? -1 : 1;
        }
    }
    return (p->index > q->index) - (p->index < q->index);
}

static int same_place(const placed_t *a, const placed_t *b) {
    int same = 1;
    for (int axis = 0; axis < DIM; axis++) {
        same &= a->at[axis] == b->at[axis];
    }
    return same;
}

/* Sort `wanted` evenly spaced points by place; return the number of places. */
static int64_t sort_places(const double *points, int64_t count, placed_t *placed, int64_t wanted) {
    for (int64_t s = 0; s < wanted; s++) {
        placed[s].index = (int32_t)(s * count / wanted);
        memcpy(placed[s].at, points + (int64_t)placed[s].index * DIM, sizeof placed[s].at);
    }
    qsort(placed, (size_t)wanted, sizeof *placed, compare_places);
    int64_t places = wanted > 0;
    for (int64_t s = 1; s < wanted; s++) {
        places += !same_place(placed + s - 1, placed + s);
    }
    return places;
}

/* Points per place, on average, from which on classes pay. */
enum { LEAST_SHARED = 16 };

/* Return the points sorted by place, and write the number of places; NULL if they are too many for classes to pay. */
static placed_t *few_places(const double *points, int64_t count, arena_t *a, int64_t *places) {
    /* Among twice as many points as there may be places, at least half share one. */
    placed_t *sample = arena_take(a, 2 * MOST_CLASSES, sizeof *sample);
    if (!sample || (count > 2 * MOST_CLASSES && sort_places(points, count, sample, 2 * MOST_CLASSES) > MOST_CLASSES)) {
        return NULL;
    }
    placed_t *placed = arena_take(a, count, sizeof *placed);
    if (!placed) {
        return NULL;
    }
    *places = sort_places(points, count, placed, count);
    return *places < MOST_CLASSES && *places * LEAST_SHARED <= count ? placed : NULL;
}

/* Solve a problem whose rows (side 0) or columns (side 1) are in few places; columns only if every one is matched.
 * *found: whether that was so; otherwise nothing was done. */
static outcome_t solve_coincident(assignment_t *t, int side, double largest, double rounding, int *found) {
    const points_t *p = t->cost;
    arena_t arena = {0};
    const int64_t members = side ? t->m : t->n, bidders = side ? t->n : t->m, spare = bidders - members;
    int64_t places = 0;
    const placed_t *placed = spare < 0 ? NULL : few_places(side ? p->y : p->x, members, &arena, &places);
    *found = placed != NULL;
    if (!placed) {
        arena_free(&arena);
        return SOLVED;
    }
    const int64_t classes = places + (spare > 0);
    place_costs_t costs = {.bidder = side ? p->x : p->y,
                           .scale = p->scale,
                           .padded = padded_to_width(classes),
                           .spare = spare > 0 ? places : -1};
    int64_t *room = arena_take(&arena, classes, sizeof *room), *first = arena_take(&arena, classes, sizeof *first);
    for (int axis = 0; axis < DIM; axis++) {
        costs.at[axis] = arena_take(&arena, costs.padded, sizeof(double));
    }
    outcome_t outcome = arena.failed ? OUT_OF_MEMORY : SOLVED;
    class_auction_t k = {.costs = &costs,
                         .costs_of = place_class_costs,
                         .bidders = bidders,
                         .classes = classes,
                         .places = room,
                         .largest = largest,
                         .rounding = rounding,
                         .counters = &t->counters,
                         .stop = &t->stop};
    if (outcome == SOLVED) {
        for (int64_t s = 0, c = -1; s < members; s++) {
            if (s == 0 || !same_place(placed + s - 1, placed + s)) {
                first[++c] = s;
                for (int axis = 0; axis < DIM; axis++) {
                    costs.at[axis][c] = placed[s].at[axis];
                }
            }
            room[c]++;
        }
        if (spare > 0) {
            room[places] = spare;
        }
        outcome = class_auction_solve(&k, &arena);
    }
    if (outcome == SOLVED) {
        double *of_class = side ? t->v : t->u, *of_bidder = side ? t->u : t->v;
        const double level = spare > 0 ? k.price[places] : 0.0;
        for (int64_t i = 0; i < bidders; i++) {
            const int32_t c = k.class_of[i];
            place_class_costs(&costs, i, k.cost);
            of_bidder[i] = k.cost[c] + k.price[c] - level;
            if (c == costs.spare) {
                of_bidder[i] = 0.0;
                continue;
            }
            of_bidder[i] = spare > 0 && of_bidder[i] > 0.0 ? 0.0 : of_bidder[i];
            const int32_t member = placed[first[c]++].index;
            of_class[member] = -(k.price[c] - level);
            t->x[side ? i : member] = (int32_t)(side ? member : i);
        }
    }
    arena_free(&arena);
    return outcome;
}
