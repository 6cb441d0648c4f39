/* Levels of resolution of a grid. */
#include "transport/grid/grid_level.h"

int grid_level_init(grid_level_t *l, const grid_t *grid) {
    *l = (grid_level_t){.count = 1};
    for (int64_t k = 0; k < grid->axes; k++) {
        if (grid->bins[k] > 1) {
            l->bins[l->axes] = grid->bins[k];
            l->step[l->axes++] = grid->step[k];
        }
    }
    for (int64_t k = l->axes - 1; k >= 0; k--) {
        l->stride[k] = l->count;
        l->count *= l->bins[k];
    }
    l->words = (l->count + 63) / 64;
    l->height = arena_take(&l->arena, l->count, sizeof *l->height);
    l->excess = arena_take(&l->arena, l->count, sizeof *l->excess);
    l->flow = arena_take(&l->arena, l->axes * l->count, sizeof *l->flow);
    l->open = arena_take(&l->arena, 2 * l->axes * l->words, sizeof *l->open);
    return !l->arena.failed;
}

int grid_level_coarsen(const grid_level_t *fine, grid_level_t *coarse) {
    int64_t bins[MOST_AXES], step[MOST_AXES], stride[MOST_AXES], at[MOST_AXES] = {0};
    for (int64_t k = 0; k < fine->axes; k++) {
        bins[k] = (fine->bins[k] + 1) / 2;
        step[k] = 2 * fine->step[k];
    }
    if (!grid_level_init(coarse, &(grid_t){fine->axes, bins, step})) {
        return 0;
    }
    for (int64_t k = fine->axes - 1, cells = 1; k >= 0; k--) {
        stride[k] = cells;
        cells *= bins[k];
    }
    for (int64_t i = 0; i < fine->count; i++) {
        int64_t group = 0;
        for (int64_t k = 0; k < fine->axes; k++) {
            group += at[k] / 2 * stride[k];
        }
        coarse->excess[group] += fine->excess[i];
        for (int64_t k = fine->axes - 1; k >= 0 && ++at[k] == fine->bins[k]; k--) {
            at[k] = 0;
        }
    }
    return 1;
}

/* Along one axis, heights (outer, coarse, inner) become heights (outer, fine, inner). The middle of a coarse cell is
 * between two fine ones, so a fine cell takes a quarter from the neighbour on its side. Neighbours that differed by at
 * most two fine steps differ by at most one afterwards, and rounding down keeps that, since a step is an integer. */
static void refine_axis(const int64_t *from, int64_t coarse, int64_t *to, int64_t fine, int64_t outer, int64_t inner) {
    for (int64_t block = 0; block < outer; block++) {
        for (int64_t x = 0; x < fine; x++) {
            const int64_t here = x / 2, side = here + (x & 1 ? 1 : -1);
            const int64_t *near = from + (block * coarse + here) * inner;
            const int64_t *beside = side >= 0 && side < coarse ? from + (block * coarse + side) * inner : near;
            int64_t *row = to + (block * fine + x) * inner;
            for (int64_t k = 0; k < inner; k++) {
                row[k] = (3 * near[k] + beside[k]) / 4; /* heights are at least 0 */
            }
        }
    }
}

int grid_level_refine(const grid_level_t *coarse, grid_level_t *fine) {
    arena_t arena = {0};
    int64_t *from = arena_take(&arena, fine->count, sizeof *from), *to = arena_take(&arena, fine->count, sizeof *to);
    int64_t least = INT64_MAX, outer = 1, inner = coarse->count;
    for (int64_t i = 0; i < coarse->count; i++) {
        least = coarse->height[i] < least ? coarse->height[i] : least;
    }
    for (int64_t i = 0; i < coarse->count && !arena.failed; i++) {
        from[i] = coarse->height[i] - least;
    }
    for (int64_t k = 0; k < fine->axes && !arena.failed; k++) {
        const int64_t bins = (fine->bins[k] + 1) / 2;
        int64_t *done = to;
        inner /= bins;
        refine_axis(from, bins, to, fine->bins[k], outer, inner);
        outer *= fine->bins[k];
        to = from;
        from = done;
    }
    if (!arena.failed) {
        memcpy(fine->height, from, (size_t)fine->count * sizeof *from);
    }
    const int refined = !arena.failed;
    arena_free(&arena);
    return refined;
}

void grid_level_open_arcs(grid_level_t *l) {
    memset(l->open, 0, (size_t)(2 * l->axes * l->words) * sizeof *l->open);
    for (int64_t k = 0; k < l->axes; k++) {
        const int64_t stride = l->stride[k], line = stride * l->bins[k];
        uint64_t *ahead = arcs_open(l, 2 * k), *back = arcs_open(l, 2 * k + 1);
        for (int64_t begin = 0; begin < l->count; begin += line) {
            for (int64_t i = begin; i < begin + line - stride; i++) {
                const int64_t fall = l->height[i] - l->height[i + stride];
                if (fall == l->step[k]) {
                    set_bit(ahead, i);
                } else if (fall == -l->step[k]) {
                    set_bit(back, i + stride);
                }
            }
        }
    }
}
