/* Assignment of N bidders to R classes of identical places, N places in all: for costs with few distinct rows, columns
 * or points. */
#pragma once

#include "assignment/assignment.h"
#include "core/binary_heap.h"
#include "core/variant_names.h"
#include "simd/simd.h"

/* More classes than this are not worth memory and time that grow with their square. */
enum { MOST_CLASSES = 1024 };

/* Write the finite costs of a bidder to all classes. */
typedef void class_cost_function_t(const void *costs, int64_t bidder, double *cost);

typedef struct {
    const void *costs;
    class_cost_function_t *costs_of;
    int64_t bidders, classes, padded; /* padded: classes, to a multiple of WIDTH */
    const int64_t *places;            /* (classes) their sum is `bidders` */
    double largest;                   /* the most that two costs can differ by */
    double rounding;                  /* relative rounding error of a value */
    counters_t *counters;
    const stop_t *stop;
    double *price;     /* (padded) those past the last class are +inf */
    int32_t *class_of; /* (bidders) -1: none */
    double *cost;      /* (padded) costs of the present bidder */
    heap_t *accepted;  /* (classes) bidders by bid */

    /* For the exact end. */
    int32_t **members;        /* (classes) (places) */
    int64_t *count;           /* (classes) members */
    int32_t *place;           /* (bidders) index among the members of the class */
    double **loss;            /* (classes) (padded) least loss of a member that moves to each other class */
    int32_t **loser;          /* (classes) (padded) that member */
    char *stale, *closed;     /* (classes) whether `loss` is out of date; whether the search has passed */
    double *distance;         /* (classes) */
    int32_t *from_class, *by; /* (classes) class before on the path, -1 at its start, and who moves along */
} class_auction_t;

#define class_auction_solve ISA_NAME(class_auction_solve)

/* Find the class of every bidder at least total cost, k->class_of, and the duals: k->price of the classes, and for a
 * bidder its smallest cost plus price. */
outcome_t class_auction_solve(class_auction_t *k, arena_t *a);
