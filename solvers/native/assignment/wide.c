/* Matrices with more columns than rows. Columns left free keep v = 0 and all other duals are negative, so that minima
 * of blocks bound all scans after the first: see block_minima.inc.h.
 *
 *    1. Each row takes its cheapest column and lowers that column's dual until the second cheapest is as good; the row
 *       that loses the column goes next. This is the augmenting row reduction of R. Jonker and A. Volgenant (Computing
 *       38, 1987). A row waits if its cheapest columns tie and are taken, or if it is outbid late in a chain of bids.
 *    2. A shortest augmenting path matches each row that waits. Blocks beyond the nearest free column so far are passed
 *       over.
 *
 * The work is bounded: structured costs are left to other methods, which may go on from the duals and pairs so far.
 */
#include "assignment/wide.h"

#include "assignment/block_minima.inc.h"
#include "core/sorting.h"
#include "core/variant_names.h"

#include <stdlib.h>
#include <string.h>

enum {
    CHAIN = 4,           /* bids of a row and of those that it outbids one after the other */
    FIRST_ROWS = 16,     /* rows that may wait before most rows must not */
    MOST_WORK = 5 << 20, /* costs read in searches, plus half the matrix; about 15 ms */
    SMALL_SCANS = 2,     /* the same for small problems, which others solve nearly as fast: in matrices */
};

/* Ratio of the largest number to the typical difference of chosen costs above which rounding may spoil an answer. */
static const double SUSPECT = 0x1p20;

/* Row i bids for its cheapest column. Return the row that has none afterwards: i itself, the one that lost its column,
 * or -1. */
static inline int64_t bid(wide_t *w, int64_t i) {
    assignment_t *t = w->task;
    const choice_t choice = two_minima(w, i);
    if (choice.second == INFINITY) {
        return i; /* at most one column is allowed: there is no second price */
    }
    /* If columns tie, taking one from another row would gain nothing. */
    const int64_t j = choice.first == choice.second ? find_free_tie(w, i, choice.first) : choice.column;
    if (j < 0) {
        return i; /* or another thread has changed the row */
    }
    const int32_t loser = t->y[j];
    const double lowered = t->v[j] - (choice.second - choice.first);
    if (loser >= 0 && !(lowered < t->v[j])) {
        return i; /* the difference is lost in rounding */
    }
    t->v[j] = lowered;
    t->y[j] = (int32_t)i;
    t->x[i] = (int32_t)j;
    t->counters.reductions++;
    if (loser >= 0) {
        t->x[loser] = -1;
    }
    return loser;
}

static inline void reduce_from(wide_t *w, int64_t i) {
    int64_t bidder = -1, left = i;
    for (int bids = 0; bids < CHAIN && left >= 0 && left != bidder; bids++) {
        bidder = left;
        left = bid(w, bidder);
    }
    if (left >= 0) {
        w->waiting[w->waiting_count++] = (int32_t)left;
    }
}

/* The end of a shortest path to a free column, as far as it is known. */
typedef struct {
    double at;
    int64_t column;
} sink_t;

/* Offer column j the distance `offer` by way of row i, which is below that of the sink. */
static inline void reach_column(wide_t *w, int64_t i, int64_t j, double offer, sink_t *sink) {
    if (!(offer < w->distance[j])) {
        return;
    }
    w->from[j] = (int32_t)i;
    if (w->task->y[j] < 0) {
        *sink = (sink_t){offer, j};
        return;
    }
    if (w->distance[j] == INFINITY) {
        w->open[w->open_count++] = (int32_t)j;
    }
    w->distance[j] = offer;
}

static inline void relax_block(wide_t *w, int64_t i, double h, int64_t block, sink_t *sink) {
    const int64_t start = block * LANE_BLOCK, count = block_length(w, block);
    const cost_t *c = row_of(w->task, i) + start;
    const double *v = w->task->v + start;
    const v4_t h4 = v4_all(h);
    w->work += count;
    int64_t j = 0;
    for (; j + WIDTH <= count; j += WIDTH) {
        const v4_t offer = v4_sub(v4_sub(v4_load_costs(c + j), v4_load(v + j)), h4);
        unsigned nearer = v4_below(offer, v4_min(v4_load(w->distance + start + j), v4_all(sink->at)));
        if (nearer) {
            double lane[WIDTH];
            v4_store(lane, offer);
            for (; nearer; nearer &= nearer - 1) {
                const int l = first_lane(nearer);
                if (lane[l] < sink->at) {
                    reach_column(w, i, start + j + l, lane[l], sink);
                }
            }
        }
    }
    for (; j < count; j++) {
        const double offer = (double)c[j] - v[j] - h;
        if (offer < sink->at) {
            reach_column(w, i, start + j, offer, sink);
        }
    }
}

/* Relax the columns of row i that may be nearer than the sink. */
static inline void relax_row(wide_t *w, int64_t i, double h, sink_t *sink) {
    const cost_t *low = w->low + i * w->blocks;
    const v4_t h4 = v4_all(h);
    for (int64_t b = 0; b < w->blocks; b += WIDTH) {
        unsigned below = v4_below(v4_sub(v4_load_costs(low + b), h4), v4_all(sink->at));
        for (; below; below &= below - 1) {
            const int64_t block = b + first_lane(below);
            if (block < w->blocks && (double)low[block] - h < sink->at) {
                relax_block(w, i, h, block, sink);
            }
        }
    }
}

/* Take the nearest open column off the list; -1 if there is none before the sink. */
static inline int64_t close_nearest(wide_t *w, double *reach, double bound) {
    int64_t best = -1;
    double least = bound;
    for (int64_t k = 0; k < w->open_count; k++) {
        const double here = w->distance[w->open[k]];
        if (here < least) {
            least = here;
            best = k;
        }
    }
    w->work += w->open_count;
    if (best < 0) {
        return -1;
    }
    const int32_t j = w->open[best];
    w->open[best] = w->open[--w->open_count];
    *reach = least > *reach ? least : *reach; /* rounding may put it slightly below those closed before */
    w->closed[w->closed_count] = j;
    w->closed_at[w->closed_count++] = *reach;
    w->distance[j] = -INFINITY;
    return j;
}

static inline void forget_search(wide_t *w) {
    for (int64_t k = 0; k < w->open_count; k++) {
        w->distance[w->open[k]] = INFINITY;
    }
    for (int64_t k = 0; k < w->closed_count; k++) {
        w->distance[w->closed[k]] = INFINITY;
    }
    w->open_count = w->closed_count = 0;
}

/* Match a row by a shortest augmenting path. False if no free column was found, or not soon enough. */
static int augment(wide_t *w, int64_t start) {
    assignment_t *t = w->task;
    sink_t sink = {INFINITY, -1};
    double reach = -INFINITY;
    relax_row(w, start, 0.0, &sink);
    for (;;) {
        const int64_t j = close_nearest(w, &reach, sink.at);
        if (j < 0) {
            break;
        }
        if (w->work > w->most_work || must_stop(t)) {
            sink.column = -1;
            break;
        }
        const int64_t i = t->y[j];
        relax_row(w, i, (double)row_of(t, i)[j] - t->v[j] - reach, &sink);
        t->counters.row_scans++;
    }
    if (sink.column >= 0) {
        for (int64_t k = 0; k < w->closed_count; k++) {
            const double fall = sink.at - w->closed_at[k];
            t->v[w->closed[k]] -= fall > 0.0 ? fall : 0.0;
        }
        for (int64_t i = -1, j = sink.column; i != start;) {
            i = w->from[j];
            t->y[j] = (int32_t)i;
            const int64_t next = t->x[i];
            t->x[i] = (int32_t)j;
            j = next;
        }
        t->counters.augmentations++;
    }
    forget_search(w);
    return sink.column >= 0;
}

/* Match all rows from duals of 0. CHANGED if a cost is not allowed; SPENT if it takes too much work, if most rows have
 * to wait, or if there is no complete matching. v is feasible and the pairs are tight in any case. */
static outcome_t match_rows(wide_t *w) {
    assignment_t *t = w->task;
    for (int64_t i = 0; i < t->n; i++) {
        if (must_stop(t)) {
            return t->outcome;
        }
        if (!read_row(w, i)) {
            return CHANGED;
        }
        t->counters.row_scans++;
        reduce_from(w, i);
        if (w->work > w->most_work || 2 * w->waiting_count > i + FIRST_ROWS) {
            return SPENT;
        }
    }
    for (int64_t k = 0; k < w->waiting_count; k++) {
        if (!augment(w, w->waiting[k])) {
            return t->outcome == SOLVED ? SPENT : t->outcome;
        }
    }
    return SOLVED;
}

/* One block of memory for all arrays; NULL if there is none. */
static char *take_memory(wide_t *w) {
    const size_t n = (size_t)w->task->n, m = (size_t)w->task->m;
    const size_t doubles = (m + n) * sizeof(double), lows = (n * (size_t)w->blocks + WIDTH) * sizeof(cost_t);
    char *memory = malloc(doubles + (lows + 7) / 8 * 8 + (2 * m + 4 * n) * sizeof(int32_t));
    if (memory) {
        w->distance = (double *)memory;
        w->closed_at = w->distance + m;
        w->low = (cost_t *)(memory + doubles);
        w->from = (int32_t *)(memory + doubles + (lows + 7) / 8 * 8);
        w->open = w->from + m;
        w->closed = w->open + m;
        w->waiting = w->closed + n;
        w->best = w->waiting + n;
    }
    return memory;
}

/* n < m. Costs may be +inf, otherwise their magnitude is at most `largest`. */
static outcome_t match_wide(assignment_t *t, double largest, int64_t most_work) {
    wide_t w = {.task = t, .blocks = (t->m + LANE_BLOCK - 1) / LANE_BLOCK, .largest = largest, .most_work = most_work};
    char *memory = take_memory(&w);
    if (!memory) {
        return OUT_OF_MEMORY;
    }
    for (int64_t j = 0; j < t->m; j++) {
        t->v[j] = 0.0;
        t->y[j] = -1;
        w.distance[j] = INFINITY;
    }
    for (int64_t i = 0; i < t->n; i++) {
        t->x[i] = -1;
    }
    const outcome_t outcome = match_rows(&w);
    free(memory);
    return outcome;
}

assignment_solver_t NAME(wide_pairs);

outcome_t NAME(wide_pairs)(assignment_t *t) { return match_wide(t, INFINITY, t->n * t->m / 2 + MOST_WORK); }

/* Cost of the chosen pair of row i. */
static inline double paid_by(const assignment_t *t, int64_t i) { return (double)row_of(t, i)[t->x[i]]; }

/* Least difference of a chosen cost to another cost of its row, over all rows: column of the row before. */
static double least_gap(const assignment_t *t) {
    double least = INFINITY;
    for (int64_t i = 0; i < t->n; i++) {
        const double gap = fabs((double)row_of(t, i)[t->x[i > 0 ? i - 1 : t->n - 1]] - paid_by(t, i));
        least = gap > 0.0 && gap < least ? gap : least;
    }
    return least;
}

/* Whether rounding cannot have spoilt the answer: no number is SUSPECT times the typical difference of chosen costs. As
 * in assignment/matching_refinement.py, but the median is that of a sample. */
static int has_digits(const assignment_t *t) {
    enum { SAMPLE = 31, FEW = 4 };
    double sample[SAMPLE], largest = 0.0;
    const int64_t count = t->n < SAMPLE ? t->n : SAMPLE;
    for (int64_t s = 0; s < count; s++) {
        sample[s] = paid_by(t, s * t->n / count);
    }
    qsort(sample, (size_t)count, sizeof *sample, compare_ascending);
    const double middle = sample[count / 2];
    for (int64_t i = 0; i < t->n; i++) {
        const double paid = paid_by(t, i), v = t->v[t->x[i]];
        largest = larger(largest, larger(fabs(paid), larger(fabs(v), fabs(paid - v))));
    }
    int64_t apart = 0, far = 0;
    for (int64_t i = 0; i < t->n; i++) {
        const double gap = fabs(paid_by(t, i) - middle);
        apart += gap > 0.0;
        far += gap > 0.0 && gap * SUSPECT >= largest;
    }
    if (2 * apart < t->n || t->n <= FEW) {
        const double gap = least_gap(t);
        return gap == INFINITY || gap * SUSPECT >= largest;
    }
    return 2 * far > apart;
}

static void transpose(const cost_t *from, int64_t n, int64_t m, double sign, cost_t *to) {
    enum { TILE = 32 };
    for (int64_t r = 0; r < n; r += TILE) {
        for (int64_t s = 0; s < m; s += TILE) {
            for (int64_t j = s; j < s + TILE && j < m; j++) {
                for (int64_t i = r; i < r + TILE && i < n; i++) {
                    to[j * n + i] = (cost_t)sign * from[i * m + j];
                }
            }
        }
    }
}

wide_solver_t NAME(wide);

outcome_t NAME(wide)(small_t *p, const stop_t *stop) {
    const int turned = p->n > p->m;
    const int64_t n = turned ? p->m : p->n, m = turned ? p->n : p->m;
    cost_t *copy = NULL;
    p->solved = 0;
    double *v = malloc((size_t)m * (sizeof(double) + sizeof(int32_t)) + (size_t)n * sizeof(int32_t));
    if (turned || p->maximize) {
        copy = malloc((size_t)(n * m) * sizeof *copy);
    }
    if (!v || ((turned || p->maximize) && !copy)) {
        free(v);
        free(copy);
        return SOLVED;
    }
    const double sign = p->maximize ? -1.0 : 1.0;
    if (turned) {
        transpose(p->cost, p->n, p->m, sign, copy);
    } else if (copy) {
        for (int64_t k = 0; k < n * m; k++) {
            copy[k] = (cost_t)sign * ((const cost_t *)p->cost)[k];
        }
    }
    assignment_t t = {.n = n,
                      .m = m,
                      .given = n,
                      .cost = copy ? copy : p->cost,
                      .v = v,
                      .y = (int32_t *)(v + m),
                      .x = (int32_t *)(v + m) + m,
                      .limit = INFINITY,
                      .stop = *stop,
                      .check_every = CHECK_EVERY,
                      .until_check = CHECK_EVERY};
    const int large = m > SMALL_SIDE;
    const outcome_t outcome = match_wide(&t, p->largest, large ? n * m / 2 + MOST_WORK : SMALL_SCANS * n * m);
    p->solved = outcome == SOLVED && (!large || has_digits(&t));
    if (p->solved) {
        p->total = 0.0;
        for (int64_t i = 0; i < p->n; i++) {
            p->row_to_col[i] = turned ? t.y[i] : t.x[i];
            p->total += p->row_to_col[i] >= 0 ? (double)((const cost_t *)p->cost)[i * p->m + p->row_to_col[i]] : 0.0;
        }
    }
    free(v);
    free(copy);
    return outcome == INTERRUPTED ? outcome : SOLVED;
}
