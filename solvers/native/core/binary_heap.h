/* Binary min-heap of (key, item): the priority queue of Dijkstra's searches and of prices. Equal keys are ordered by
 * item, so the order in which they come out does not depend on how the heap was filled. */
#pragma once

#include "core/arena.h"

typedef struct {
    double key;
    int32_t item;
} heap_entry_t;

typedef struct {
    heap_entry_t *entries;
    int64_t count, room;
    arena_t *arena;
} heap_t;

static inline void heap_make(heap_t *h, arena_t *a, int64_t room) {
    *h = (heap_t){.entries = arena_take(a, room, sizeof(heap_entry_t)), .room = room, .arena = a};
}

static inline int heap_before(heap_entry_t a, heap_entry_t b) {
    return a.key < b.key || (a.key == b.key && a.item < b.item);
}

/* Insert an entry; the capacity doubles as needed. False without memory. */
static inline int heap_push(heap_t *h, double key, int64_t item) {
    if (h->count == h->room) {
        heap_entry_t *more = arena_grow(h->arena, h->entries, 2 * h->room, sizeof *more);
        if (!more) {
            return 0;
        }
        h->entries = more;
        h->room *= 2;
    }
    const heap_entry_t entry = {key, (int32_t)item};
    int64_t at = h->count++;
    while (at > 0 && heap_before(entry, h->entries[(at - 1) / 2])) {
        h->entries[at] = h->entries[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    h->entries[at] = entry;
    return 1;
}

/* Remove and return the smallest entry of a heap that is not empty. */
static inline heap_entry_t heap_pop(heap_t *h) {
    const heap_entry_t first = h->entries[0], last = h->entries[--h->count];
    int64_t at = 0;
    for (;;) {
        int64_t child = 2 * at + 1;
        if (child >= h->count) {
            break;
        }
        if (child + 1 < h->count && heap_before(h->entries[child + 1], h->entries[child])) {
            child++;
        }
        if (!heap_before(h->entries[child], last)) {
            break;
        }
        h->entries[at] = h->entries[child];
        at = child;
    }
    h->entries[at] = last;
    return first;
}
