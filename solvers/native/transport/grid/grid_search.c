/* Breadth-first search on sets of cells, and lifts. */
#include "transport/grid/grid_search.h"

#include "core/portability.h"

/* Words that a search goes through between two looks at the clock. */
enum { WORDS_PER_CHECK = 1 << 17 };

int grid_search_init(grid_search_t *s, grid_level_t *l, const stop_t *stop) {
    arena_t *a = &l->arena;
    const int64_t margin = (l->axes ? l->stride[0] : 0) / 64 + 2, padded = l->words + 2 * margin;
    uint64_t *scratch[3];
    for (int k = 0; k < 3; k++) {
        scratch[k] = arena_take(a, padded, sizeof **scratch);
    }
    *s = (grid_search_t){
        .level = l,
        .sources = arena_take(a, l->words, sizeof *s->sources),
        .sinks = arena_take(a, l->words, sizeof *s->sinks),
        .reached = arena_take(a, l->words, sizeof *s->reached),
        .depth = arena_take(a, l->count, sizeof *s->depth),
        .hits = arena_take(a, l->count, sizeof *s->hits),
        .margin = margin,
        .until_check = WORDS_PER_CHECK,
        .stop = stop,
    };
    if (a->failed) {
        return 0;
    }
    s->front = scratch[0] + margin;
    s->next = scratch[1] + margin;
    s->leaving = scratch[2] + margin;
    for (int64_t i = 0; i < l->count; i++) {
        if (l->excess[i] > 0) {
            set_bit(s->sources, i);
        } else if (l->excess[i] < 0) {
            set_bit(s->sinks, i);
        }
    }
    return 1;
}

/* Part of a set: the words from `begin` to `end`, outside of which it is empty. */
typedef struct {
    int64_t begin, end;
} range_t;

/* Add to `next` the cells one open arc from the front in a direction. Shifting the bits by the stride moves all cells
 * of the front at once; an arc that leaves the grid is never open, so no bit leaves its line. */
static void advance(const grid_search_t *s, int64_t direction, range_t front) {
    const grid_level_t *l = s->level;
    const uint64_t *open = arcs_open(l, direction);
    const int64_t stride = l->stride[direction >> 1], jump = stride >> 6;
    const int shift = (int)(stride & 63);
    uint64_t *leaving = s->leaving, *next = s->next;
    for (int64_t w = front.begin; w < front.end; w++) {
        leaving[w] = s->front[w] & open[w];
    }
    leaving[front.begin - 1] = leaving[front.end] = 0;
    /* Shifts by 64 are undefined, so a word that is not shifted moves in two steps. */
    if (direction & 1) {
        const uint64_t *from = leaving + jump;
        for (int64_t w = front.begin - jump - 1; w < front.end - jump; w++) {
            next[w] |= from[w] >> shift | from[w + 1] << 1 << (63 - shift);
        }
    } else {
        const uint64_t *from = leaving - jump;
        for (int64_t w = front.begin + jump; w < front.end + jump + 1; w++) {
            next[w] |= from[w] << shift | from[w - 1] >> 1 >> (63 - shift);
        }
    }
}

/* Number the cells of the front and list the sinks among them. */
static void visit(grid_search_t *s, range_t front, int32_t depth) {
    for (int64_t w = front.begin; w < front.end; w++) {
        const uint64_t cells = s->front[w];
        for (uint64_t rest = cells; rest; rest &= rest - 1) {
            s->depth[w * 64 + lowest_bit(rest)] = depth;
        }
        for (uint64_t rest = cells & s->sinks[w]; rest; rest &= rest - 1) {
            s->hits[s->hit_count++] = (int32_t)(w * 64 + lowest_bit(rest));
        }
    }
}

/* Keep of `next` what is new, and return its range. */
static range_t take_new(grid_search_t *s, range_t range) {
    range_t found = {range.end, range.begin};
    for (int64_t w = range.begin; w < range.end; w++) {
        const uint64_t fresh = s->next[w] & ~s->reached[w];
        s->next[w] = fresh;
        s->reached[w] |= fresh;
        if (fresh) {
            found.begin = w < found.begin ? w : found.begin;
            found.end = w + 1;
        }
    }
    return found;
}

outcome_t grid_search_run(grid_search_t *s) {
    const grid_level_t *l = s->level;
    const int64_t margin = s->margin;
    range_t front = {0, l->words};
    memcpy(s->reached, s->sources, (size_t)l->words * sizeof *s->reached);
    memcpy(s->front, s->sources, (size_t)l->words * sizeof *s->front);
    s->hit_count = 0;
    for (int32_t depth = 0; front.begin < front.end; depth++) {
        visit(s, front, depth);
        /* The words that the front can touch. */
        const int64_t begin = front.begin - margin, end = front.end + margin;
        memset(s->next + begin, 0, (size_t)(end - begin) * sizeof *s->next);
        for (int64_t direction = 0; direction < 2 * l->axes; direction++) {
            advance(s, direction, front);
        }
        uint64_t *old = s->front;
        front = take_new(s, (range_t){begin > 0 ? begin : 0, end < l->words ? end : l->words});
        s->front = s->next;
        s->next = old;
        s->until_check -= (2 * l->axes + 1) * (end - begin);
        if (s->until_check <= 0) {
            s->until_check = WORDS_PER_CHECK;
            const outcome_t outcome = stopped(s->stop);
            if (outcome != SOLVED) {
                return outcome;
            }
        }
    }
    return SOLVED;
}

/* The word `w` of a set from which all cells are moved back by a stride: the bit of a cell is that of the cell ahead.
 */
static inline uint64_t word_ahead(const grid_search_t *s, int64_t w, int64_t stride) {
    const int64_t from = w + (stride >> 6), words = s->level->words;
    const int shift = (int)(stride & 63);
    const uint64_t low = from < words ? s->reached[from] >> shift : 0;
    return low | (from + 1 < words ? s->reached[from + 1] << 1 << (63 - shift) : 0);
}

/* At the edge from a reached cell to one that is not, return how far the reached one may be lifted; if that is `lift`,
 * the arc out of the set opens. An arc into the set closes: it carries no flow, or its other end would be reached. */
static inline int64_t lift_at_edge(const grid_search_t *s, int64_t cell, int64_t axis, int64_t lift) {
    const grid_level_t *l = s->level;
    const int64_t next = cell + l->stride[axis];
    const int here = has_bit(s->reached, cell);
    const int64_t high = here ? cell : next, low = here ? next : cell;
    const int64_t room = l->step[axis] - (l->height[high] - l->height[low]);
    if (lift > 0) {
        clear_bit(arcs_open(l, 2 * axis + here), low);
        if (room == lift) {
            set_bit(arcs_open(l, 2 * axis + !here), high);
        }
    }
    return room;
}

/* Go through the edges out of the set that was reached, and return the least that they allow it to be lifted. With a
 * `lift` above 0, open and close their arcs as it does. */
static int64_t lift_at_border(const grid_search_t *s, int64_t lift) {
    const grid_level_t *l = s->level;
    int64_t least = INT64_MAX;
    for (int64_t axis = 0; axis < l->axes; axis++) {
        const int64_t stride = l->stride[axis];
        for (int64_t w = 0; w < l->words; w++) {
            for (uint64_t rest = s->reached[w] ^ word_ahead(s, w, stride); rest; rest &= rest - 1) {
                const int64_t cell = w * 64 + lowest_bit(rest);
                /* The last cell of a line has none ahead. */
                if (cell < l->count && cell / stride % l->bins[axis] < l->bins[axis] - 1) {
                    const int64_t room = lift_at_edge(s, cell, axis, lift);
                    least = room < least ? room : least;
                }
            }
        }
    }
    return least;
}

void grid_search_lift(grid_search_t *s) {
    grid_level_t *l = s->level;
    const int64_t lift = lift_at_border(s, 0);
    lift_at_border(s, lift);
    for (int64_t i = 0; i < l->count; i++) {
        l->height[i] += has_bit(s->reached, i) ? lift : 0;
    }
}
