/* Matrices with few distinct rows, or few distinct columns: these are classes of identical places (class_auction.h). */
#pragma once

#include "cascade/dense_costs.inc.h"
#include "cascade/starting_prices/class_auction.h"
#include "cascade/starting_prices/representatives.inc.h"

/* Costs of each bidder to one member of each class, side by side. */
typedef struct {
    const double *packed; /* (bidders, padded) */
    int64_t padded;
} packed_costs_t;

static void packed_class_costs(const void *costs, int64_t bidder, double *cost) {
    const packed_costs_t *c = costs;
    memcpy(cost, c->packed + bidder * c->padded, (size_t)c->padded * sizeof *cost);
}

/* A row or column with the hash of some of its entries. */
typedef struct {
    uint64_t digest;
    int32_t member;
} digest_t;

/* Members per class, on average, from which on classes pay; entries that are hashed, in two stretches. */
enum { LEAST_ALIKE = 8, DIGESTED = 64 };

static inline uint64_t digest_entry(uint64_t digest, cost_t cost) {
    const double value = (double)cost;
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    digest = (digest ^ bits) * 0x9e3779b97f4a7c15u;
    return digest ^ digest >> 29;
}

static void digest_rows(const auction_t *k, digest_t *rows) {
    const int64_t length = k->m < DIGESTED ? k->m / 2 : DIGESTED / 2;
    for (int64_t i = 0; i < k->n; i++) {
        const cost_t *c = row_of(k->costs, i);
        rows[i] = (digest_t){0, (int32_t)i};
        for (int64_t j = 0; j < length; j++) {
            rows[i].digest = digest_entry(digest_entry(rows[i].digest, c[j]), c[k->m - 1 - j]);
        }
    }
}

static void digest_columns(const auction_t *k, digest_t *columns) {
    const int64_t length = k->n < DIGESTED ? k->n : DIGESTED;
    for (int64_t j = 0; j < k->m; j++) {
        columns[j] = (digest_t){0, (int32_t)j};
    }
    for (int64_t s = 0; s < length; s++) {
        const cost_t *c = row_of(k->costs, s * k->n / length);
        for (int64_t j = 0; j < k->m; j++) {
            columns[j].digest = digest_entry(columns[j].digest, c[j]);
        }
    }
}

static int by_digest(const void *a, const void *b) {
    const digest_t *p = a, *q = b;
    return p->digest != q->digest ? (p->digest > q->digest) - (p->digest < q->digest)
                                  : (p->member > q->member) - (p->member < q->member);
}

/* Number the classes in the order of their hashes: write the class of each member, and one member of each class. Return
 * their number; 0 if they are too many for classes to pay. */
static int64_t number_classes(digest_t *members, int64_t count, int32_t *class_of, int32_t *one) {
    int64_t classes = 0;
    qsort(members, (size_t)count, sizeof *members, by_digest);
    for (int64_t s = 0; s < count; s++) {
        if (s == 0 || members[s].digest != members[s - 1].digest) {
            if ((classes + 1) * LEAST_ALIKE > count || classes + 1 == MOST_CLASSES) {
                return 0;
            }
            one[classes++] = members[s].member;
        }
        class_of[members[s].member] = (int32_t)(classes - 1);
    }
    return classes;
}

/* With columns as bidders and rows as members: check that the rows of a class are indeed equal, and pack their costs.
 */
static int pack_rows(const auction_t *k, const int32_t *class_of, const int32_t *one, int64_t classes, double *packed,
                     int64_t padded) {
    for (int64_t i = 0; i < k->n; i++) {
        const cost_t *same = row_of(k->costs, one[class_of[i]]);
        if (memcmp(row_of(k->costs, i), same, (size_t)k->m * sizeof *same) != 0) {
            return 0;
        }
    }
    for (int64_t c = 0; c < classes; c++) {
        const cost_t *row = row_of(k->costs, one[c]);
        for (int64_t j = 0; j < k->m; j++) {
            packed[j * padded + c] = (double)row[j];
        }
    }
    return 1;
}

/* The same with columns as members and rows as bidders. */
static int pack_columns(const auction_t *k, const int32_t *class_of, const int32_t *one, int64_t classes,
                        double *packed, int64_t padded) {
    for (int64_t i = 0; i < k->n; i++) {
        const cost_t *row = row_of(k->costs, i);
        double *costs = packed + i * padded;
        for (int64_t c = 0; c < classes; c++) {
            costs[c] = (double)row[one[c]];
        }
        int same = 1;
        for (int64_t j = 0; j < k->m; j++) {
            same &= (double)row[j] == costs[class_of[j]];
        }
        if (!same) {
            return 0;
        }
    }
    return 1;
}

/* Convert the result to the auction. Spare places cost nothing: prices count from theirs. */
static void hold_places(auction_t *k, path_search_t *s, const class_auction_t *c, int columns_alike,
                        const int32_t *class_of, int64_t spare_class) {
    /* Linked lists of the members of each class. */
    int32_t *next = s->from, *first = s->reached;
    const int64_t members = columns_alike ? k->m : k->n;
    for (int64_t a = 0; a < c->classes; a++) {
        first[a] = -1;
    }
    for (int64_t b = members - 1; b >= 0; b--) {
        next[b] = first[class_of[b]];
        first[class_of[b]] = (int32_t)b;
    }
    const double level = spare_class >= 0 ? c->price[spare_class] : 0.0;
    for (int64_t b = 0; b < c->bidders; b++) {
        const int32_t a = c->class_of[b];
        if (!columns_alike) {
            packed_class_costs(c->costs, b, c->cost);
            const double v = a == spare_class ? 0.0 : c->cost[a] + c->price[a] - level;
            k->price[b] = spare_class >= 0 && v > 0.0 ? 0.0 : -v;
        }
        if (a != spare_class) {
            const int32_t member = first[a];
            first[a] = next[member];
            k->held[columns_alike ? b : member] = (int32_t)(columns_alike ? member : b);
        }
    }
    for (int64_t j = 0; columns_alike && j < k->m; j++) {
        k->price[j] = c->price[class_of[j]];
    }
    s->u[k->n] = 0.0;
}

/* Members that are drawn, per root of their number: then a few of them share a class if classes pay; and entries of
 * each that are compared. */
enum { DRAWN_PER_ROOT = 3, MOST_DRAWN = 512, DRAWN_DIGESTED = 16 };

/* Whether two of some members drawn at random are equal in a few entries. */
static int some_are_alike(const auction_t *k, int columns_alike) {
    const int64_t members = columns_alike ? k->m : k->n, others = columns_alike ? k->n : k->m;
    const double root = DRAWN_PER_ROOT * sqrt((double)members);
    const int64_t drawn = root < MOST_DRAWN ? (int64_t)root : MOST_DRAWN;
    digest_t digests[MOST_DRAWN];
    for (int64_t s = 0; s < drawn; s++) {
        digests[s] = (digest_t){0, (int32_t)(scrambled((uint64_t)s) % (uint64_t)members)};
    }
    for (int64_t e = 0; e < DRAWN_DIGESTED; e++) {
        /* Rows are read in two stretches, since a stretch is as fast to read as one entry. */
        const int64_t at = columns_alike ? e * others / DRAWN_DIGESTED : e % 2 ? others - 1 - e / 2 : e / 2;
        for (int64_t s = 0; s < drawn; s++) {
            const int64_t member = digests[s].member;
            const cost_t cost = columns_alike ? row_of(k->costs, at)[member] : row_of(k->costs, member)[at];
            digests[s].digest = digest_entry(digests[s].digest, cost);
        }
    }
    qsort(digests, (size_t)drawn, sizeof *digests, by_digest);
    for (int64_t s = 1; s < drawn; s++) {
        if (digests[s].digest == digests[s - 1].digest && digests[s].member != digests[s - 1].member) {
            return 1;
        }
    }
    return 0;
}

/* For costs without forbidden pairs; columns can be classes only if every one is matched. */
static outcome_t start_duplicates(auction_t *k, path_search_t *s, int columns_alike, double range, start_t *start) {
    if (!some_are_alike(k, columns_alike)) {
        return SOLVED;
    }
    arena_t arena = {0};
    const int64_t members = columns_alike ? k->m : k->n, bidders = columns_alike ? k->n : k->m;
    digest_t *digests = arena_take(&arena, members, sizeof *digests);
    int32_t *class_of = arena_take(&arena, members, sizeof *class_of);
    int32_t *one = arena_take(&arena, MOST_CLASSES, sizeof *one);
    outcome_t outcome = OUT_OF_MEMORY;
    if (!arena.failed) {
        outcome = SOLVED;
        if (columns_alike) {
            digest_columns(k, digests);
        } else {
            digest_rows(k, digests);
        }
        const int64_t kinds = number_classes(digests, members, class_of, one), classes = kinds + (k->spare > 0);
        const int64_t padded = padded_to_width(classes);
        double *packed = kinds > 0 ? arena_take(&arena, bidders * padded, sizeof *packed) : NULL;
        int64_t *places = arena_take(&arena, classes, sizeof *places);
        if (arena.failed) {
            outcome = OUT_OF_MEMORY;
        } else if (packed && (columns_alike ? pack_columns : pack_rows)(k, class_of, one, kinds, packed, padded)) {
            const packed_costs_t costs = {packed, padded};
            class_auction_t c = {.costs = &costs,
                                 .costs_of = packed_class_costs,
                                 .bidders = bidders,
                                 .classes = classes,
                                 .places = places,
                                 .largest = range,
                                 .counters = k->counters,
                                 .stop = k->stop};
            for (int64_t b = 0; b < members; b++) {
                places[class_of[b]]++;
            }
            if (k->spare > 0) {
                places[kinds] = k->spare;
            }
            outcome = class_auction_solve(&c, &arena);
            if (outcome == SOLVED) {
                hold_places(k, s, &c, columns_alike, class_of, k->spare > 0 ? kinds : -1);
                *start = START_OPTIMUM;
            }
        }
    }
    arena_free(&arena);
    return outcome;
}
