/* A walk around a tree, down each edge and up again, in chunks: so that all nodes of a subtree, which are one stretch
 * of the walk, can be lifted alike without a look at each, and hung elsewhere by any of them.
 *
 * Hanging a subtree by another node turns its stretch round, from where the walk comes to that node; that is a matter
 * of cutting and joining the list of chunks (M. R. Henzinger, V. King, "Randomized fully dynamic graph algorithms", J.
 * ACM 46 (1999), on Euler tours). Each chunk has a lift of its own. A chunk is a stretch of the walk as it was when it
 * was last laid out; cuts make more of them, and when there are too many, the walk is laid out anew.
 */
#ifndef LAPMARK_TOUR_H
#define LAPMARK_TOUR_H

#include "arena.h"

#include <math.h>

/* The height of a node is `raw` and what its chunk is lifted by. */
typedef struct {
    double raw;
    int32_t chunk; /* the one with the step down to the node */
} height_t;

/* The steps down to a node and up again. */
typedef struct {
    int32_t down, up;
} steps_t;

typedef struct {
    int64_t nodes, steps; /* two steps for each node but the root, 0 */
    height_t *height;     /* (nodes) */
    int32_t *down, *up;   /* (nodes) */
    int32_t *node;        /* (steps) that the step leads down to, -1 for a step up */
    int32_t *chunk_of;    /* (steps) */
    int32_t *place;       /* (steps) of the step in `order` */
    int32_t *order;       /* (steps) the walk, when it was last laid out */

    int32_t size, most, chunks;             /* steps of a chunk at first; chunks there is room for; those in use */
    int32_t *begin, *end, *next, *previous; /* (most) */
    double *lift;                           /* (most) */
    int32_t *spare;                         /* (steps) */
} tour_t;

/* Two chunks without steps stand at the ends: the first, to which the root belongs, and the last. A move cuts up to
 * MOVE times. */
enum { FIRST = 0, LAST = 1, MOVE = 6 };

static int tour_make(tour_t *t, arena_t *a, int64_t nodes) {
    const int64_t steps = 2 * (nodes - 1);
    /* A cut takes time for a chunk, a lift for the number of chunks, laying out for all steps: this balances them. */
    const int32_t size = 1 + (int32_t)sqrt((double)steps), most = 2 + 16 * size;
    *t = (tour_t){
        .nodes = nodes,
        .steps = steps,
        .height = arena_take(a, nodes, sizeof *t->height),
        .down = arena_take(a, nodes, sizeof *t->down),
        .up = arena_take(a, nodes, sizeof *t->up),
        .node = arena_take(a, steps, sizeof *t->node),
        .chunk_of = arena_take(a, steps, sizeof *t->chunk_of),
        .place = arena_take(a, steps, sizeof *t->place),
        .order = arena_take(a, steps, sizeof *t->order),
        .size = size,
        .most = most,
        .begin = arena_take(a, most, sizeof *t->begin),
        .end = arena_take(a, most, sizeof *t->end),
        .next = arena_take(a, most, sizeof *t->next),
        .previous = arena_take(a, most, sizeof *t->previous),
        .lift = arena_take(a, most, sizeof *t->lift),
        .spare = arena_take(a, steps, sizeof *t->spare),
    };
    for (int32_t node = 1; node < nodes && !a->failed; node++) {
        t->down[node] = 2 * (node - 1);
        t->up[node] = 2 * (node - 1) + 1;
        t->node[t->down[node]] = node;
        t->node[t->up[node]] = -1;
    }
    return !a->failed;
}

static inline double tour_height(const tour_t *t, int32_t node) {
    return t->height[node].raw + t->lift[t->height[node].chunk];
}

static inline int tour_is_ragged(const tour_t *t) { return t->chunks + MOVE > t->most; }

static inline void join(tour_t *t, int32_t chunk, int32_t next) {
    t->next[chunk] = next;
    t->previous[next] = chunk;
}

/* Steps of `order` that belong to a chunk from now on. */
static inline void claim(tour_t *t, int32_t chunk, int32_t begin, int32_t end) {
    t->begin[chunk] = begin;
    t->end[chunk] = end;
    for (int32_t k = begin; k < end; k++) {
        const int32_t step = t->order[k], node = t->node[step];
        t->chunk_of[step] = chunk;
        if (node >= 0) {
            t->height[node].chunk = chunk;
        }
    }
}

/* Lay out `order` in even chunks, none of them lifted. */
static void tour_lay(tour_t *t) {
    int32_t chunk = FIRST;
    t->chunks = 2;
    t->lift[FIRST] = t->lift[LAST] = 0.0;
    t->height[0].chunk = FIRST;
    for (int32_t k = 0; k < t->steps; k++) {
        t->place[t->order[k]] = k;
    }
    for (int64_t begin = 0; begin < t->steps; begin += t->size) {
        const int32_t fresh = t->chunks++;
        claim(t, fresh, (int32_t)begin, (int32_t)(begin + t->size < t->steps ? begin + t->size : t->steps));
        t->lift[fresh] = 0.0;
        join(t, chunk, fresh);
        chunk = fresh;
    }
    join(t, chunk, LAST);
}

/* Write the walk to `order` and lay it out anew. Heights are lost. */
static void tour_pack(tour_t *t) {
    int64_t count = 0;
    for (int32_t chunk = t->next[FIRST]; chunk != LAST; chunk = t->next[chunk]) {
        const int32_t steps = t->end[chunk] - t->begin[chunk];
        memcpy(t->spare + count, t->order + t->begin[chunk], (size_t)steps * sizeof *t->spare);
        count += steps;
    }
    int32_t *old = t->order;
    t->order = t->spare;
    t->spare = old;
    tour_lay(t);
}

/* Cut a chunk before one of its steps, or behind it; the chunk that then begins there. The shorter part is a new one.
 */
static int32_t cut(tour_t *t, int32_t step, int behind) {
    const int32_t chunk = t->chunk_of[step], at = t->place[step] + behind, begin = t->begin[chunk], end = t->end[chunk];
    if (at == begin) {
        return chunk;
    }
    if (at == end) {
        return t->next[chunk];
    }
    const int32_t fresh = t->chunks++;
    t->lift[fresh] = t->lift[chunk];
    if (at - begin < end - at) {
        claim(t, fresh, begin, at);
        t->begin[chunk] = at;
        join(t, t->previous[chunk], fresh);
        join(t, fresh, chunk);
        return chunk;
    }
    claim(t, fresh, at, end);
    t->end[chunk] = at;
    join(t, fresh, t->next[chunk]);
    join(t, chunk, fresh);
    return fresh;
}

/* Take what is below `node` off the walk, itself included, turn it round to begin at `top`, put it in where the walk
 * comes to `above`, and lift it. The steps down to `node` and up from it become those of `top`, for tour_give to say
 * so. */
static void tour_move(tour_t *t, int32_t node, int32_t top, int32_t above, double lift) {
    const int32_t down = t->down[node], up = t->up[node];
    /* A cut may leave an earlier one's name to what is now before it: names are asked for once all cuts are made. */
    cut(t, down, 0);
    cut(t, up, 1);
    if (top != node) {
        cut(t, down, 1);
        cut(t, up, 0);
        cut(t, t->down[top], 1);
    }
    const int32_t first = t->chunk_of[down], last = t->chunk_of[up], behind = t->next[last];
    if (top != node) {
        const int32_t inner = t->next[first], end = last, to_top = t->chunk_of[t->down[top]];
        const int32_t from_top = t->next[to_top], before_end = t->previous[end];
        join(t, first, from_top);
        join(t, before_end, inner);
        join(t, to_top, end);
    }
    join(t, t->previous[first], behind);
    const int32_t next = above == 0 ? t->next[FIRST] : cut(t, t->down[above], 1);
    join(t, t->previous[next], first);
    join(t, last, next);
    for (int32_t chunk = first; chunk != next; chunk = t->next[chunk]) {
        t->lift[chunk] += lift;
    }
}

static inline steps_t tour_steps(const tour_t *t, int32_t node) { return (steps_t){t->down[node], t->up[node]}; }

/* A node comes to be reached and left by other steps, at the height that it has. */
static inline void tour_give(tour_t *t, int32_t node, steps_t steps) {
    const double height = tour_height(t, node);
    t->down[node] = steps.down;
    t->up[node] = steps.up;
    t->node[steps.down] = node;
    t->node[steps.up] = -1;
    t->height[node].chunk = t->chunk_of[steps.down];
    t->height[node].raw = height - t->lift[t->height[node].chunk];
}

#endif
