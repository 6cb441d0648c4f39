/* Shortest augmenting paths on a matrix (Jonker and Volgenant 1987, section 5): the exact end of the methods jv and
 * auction.
 */
#pragma once

#include "assignment/forbidden_pairs.h"
#include "assignment/row_kernels.inc.h"

#include <stdlib.h>
#include <string.h>

/* Scratch memory of the search from one free row. */
typedef struct {
    double *distance;  /* (m) length of the shortest path to each open column; +inf once closed */
    int32_t *from;     /* (m) row before each column on that path */
    double *block_low; /* smallest distance of each block of columns */
    int32_t *closed;   /* closed columns in the order of closing; the tail is not scanned yet */
    double *closed_v;  /* their duals, while v holds -inf */
    double *closed_at; /* their distances */
} search_t;

static inline void search_free(search_t *s) {
    free(s->distance);
    free(s->from);
    free(s->block_low);
    free(s->closed);
    free(s->closed_v);
    free(s->closed_at);
}

static inline int search_make(search_t *s, int64_t m) {
    const size_t count = (size_t)m + 1;
    *s = (search_t){
        .distance = malloc(count * sizeof *s->distance),
        .from = malloc(count * sizeof *s->from),
        .block_low = malloc(((size_t)blocks_of(m) + 1) * sizeof *s->block_low),
        .closed = malloc(count * sizeof *s->closed),
        .closed_v = malloc(count * sizeof *s->closed_v),
        .closed_at = malloc(count * sizeof *s->closed_at),
    };
    if (s->distance && s->from && s->block_low && s->closed && s->closed_v && s->closed_at) {
        return 1;
    }
    search_free(s);
    return 0;
}

static inline const cost_t *row_of(const assignment_t *t, int64_t i) {
    return i < t->given ? (const cost_t *)t->cost + i * t->m : t->zeros;
}

/* Relax every open column from row i; return the smallest distance left. */
static inline double relax_row(assignment_t *t, const search_t *s, int64_t i, double h) {
    const cost_t *c = row_of(t, i);
    double low = INFINITY;
    for (int64_t block = 0; block < blocks_of(t->m); block++) {
        const double here =
            row_relax_block(c, t->v, h, block * BLOCK, block_end(block, t->m), (int32_t)i, s->distance, s->from);
        s->block_low[block] = here;
        low = here < low ? here : low;
    }
    t->counters.row_scans++;
    return low;
}

/* Close every open column at a distance of at most `reach`. Return a free one among them, or -1; *count grows by the
 * others. */
static inline int64_t close_columns(assignment_t *t, search_t *s, double reach, int64_t *count) {
    for (int64_t block = 0; block < blocks_of(t->m); block++) {
        if (s->block_low[block] > reach) {
            continue;
        }
        for (int64_t j = block * BLOCK; j < block_end(block, t->m); j++) {
            if (s->distance[j] > reach) {
                continue;
            }
            if (t->y[j] < 0) {
                /* A free column ends the search; columns closed with it keep their duals. */
                return j;
            }
            s->closed[*count] = (int32_t)j;
            s->closed_v[*count] = t->v[j];
            s->closed_at[*count] = reach;
            s->distance[j] = INFINITY;
            t->v[j] = -INFINITY;
            ++*count;
        }
    }
    return -1;
}

/* A search that reached no free column has scanned `start` and the rows that hold the closed columns, and closed all
 * columns that these rows allow. */
static inline void end_without_path(assignment_t *t, const search_t *s, int64_t start, int64_t closed) {
    t->x[0] = (int32_t)start;
    for (int64_t k = 0; k < closed; k++) {
        t->x[k + 1] = t->y[s->closed[k]];
    }
    t->outcome = assignment_name_hall_set(t, t->x, s->closed, closed);
}

/* Exchange matched and unmatched pairs along the path from `start` to column j. */
static inline void flip_path(assignment_t *t, const search_t *s, int64_t start, int64_t j) {
    for (int64_t i = -1; i != start;) {
        i = s->from[j];
        t->y[j] = (int32_t)i;
        const int64_t next = t->x[i];
        t->x[i] = (int32_t)j;
        j = next;
    }
    t->counters.augmentations++;
}

/* Match row `start` by a shortest augmenting path. It takes at most n row scans, since each takes one closed column off
 * the queue for good. Without a path of finite length the problem is infeasible.
 *
 * Under a limit a path may also end by leaving out a row that it has reached, as if each row had a column of its own at
 * that cost; this may be `start` itself. */
static inline void augment_row(assignment_t *t, search_t *s, int64_t start) {
    for (int64_t j = 0; j < t->m; j++) {
        s->distance[j] = INFINITY;
    }
    int64_t closed = 0, scanned = 0, sink = -1, dropped = start;
    double reach = -INFINITY, drop_at = t->limit;
    int found = 0;
    double low = relax_row(t, s, start, 0.0);
    while (!must_stop(t)) {
        if (low <= reach || scanned == closed) {
            /* Rounding may put a column slightly below those closed already: treat it as level with them. */
            reach = low > reach ? low : reach;
            if (reach > drop_at) {
                reach = drop_at;
                found = 1;
                break;
            }
            if (reach == INFINITY) {
                end_without_path(t, s, start, closed);
                break;
            }
            sink = close_columns(t, s, reach, &closed);
            if (sink >= 0) {
                found = 1;
                break;
            }
        }
        const int64_t k = scanned++;
        const int64_t i = t->y[s->closed[k]];
        const cost_t *c = row_of(t, i);
        const double h = (double)c[s->closed[k]] - s->closed_v[k] - s->closed_at[k];
        low = relax_row(t, s, i, h);
        if (t->limit - h < drop_at) {
            drop_at = t->limit - h;
            dropped = i;
        }
    }
    for (int64_t k = 0; k < closed; k++) {
        /* Rounding may drop a row slightly before the columns that led to it. */
        const double fall = found && reach > s->closed_at[k] ? reach - s->closed_at[k] : 0.0;
        t->v[s->closed[k]] = s->closed_v[k] - fall;
    }
    if (!found) {
        return;
    }
    if (sink < 0) {
        sink = t->x[dropped];
        t->x[dropped] = -1;
    }
    if (sink >= 0) {
        flip_path(t, s, start, sink);
    }
}

/* Return the dual of a row that has a column or is left out. */
static inline double row_dual(const assignment_t *t, int64_t i) {
    const int64_t j = t->x[i];
    if (j < 0) {
        return 0.0;
    }
    const double u = (double)row_of(t, i)[j] - t->v[j];
    if (t->limit == INFINITY) {
        return u;
    }
    return u < t->limit ? u - t->limit : 0.0;
}

/* Match every row whose x is -1, then set u. Needs feasible v, with the matched pairs tight. */
static inline outcome_t augment_all(assignment_t *t) {
    search_t s;
    if (!search_make(&s, t->m)) {
        return OUT_OF_MEMORY;
    }
    for (int64_t i = 0; i < t->n && t->outcome == SOLVED; i++) {
        if (t->x[i] < 0) {
            augment_row(t, &s, i);
        }
    }
    search_free(&s);
    for (int64_t i = 0; i < t->n && t->outcome == SOLVED; i++) {
        t->u[i] = row_dual(t, i);
    }
    return t->outcome;
}
