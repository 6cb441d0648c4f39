/* Exact transport between small histograms, microseconds a pair, by the network simplex on the whole matrix of costs.
 *
 *   1. Masses become whole numbers. Where the cost is a metric, what both histograms have in a bin stays there: by the
 *      triangle inequality some optimal plan leaves it. Only bins that are left with something take part.
 *   2. Mass is shipped along those pairs first that cost least beside the means of their row and column, which makes a
 *      tree. What remains of squared distances is minus twice the inner product of places: the outermost go first.
 *   3. The simplex takes the best pair of some rows at a time. Rows of costs are short, so that all their pairs are
 *      looked at, a vector at a time, and none is listed.
 *
 * Nothing is allocated here, and a row of costs has no tail that vectors do not fit: costs beyond the columns are +inf.
 */
#include "histograms.h"

#include "error_free.h"
#include "masses.h"
#include "names.h"
#include "tree.h"
#include "vec.h"

#include <math.h>

/* ROWS are looked at for each pivot. */
enum { ROWS = 5, LAST_LOOKS = 8, STEP = 2 * WIDTH };

/* The nodes of the tree in a line, in which what is below a node follows it, up to `last`. */
typedef struct {
    int32_t next, previous, last;
} line_t;

/* The bins of one side that take part, and their masses. One more, which is none of them, takes what is left over. */
typedef struct {
    int64_t count;
    int32_t *bin; /* (count) */
    mass_t *mass; /* (count) */
} side_t;

typedef struct {
    side_t rows, columns;
    int32_t spare;  /* the node that stands for no bin; -1 where all do */
    int64_t width;  /* doubles from one row of costs to the next */
    double *cost;   /* (rows, width), +inf beyond the columns */
    double *height; /* (rows + width) of the nodes */
    double tolerance, least_tolerance;
    tree_t tree;
    line_t *line;          /* (nodes) */
    shipment_t *shipments; /* (nodes) */
    int32_t *leader;       /* (nodes) of a node's component, or a step on the way to it */
    int32_t *walk, *plant; /* (2 nodes), (plant_room) */
    /* For the first tree: the columns' means, taken off, and +inf where nothing is wanted; the rows' means; and the
     * least that this leaves in each row, +inf where nothing is left, and where. */
    double *charge;   /* (width) */
    double *mean;     /* (rows) */
    double *low;      /* (rows, in whole steps) */
    int32_t *best;    /* (rows) */
    mass_t *whole[2]; /* (n), (m) */
    /* For more digits: heights that all others are counted from, 0 unless `rebased`. */
    exact_t *base; /* (nodes) */
    int rebased;
    int64_t pivots;
} state_t;

static inline int64_t in_steps(int64_t count) { return (count + STEP - 1) / STEP * STEP; }

/* ---- memory ---- */

/* Takes room for `count` items off `room`, in whole lines of the cache; only counts where `room` is NULL. */
static void *take(double **room, int64_t *taken, int64_t count, size_t size) {
    const int64_t doubles = in_steps((int64_t)(((size_t)count * size + sizeof(double) - 1) / sizeof(double)));
    void *here = *room;
    *taken += doubles;
    if (*room) {
        *room += doubles;
    }
    return here;
}

/* Places all arrays for histograms of n and m bins, one more for the rest. */
static int64_t place_all(state_t *s, int64_t n, int64_t m, double *room) {
    const int64_t nodes = n + m + 1, width = in_steps(m + 1);
    int64_t taken = 0;
    s->cost = take(&room, &taken, (n + 1) * width, sizeof *s->cost);
    s->height = take(&room, &taken, in_steps(n + 1) + width, sizeof *s->height);
    s->low = take(&room, &taken, in_steps(n + 1), sizeof *s->low);
    s->mean = take(&room, &taken, n + 1, sizeof *s->mean);
    s->charge = take(&room, &taken, width, sizeof *s->charge);
    s->tree.place = take(&room, &taken, nodes, sizeof *s->tree.place);
    s->tree.edge = take(&room, &taken, nodes, sizeof *s->tree.edge);
    s->line = take(&room, &taken, nodes, sizeof *s->line);
    s->shipments = take(&room, &taken, nodes, sizeof *s->shipments);
    s->leader = take(&room, &taken, nodes, sizeof *s->leader);
    s->walk = take(&room, &taken, 2 * nodes, sizeof *s->walk);
    s->plant = take(&room, &taken, plant_room(nodes), sizeof *s->plant);
    s->best = take(&room, &taken, n + 1, sizeof *s->best);
    s->base = take(&room, &taken, nodes, sizeof *s->base);
    s->rows.bin = take(&room, &taken, n + 1, sizeof *s->rows.bin);
    s->columns.bin = take(&room, &taken, m + 1, sizeof *s->columns.bin);
    s->rows.mass = take(&room, &taken, n + 1, sizeof *s->rows.mass);
    s->columns.mass = take(&room, &taken, m + 1, sizeof *s->columns.mass);
    s->whole[0] = take(&room, &taken, n, sizeof *s->whole[0]);
    s->whole[1] = take(&room, &taken, m, sizeof *s->whole[1]);
    return taken;
}

int64_t NAME(histogram_room)(int64_t n, int64_t m);

int64_t NAME(histogram_room)(int64_t n, int64_t m) {
    state_t s;
    return place_all(&s, n, m, NULL);
}

/* ---- masses ---- */

static void list_bins(side_t *side, const mass_t *whole, int64_t count) {
    side->count = 0;
    for (int64_t k = 0; k < count; k++) {
        side->bin[side->count] = (int32_t)k;
        side->mass[side->count] = whole[k];
        side->count += whole[k] > 0;
    }
}

/* The masses that take part. The mass of a unit. */
static double pose_masses(state_t *s, const histograms_t *h, const double *a, const double *b) {
    mass_t *const *whole = s->whole;
    int partial = h->partial;
    if (partial) {
        const double sum_a = sum_up_to(a, h->n, INFINITY), sum_b = sum_up_to(b, h->m, INFINITY);
        partial = fabs(sum_a - sum_b) > h->rounding * (sum_a > sum_b ? sum_a : sum_b);
    }
    const measure_t measure = whole_masses(a, h->n, b, h->m, partial, whole[0], whole[1]);
    const mass_t over = measure.over;
    if (h->metric) {
        for (int64_t k = 0; k < h->n; k++) {
            const mass_t both = whole[0][k] < whole[1][k] ? whole[0][k] : whole[1][k];
            whole[0][k] -= both;
            whole[1][k] -= both;
        }
    }
    list_bins(&s->rows, whole[0], h->n);
    list_bins(&s->columns, whole[1], h->m);
    s->spare = -1;
    if (over > 0) {
        s->columns.bin[s->columns.count] = -1;
        s->columns.mass[s->columns.count++] = over;
    } else if (over < 0) {
        s->rows.bin[s->rows.count] = -1;
        s->rows.mass[s->rows.count++] = -over;
    }
    if (over != 0) {
        s->spare = (int32_t)(s->rows.count + (over > 0 ? s->columns.count : 0)) - 1;
    }
    return measure.unit;
}

/* ---- costs ---- */

static inline double *row_of(const state_t *s, int64_t i) { return s->cost + i * s->width; }

/* Row i of the matrix, as costs that sums of are numbers. */
static inline void copy_costs(const double *restrict from, int64_t count, double *restrict to) {
    const v4_t most = v4_all(LARGEST_COST), least = v4_all(-LARGEST_COST);
    int64_t j = 0;
    for (; j + WIDTH <= count; j += WIDTH) {
        v4_store(to + j, v4_max(v4_min(v4_load(from + j), most), least));
    }
    for (; j < count; j++) {
        to[j] = as_cost(from[j]);
    }
}

static void pose_costs(state_t *s, const histograms_t *h) {
    const int64_t m = s->columns.count, bins = m - (m > 0 && s->columns.bin[m - 1] < 0);
    const int all = bins == h->m;
    s->width = in_steps(m);
    for (int64_t i = 0; i < s->rows.count; i++) {
        double *restrict to = row_of(s, i);
        const int32_t *restrict bin = s->columns.bin;
        if (s->rows.bin[i] < 0) {
            memset(to, 0, (size_t)m * sizeof *to);
        } else {
            const double *restrict from = h->cost + s->rows.bin[i] * h->m;
            if (all) {
                copy_costs(from, bins, to);
            } else {
                for (int64_t j = 0; j < bins; j++) {
                    to[j] = as_cost(from[bin[j]]);
                }
            }
            to[bins] = 0.0; /* what is left over costs nothing; or the next line mends it */
        }
        for (int64_t j = m; j < s->width; j++) {
            to[j] = INFINITY;
        }
    }
}

/* The least of a + b over whole steps. */
static inline double least_sum(const double *restrict a, const double *restrict b, int64_t width) {
    v4_t low = v4_all(INFINITY), next = low;
    for (int64_t j = 0; j < width; j += STEP) {
        low = v4_min(low, v4_add(v4_load(a + j), v4_load(b + j)));
        next = v4_min(next, v4_add(v4_load(a + j + WIDTH), v4_load(b + j + WIDTH)));
    }
    return v4_lowest(v4_min(low, next));
}

/* The first place where a + b is at most `value`, which it is somewhere. */
static inline int32_t place_of_sum(const double *restrict a, const double *restrict b, double value) {
    for (int64_t j = 0;; j += WIDTH) {
        const unsigned lanes = v4_at_most(v4_add(v4_load(a + j), v4_load(b + j)), v4_all(value));
        if (lanes) {
            return (int32_t)j + first_lane(lanes);
        }
    }
}

/* ---- the first tree ---- */

static inline int32_t component(state_t *s, int32_t node) {
    int32_t *leader = s->leader;
    while (leader[node] != node) {
        node = leader[node] = leader[leader[node]];
    }
    return node;
}

static inline void connect(state_t *s, int64_t *count, int64_t i, int64_t j, mass_t flow) {
    s->shipments[(*count)++] = (shipment_t){(int32_t)i, (int32_t)j, flow, row_of(s, i)[j]};
    s->leader[component(s, (int32_t)i)] = component(s, (int32_t)(s->rows.count + j));
}

static inline void look_for(state_t *s, int64_t i) {
    const double low = least_sum(row_of(s, i), s->charge, s->width);
    s->low[i] = low - s->mean[i];
    s->best[i] = low < INFINITY ? place_of_sum(row_of(s, i), s->charge, low) : -1;
}

static void take_means(state_t *s) {
    const int64_t n = s->rows.count, m = s->columns.count;
    for (int64_t j = 0; j < s->width; j += WIDTH) {
        v4_t sum = v4_all(0.0);
        for (int64_t i = 0; i < n; i++) {
            sum = v4_add(sum, v4_load(row_of(s, i) + j));
        }
        v4_store(s->charge + j, v4_mul(sum, v4_all(-1.0 / (double)n)));
    }
    for (int64_t j = m; j < s->width; j++) {
        s->charge[j] = INFINITY;
    }
    for (int64_t i = 0; i < n; i++) {
        v4_t sums = v4_all(0.0);
        int64_t j = 0;
        for (; j + WIDTH <= m; j += WIDTH) {
            sums = v4_add(sums, v4_load(row_of(s, i) + j));
        }
        double lane[WIDTH];
        v4_store(lane, sums);
        double sum = (lane[0] + lane[1]) + (lane[2] + lane[3]);
        for (; j < m; j++) {
            sum += row_of(s, i)[j];
        }
        s->mean[i] = sum / (double)m;
    }
}

static void start(state_t *s) {
    const int64_t n = s->rows.count, m = s->columns.count, tall = in_steps(n);
    mass_t *supply = s->rows.mass, *demand = s->columns.mass;
    int64_t count = 0;
    double *zeros = s->height; /* which nobody needs before there is a tree */
    for (int32_t node = 0; node < n + m; node++) {
        s->leader[node] = node;
    }
    take_means(s);
    for (int64_t i = 0; i < tall; i++) {
        s->low[i] = INFINITY;
        zeros[i] = 0.0;
    }
    for (int64_t i = 0; i < n; i++) {
        look_for(s, i);
    }
    for (double low = least_sum(s->low, zeros, tall); low < INFINITY; low = least_sum(s->low, zeros, tall)) {
        const int64_t i = place_of_sum(s->low, zeros, low), j = s->best[i];
        if (demand[j] == 0) {
            look_for(s, i);
            continue;
        }
        const mass_t flow = supply[i] < demand[j] ? supply[i] : demand[j];
        connect(s, &count, i, j, flow);
        supply[i] -= flow;
        demand[j] -= flow;
        s->charge[j] = demand[j] == 0 ? INFINITY : s->charge[j];
        s->low[i] = supply[i] == 0 ? INFINITY : s->low[i];
    }
    /* Parts that are not connected with row 0 are hung up by a row, which ships nothing. */
    for (int64_t i = 1; i < n; i++) {
        if (component(s, (int32_t)i) != component(s, 0)) {
            int64_t best = -1;
            for (int64_t j = 0; j < m; j++) {
                if (component(s, (int32_t)(n + j)) == component(s, 0) &&
                    (best < 0 || row_of(s, i)[j] < row_of(s, i)[best])) {
                    best = j;
                }
            }
            connect(s, &count, i, best, 0);
        }
    }
}

/* ---- the simplex ---- */

static inline void join(state_t *s, int32_t node, int32_t next) {
    s->line[node].next = next;
    s->line[next].previous = node;
}

/* What is above `node` and ended with `old` ends with `new`. */
static inline void end_with(state_t *s, int32_t node, int32_t old, int32_t new) {
    for (; node >= 0 && s->line[node].last == old; node = s->tree.place[node].parent) {
        s->line[node].last = new;
    }
}

/* Heights from the costs of the tree alone, so that what pivots add up to rounds no further. */
static void renew_heights(state_t *s) {
    double largest = 0.0, *height = s->height;
    height[0] = 0.0;
    for (int32_t node = s->line[0].next; node != 0; node = s->line[node].next) {
        const double cost = s->tree.edge[node].cost, below = height[s->tree.place[node].parent];
        height[node] = node < s->tree.n ? below + cost : below - cost;
        largest = fabs(height[node]) > largest ? fabs(height[node]) : largest;
    }
    s->tolerance = tolerance_of(largest, s->least_tolerance);
}

static void plant(state_t *s) {
    const int64_t n = s->rows.count, m = s->columns.count;
    s->tree.n = n;
    s->tree.nodes = n + m;
    tree_plant(&s->tree, s->shipments, s->plant, s->walk);
    int32_t last = 0;
    for (int64_t k = 0; k < 2 * (n + m - 1); k++) {
        if (s->walk[k] >= 0) {
            join(s, last, s->walk[k]);
            last = s->walk[k];
        } else {
            s->line[~s->walk[k]].last = last;
        }
    }
    join(s, last, 0);
    s->line[0].last = last;
    for (int64_t j = m; j < s->width; j++) {
        s->height[n + j] = 0.0;
    }
    renew_heights(s);
}

/* From one node of the line to another. */
static inline void lift(state_t *s, int32_t first, int32_t last, double by) {
    for (int32_t node = first;; node = s->line[node].next) {
        s->height[node] += by;
        if (node == last) {
            return;
        }
    }
}

/* Hang what lies below the leaving edge from `above` by its node `top`, turning the edges between. In the line, what is
 * below `top` comes first, then whatever else is below each node on the way from there. */
static void hang(state_t *s, int32_t top, int32_t above, const cycle_t *cycle, double cost) {
    const int32_t leaving = cycle->leaving, total = s->tree.place[leaving].size, end = s->line[leaving].last;
    carry_over(&s->tree, above, cycle);
    end_with(s, s->tree.place[leaving].parent, end, s->line[leaving].previous);
    join(s, s->line[leaving].previous, s->line[end].next);

    const int32_t after = s->line[above].next;
    mass_t flow = cycle->flow;
    int32_t parent = above, below = 0, tail = above;
    line_t lower = {-1, -1, -1}; /* of the node before on the way; `next` is what followed all below it */
    for (int32_t node = top;;) {
        const place_t place = s->tree.place[node];
        const edge_t edge = s->tree.edge[node];
        const line_t line = s->line[node];
        const int32_t behind = line.last == lower.last ? lower.next : s->line[line.last].next;
        join(s, tail, node);
        if (node != top) {
            tail = lower.previous;
        }
        if (line.last != lower.last) {
            if (node != top) {
                join(s, tail, lower.next);
            }
            tail = line.last;
        }
        s->tree.place[node] = (place_t){parent, total - below};
        s->tree.edge[node] = (edge_t){flow, cost};
        lower = (line_t){behind, line.previous, line.last};
        parent = node;
        if (node == leaving) {
            break;
        }
        below = place.size;
        flow = edge.flow;
        cost = edge.cost;
        node = place.parent;
    }
    join(s, tail, after);
    for (int32_t node = leaving; node != above; node = s->tree.place[node].parent) {
        s->line[node].last = tail;
    }
    end_with(s, above, above, tail);
}

static void pivot(state_t *s, int32_t row, int32_t j, double reduced) {
    const int32_t column = (int32_t)s->rows.count + j;
    const cycle_t cycle = find_cycle(&s->tree, row, column);
    if (cycle.flow > 0) {
        send_around(&s->tree, row, column, &cycle);
    }
    const int32_t top = cycle.on_column_side ? column : row, above = cycle.on_column_side ? row : column;
    hang(s, top, above, &cycle, row_of(s, row)[j]);
    const double by = top == row ? reduced : -reduced;
    s->tolerance = tolerance_of(fabs(by), s->tolerance);
    const int32_t last = s->line[top].last;
    if (2 * s->tree.place[top].size <= s->tree.nodes) {
        lift(s, top, last, by);
    } else {
        lift(s, 0, s->line[top].previous, -by);
        if (last != s->line[0].last) {
            lift(s, s->line[last].next, s->line[0].last, -by);
        }
    }
    s->pivots++;
}

/* Pivot until no pair would lower the cost by heights that are fresh from the tree. That these should show something
 * for ever, by rounding, is ruled out. */
static void run(state_t *s) {
    const int64_t n = s->rows.count;
    const double *of_columns = s->height + n;
    int64_t i = 0, fruitless = 0, until_renewal = s->tree.nodes;
    int fresh = 1, looks = LAST_LOOKS;
    while (fruitless < n || (!fresh && looks > 0)) {
        if (fruitless >= n || until_renewal == 0) {
            looks -= fruitless >= n;
            renew_heights(s);
            until_renewal = s->tree.nodes;
            fruitless = 0;
            fresh = 1;
        }
        const int64_t rows = ROWS < n - fruitless ? ROWS : n - fruitless;
        double least = -s->tolerance, low = 0.0;
        int64_t best = -1;
        for (int64_t k = 0; k < rows; k++) {
            const double sum = least_sum(row_of(s, i), of_columns, s->width), reduced = sum - s->height[i];
            if (reduced < least) {
                least = reduced;
                low = sum;
                best = i;
            }
            i = i + 1 == n ? 0 : i + 1;
        }
        fruitless += rows;
        if (best >= 0) {
            i = best; /* whose other columns may be next */
            pivot(s, (int32_t)best, place_of_sum(row_of(s, best), of_columns, low), least);
            fruitless = 0;
            fresh = 0;
            until_renewal--;
        }
    }
}

#include "histogram_refine.h"

/* ---- the cost itself ---- */

int NAME(is_metric)(const double *cost, int64_t n);

/* Whether costs (n, n) are at least 0, 0 on the diagonal, and a way round is never cheaper, but for rounding. */
int NAME(is_metric)(const double *cost, int64_t n) {
    const double more = 1.0 + 0x1p-50;
    for (int64_t i = 0; i < n; i++) {
        if (cost[i * n + i] != 0.0) {
            return 0;
        }
        for (int64_t j = 0; j < n; j++) {
            const double *restrict direct = cost + i * n, *restrict onwards = cost + j * n, first = direct[j];
            int shorter = first < 0.0;
            for (int64_t k = 0; k < n; k++) {
                shorter |= direct[k] > (first + onwards[k]) * more;
            }
            if (shorter) {
                return 0;
            }
        }
    }
    return 1;
}

/* ---- the answer ---- */

/* With the base, where there is one. */
static inline double height_of(const state_t *s, int32_t node) {
    return s->rebased ? exact_plus(s->base[node], (exact_t){s->height[node], 0.0}).high : s->height[node];
}

static inline double smaller(double a, double b) { return a < b ? a : b; }

/* Duals of all bins. Those of bins that take no part are what the others leave to them; `end` is the height at which a
 * dual is 0. */
static void write_duals(const state_t *s, const histograms_t *h, double *f, double *g) {
    const int64_t n = s->rows.count, m = s->columns.count;
    const double end = s->spare >= 0 ? height_of(s, s->spare) : 0.0;
    const double most_f = s->spare >= n ? 0.0 : INFINITY, most_g = s->spare >= 0 && s->spare < n ? 0.0 : INFINITY;
    if (n == 0 || m == 0) {
        memset(f, 0, (size_t)h->n * sizeof *f);
        memset(g, 0, (size_t)h->m * sizeof *g);
        return;
    }
    /* A metric bounds the difference of the duals of a bin's neighbours: with one of two sides comes the other. */
    const int from_rows = h->metric && s->spare >= 0 && s->spare < n;
    if (!from_rows) {
        for (int64_t i = 0; i < h->n; i++) {
            f[i] = most_f;
        }
        for (int64_t j = 0; j < m; j++) {
            for (int64_t i = 0; i < h->n && s->columns.bin[j] >= 0; i++) {
                f[i] = smaller(f[i], h->cost[i * h->m + s->columns.bin[j]] + (height_of(s, (int32_t)(n + j)) - end));
            }
        }
    }
    for (int64_t j = 0; j < h->m; j++) {
        g[j] = most_g;
    }
    for (int64_t k = 0; k < (from_rows ? n : h->n); k++) {
        const int64_t i = from_rows ? s->rows.bin[k] : k;
        const double dual = from_rows ? height_of(s, (int32_t)k) - end : f[i];
        for (int64_t j = 0; j < h->m && i >= 0; j++) {
            g[j] = smaller(g[j], h->cost[i * h->m + j] - dual);
        }
    }
    for (int64_t i = 0; i < h->n && from_rows; i++) {
        f[i] = -g[i];
    }
}

/* Something that moves between two bins. */
typedef struct {
    int32_t row, column;
    double mass;
} move_t;

/* What the edge above a node moves; nothing where one end is no bin, or only rounding has put it on its way. */
static inline move_t move_above(const state_t *s, int32_t node, double unit, const double *a, const double *b) {
    const shipment_t k = shipment_above(&s->tree, node);
    const int32_t i = s->rows.bin[k.row], j = s->columns.bin[k.column];
    const double mass = (double)k.flow * unit;
    return (move_t){i, j, i < 0 || j < 0 || is_dust(mass, a[i], b[j]) ? 0.0 : mass};
}

/* What moves between which bins, what stays included. */
static void write_plan(const state_t *s, const histograms_t *h, double unit, const double *a, const double *b,
                       int32_t *rows, int32_t *columns, double *moved) {
    int64_t count = 0;
    for (int32_t node = 1; node < s->tree.nodes; node++) {
        const move_t move = move_above(s, node, unit, a, b);
        if (move.mass > 0.0) {
            rows[count] = move.row;
            columns[count] = move.column;
            moved[count++] = move.mass;
        }
    }
    for (int32_t i = 0; i < h->n && h->metric; i++) {
        const double both = smaller(a[i], b[i]);
        if (both > 0.0) {
            rows[count] = columns[count] = i;
            moved[count++] = both;
        }
    }
    for (; count < h->n + h->m - 1; count++) {
        rows[count] = columns[count] = 0;
        moved[count] = 0.0;
    }
}

static double total_cost(const state_t *s, const histograms_t *h, double unit, const double *a, const double *b) {
    double total = 0.0;
    for (int32_t node = 1; node < s->tree.nodes; node++) {
        const move_t move = move_above(s, node, unit, a, b);
        total += move.mass > 0.0 ? h->cost[move.row * h->m + move.column] * move.mass : 0.0;
    }
    return total;
}

void NAME(histogram)(const histograms_t *h, int64_t pair, double *room);

void NAME(histogram)(const histograms_t *h, int64_t pair, double *room) {
    const double *a = h->a + h->of_a[pair] * h->n, *b = h->b + h->of_b[pair] * h->m;
    const int64_t at = pair * (h->n + h->m - 1);
    state_t s = {0};
    place_all(&s, h->n, h->m, room);
    const double unit = pose_masses(&s, h, a, b);
    if (s.rows.count > 0 && s.columns.count > 0) {
        pose_costs(&s, h);
        start(&s);
        plant(&s);
        run(&s);
        refine(&s, h);
    }
    h->total[pair] = total_cost(&s, h, unit, a, b);
    h->pivots[pair] = s.pivots;
    if (h->f) {
        write_duals(&s, h, h->f + pair * h->n, h->g + pair * h->m);
    }
    if (h->moved) {
        write_plan(&s, h, unit, a, b, h->rows + at, h->columns + at, h->moved + at);
    }
}
