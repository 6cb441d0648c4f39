/* Arena allocator: a solver takes its arrays from an arena, checks `failed` once, and frees all of them in one place,
 * however it ends. */
#pragma once

#include "core/portability.h"

#include <stdlib.h>
#include <string.h>

enum { CACHE_LINE = 64 /* bytes */ };

/* Memory of its own, aligned to a cache line, for aligned_memory_free; NULL if there is none. */
static inline double *cache_aligned(int64_t doubles) {
    return aligned_memory(CACHE_LINE, (size_t)doubles * sizeof(double));
}

typedef struct arena_block {
    struct arena_block *next;
    max_align_t content[];
} arena_block_t;

typedef struct {
    arena_block_t *blocks;
    int failed;
} arena_t;

/* Return zeroed memory for `count` items. Without memory return NULL and set `failed` for good. */
static inline void *arena_take(arena_t *a, int64_t count, size_t size) {
    const size_t items = (size_t)(count > 0 ? count : 1);
    arena_block_t *block = NULL;
    if (!a->failed && items <= (SIZE_MAX - sizeof *block) / size) {
        block = calloc(1, sizeof *block + items * size);
    }
    if (!block) {
        a->failed = 1;
        return NULL;
    }
    block->next = a->blocks;
    a->blocks = block;
    return block->content;
}

/* Enlarge an array from arena_take and return its new address. Without memory return NULL and set `failed` for good. */
static inline void *arena_grow(arena_t *a, void *content, int64_t count, size_t size) {
    arena_block_t **at = &a->blocks;
    while ((void *)(*at)->content != content) {
        at = &(*at)->next;
    }
    arena_block_t *block = NULL;
    if (!a->failed && (size_t)count <= (SIZE_MAX - sizeof *block) / size) {
        block = realloc(*at, sizeof *block + (size_t)count * size);
    }
    if (!block) {
        a->failed = 1;
        return NULL;
    }
    *at = block;
    return block->content;
}

static inline void arena_free(arena_t *a) {
    while (a->blocks) {
        arena_block_t *next = a->blocks->next;
        free(a->blocks);
        a->blocks = next;
    }
    a->failed = 0;
}
