/* Matrices with more columns than rows. Columns left free keep v = 0 and all other v are negative, so a cost is at most
 * what it is after its column's dual is taken off. The smallest cost of each block of a row, found in the one pass
 * over the matrix, therefore bounds the block for good: later scans of the row read only the few blocks that may hold
 * what they look for.
 *
 *    1. Each row takes its cheapest column and lowers that column's dual until the second cheapest is as good; the row
 *       that loses the column goes next: the augmenting row reduction of R. Jonker and A. Volgenant (Computing 38,
 * 1987). Rows whose cheapest columns tie and are taken wait, as do rows once many were outbid.
 *    2. A shortest augmenting path matches each row that waits. Once a free column is found, blocks beyond it are
 *       passed over.
 *
 * The work is bounded: structured costs are left to other methods, which may go on from the duals and pairs so far.
 */
#include "assignment/wide.h"

#include "assignment/assignment.h"
#include "core/sorting.h"
#include "core/variant_names.h"
#include "simd/simd.h"

#include <stdlib.h>
#include <string.h>

typedef COST cost_t;

static const double SUSPECT = 0x1p20;

enum { LANE_BLOCK = 64, AHEAD = 4096, CHAIN = 4, SCANS = 4, SMALL_SCANS = 2 };

typedef struct {
    assignment_t *task;
    int64_t blocks;    /* of a row */
    cost_t *low;       /* (n, blocks) smallest cost of each block, */
    int32_t *best;     /* (n, 2) and the two blocks with the smallest */
    double *distance;  /* (m) of the columns reached: -inf once closed, else +inf */
    int32_t *from;     /* (m) row before each column reached */
    int32_t *open;     /* (m) columns reached, not closed */
    int32_t *closed;   /* (n) columns in the order of closing, */
    double *closed_at; /* (n) and their distances */
    int32_t *waiting;  /* (n) rows for step 2 */
    int64_t open_count, closed_count, waiting_count;
    int64_t work, most_work; /* costs read in scans after the first of each row */
    double largest;          /* magnitude that no finite cost may exceed */
} wide_t;

static inline const cost_t *row_of(const assignment_t *t, int64_t i) { return (const cost_t *)t->cost + i * t->m; }

static inline int64_t block_length(const wide_t *w, int64_t block) {
    const int64_t left = w->task->m - block * LANE_BLOCK;
    return left < LANE_BLOCK ? left : LANE_BLOCK;
}

/* Smallest and largest of `count` costs. The smallest is -inf if one is NaN. */
static inline double block_low(const cost_t *c, int64_t count, v4_t *highest) {
    const v4_t minus_infinity = v4_all(-INFINITY);
    v4_t low[4], high = minus_infinity;
    for (int k = 0; k < 4; k++) {
        low[k] = v4_all(INFINITY);
    }
    int64_t j = 0;
    for (; j + 4 * WIDTH <= count; j += 4 * WIDTH) {
        __builtin_prefetch((const char *)(c + j) + AHEAD);
        __builtin_prefetch((const char *)(c + j + 2 * WIDTH) + AHEAD);
        for (int k = 0; k < 4; k++) {
            const v4_t x = v4_max(v4_load_costs(c + j + k * WIDTH), minus_infinity);
            low[k] = v4_min(low[k], x);
            high = v4_max(high, x);
        }
    }
    for (; j < count; j += WIDTH) {
        double rest[WIDTH];
        for (int k = 0; k < WIDTH; k++) {
            rest[k] = (double)c[j + k < count ? j + k : count - 1];
        }
        const v4_t x = v4_max(v4_load(rest), minus_infinity);
        low[0] = v4_min(low[0], x);
        high = v4_max(high, x);
    }
    *highest = high;
    return v4_lowest(v4_min(v4_min(low[0], low[1]), v4_min(low[2], low[3])));
}

/* Whether every cost that is not +inf is at most `largest`. */
static int are_at_most(const cost_t *c, int64_t count, double largest) {
    int holds = 1;
    for (int64_t j = 0; j < count; j++) {
        holds &= (double)c[j] <= largest || (double)c[j] == INFINITY;
    }
    return holds;
}

/* Find the smallest cost of each block of row i, and its best two blocks. False if a cost is not allowed. */
static inline int read_row(wide_t *w, int64_t i) {
    const cost_t *c = row_of(w->task, i);
    cost_t *low = w->low + i * w->blocks;
    const v4_t largest = v4_all(w->largest);
    double first = INFINITY, second = INFINITY;
    int64_t best = 0, other = w->blocks - 1;
    int allowed = 1;
    for (int64_t b = 0; b < w->blocks; b++) {
        v4_t highest;
        const double here = block_low(c + b * LANE_BLOCK, block_length(w, b), &highest);
        if (v4_below(largest, highest)) {
            allowed = allowed && are_at_most(c + b * LANE_BLOCK, block_length(w, b), w->largest);
        }
        low[b] = (cost_t)here;
        other = here < first ? best : here < second ? b : other;
        second = here < first ? first : here < second ? here : second;
        best = here < first ? b : best;
        first = here < first ? here : first;
    }
    w->best[2 * i] = (int32_t)best;
    w->best[2 * i + 1] = (int32_t)other;
    return allowed && first >= -w->largest;
}

/* Smallest and second smallest value of each lane. */
typedef struct {
    v4_t low[2], next[2];
} lanes_t;

static inline void lanes_add(lanes_t *lanes, int k, v4_t x) {
    lanes->next[k] = v4_min(lanes->next[k], v4_max(lanes->low[k], x));
    lanes->low[k] = v4_min(lanes->low[k], x);
}

/* Add the c_j - v_j of a block. */
static inline void lanes_add_block(lanes_t *lanes, wide_t *w, const cost_t *c, int64_t block) {
    const double *v = w->task->v + block * LANE_BLOCK;
    const int64_t count = block_length(w, block);
    c += block * LANE_BLOCK;
    w->work += count;
    int64_t j = 0;
    for (; j + 2 * WIDTH <= count; j += 2 * WIDTH) {
        lanes_add(lanes, 0, v4_sub(v4_load_costs(c + j), v4_load(v + j)));
        lanes_add(lanes, 1, v4_sub(v4_load_costs(c + j + WIDTH), v4_load(v + j + WIDTH)));
    }
    for (; j < count; j += WIDTH) {
        double rest[WIDTH];
        for (int k = 0; k < WIDTH; k++) {
            rest[k] = j + k < count ? (double)c[j + k] - v[j + k] : INFINITY;
        }
        lanes_add(lanes, 0, v4_load(rest));
    }
}

static inline double smaller(double a, double b) { return a < b ? a : b; }
static inline double larger(double a, double b) { return a > b ? a : b; }

static inline void lanes_reduce(const lanes_t *lanes, double *first, double *second) {
    double a[WIDTH], b[WIDTH];
    v4_store(a, v4_min(lanes->low[0], lanes->low[1]));
    v4_store(b, v4_min(v4_min(lanes->next[0], lanes->next[1]), v4_max(lanes->low[0], lanes->low[1])));
    const double left = smaller(a[0], a[1]), right = smaller(a[2], a[3]);
    const double beaten = smaller(larger(left, right), smaller(larger(a[0], a[1]), larger(a[2], a[3])));
    *first = smaller(left, right);
    *second = smaller(beaten, smaller(smaller(b[0], b[1]), smaller(b[2], b[3])));
}

/* The columns of a block with c_j - v_j <= value, one bit each. */
static inline uint64_t block_at_most(const wide_t *w, const cost_t *c, int64_t block, double value) {
    const double *v = w->task->v + block * LANE_BLOCK;
    const int64_t count = block_length(w, block);
    const v4_t bound = v4_all(value);
    uint64_t bits = 0;
    c += block * LANE_BLOCK;
    int64_t j = 0;
    for (; j + WIDTH <= count; j += WIDTH) {
        bits |= (uint64_t)v4_at_most(v4_sub(v4_load_costs(c + j), v4_load(v + j)), bound) << j;
    }
    for (; j < count; j++) {
        bits |= (uint64_t)((double)c[j] - v[j] <= value) << j;
    }
    return bits;
}

/* The two smallest c_j - v_j of a row, and the column of the first; -1 if none qualifies any more because another
 * thread changed the costs. */
typedef struct {
    double first, second;
    int64_t column;
} choice_t;

static inline choice_t two_minima(wide_t *w, int64_t i) {
    const cost_t *c = row_of(w->task, i), *low = w->low + i * w->blocks;
    const int64_t best = w->best[2 * i], other = w->best[2 * i + 1];
    const v4_t infinity = v4_all(INFINITY);
    lanes_t lanes = {{infinity, infinity}, {infinity, infinity}};
    choice_t choice = {INFINITY, INFINITY, -1};
    int64_t later = -1;
    lanes_add_block(&lanes, w, c, best);
    if (other != best) {
        lanes_add_block(&lanes, w, c, other);
    }
    lanes_reduce(&lanes, &choice.first, &choice.second);
    int64_t b = w->blocks > 2 ? 0 : w->blocks;
    for (; b < w->blocks; b += WIDTH) {
        unsigned below = v4_below(v4_load_costs(low + b), v4_all(choice.second));
        for (; below; below &= below - 1) {
            const int64_t block = b + first_lane(below);
            if (block < w->blocks && block != best && block != other && (double)low[block] < choice.second) {
                const double before = choice.first;
                lanes_add_block(&lanes, w, c, block);
                lanes_reduce(&lanes, &choice.first, &choice.second);
                later = choice.first < before ? block : later;
            }
        }
    }
    if (later >= 0) {
        const uint64_t bits = block_at_most(w, c, later, choice.first);
        choice.column = bits ? later * LANE_BLOCK + __builtin_ctzll(bits) : -1;
        return choice;
    }
    const uint64_t bits = block_at_most(w, c, best, choice.first);
    const uint64_t others = bits ? bits : block_at_most(w, c, other, choice.first);
    choice.column = others ? (bits ? best : other) * LANE_BLOCK + __builtin_ctzll(others) : -1;
    return choice;
}

/* The first free column with c_j - v_j <= value; -1 if there is none. */
static int64_t find_free_tie(wide_t *w, int64_t i, double value) {
    const cost_t *c = row_of(w->task, i), *low = w->low + i * w->blocks;
    for (int64_t b = 0; b < w->blocks; b++) {
        if ((double)low[b] <= value) {
            w->work += LANE_BLOCK;
            for (uint64_t bits = block_at_most(w, c, b, value); bits; bits &= bits - 1) {
                const int64_t j = b * LANE_BLOCK + __builtin_ctzll(bits);
                if (w->task->y[j] < 0) {
                    return j;
                }
            }
        }
    }
    return -1;
}

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

/* Match all rows from duals of 0. CHANGED if a cost is not allowed; SPENT if it takes too much work, or if there is no
 * complete matching. v is feasible and the pairs are tight in any case. */
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
        if (w->work > w->most_work) {
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

/* n < m. Costs may be +inf, otherwise their magnitude is at most `largest`. Read at most `scans` times the matrix after
 * the first pass. */
static outcome_t match_wide(assignment_t *t, double largest, int64_t scans) {
    wide_t w = {.task = t,
                .blocks = (t->m + LANE_BLOCK - 1) / LANE_BLOCK,
                .largest = largest,
                .most_work = scans * t->n * t->m};
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

outcome_t NAME(wide_pairs)(assignment_t *t) { return match_wide(t, INFINITY, SCANS); }

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
    enum { TILE = 16 };
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
    const outcome_t outcome = match_wide(&t, p->largest, large ? SCANS : SMALL_SCANS);
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
