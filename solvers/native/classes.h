/* Assignment where one side consists of few classes of identical members: N bidders, each for a place in one of R
 * classes, whose places number N in all.
 *
 * Members of a class are worth the same to everybody, so bids for single members would only drive each other's prices
 * up by epsilon at a time. Instead a class has one price, its lowest accepted bid, and the second-best offer is looked
 * for among the other classes (D. P. Bertsekas, D. A. Castanon, "The auction algorithm for the transportation problem",
 * Annals of Operations Research 20 (1989), on similar objects). The end is exact: shortest paths over classes, where
 * going from class a to b costs what the member of a that minds least would lose by it.
 *
 * A phase ends because every bid is above the price of its class by at least epsilon and a class whose places are taken
 * drops its lowest bid, so that the sum of accepted bids rises; a budget ends it earlier, as in bidding.h.
 *
 * A source includes this after it has defined `class_costs_t` and
 *
 *     static void class_costs(const class_costs_t *c, int64_t bidder, double *cost);
 *
 * which writes the costs of a bidder to all classes, all finite.
 */
#ifndef LAPMARK_CLASSES_H
#define LAPMARK_CLASSES_H

#include "heap.h"
#include "lapmark.h"
#include "vec.h"

/* More classes than this are not worth their square in memory and time. */
enum { MOST_CLASSES = 1024 };

typedef struct {
    const class_costs_t *costs;
    int64_t bidders, classes, padded; /* padded: classes, to a multiple of WIDTH */
    const int64_t *places;            /* (classes) their sum is `bidders` */
    double largest;                   /* by how much two costs can differ */
    double rounding;                  /* the part of a value by which its rounding may be off */
    counters_t *counters;
    const stop_t *stop;
    double *price;     /* (padded) those past the last class are +inf */
    int32_t *class_of; /* (bidders) -1 where none */
    double *cost;      /* (padded) of the bidder in question */
    heap_t *accepted;  /* (classes) bidders by bid */

    /* Of the exact end. */
    int32_t **members;        /* (classes) (places) */
    int64_t *count;           /* (classes) members */
    int32_t *place;           /* (bidders) where among the members of its class */
    double **loss;            /* (classes) (padded) least loss of a member that goes to each other class */
    int32_t **loser;          /* (classes) (padded) that member */
    char *stale, *closed;     /* (classes) whether loss has to be taken again; whether the search has passed */
    double *distance;         /* (classes) */
    int32_t *from_class, *by; /* (classes) the class before on the path, -1 at its start, and who moves along */
} classes_t;

static void class_costs(const class_costs_t *c, int64_t bidder, double *cost);

static int classes_make(classes_t *k, arena_t *a) {
    const int64_t r = k->classes;
    k->padded = (r + WIDTH - 1) / WIDTH * WIDTH;
    k->price = arena_take(a, k->padded, sizeof *k->price);
    k->class_of = arena_take(a, k->bidders, sizeof *k->class_of);
    k->cost = arena_take(a, k->padded, sizeof *k->cost);
    k->accepted = arena_take(a, r, sizeof *k->accepted);
    k->members = arena_take(a, r, sizeof *k->members);
    k->count = arena_take(a, r, sizeof *k->count);
    k->place = arena_take(a, k->bidders, sizeof *k->place);
    k->loss = arena_take(a, r, sizeof *k->loss);
    k->loser = arena_take(a, r, sizeof *k->loser);
    k->stale = arena_take(a, r, sizeof *k->stale);
    k->closed = arena_take(a, r, sizeof *k->closed);
    k->distance = arena_take(a, r, sizeof *k->distance);
    k->from_class = arena_take(a, r, sizeof *k->from_class);
    k->by = arena_take(a, r, sizeof *k->by);
    for (int64_t c = 0; c < r && !a->failed; c++) {
        heap_make(&k->accepted[c], a, k->places[c] + 1);
        k->members[c] = arena_take(a, k->places[c], sizeof **k->members);
        k->loss[c] = arena_take(a, k->padded, sizeof **k->loss);
        k->loser[c] = arena_take(a, k->padded, sizeof **k->loser);
        k->stale[c] = 1;
    }
    for (int64_t c = r; c < k->padded && !a->failed; c++) {
        k->price[c] = INFINITY;
    }
    for (int64_t i = 0; i < k->bidders && !a->failed; i++) {
        k->class_of[i] = -1;
    }
    return !a->failed;
}

/* The cheapest class to the bidder whose costs were taken, and the value of the cheapest other one. */
typedef struct {
    double first, second;
    int64_t at;
} class_choice_t;

static class_choice_t best_class(const classes_t *k) {
    v4_t first = v4_all(INFINITY), second = first, at = v4_all(-1.0), here = v4_load((const double[]){0, 1, 2, 3});
    for (int64_t c = 0; c < k->padded; c += WIDTH) {
        const v4_t value = v4_add(v4_load(k->cost + c), v4_load(k->price + c));
        second = v4_min(second, v4_max(first, value));
        at = v4_tag_below(value, first, here, at);
        first = v4_min(value, first);
        here = v4_add(here, v4_all(WIDTH));
    }
    double lane_first[WIDTH], lane_second[WIDTH], lane_at[WIDTH];
    v4_store(lane_first, first);
    v4_store(lane_second, second);
    v4_store(lane_at, at);
    int winner = 0;
    for (int l = 1; l < WIDTH; l++) {
        const int ties = lane_first[l] == lane_first[winner] && lane_at[l] >= 0.0 && lane_at[l] < lane_at[winner];
        winner = lane_first[l] < lane_first[winner] || ties ? l : winner;
    }
    class_choice_t choice = {lane_first[winner], INFINITY, (int64_t)lane_at[winner]};
    for (int l = 0; l < WIDTH; l++) {
        const double runner_up = l == winner ? lane_second[l] : lane_first[l];
        choice.second = runner_up < choice.second ? runner_up : choice.second;
    }
    return choice;
}

static inline class_choice_t look_at_classes(classes_t *k, int64_t bidder) {
    class_costs(k->costs, bidder, k->cost);
    k->counters->row_scans++;
    return best_class(k);
}

enum { CLASS_BIDS = 60, BIDDERS_PER_LOOK = 256 };

/* One phase, from prices kept and places empty. False where it gave up. */
static outcome_t class_phase(classes_t *k, double epsilon, int32_t *queue, int *done) {
    int64_t waiting = k->bidders;
    const int64_t last_bid = k->counters->bids + CLASS_BIDS * k->bidders;
    k->counters->phases++;
    *done = 0;
    for (int64_t i = 0; i < k->bidders; i++) {
        queue[i] = (int32_t)(k->bidders - 1 - i);
        k->class_of[i] = -1;
    }
    for (int64_t c = 0; c < k->classes; c++) {
        k->accepted[c].count = 0;
    }
    while (waiting > 0 && k->counters->bids < last_bid) {
        const int32_t i = queue[--waiting];
        const class_choice_t choice = look_at_classes(k, i);
        if (choice.at < 0) {
            return SOLVED; /* no class costs less than +inf */
        }
        const double lead = choice.second - choice.first;
        const double bid = k->price[choice.at] + ((lead < k->largest ? lead : k->largest) + epsilon);
        heap_t *accepted = &k->accepted[choice.at];
        if (!(bid > k->price[choice.at])) {
            return SOLVED;
        }
        if (!heap_push(accepted, bid, i)) {
            return OUT_OF_MEMORY;
        }
        k->class_of[i] = (int32_t)choice.at;
        k->counters->bids++;
        if (accepted->count > k->places[choice.at]) {
            const int32_t dropped = heap_pop(accepted).item;
            k->class_of[dropped] = -1;
            queue[waiting++] = dropped;
        }
        if (accepted->count == k->places[choice.at]) {
            k->price[choice.at] = accepted->entries[0].key;
        }
        if (k->counters->bids % BIDDERS_PER_LOOK == 0) {
            const outcome_t outcome = stopped(k->stop);
            if (outcome != SOLVED) {
                return outcome;
            }
        }
    }
    *done = waiting == 0;
    return SOLVED;
}

/* ---- the exact end ---- */

static void join(classes_t *k, int64_t bidder, int64_t c) {
    k->class_of[bidder] = (int32_t)c;
    k->place[bidder] = (int32_t)k->count[c];
    k->members[c][k->count[c]++] = (int32_t)bidder;
    k->stale[c] = 1;
}

static void leave(classes_t *k, int64_t bidder) {
    const int32_t c = k->class_of[bidder], last = k->members[c][--k->count[c]];
    k->members[c][k->place[bidder]] = last;
    k->place[last] = k->place[bidder];
    k->stale[c] = 1;
}

/* The least loss of a member of class a for each other class. */
static void take_losses(classes_t *k, int64_t a) {
    double *loss = k->loss[a];
    int32_t *loser = k->loser[a];
    for (int64_t c = 0; c < k->padded; c++) {
        loss[c] = INFINITY;
    }
    for (int64_t p = 0; p < k->count[a]; p++) {
        class_costs(k->costs, k->members[a][p], k->cost);
        const v4_t own = v4_all(k->cost[a]);
        for (int64_t c = 0; c < k->padded; c += WIDTH) {
            const v4_t here = v4_sub(v4_load(k->cost + c), own), known = v4_load(loss + c);
            for (unsigned lanes = v4_below(here, known); lanes; lanes &= lanes - 1) {
                loser[c + first_lane(lanes)] = k->members[a][p];
            }
            v4_store(loss + c, v4_min(here, known));
        }
    }
    k->counters->row_scans += k->count[a];
    k->stale[a] = 0;
}

/* Find the bidder a place by the cheapest chain of moves. */
static void place_by_path(classes_t *k, int64_t bidder) {
    const double low = look_at_classes(k, bidder).first;
    for (int64_t c = 0; c < k->classes; c++) {
        const double over = k->cost[c] + k->price[c] - low;
        k->distance[c] = over > k->rounding * (fabs(k->cost[c]) + fabs(k->price[c])) ? over : 0.0;
        k->from_class[c] = -1;
        k->by[c] = (int32_t)bidder;
        k->closed[c] = 0;
    }
    int64_t nearest;
    for (;;) {
        nearest = -1;
        for (int64_t c = 0; c < k->classes; c++) {
            const int better =
                !k->closed[c] && (nearest < 0 || k->distance[c] < k->distance[nearest] ||
                                  (k->distance[c] == k->distance[nearest] && k->count[c] < k->places[c] &&
                                   k->count[nearest] == k->places[nearest]));
            nearest = better ? c : nearest;
        }
        /* There are as many places as bidders, and this one is without. */
        if (k->count[nearest] < k->places[nearest]) {
            break;
        }
        k->closed[nearest] = 1;
        k->counters->path_rows++;
        if (k->stale[nearest]) {
            take_losses(k, nearest);
        }
        for (int64_t c = 0; c < k->classes; c++) {
            const double over = k->loss[nearest][c] + k->price[c] - k->price[nearest];
            const double size = fabs(k->loss[nearest][c]) + fabs(k->price[c]) + fabs(k->price[nearest]);
            const double length = k->distance[nearest] + (over > k->rounding * size ? over : 0.0);
            /* There is a loser only of a loss that is a number. */
            if (!k->closed[c] && length < k->distance[c] && k->loss[nearest][c] < INFINITY) {
                k->distance[c] = length;
                k->from_class[c] = (int32_t)nearest;
                k->by[c] = k->loser[nearest][c];
            }
        }
    }
    for (int64_t c = 0; c < k->classes; c++) {
        k->price[c] += k->closed[c] ? k->distance[nearest] - k->distance[c] : 0.0;
    }
    for (int64_t c = nearest; c >= 0; c = k->from_class[c]) {
        if (k->from_class[c] >= 0) {
            leave(k, k->by[c]);
        }
        join(k, k->by[c], c);
    }
    k->counters->augmentations++;
}

/* Whether a class is worth as much as the best, to the bidder whose costs were taken. */
static inline int as_cheap(const classes_t *k, int64_t c, double low) {
    return k->cost[c] + k->price[c] - low <= k->rounding * (fabs(k->cost[c]) + fabs(k->price[c]));
}

static outcome_t place_exactly(classes_t *k, int32_t *waiting) {
    int64_t count = 0, left = 0;
    for (int64_t i = 0; i < k->bidders; i++) {
        const class_choice_t choice = look_at_classes(k, i);
        const int32_t held = k->class_of[i];
        k->class_of[i] = -1;
        if (held >= 0 && as_cheap(k, held, choice.first)) {
            join(k, i, held);
        } else {
            waiting[count++] = (int32_t)i;
        }
    }
    /* Whoever finds a place in a class that is among its cheapest needs no path. */
    for (int64_t w = 0; w < count; w++) {
        const class_choice_t choice = look_at_classes(k, waiting[w]);
        int64_t c = 0;
        while (c < k->classes && !(as_cheap(k, c, choice.first) && k->count[c] < k->places[c])) {
            c++;
        }
        if (c < k->classes) {
            join(k, waiting[w], c);
        } else {
            waiting[left++] = waiting[w];
        }
    }
    for (int64_t w = 0; w < left; w++) {
        const outcome_t outcome = stopped(k->stop);
        if (outcome != SOLVED) {
            return outcome;
        }
        place_by_path(k, waiting[w]);
    }
    return SOLVED;
}

/* Part of the range of costs that epsilon starts at, and what it ends at over the number of bidders. */
static const double CLASS_START = 0.01, CLASS_END = 0.02, CLASS_SCALING = 7.0;

/* The class of every bidder at least cost in all, in k->class_of, and the duals: k->price of the classes, and for a
 * bidder its smallest cost plus price. */
static outcome_t solve_classes(classes_t *k, arena_t *a) {
    int32_t *queue = arena_take(a, k->bidders, sizeof *queue);
    if (!queue || !classes_make(k, a)) {
        return OUT_OF_MEMORY;
    }
    outcome_t outcome = SOLVED;
    const double end = CLASS_END * k->largest / (double)k->bidders;
    int done = k->classes > 1;
    for (double epsilon = CLASS_START * k->largest; outcome == SOLVED && done && epsilon > 0.0;) {
        outcome = class_phase(k, epsilon, queue, &done);
        if (epsilon <= end) {
            break;
        }
        epsilon = epsilon / CLASS_SCALING > end ? epsilon / CLASS_SCALING : end;
    }
    return outcome == SOLVED ? place_exactly(k, queue) : outcome;
}

#endif
