/* Decomposition of a flow into shipments.
 *
 * Mass travels in parcels that know where they come from. Flow leads downwards only, so there is an order in which all
 * parcels of a cell have arrived before it hands them on: some it keeps, and one of them is divided where an edge takes
 * less. */
#include "transport/grid/flow_decomposition.h"

enum { NONE = -1, CELLS_PER_CHECK = 1 << 12 };

typedef struct {
    mass_t amount;
    int32_t from, next;
} parcel_t;

/* A list of parcels. */
typedef struct {
    int32_t first, last;
} parcels_t;

typedef struct {
    grid_flow_t *task;
    const grid_level_t *level;
    parcel_t *parcels; /* (room) */
    int32_t used;
    parcels_t *at;   /* (count) of each cell */
    uint8_t *awaits; /* (count) number of edges that have yet to deliver */
} decomposition_t;

static void append(decomposition_t *d, parcels_t *list, int32_t first, int32_t last) {
    if (list->first == NONE) {
        list->first = first;
    } else {
        d->parcels[list->last].next = first;
    }
    list->last = last;
    d->parcels[last].next = NONE;
}

static int32_t new_parcel(decomposition_t *d, int32_t from, mass_t amount) {
    d->parcels[d->used] = (parcel_t){amount, from, NONE};
    return d->used++;
}

/* Take an amount from the front of a list, which holds at least that. */
static parcels_t take(decomposition_t *d, parcels_t *list, mass_t amount) {
    parcels_t taken = {list->first, list->first};
    for (;;) {
        parcel_t *parcel = &d->parcels[taken.last];
        if (parcel->amount > amount) {
            const int32_t rest = new_parcel(d, parcel->from, parcel->amount - amount);
            d->parcels[rest].next = parcel->next;
            list->last = list->last == taken.last ? rest : list->last;
            list->first = rest;
            parcel->amount = amount;
            parcel->next = NONE;
            return taken;
        }
        amount -= parcel->amount;
        if (amount == 0) {
            list->first = parcel->next;
            parcel->next = NONE;
            return taken;
        }
        taken.last = parcel->next;
    }
}

static void write(grid_flow_t *t, int64_t from, int64_t to, mass_t amount) {
    t->rows[t->pairs] = (int32_t)from;
    t->columns[t->pairs] = (int32_t)to;
    t->shipped[t->pairs++] = amount;
}

/* The amount that a cell sends in a direction; below 0 if it receives from there. */
static mass_t sent(const grid_level_t *l, int64_t cell, int64_t direction) {
    const int64_t k = direction >> 1, place = cell / l->stride[k] % l->bins[k];
    if (place == (direction & 1 ? 0 : l->bins[k] - 1)) {
        return 0;
    }
    const mass_t flow = *flow_of(l, cell, direction);
    return direction & 1 ? -flow : flow;
}

/* Hand on what has arrived at a cell. Cells that then have received everything are added to `ready`. */
static int64_t hand_on(decomposition_t *d, int64_t cell, int32_t *ready, int64_t count) {
    const grid_level_t *l = d->level;
    parcels_t *list = &d->at[cell];
    const mass_t own = d->task->supply[cell] - d->task->demand[cell];
    if (own > 0) {
        const int32_t parcel = new_parcel(d, (int32_t)cell, own);
        append(d, list, parcel, parcel);
    } else if (own < 0) {
        const parcels_t kept = take(d, list, -own);
        for (int32_t k = kept.first; k != NONE; k = d->parcels[k].next) {
            write(d->task, d->parcels[k].from, cell, d->parcels[k].amount);
        }
    }
    for (int64_t direction = 0; direction < 2 * l->axes; direction++) {
        const mass_t amount = sent(l, cell, direction);
        if (amount > 0) {
            const int64_t to = cell + offset_of(l, direction);
            const parcels_t taken = take(d, list, amount);
            append(d, &d->at[to], taken.first, taken.last);
            if (--d->awaits[to] == 0) {
                ready[count++] = (int32_t)to;
            }
        }
    }
    return count;
}

outcome_t flow_decompose(grid_flow_t *t, const grid_level_t *l) {
    arena_t arena = {0};
    const int64_t n = l->count;
    int32_t *ready = arena_take(&arena, n, sizeof *ready);
    decomposition_t d = {
        .task = t,
        .level = l,
        .parcels = arena_take(&arena, grid_flow_room(l->axes, n), sizeof *d.parcels),
        .at = arena_take(&arena, n, sizeof *d.at),
        .awaits = arena_take(&arena, n, sizeof *d.awaits),
    };
    outcome_t outcome = arena.failed ? OUT_OF_MEMORY : SOLVED;
    int64_t count = 0;
    t->pairs = 0;
    for (int64_t i = 0; i < n && outcome == SOLVED; i++) {
        const mass_t stays = t->supply[i] < t->demand[i] ? t->supply[i] : t->demand[i];
        if (stays > 0) {
            write(t, i, i, stays);
        }
        for (int64_t direction = 0; direction < 2 * l->axes; direction++) {
            d.awaits[i] += sent(l, i, direction) < 0;
        }
        d.at[i] = (parcels_t){NONE, NONE};
        if (d.awaits[i] == 0) {
            ready[count++] = (int32_t)i;
        }
    }
    for (int64_t k = 0; k < count && outcome == SOLVED; k++) {
        count = hand_on(&d, ready[k], ready, count);
        outcome = stopped_every(&t->stop, k, CELLS_PER_CHECK);
    }
    arena_free(&arena);
    return outcome;
}
