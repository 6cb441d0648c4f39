/* Auction for classes of identical places.
 *
 * The members of a class are worth the same to every bidder, so bids for single members would only drive each other's
 * prices up by epsilon at a time. Instead a class has one price, its lowest accepted bid, and the second-best value is
 * taken over the other classes (D. P. Bertsekas, D. A. Castanon, "The auction algorithm for the transportation
 * problem", Annals of Operations Research 20 (1989), on similar objects). The end is exact: shortest paths over
 * classes, where the step from class a to b costs what the cheapest member of a to move would lose.
 *
 * A phase ends because every bid exceeds the price of its class by at least epsilon, and a full class drops its lowest
 * bid, so the sum of accepted bids rises. A budget of bids ends it earlier, as in auction_phase.c.
 */
#include "cascade/starting_prices/class_auction.h"

#include "simd/two_minima.h"

static int class_auction_init(class_auction_t *k, arena_t *a) {
    const int64_t r = k->classes;
    k->padded = padded_to_width(r);
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

/* Take the costs of a bidder; return its cheapest class, and the value of the cheapest other one. */
static inline two_minima_t best_class(class_auction_t *k, int64_t bidder) {
    k->costs_of(k->costs, bidder, k->cost);
    k->counters->row_scans++;
    lane_minima_t minima = lane_minima_none();
    for (int64_t c = 0; c < k->padded; c += WIDTH) {
        lane_minima_add(&minima, v4_add(v4_load(k->cost + c), v4_load(k->price + c)));
    }
    return lane_minima_result(&minima);
}

enum { CLASS_BIDS = 60, BIDDERS_PER_CHECK = 256 };

/* Run one phase, with the present prices and empty places. *done: whether all bidders found a place. */
static outcome_t class_phase(class_auction_t *k, double epsilon, int32_t *queue, int *done) {
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
        const two_minima_t choice = best_class(k, i);
        if (choice.at < 0) {
            return SOLVED; /* all classes cost +inf */
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
        if (k->counters->bids % BIDDERS_PER_CHECK == 0) {
            const outcome_t outcome = stopped(k->stop);
            if (outcome != SOLVED) {
                return outcome;
            }
        }
    }
    *done = waiting == 0;
    return SOLVED;
}

static void join(class_auction_t *k, int64_t bidder, int64_t c) {
    k->class_of[bidder] = (int32_t)c;
    k->place[bidder] = (int32_t)k->count[c];
    k->members[c][k->count[c]++] = (int32_t)bidder;
    k->stale[c] = 1;
}

static void leave(class_auction_t *k, int64_t bidder) {
    const int32_t c = k->class_of[bidder], last = k->members[c][--k->count[c]];
    k->members[c][k->place[bidder]] = last;
    k->place[last] = k->place[bidder];
    k->stale[c] = 1;
}

/* Find for each other class the member of class a that would lose the least by moving there. */
static void take_losses(class_auction_t *k, int64_t a) {
    double *loss = k->loss[a];
    int32_t *loser = k->loser[a];
    for (int64_t c = 0; c < k->padded; c++) {
        loss[c] = INFINITY;
    }
    for (int64_t p = 0; p < k->count[a]; p++) {
        k->costs_of(k->costs, k->members[a][p], k->cost);
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

/* Find a place for the bidder by the cheapest chain of moves. */
static void place_by_path(class_auction_t *k, int64_t bidder) {
    const double low = best_class(k, bidder).first;
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
        /* There are as many places as bidders, and this bidder has none, so a place is free. */
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
            /* A NaN loss has no loser. */
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

/* Whether a class is as good as the best, for the bidder whose costs were taken. */
static inline int as_cheap(const class_auction_t *k, int64_t c, double low) {
    return k->cost[c] + k->price[c] - low <= k->rounding * (fabs(k->cost[c]) + fabs(k->price[c]));
}

static outcome_t place_exactly(class_auction_t *k, int32_t *waiting) {
    int64_t count = 0, left = 0;
    for (int64_t i = 0; i < k->bidders; i++) {
        const two_minima_t choice = best_class(k, i);
        const int32_t held = k->class_of[i];
        k->class_of[i] = -1;
        if (held >= 0 && as_cheap(k, held, choice.first)) {
            join(k, i, held);
        } else {
            waiting[count++] = (int32_t)i;
        }
    }
    /* A bidder that finds a place in one of its cheapest classes needs no path. */
    for (int64_t w = 0; w < count; w++) {
        const two_minima_t choice = best_class(k, waiting[w]);
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

/* Epsilon at the start, relative to the range of costs; at the end, relative to that over the number of bidders. */
static const double CLASS_START = 0.01, CLASS_END = 0.02, CLASS_SCALING = 7.0;

outcome_t class_auction_solve(class_auction_t *k, arena_t *a) {
    int32_t *queue = arena_take(a, k->bidders, sizeof *queue);
    if (!queue || !class_auction_init(k, a)) {
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
