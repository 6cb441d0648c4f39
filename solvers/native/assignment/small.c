/* Small dense problems, microseconds each. At that size latency decides: no memory is allocated, loops have no scalar
 * tail, and there are few branches that are hard to predict.
 *
 *    1. v_j = min_i c_ij. Not if n < m: columns left free must keep v = 0.
 *    2. A row takes its cheapest column, a free one if several tie, and lowers that column's dual until the second
 *       cheapest is as good; the row that loses the column goes next. This is the augmenting row reduction of R. Jonker
 *       and A. Volgenant (Computing 38, 1987), stopped early, because path searches are the cheaper way to go on.
 *    3. Each row that is still free is matched by a shortest augmenting path.
 *
 * Costs like products need many scans that way. Where many were made, they are looked for, and started in order
 * (small_products.inc.h). A problem that still takes too many scans is left to other methods.
 *
 * It ends even if costs are so close that their differences are lost in rounding, since no loop waits for a dual to
 * move: step 2 makes at most BIDS scans per row, and a search closes another column with each row that it scans.
 *
 * A column takes no part if its v is -inf and its distance +inf, so that no loop needs a test to skip it. Columns
 * closed by a search are marked so, and so are those that pad a row to whole vectors. The padding may hold any number:
 * in a matrix of doubles it is the start of the next row.
 */
#include "assignment/small.h"

#include "assignment/small_cheap_pairs.inc.h"
#include "core/portability.h"
#include "core/variant_names.h"
#include "simd/two_minima.h"

#include <float.h>
#include <string.h>

typedef COST cost_t;

/* Scans per row before costs like products are looked for, and the rows from which on this pays; scans per row, beside
 * a quarter of the rows, before a problem is left to other methods. */
enum { MANY_SCANS = 2, FEWEST_ROWS = 8, MOST_SCANS = 32 };

/* Rows from which on an auction is faster if more than two rows of three are left when all have bid: a search from each
 * of them scans many others. */
enum { MANY_ROWS = 256 };

enum { BIDS = 3, ROWS = 4, STEP = 2 * WIDTH, WORD = 64, WORDS = (SMALL_WIDTH + WORD - 1) / WORD };

_Static_assert(FLT_EVAL_METHOD == 0, "a path is traced back by computing its distances again, to the bit");

/* The problem, transposed if needed so that n <= m, and its answer so far. */
typedef struct {
    int64_t n, m, width;
    const double *row[SMALL_SIDE];      /* (width) costs to be minimised; from column m on any numbers but NaN */
    _Alignas(64) double v[SMALL_WIDTH]; /* duals of the columns */
    counters_t *counters;
    int64_t many_scans;    /* in counters, before costs like products are looked for, */
    int64_t most_scans;    /* and before it is given up, */
    int laborious;         /* because other methods are faster */
    uint64_t free[WORDS];  /* one bit per column that no row has */
    int32_t y[SMALL_SIDE]; /* row of each column that is not free */
} state_t;

/* Sets of columns are arrays of 64-bit words. */
static inline int64_t words_of(int64_t width) { return (width + WORD - 1) / WORD; }
static inline int64_t word_end(int64_t word, int64_t width) {
    const int64_t end = (word + 1) * WORD;
    return end < width ? end : width;
}
static inline int64_t first_column(int64_t word, uint64_t bits) { return word * WORD + lowest_bit(bits); }
static inline int is_free(const state_t *s, int64_t j) { return s->free[j / WORD] >> (j % WORD) & 1; }

static inline void match(state_t *s, int64_t i, int64_t j) {
    s->y[j] = (int32_t)i;
    s->free[j / WORD] &= ~((uint64_t)1 << (j % WORD));
}

/* Copy one row of the transposed problem, with the sign that makes it a minimisation. */
static inline void copy_row(const small_t *p, int64_t i, double sign, int64_t width, double *restrict to) {
    const int turned = p->n > p->m;
    const int64_t m = turned ? p->n : p->m, right = turned ? p->m : 1;
    const cost_t *c = (const cost_t *)p->cost + (turned ? i : i * m);
    for (int64_t j = m / WIDTH * WIDTH; j < width; j += WIDTH) {
        v4_store(to + j, v4_all(0.0));
    }
    if (turned || m < WIDTH) {
        for (int64_t j = 0; j < m; j++) {
            to[j] = sign * (double)c[j * right];
        }
        return;
    }
    const v4_t signs = v4_all(sign);
    for (int64_t j = 0; j < m - WIDTH; j += WIDTH) {
        v4_store(to + j, v4_mul(v4_load_costs(c + j), signs));
    }
    v4_store(to + m - WIDTH, v4_mul(v4_load_costs(c + m - WIDTH), signs)); /* overlaps the one before */
}

/* Read rows in place if possible, else copy them. Rows that are a power of two apart are copied: they would fall into
 * the same few sets of the cache. */
static void find_rows(const small_t *p, state_t *s, double *scratch) {
    const int direct = sizeof(cost_t) == sizeof(double) && p->n <= p->m && !p->maximize && p->m % 128 != 0;
    for (int64_t i = 0; i < s->n; i++) {
        if (direct && i * p->m + s->width <= p->n * p->m) {
            s->row[i] = (const double *)p->cost + i * p->m;
        } else {
            copy_row(p, i, p->maximize ? -1.0 : 1.0, s->width, scratch);
            s->row[i] = scratch;
            scratch += s->width;
        }
    }
}

/* Whether every cost that is not +inf is at most `largest`. */
static int are_at_most(const state_t *s, double largest) {
    int holds = 1;
    for (int64_t i = 0; i < s->n; i++) {
        for (int64_t j = 0; j < s->m; j++) {
            holds &= s->row[i][j] <= largest || s->row[i][j] == INFINITY;
        }
    }
    return holds;
}

/* v_j = min_i c_ij. False if a cost is NaN, -inf or beyond `largest`. */
static int reduce_columns(state_t *s, double largest) {
    const v4_t infinity = v4_all(INFINITY);
    v4_t lowest = infinity, highest = v4_all(-INFINITY);
    for (int64_t j = 0; j < s->width; j += WIDTH) {
        v4_store(s->v + j, infinity);
    }
    for (int64_t i = 0; i < s->n; i += ROWS) {
        const double *c[ROWS];
        for (int k = 0; k < ROWS; k++) {
            c[k] = s->row[i + k < s->n ? i + k : s->n - 1];
        }
        for (int64_t j = 0; j < s->width; j += WIDTH) {
            v4_t low = v4_load(s->v + j);
            for (int k = 0; k < ROWS; k++) {
                const v4_t x = v4_nan_to_lowest(v4_load(c[k] + j)); /* -inf is refused, too */
                low = v4_min(low, x);
                highest = v4_max(highest, x);
            }
            v4_store(s->v + j, low);
        }
    }
    for (int64_t j = 0; j < s->width; j += WIDTH) {
        lowest = v4_min(lowest, v4_load(s->v + j));
    }
    return v4_lowest(lowest) >= -largest && (!v4_below(v4_all(largest), highest) || are_at_most(s, largest));
}

/* The two smallest c_j - v_j. */
static inline void two_minima(const double *restrict c, const double *restrict v, int64_t width, double *first,
                              double *second) {
    value_minima_t minima = value_minima_none();
    for (int64_t j = 0; j < width; j += STEP) {
        for (int k = 0; k < 2; k++) {
            value_minima_add(&minima, k, v4_sub(v4_load(c + j + k * WIDTH), v4_load(v + j + k * WIDTH)));
        }
    }
    value_minima_result(&minima, first, second);
}

/* The columns of one word with c_j - v_j <= value. */
static inline uint64_t cheapest(const double *restrict c, const double *restrict v, int64_t start, int64_t end,
                                double value) {
    const v4_t bound = v4_all(value);
    uint64_t bits = 0;
    for (int64_t j = start; j < end; j += WIDTH) {
        bits |= (uint64_t)v4_at_most(v4_sub(v4_load(c + j), v4_load(v + j)), bound) << (j - start);
    }
    return bits;
}

/* The columns of one word with distance_j <= reach. */
static inline uint64_t nearest(const double *distance, int64_t start, int64_t end, double reach) {
    const v4_t bound = v4_all(reach);
    uint64_t bits = 0;
    for (int64_t j = start; j < end; j += WIDTH) {
        bits |= (uint64_t)v4_at_most(v4_load(distance + j), bound) << (j - start);
    }
    return bits;
}

/* Row i bids for its cheapest column. Return the row that has none afterwards: i itself, the one that lost its column,
 * or -1. */
static inline int64_t bid(state_t *s, int64_t i) {
    const double *c = s->row[i];
    double first, second;
    s->counters->row_scans++;
    two_minima(c, s->v, s->width, &first, &second);
    if (second == INFINITY) {
        return i; /* at most one column is allowed: there is no second price */
    }
    int64_t j = -1;
    for (int64_t word = 0; word < words_of(s->width) && j < 0; word++) {
        uint64_t choice = cheapest(c, s->v, word * WORD, word_end(word, s->width), first);
        if (first == second) {
            choice &= s->free[word]; /* if columns tie, taking one from another row gains nothing */
        }
        j = choice ? first_column(word, choice) : -1;
    }
    if ((uint64_t)j >= (uint64_t)s->m) {
        return i; /* another thread has changed the row, so that none qualifies or padding does */
    }
    const int64_t loser = is_free(s, j) ? -1 : s->y[j];
    s->v[j] -= second - first;
    s->counters->reductions++;
    match(s, i, j);
    return loser;
}

/* The tree of shortest paths from a free row; row k + 1 was scanned because column k was closed. */
typedef struct {
    _Alignas(64) double distance[SMALL_WIDTH]; /* to each open column */
    v4_t low[WORDS];                           /* at most the smallest distance of each lane in each word */
    int64_t closed, scanned;
    int32_t column[SMALL_SIDE];     /* closed columns in the order of closing, */
    double column_v[SMALL_SIDE];    /* their duals, */
    double column_at[SMALL_SIDE];   /* their distances, */
    double column_from[SMALL_SIDE]; /* and the computed ones, before rounding was compensated */
    int32_t row[SMALL_SIDE + 1];    /* scanned rows */
    double h[SMALL_SIDE + 1];       /* row k offered column j the distance c_j - v_j - h[k] */
} path_tree_t;

/* Relax every column by way of row i. Return the smallest distance to an open column. */
static inline double relax(const state_t *s, path_tree_t *t, int64_t i, double h) {
    const double *restrict c = s->row[i];
    const double *restrict v = s->v;
    double *restrict distance = t->distance;
    const v4_t offset = v4_all(h);
    v4_t lowest = v4_all(INFINITY);
    for (int64_t word = 0; word < words_of(s->width); word++) {
        v4_t low[2] = {v4_all(INFINITY), v4_all(INFINITY)};
        for (int64_t j = word * WORD; j < word_end(word, s->width); j += STEP) {
            for (int k = 0; k < 2; k++) {
                const int64_t at = j + k * WIDTH;
                const v4_t offer = v4_sub(v4_sub(v4_load(c + at), v4_load(v + at)), offset);
                const v4_t shorter = v4_min(offer, v4_load(distance + at));
                v4_store(distance + at, shorter);
                low[k] = v4_min(low[k], shorter);
            }
        }
        t->low[word] = v4_min(low[0], low[1]);
        lowest = v4_min(lowest, t->low[word]);
    }
    s->counters->row_scans++;
    t->row[t->scanned] = (int32_t)i;
    t->h[t->scanned++] = h;
    return v4_lowest(lowest);
}

/* Close every open column at a distance of at most `reach`. Return a free one among them, or -1. */
static inline int64_t close_columns(state_t *s, path_tree_t *t, double reach) {
    for (int64_t word = 0; word < words_of(s->width); word++) {
        if (!v4_at_most(t->low[word], v4_all(reach))) {
            continue;
        }
        uint64_t bits = nearest(t->distance, word * WORD, word_end(word, s->width), reach);
        if (bits & s->free[word]) {
            /* It ends the search; columns closed with it keep their duals. */
            return first_column(word, bits & s->free[word]);
        }
        for (; bits; bits &= bits - 1) {
            const int64_t j = first_column(word, bits), k = t->closed++;
            t->column[k] = (int32_t)j;
            t->column_v[k] = s->v[j];
            t->column_at[k] = reach;
            t->column_from[k] = t->distance[j];
            s->v[j] = -INFINITY;
            t->distance[j] = INFINITY;
        }
    }
    return -1;
}

/* Match along the path to a free column. The inner loop does not store which row set a column's distance: among the
 * rows scanned before the column was closed, it is the one that gives that distance again. */
static inline void trace_back(state_t *s, const path_tree_t *t, int64_t sink) {
    int64_t j = sink, k = t->scanned;
    double v = s->v[sink], distance = t->distance[sink];
    for (;;) {
        do {
            k--;
        } while (k > 0 && s->row[t->row[k]][j] - v - t->h[k] != distance);
        match(s, t->row[k], j);
        if (k == 0) {
            return;
        }
        j = t->column[k - 1];
        v = t->column_v[k - 1];
        distance = t->column_from[k - 1];
    }
}

/* Match a free row by a shortest augmenting path. False if no free column can be reached at finite length, or if too
 * many rows were scanned. */
static int augment(state_t *s, int64_t start) {
    path_tree_t t;
    for (int64_t j = 0; j < s->width; j += WIDTH) {
        v4_store(t.distance + j, v4_all(INFINITY));
    }
    t.closed = t.scanned = 0;
    double reach = -INFINITY;
    double low = relax(s, &t, start, 0.0);
    int64_t sink;
    for (;;) {
        if (low <= reach || t.scanned > t.closed) {
            /* Rounding may put a column slightly below those closed already: treat it as level with them. */
            reach = larger(low, reach);
            s->laborious = s->counters->row_scans > s->most_scans;
            if (reach == INFINITY || s->laborious) {
                return 0;
            }
            sink = close_columns(s, &t, reach);
            if (sink >= 0) {
                break;
            }
        }
        const int64_t k = t.scanned - 1, j = t.column[k];
        low = relax(s, &t, s->y[j], s->row[s->y[j]][j] - t.column_v[k] - t.column_at[k]);
    }
    s->counters->augmentations++;
    trace_back(s, &t, sink);
    for (int64_t k = 0; k < t.closed; k++) {
        s->v[t.column[k]] = t.column_v[k] + (t.column_at[k] - reach);
    }
    return 1;
}

#include "assignment/small_products.inc.h"

/* Let rows bid one after another; return how many are left without a column, in `waiting`. */
static int64_t bid_for_all(state_t *s, int32_t *waiting) {
    int64_t count = 0;
    for (int64_t i = 0; i < s->n; i++) {
        int64_t left = i, bidder = -1;
        for (int bids = 0; bids < BIDS && left >= 0 && left != bidder; bids++) {
            bidder = left;
            left = bid(s, bidder);
        }
        if (left >= 0) {
            waiting[count++] = (int32_t)left;
        }
    }
    return count;
}

static int match_all(state_t *s) {
    int32_t waiting[SMALL_SIDE];
    int64_t count = bid_for_all(s, waiting);
    int complete = 1, in_doubt = s->n == s->m && s->n >= FEWEST_ROWS;
    s->laborious = in_doubt && s->n >= MANY_ROWS && 3 * count > 2 * s->n;
    for (int64_t k = 0; k < count && complete; k++) {
        if (in_doubt && (s->laborious || s->counters->row_scans > s->many_scans)) {
            in_doubt = 0;
            const int order = order_like_products(s);
            if (order) {
                count = match_in_order(s, order, waiting);
                k = -1;
                continue;
            }
            if (s->laborious) {
                return 0;
            }
        }
        complete = augment(s, waiting[k]);
    }
    return complete;
}

static int solve(const small_t *p, state_t *s, double *scratch) {
    find_rows(p, s, scratch);
    if (match_cheap_pairs(s->row, s->n, s->m, p->largest, s->counters, s->y, s->v)) {
        memset(s->free, 0, sizeof s->free);
        for (int64_t j = 0; j < s->m; j++) {
            s->free[j / WORD] |= (uint64_t)(s->y[j] < 0) << (j % WORD);
        }
        return 1;
    }
    if (!reduce_columns(s, p->largest)) {
        return 0;
    }
    const int64_t reduced = s->n == s->m ? s->m : 0;
    for (int64_t j = 0; j < reduced; j++) {
        if (s->v[j] == INFINITY) {
            return 0; /* forbidden to every row */
        }
    }
    for (int64_t j = reduced; j < s->width; j++) {
        s->v[j] = j < s->m ? 0.0 : -INFINITY;
    }
    memset(s->free, 0xff, sizeof s->free);
    return match_all(s);
}

small_solver_t NAME(small);

void NAME(small)(small_t *p, double *scratch) {
    const int turned = p->n > p->m;
    state_t s;
    s.counters = &p->counters;
    s.n = turned ? p->m : p->n;
    s.many_scans = p->counters.row_scans + MANY_SCANS * s.n;
    s.most_scans = p->counters.row_scans + (MOST_SCANS + s.n / 4) * s.n;
    s.m = turned ? p->n : p->m;
    s.width = small_width(p);
    s.laborious = 0;
    p->solved = solve(p, &s, scratch);
    p->laborious = s.laborious;
    if (!p->solved) {
        return;
    }
    for (int64_t i = 0; i < p->n; i++) {
        p->row_to_col[i] = -1;
    }
    for (int64_t j = 0; j < s.m; j++) {
        if (!is_free(&s, j)) {
            p->row_to_col[turned ? j : s.y[j]] = (intptr_t)(turned ? s.y[j] : j);
        }
    }
    const cost_t *c = p->cost;
    if (p->u) {
        memcpy(p->v, s.v, (size_t)p->m * sizeof *p->v);
        for (int64_t i = 0; i < p->n; i++) {
            p->u[i] = (double)c[i * p->m + p->row_to_col[i]] - s.v[p->row_to_col[i]];
        }
    }
    p->total = 0.0;
    for (int64_t i = 0; i < p->n; i++, c += p->m) {
        p->total += p->row_to_col[i] >= 0 ? (double)c[p->row_to_col[i]] : 0.0;
    }
}
