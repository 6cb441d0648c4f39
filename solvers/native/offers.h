/* Columns on offer to a row, and the choice of the cheapest. */
#ifndef LAPMARK_OFFERS_H
#define LAPMARK_OFFERS_H

#include <stdint.h>

typedef struct {
    double value; /* cost plus price */
    double cost;
    int32_t column;
} offer_t;

static inline void offers_swap(offer_t *a, offer_t *b) {
    const offer_t kept = *a;
    *a = *b;
    *b = kept;
}

static inline void offers_reverse(offer_t *offers, int64_t count) {
    for (int64_t a = 0, b = count - 1; a < b; a++, b--) {
        offers_swap(offers + a, offers + b);
    }
}

/* Move the `k` cheapest of `count` offers to the front and the next cheapest to place k < count (Hoare's selection).
 * Values alone decide, so the choice among equal ones depends on their order, which is the same in every build. */
static inline void offers_select(offer_t *offers, int64_t count, int64_t k) {
    int64_t low = 0, high = count - 1;
    while (low < high) {
        const double a = offers[low].value, b = offers[(low + high) / 2].value, c = offers[high].value;
        const double pivot = a < b ? (b < c ? b : (a < c ? c : a)) : (a < c ? a : (b < c ? c : b));
        int64_t l = low, h = high;
        while (l <= h) {
            while (offers[l].value < pivot) {
                l++;
            }
            while (offers[h].value > pivot) {
                h--;
            }
            if (l <= h) {
                offers_swap(offers + l++, offers + h--);
            }
        }
        if (k <= h) {
            high = h;
        } else if (k >= l) {
            low = l;
        } else {
            return;
        }
    }
}

/* Move the offers of at most this value to the front; how many there are. */
static inline int64_t offers_gather_ties(offer_t *offers, int64_t count, double value) {
    int64_t ties = 0;
    for (int64_t s = 0; s < count; s++) {
        if (offers[s].value <= value) {
            offers_swap(offers + s, offers + ties++);
        }
    }
    return ties;
}

#endif
