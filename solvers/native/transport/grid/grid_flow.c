/* Cheapest flow on a grid, by augmenting paths and dual ascent, coarse to fine.
 *
 * Heights start as those of a grid of half the resolution, which are nearly right, and flow starts at 0. Then, in
 * turns: search all cells that excess can reach without raising the cost; send as much as possible along shortest such
 * paths (E. A. Dinic, Soviet Math. Doklady 11 (1970)); and if no sink is among the cells reached, lift them by the
 * least that opens an arc. This is the primal-dual method (L. R. Ford, D. R. Fulkerson, Flows in Networks (1962)). Each
 * search ships mass or raises the dual bound, and lengths of paths are integers, so the turns end. */
#include "transport/grid/flow_decomposition.h"
#include "transport/grid/grid_search.h"

/* Cells of a level that is solved from heights of 0. */
enum { COARSEST = 64, ARCS_PER_CHECK = 1 << 16 };

typedef struct {
    grid_level_t *level;
    grid_search_t search;
    uint64_t *alive;    /* (words) cells reached from which the way back to a source is not known to be closed */
    int32_t *path;      /* (count) cells from a sink back to a source */
    uint8_t *direction; /* (count) direction[k]: of the arc from path[k + 1] to path[k] */
    grid_flow_t *task;
    int64_t until_check;
} solver_t;

/* Step back from a cell to one that is one arc nearer to a source; NONE if there is none. */
static int64_t step_back(const solver_t *s, int64_t cell, uint8_t *direction) {
    const grid_level_t *l = s->level;
    const int32_t depth = s->search.depth[cell] - 1;
    for (int64_t back = 0; back < 2 * l->axes; back++) {
        /* The arc from the other cell leads in the opposite direction. If it is open, it is within the grid. */
        const int64_t other = cell + offset_of(l, back);
        if (other >= 0 && other < l->count && has_bit(s->alive, other) && s->search.depth[other] == depth &&
            has_bit(arcs_open(l, back ^ 1), other)) {
            *direction = (uint8_t)(back ^ 1);
            return other;
        }
    }
    return -1;
}

/* Find a path from a source to a sink and return its length; -1 if there is none. Cells that lead nowhere die. */
static int64_t find_path(solver_t *s, int64_t sink) {
    int64_t length = 0;
    s->path[0] = (int32_t)sink;
    while (has_bit(s->alive, sink)) {
        const int64_t cell = s->path[length];
        const int64_t other = s->search.depth[cell] > 0          ? step_back(s, cell, &s->direction[length])
                              : has_bit(s->search.sources, cell) ? cell
                                                                 : -1;
        s->until_check--;
        if (other == cell) {
            return length;
        }
        if (other >= 0) {
            s->path[++length] = (int32_t)other;
        } else {
            clear_bit(s->alive, cell);
            length -= length > 0;
        }
    }
    return -1;
}

/* The most of an amount that an arc takes: against the flow of its edge no more than that. */
static mass_t at_most_flow(const grid_level_t *l, int64_t cell, int64_t direction, mass_t amount) {
    const mass_t flow = *flow_of(l, cell, direction), against = direction & 1 ? flow : -flow;
    return against > 0 && against < amount ? against : amount;
}

/* Send mass along an open arc. An arc against the flow of its edge closes with the last of it. */
static void send_along(const grid_level_t *l, int64_t cell, int64_t direction, mass_t amount) {
    mass_t *flow = flow_of(l, cell, direction);
    const mass_t before = direction & 1 ? -*flow : *flow;
    *flow += direction & 1 ? -amount : amount;
    if (before + amount == 0) {
        clear_bit(arcs_open(l, direction), cell);
    } else if (before == 0) {
        set_bit(arcs_open(l, direction ^ 1), cell + offset_of(l, direction));
    }
}

static void augment(solver_t *s, int64_t length) {
    const grid_level_t *l = s->level;
    const int64_t sink = s->path[0], source = s->path[length];
    mass_t amount = l->excess[source] < -l->excess[sink] ? l->excess[source] : -l->excess[sink];
    for (int64_t k = 0; k < length; k++) {
        amount = at_most_flow(l, s->path[k + 1], s->direction[k], amount);
    }
    for (int64_t k = 0; k < length; k++) {
        send_along(l, s->path[k + 1], s->direction[k], amount);
    }
    l->excess[source] -= amount;
    l->excess[sink] += amount;
    if (l->excess[source] == 0) {
        clear_bit(s->search.sources, source);
    }
    if (l->excess[sink] == 0) {
        clear_bit(s->search.sinks, sink);
    }
    s->task->augmentations++;
}

/* Send as much as possible along shortest paths to the sinks reached. */
static outcome_t ship(solver_t *s) {
    const grid_level_t *l = s->level;
    memcpy(s->alive, s->search.reached, (size_t)l->words * sizeof *s->alive);
    for (int64_t k = 0; k < s->search.hit_count; k++) {
        const int64_t sink = s->search.hits[k];
        while (l->excess[sink] < 0) {
            const int64_t length = find_path(s, sink);
            if (length < 0) {
                break;
            }
            augment(s, length);
            s->until_check -= length;
        }
        if (s->until_check <= 0) {
            s->until_check = ARCS_PER_CHECK;
            const outcome_t outcome = stopped(s->search.stop);
            if (outcome != SOLVED) {
                return outcome;
            }
        }
    }
    return SOLVED;
}

static int has_sources(const grid_search_t *s) {
    uint64_t any = 0;
    for (int64_t w = 0; w < s->level->words; w++) {
        any |= s->sources[w];
    }
    return any != 0;
}

/* Solve a level from the heights that it has. */
static outcome_t solve_level(grid_flow_t *t, grid_level_t *l) {
    arena_t *a = &l->arena;
    solver_t s = {
        .level = l,
        .alive = arena_take(a, l->words, sizeof *s.alive),
        .path = arena_take(a, l->count, sizeof *s.path),
        .direction = arena_take(a, l->count, sizeof *s.direction),
        .task = t,
        .until_check = ARCS_PER_CHECK,
    };
    if (!grid_search_init(&s.search, l, &t->stop)) {
        return OUT_OF_MEMORY;
    }
    grid_level_open_arcs(l);
    outcome_t outcome = SOLVED;
    while (outcome == SOLVED && has_sources(&s.search)) {
        outcome = grid_search_run(&s.search);
        t->searches++;
        if (outcome != SOLVED) {
            break;
        }
        if (s.search.hit_count > 0) {
            outcome = ship(&s);
        } else {
            grid_search_lift(&s.search);
            t->lifts++;
        }
    }
    return outcome;
}

/* Solve a level, its heights first by a coarser one. */
static outcome_t solve_from_coarse(grid_flow_t *t, grid_level_t *l) {
    if (l->count > COARSEST) {
        grid_level_t coarse;
        outcome_t outcome = OUT_OF_MEMORY;
        if (grid_level_coarsen(l, &coarse)) {
            outcome = solve_from_coarse(t, &coarse);
        }
        if (outcome == SOLVED && !grid_level_refine(&coarse, l)) {
            outcome = OUT_OF_MEMORY;
        }
        arena_free(&coarse.arena);
        if (outcome != SOLVED) {
            return outcome;
        }
    }
    return solve_level(t, l);
}

grid_flow_solver_t ISA_NAME(grid_flow);

outcome_t ISA_NAME(grid_flow)(grid_flow_t *t) {
    grid_level_t finest;
    outcome_t outcome = OUT_OF_MEMORY;
    if (grid_level_init(&finest, &t->grid)) {
        for (int64_t i = 0; i < finest.count; i++) {
            finest.excess[i] = t->supply[i] - t->demand[i];
        }
        outcome = solve_from_coarse(t, &finest);
        memcpy(t->height, finest.height, (size_t)finest.count * sizeof *t->height);
        if (outcome == SOLVED) {
            outcome = flow_decompose(t, &finest);
        }
    }
    arena_free(&finest.arena);
    return outcome;
}
