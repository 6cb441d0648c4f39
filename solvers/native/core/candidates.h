/* Candidate columns of a row, each with its cost plus price, and the selection of the cheapest. */
#pragma once

#include "core/sorting.h"

typedef struct {
    double value; /* cost plus price */
    double cost;
    int32_t column;
} candidate_t;

static inline void candidates_swap(candidate_t *a, candidate_t *b) {
    const candidate_t kept = *a;
    *a = *b;
    *b = kept;
}

static inline void candidates_reverse(candidate_t *candidates, int64_t count) {
    for (int64_t a = 0, b = count - 1; a < b; a++, b--) {
        candidates_swap(candidates + a, candidates + b);
    }
}

#define SELECT_FUNCTION candidates_quickselect
#define SELECT_PARAMETERS candidate_t *candidates
#define SELECT_KEY(place) candidates[place].value
#define SELECT_SWAP(a, b) candidates_swap(candidates + (a), candidates + (b))
#define SELECT_PIVOT(low, high) median_of_three(SELECT_KEY(low), SELECT_KEY((low + high) / 2), SELECT_KEY(high))
#include "core/quickselect.inc.h"

/* Move the k < count cheapest candidates to the front, and the next cheapest to place k. */
static inline void candidates_select(candidate_t *candidates, int64_t count, int64_t k) {
    candidates_quickselect(candidates, 0, count - 1, k);
}

/* Move the candidates of at most this value to the front, and return their number. */
static inline int64_t candidates_gather_ties(candidate_t *candidates, int64_t count, double value) {
    int64_t ties = 0;
    for (int64_t s = 0; s < count; s++) {
        if (candidates[s].value <= value) {
            candidates_swap(candidates + s, candidates + ties++);
        }
    }
    return ties;
}
