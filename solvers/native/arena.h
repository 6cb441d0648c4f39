/* Memory that is given back all at once: a solver asks for its arrays, looks at `failed` once, and frees them in one
 * place however it ends. */
#ifndef LAPMARK_ARENA_H
#define LAPMARK_ARENA_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct arena_block {
    struct arena_block *next;
    max_align_t content[];
} arena_block_t;

typedef struct {
    arena_block_t *blocks;
    int failed;
} arena_t;

/* Room for `count` items, all bits 0; NULL, and failed for good, where there is none. */
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

/* More room for what arena_take gave, whose content moves along; NULL, and failed for good, where there is none. */
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

#endif
