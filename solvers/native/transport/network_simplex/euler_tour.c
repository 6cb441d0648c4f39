/* Euler tour of a spanning tree in chunks. */
#include "transport/network_simplex/euler_tour.h"

#include <math.h>

int euler_tour_init(euler_tour_t *t, arena_t *a, int64_t nodes) {
    const int64_t steps = 2 * (nodes - 1);
    /* A cut takes time proportional to a chunk, a lift to the number of chunks, laying out to all steps: this balances
     * them. */
    const int32_t size = 1 + (int32_t)sqrt((double)steps), most = 2 + 16 * size;
    *t = (euler_tour_t){
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

static inline void join(euler_tour_t *t, int32_t chunk, int32_t next) {
    t->next[chunk] = next;
    t->previous[next] = chunk;
}

/* Assign the steps of `order` from `begin` to `end` to a chunk. */
static inline void claim(euler_tour_t *t, int32_t chunk, int32_t begin, int32_t end) {
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

void euler_tour_lay_out(euler_tour_t *t) {
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

void euler_tour_compact(euler_tour_t *t) {
    int64_t count = 0;
    for (int32_t chunk = t->next[FIRST]; chunk != LAST; chunk = t->next[chunk]) {
        const int32_t steps = t->end[chunk] - t->begin[chunk];
        memcpy(t->spare + count, t->order + t->begin[chunk], (size_t)steps * sizeof *t->spare);
        count += steps;
    }
    int32_t *old = t->order;
    t->order = t->spare;
    t->spare = old;
    euler_tour_lay_out(t);
}

/* Cut a chunk before one of its steps, or behind it, and return the chunk that starts there. The shorter part becomes a
 * new chunk. */
static int32_t cut(euler_tour_t *t, int32_t step, int behind) {
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

void euler_tour_move(euler_tour_t *t, int32_t node, int32_t top, int32_t above, double lift) {
    const int32_t down = t->down[node], up = t->up[node];
    /* A cut may give the name of an earlier chunk to the part before it: look names up after all cuts. */
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
