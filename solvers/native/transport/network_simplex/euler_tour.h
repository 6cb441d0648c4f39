/* Euler tour of a spanning tree: a walk down each edge and up again, so that the nodes of a subtree are one stretch of
 * it. The walk is kept in chunks. All nodes of a subtree are lifted alike, and the subtree is hung from another node,
 * in O(sqrt(n)) steps.
 *
 * To hang a subtree by another of its nodes rotates its stretch to start there, which is a matter of cutting and
 * joining the list of chunks (M. R. Henzinger, V. King, "Randomized fully dynamic graph algorithms", J. ACM 46 (1999)).
 * Each chunk has a lift of its own. A chunk is a stretch of the walk as it was laid out last; cuts add chunks, and if
 * there are too many, the walk is laid out anew.
 */
#pragma once

#include "core/arena.h"
#include "core/variant_names.h"

/* The height of a node is `raw` plus the lift of its chunk. */
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

    int32_t size, most, chunks;             /* steps of a new chunk; capacity and number of chunks */
    int32_t *begin, *end, *next, *previous; /* (most) */
    double *lift;                           /* (most) */
    int32_t *spare;                         /* (steps) */
} euler_tour_t;

/* Two empty chunks stand at the ends: the first, which the root belongs to, and the last. A move makes at most MOVE
 * cuts. */
enum { FIRST = 0, LAST = 1, MOVE = 6 };

static inline double euler_tour_height(const euler_tour_t *t, int32_t node) {
    return t->height[node].raw + t->lift[t->height[node].chunk];
}

static inline int euler_tour_is_fragmented(const euler_tour_t *t) { return t->chunks + MOVE > t->most; }

static inline steps_t euler_tour_steps(const euler_tour_t *t, int32_t node) {
    return (steps_t){t->down[node], t->up[node]};
}

/* Give a node other steps, at the height that it has. */
static inline void euler_tour_assign(euler_tour_t *t, int32_t node, steps_t steps) {
    const double height = euler_tour_height(t, node);
    t->down[node] = steps.down;
    t->up[node] = steps.up;
    t->node[steps.down] = node;
    t->node[steps.up] = -1;
    t->height[node].chunk = t->chunk_of[steps.down];
    t->height[node].raw = height - t->lift[t->height[node].chunk];
}

#define euler_tour_init ISA_NAME(euler_tour_init)
#define euler_tour_lay_out ISA_NAME(euler_tour_lay_out)
#define euler_tour_compact ISA_NAME(euler_tour_compact)
#define euler_tour_move ISA_NAME(euler_tour_move)

int euler_tour_init(euler_tour_t *t, arena_t *a, int64_t nodes);

/* Lay out the walk in `order` in even chunks, none of them lifted. */
void euler_tour_lay_out(euler_tour_t *t);

/* Write the present walk to `order` and lay it out. Heights are lost. */
void euler_tour_compact(euler_tour_t *t);

/* Take what is below `node`, itself included, off the walk, rotate it to start at `top`, insert it where the walk
 * reaches `above`, and lift it. The steps down to `node` and up from it become those of `top`; the caller says so by
 * euler_tour_assign. */
void euler_tour_move(euler_tour_t *t, int32_t node, int32_t top, int32_t above, double lift);
