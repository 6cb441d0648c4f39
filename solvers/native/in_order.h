/* Rows and columns matched in an order of their own, as Monge costs ask for, and the prices that go with it.
 *
 * A source includes this after it has defined
 *
 *     static double cost_of(const costs_t *c, int64_t i, int64_t j);
 */
#ifndef LAPMARK_IN_ORDER_H
#define LAPMARK_IN_ORDER_H

#include "market.h"
#include "ranked.h"

typedef struct {
    double key;
    int32_t item;
} keyed_t;

static int by_key(const void *a, const void *b) {
    const keyed_t *x = a, *y = b;
    const int order = compare_values(x->key, y->key);
    return order ? order : (x->item > y->item) - (x->item < y->item);
}

static double cost_of(const costs_t *c, int64_t i, int64_t j);

/* Hold the pairs in order, at prices between what the two neighbours of each step ask for. */
static void hold_in_order(market_t *k, const keyed_t *rows, const keyed_t *columns) {
    double price = 0.0;
    for (int64_t a = 0; a < k->n; a++) {
        const int64_t i = rows[a].item, j = columns[a].item;
        if (a > 0) {
            const int64_t row_before = rows[a - 1].item, column_before = columns[a - 1].item;
            price += 0.5 * (cost_of(k->costs, row_before, column_before) - cost_of(k->costs, row_before, j)) +
                     0.5 * (cost_of(k->costs, i, column_before) - cost_of(k->costs, i, j));
        }
        k->price[j] = price;
        k->owner[j] = (int32_t)i;
        k->held[i] = (int32_t)j;
        k->held_cost[i] = cost_of(k->costs, i, j);
    }
}

#endif
