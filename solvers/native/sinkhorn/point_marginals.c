/* One pass of Sinkhorn's algorithm over points: both marginals of the plan of two potentials, or the values that the
 * plan carries from the columns to the rows, in O(n + m) memory.
 *
 * Points are in tiles of neighbours, each within a larger one. A pair of tiles is skipped if no e_ij in it matters, by
 * the bound
 *
 *     (f_i + g_j - s |x_i - y_j|^2) <= max_i (f_i - s |x'_i|^2 - 2 s D.x'_i) + max_j (g_j - s |y'_j|^2 + 2 s D.y'_j)
 *                                      - s |D|^2 + 2 s sum_d h_d k_d,
 *
 * where x' and y' are relative to the middles of the tiles, which are D apart, and h, k are half their sides; for
 * distances, -s times the distance of the two boxes replaces the terms in x' and y'. The same decomposition gives each
 * pair of tiles coordinates of its own, in which float32 has enough digits if the tiles are small relative to the blur;
 * otherwise the pair is summed in float64. If all x'.y' of a pair are so small that exp(2 s x'.y') is a short series,
 * its sums follow from the series, with one exponential per point instead of one per pair.
 */
#include "sinkhorn/point_marginals.h"

#include "core/variant_names.h"
#include "geometry/kd_order.inc.h"
#include "simd/exp2.h"
#include "sinkhorn/tile_pair.inc.h"

enum { WITH_SPENT = 64 }; /* added to a degree */

#define REAL float
#define LANES f32_lanes_t
#define EXP2 f32_exp2
#define TYPED(name) f32_##name
#include "sinkhorn/tile_pair_sums.inc.h"
#undef REAL
#undef LANES
#undef EXP2
#undef TYPED
#define REAL double
#define LANES f64_lanes_t
#define EXP2 f64_exp2
#define TYPED(name) f64_##name
#include "sinkhorn/tile_pair_sums.inc.h"

/* Memory of one thread, for one of the largest tiles of rows at a time. */
typedef struct {
    tile_pair_t pairs[LEVELS];
    f32_pair_data_t f32_pair;
    f64_pair_data_t f64_pair;
    f32_lanes_t f32_rows[SMALL_TILE], f32_spent[SMALL_TILE];
    f64_lanes_t f64_rows[SMALL_TILE], f64_spent[SMALL_TILE];
    float f32_weights[CHANNELS][TILE];
    double f64_weights[CHANNELS][TILE];
    double rows[TILE], spent[TILE], carried[CHANNELS][TILE];
} workspace_t;

/* Add the sums in lanes to those of the rows from `row` on. */
static void flush(workspace_t *w, int64_t row) {
    for (int i = 0; i < SMALL_TILE; i++) {
        w->rows[row + i] += f32_tree_sum(w->f32_rows[i]) + f64_tree_sum(w->f64_rows[i]);
        w->spent[row + i] += f32_tree_sum(w->f32_spent[i]) + f64_tree_sum(w->f64_spent[i]);
    }
    memset(w->f32_rows, 0, sizeof w->f32_rows);
    memset(w->f32_spent, 0, sizeof w->f32_spent);
    memset(w->f64_rows, 0, sizeof w->f64_rows);
    memset(w->f64_spent, 0, sizeof w->f64_spent);
}

static int fits_float(const tile_pair_t *w, const point_marginals_t *t) {
    return t->precision >= F32_BEST && w->rounding <= t->precision && w->top <= F32_MOST && w->least >= -F32_MOST;
}

/* What to do with a pair of tiles that matters; `row` is its first row within the largest tile. */
typedef void visit_t(const pass_t *s, thread_sums_t *sums, workspace_t *w, const tile_pair_t *m, int64_t row,
                     int64_t group);

static void sum_tiles(const pass_t *s, thread_sums_t *sums, workspace_t *w, const tile_pair_t *m, int64_t row,
                      int64_t group) {
    (void)group;
    const pair_sums_t to = {w->rows + row, w->spent + row, sums->columns + tile_begin(m->y, m->other)};
    if (!fits_float(m, s->task)) {
        f64_fill(&w->f64_pair, m, s);
        f64_sum_pair(s, &w->f64_pair, m->degree, w->f64_rows, w->f64_spent, to);
    } else {
        f32_fill(&w->f32_pair, m, s);
        f32_sum_pair(s, &w->f32_pair, m->degree, w->f32_rows, w->f32_spent, to);
    }
}

static void carry_tiles(const pass_t *s, thread_sums_t *sums, workspace_t *w, const tile_pair_t *m, int64_t row,
                        int64_t group) {
    (void)sums;
    const int64_t room = filled_up(s->task->m);
    const double *weights = s->weights + group * CHANNELS * room + tile_begin(m->y, m->other);
    double *to[CHANNELS];
    for (int channel = 0; channel < CHANNELS; channel++) {
        for (int j = 0; j < m->columns; j++) {
            w->f32_weights[channel][j] = (float)weights[channel * room + j];
            w->f64_weights[channel][j] = weights[channel * room + j];
        }
        to[channel] = w->carried[channel] + row;
    }
    if (fits_float(m, s->task)) {
        f32_fill(&w->f32_pair, m, s);
        f32_carry_pair(s, &w->f32_pair, m->degree, w->f32_weights, to);
    } else {
        f64_fill(&w->f64_pair, m, s);
        f64_carry_pair(s, &w->f64_pair, m->degree, w->f64_weights, to);
    }
}

/* Visit a pair of tiles of a level if a series is accurate enough for it, or else the smaller ones within it. */
static void visit_tiles(const pass_t *s, thread_sums_t *sums, workspace_t *w, int level, int64_t at, int64_t other,
                        int64_t row, visit_t visit, int64_t group) {
    tile_pair_t *m = &w->pairs[level];
    if (!tile_pair_init(m, s, &s->x.level[level], at, &s->y.level[level], other)) {
        return;
    }
    if (level == 0 || m->degree > 0) {
        sums->pairs += m->rows * m->columns;
        visit(s, sums, w, m, row, group);
        return;
    }
    const tile_level_t *x = &s->x.level[level - 1], *y = &s->y.level[level - 1];
    for (int64_t i = at * FAN; i < (at + 1) * FAN && i < x->tiles; i++) {
        const int64_t here = row + (i - at * FAN) * x->size;
        for (int64_t j = other * FAN; j < (other + 1) * FAN && j < y->tiles; j++) {
            visit_tiles(s, sums, w, level - 1, i, j, here, visit, group);
        }
        if (level == 1 && !s->task->carried) {
            flush(w, here);
        }
    }
}

static void visit_all(const pass_t *s, thread_sums_t *sums, workspace_t *w, int64_t at, visit_t visit, int64_t group) {
    for (int64_t other = 0; other < s->y.level[s->top].tiles; other++) {
        visit_tiles(s, sums, w, s->top, at, other, 0, visit, group);
    }
}

static void sum_rows(const pass_t *s, thread_sums_t *sums, workspace_t *w, int64_t at) {
    const point_marginals_t *t = s->task;
    const int64_t begin = tile_begin(&s->x.level[s->top], at);
    memset(w->rows, 0, sizeof w->rows);
    memset(w->spent, 0, sizeof w->spent);
    visit_all(s, sums, w, at, sum_tiles, 0);
    for (int64_t i = 0; i < tile_size(&s->x.level[s->top], at) && begin + i < t->n; i++) {
        t->rows[begin + i] = s->y.heaviest * w->rows[i];
        sums->spent += t->a[begin + i] * s->y.heaviest * w->spent[i];
    }
}

static void carry_to_rows(const pass_t *s, thread_sums_t *sums, workspace_t *w, int64_t at) {
    const point_marginals_t *t = s->task;
    const int64_t begin = tile_begin(&s->x.level[s->top], at), size = tile_size(&s->x.level[s->top], at);
    for (int64_t group = 0; group < s->groups; group++) {
        memset(w->carried, 0, sizeof w->carried);
        visit_all(s, sums, w, at, carry_tiles, group);
        for (int channel = 0; channel < CHANNELS; channel++) {
            const int64_t k = group * CHANNELS + channel;
            for (int64_t i = 0; i < size && begin + i < t->n && k <= t->channels; i++) {
                const double sum = s->y.heaviest * s->largest[k] * w->carried[channel][i];
                *(k < t->channels ? &t->carried[(begin + i) * t->channels + k] : &t->rows[begin + i]) = sum;
            }
        }
    }
}

/* Tiles of rows are dealt out in turn, so sums do not depend on which thread is faster. */
static void run_part(void *on, int64_t part, int64_t parts) {
    pass_t *s = on;
    thread_sums_t *sums = &s->sums[part];
    workspace_t *w = aligned_memory(VECTOR_BYTES, sizeof *w);
    sums->outcome = w ? SOLVED : OUT_OF_MEMORY;
    if (w) {
        memset(w, 0, sizeof *w);
    }
    for (int64_t at = part; at < s->x.level[s->top].tiles && sums->outcome == SOLVED && !atomic_load(&s->over);
         at += parts) {
        if (s->task->carried) {
            carry_to_rows(s, sums, w, at);
        } else {
            sum_rows(s, sums, w, at);
        }
        if (part == 0) {
            sums->outcome = stopped(&s->task->stop);
        }
    }
    if (sums->outcome != SOLVED) {
        atomic_store(&s->over, 1);
    }
    aligned_memory_free(w);
}

/* Values times the masses of their columns, and the masses alone as the last channel. */
static int weigh_values(pass_t *s, arena_t *a) {
    const point_marginals_t *t = s->task;
    const int64_t room = filled_up(t->m);
    s->groups = (t->channels + CHANNELS) / CHANNELS;
    s->weights = arena_take(a, s->groups * CHANNELS * room, sizeof(double));
    s->largest = arena_take(a, t->channels + 1, sizeof(double));
    if (a->failed) {
        return 0;
    }
    for (int64_t k = 0; k <= t->channels; k++) {
        double largest = 0.0;
        for (int64_t j = 0; j < t->m; j++) {
            const double size = k < t->channels ? fabs(t->values[j * t->channels + k]) : 1.0;
            largest = size > largest ? size : largest;
        }
        s->largest[k] = largest;
        for (int64_t j = 0; j < t->m && largest > 0.0; j++) {
            const double value = k < t->channels ? t->values[j * t->channels + k] / largest : 1.0;
            s->weights[k * room + j] = value * s->y.mass[j];
        }
    }
    return 1;
}

static void add_up(const pass_t *s, int64_t parts) {
    point_marginals_t *t = s->task;
    double spent = 0.0;
    t->pairs = 0;
    for (int64_t part = 0; part < parts; part++) {
        t->pairs += s->sums[part].pairs;
        spent += s->sums[part].spent;
        for (int64_t j = 0; j < t->m && !t->carried; j++) {
            t->columns[j] = s->x.heaviest * s->sums[part].columns[j] + (part ? t->columns[j] : 0.0);
        }
    }
    t->spent = t->with_spent ? t->epsilon * LOG_2 * spent : t->spent;
}

/* The first part of a split is the largest power of two that leaves a second part. */
static void split_into_runs(const double *points, int32_t *order, int64_t begin, int64_t end, int64_t smallest) {
    if (end - begin <= smallest) {
        return;
    }
    int64_t half = smallest;
    while (2 * half < end - begin) {
        half *= 2;
    }
    kd_split(points, order, begin, end, begin + half);
    split_into_runs(points, order, begin, begin + half, smallest);
    split_into_runs(points, order, begin + half, end, smallest);
}

/* At most one per tile, each with more work than it takes to wake it. */
static int64_t threads_for(const point_marginals_t *t, int64_t tiles) {
    int64_t threads = t->threads < tiles ? t->threads : tiles;
    while (threads > 1 && t->n * t->m / threads < WORTH_A_THREAD) {
        threads--;
    }
    return threads;
}

point_marginals_solver_t NAME(point_marginals);

outcome_t NAME(point_marginals)(point_marginals_t *t) {
    arena_t arena = {0};
    pass_t s = {.task = t};
    outcome_t outcome = OUT_OF_MEMORY;
    atomic_init(&s.over, 0);
    s.top = t->n < MANY || t->m < MANY ? LEVELS - 2 : LEVELS - 1;
    for (int degree = 2; degree < DEGREES; degree += 2) {
        series_init(&s.series[degree], degree, t->precision);
    }
    const double of_x = total_mass(t->a, t->n), of_y = total_mass(t->b, t->m);
    s.lift = of_x > 0.0 && of_y > 0.0 ? rint(0.5 * (log2(of_x) + log2(of_y))) : 0.0;
    if (tiled_points_init(&s.x, &arena, t->n, t, t->x, t->f, t->a, of_y) &&
        tiled_points_init(&s.y, &arena, t->m, t, t->y, t->g, t->b, of_x) && (!t->carried || weigh_values(&s, &arena))) {
        s.x.heaviest *= exp2(-s.lift);
        s.y.heaviest *= exp2(-s.lift);
        const int64_t threads = threads_for(t, s.x.level[s.top].tiles);
        s.sums = arena_take(&arena, threads, sizeof *s.sums);
        for (int64_t part = 0; part < threads && !arena.failed && !t->carried; part++) {
            s.sums[part].columns = arena_take(&arena, filled_up(t->m), sizeof(double));
        }
        thread_pool_t *pool = arena.failed ? NULL : thread_pool_start(&arena, threads);
        if (pool) {
            thread_pool_run(pool, run_part, &s);
            thread_pool_stop(pool);
            outcome = SOLVED;
            for (int64_t part = 0; part < pool->parts; part++) {
                outcome = s.sums[part].outcome != SOLVED ? s.sums[part].outcome : outcome;
            }
            add_up(&s, pool->parts);
        }
    }
    arena_free(&arena);
    return outcome;
}

tile_order_t NAME(tile_order);

void NAME(tile_order)(const double *points, int32_t *order, int64_t count, int64_t smallest) {
    for (int64_t i = 0; i < count; i++) {
        order[i] = (int32_t)i;
    }
    split_into_runs(points, order, 0, count, smallest);
}
