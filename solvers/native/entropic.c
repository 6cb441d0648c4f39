/* One pass of Sinkhorn's algorithm over points: both marginals of the plan that two potentials stand for, or what the
 * plan carries from the columns to the rows, in O(n + m) memory.
 *
 * Points stand in tiles of neighbours, each of them within a larger one. A pair of tiles in which no e_ij matters is
 * left out, by the bound
 *
 *     (f_i + g_j - s |x_i - y_j|^2) <= max_i (f_i - s |x'_i|^2 - 2 s D.x'_i) + max_j (g_j - s |y'_j|^2 + 2 s D.y'_j)
 *                                      - s |D|^2 + 2 s sum_d h_d k_d,
 *
 * x' and y' from the tiles' middles, which are D apart, and h, k half their sides; for distances -s times that of the
 * two boxes stands for the terms in x' and y'. The same decomposition gives each pair of tiles coordinates of its own,
 * in which float32 has digits enough as long as the tiles are small beside the blur. Where that is not so, the pair is
 * summed in float64. And where all x'.y' of a pair are small, so that exp(2 s x'.y') is a short series, its sums are
 * those of the series, at an exponential for each point instead of one for each pair of points.
 */
#include "entropic.h"

#include "arena.h"
#include "crew.h"
#include "exp2.h"
#include "kd.h"
#include "names.h"

enum {
    SMALL_TILE = 64, /* points of the smallest tiles */
    FAN = 4,         /* tiles of a storey in one of the next */
    STOREYS = 3,
    TILE = 1024,       /* points of the largest tiles */
    MANY = 1 << 15,    /* points from which on these are used */
    LARGEST_STEP = 16, /* tiles are filled up to a multiple of this */
    CHANNELS = 4,
    WORTH_A_THREAD = 1 << 19, /* pairs */
};

static inline f64_lanes_t f64_root(f64_lanes_t v) {
#ifdef LAPMARK_AVX2
    return (f64_lanes_t)_mm256_sqrt_pd((__m256d)v);
#else
    for (int k = 0; k < VECTOR_BYTES / 8; k++) {
        v[k] = sqrt(v[k]);
    }
    return v;
#endif
}

static inline f32_lanes_t f32_root(f32_lanes_t v) {
#ifdef LAPMARK_AVX2
    return (f32_lanes_t)_mm256_sqrt_ps((__m256)v);
#else
    for (int k = 0; k < VECTOR_BYTES / 4; k++) {
        v[k] = sqrtf(v[k]);
    }
    return v;
#endif
}

/* Exponents of float32 end at 127 and -126. */
static const double F32_MOST = 100.0, F32_BEST = 2e-6; /* and sums in it are no better than that */
/* Where costs are asked for, exponents matter that are so much smaller: pairs that hold little may cost the most. */
static const double COSTLY = 10.0;
/* Stands for the potential of what fills a tile up. */
static const double NOWHERE = -1e30;
static const double LOG2_E = 1.4426950408889634, LOG_2 = 0.6931471805599453;

/* The points of one side in tiles of a size, the last filled up; potentials and offsets are exponents of 2. */
typedef struct {
    int64_t count, tiles, size;
    double *middle[DIM], *half[DIM];
    double *offset;     /* (tiles) potential from which those of a tile are counted */
    double *expected;   /* (tiles) the least that matters to its sums, as an exponent of 2 */
    double *potential;  /* (count, filled up) for squared distances less that of x' */
    double *local[DIM]; /* (count, filled up) x' */
} storey_t;

typedef struct {
    storey_t storey[STOREYS]; /* the smallest tiles first */
    double *mass;             /* (count, filled up) relative to the heaviest */
    double heaviest;          /* what sums of these masses are in units of */
} side_t;

static inline int64_t filled_up(int64_t count) { return (count + LARGEST_STEP - 1) / LARGEST_STEP * LARGEST_STEP; }

static inline int64_t tile_begin(const storey_t *s, int64_t tile) { return tile * s->size; }

/* Points of a tile, what fills it up included. */
static inline int tile_size(const storey_t *s, int64_t tile) {
    const int64_t rest = filled_up(s->count) - tile_begin(s, tile);
    return (int)(rest < s->size ? rest : s->size);
}

/* The nearest to x of what lies between the quarters of `count` values, by a sample: so that no far point takes
 * the digits of the others. */
static double among_most(double x, const double *values, int64_t count, int64_t stride) {
    enum { SAMPLE = 9 };
    double sample[SAMPLE];
    for (int k = 0; k < SAMPLE; k++) {
        const double value = values[(count - 1) * k / (SAMPLE - 1) * stride];
        int at = k;
        for (; at > 0 && sample[at - 1] > value; at--) {
            sample[at] = sample[at - 1];
        }
        sample[at] = value;
    }
    const double low = sample[SAMPLE / 4], high = sample[SAMPLE - 1 - SAMPLE / 4];
    return x < low ? low : (x > high ? high : x);
}

static void fill_tile(storey_t *s, int64_t tile, const entropic_t *t, const double *points, const double *potential,
                      double opposite) {
    const int64_t begin = tile_begin(s, tile), past = begin + tile_size(s, tile);
    const int64_t end = past < s->count ? past : s->count;
    for (int d = 0; d < DIM; d++) {
        double low = INFINITY, high = -INFINITY;
        for (int64_t i = begin; i < end; i++) {
            const double x = points[i * DIM + d];
            low = x < low ? x : low;
            high = x > high ? x : high;
        }
        const double middle = among_most(low + 0.5 * (high - low), points + begin * DIM + d, end - begin, DIM);
        s->middle[d][tile] = middle;
        s->half[d][tile] = high - middle > middle - low ? high - middle : middle - low;
    }
    double highest = -INFINITY;
    for (int64_t i = begin; i < end; i++) {
        highest = potential[i] > highest ? potential[i] : highest;
    }
    const double unit = LOG2_E / t->epsilon, from = among_most(highest, potential + begin, end - begin, 1);
    for (int64_t i = begin; i < past; i++) {
        double square = 0.0;
        for (int d = 0; d < DIM; d++) {
            const double x = i < end ? points[i * DIM + d] - s->middle[d][tile] : 0.0;
            s->local[d][i] = x;
            square += x * x;
        }
        const double rest = POWER == 2 ? t->scale * square : 0.0;
        s->potential[i] = i < end ? unit * (potential[i] - from - rest) : NOWHERE;
    }
    s->offset[tile] = unit * from;
    /* Less than 1 of every unit moves where a potential is high; where it is low, the plan may yet be far from that. */
    s->expected[tile] = log2(t->precision / opposite) - (highest > 0.0 ? LOG2_E * highest / t->rho : 0.0);
    s->expected[tile] -= t->with_spent ? COSTLY : 0.0;
}

/* `opposite`: mass of the other side, which the sums are taken from. */
static void storey_make(storey_t *s, arena_t *a, int64_t size, int64_t count, const entropic_t *t, const double *points,
                        const double *potential, double opposite) {
    *s = (storey_t){.count = count, .tiles = (count + size - 1) / size, .size = size};
    for (int d = 0; d < DIM; d++) {
        s->middle[d] = arena_take(a, s->tiles, sizeof(double));
        s->half[d] = arena_take(a, s->tiles, sizeof(double));
        s->local[d] = arena_take(a, filled_up(count), sizeof(double));
    }
    s->offset = arena_take(a, s->tiles, sizeof(double));
    s->expected = arena_take(a, s->tiles, sizeof(double));
    s->potential = arena_take(a, filled_up(count), sizeof(double));
    for (int64_t tile = 0; tile < s->tiles && !a->failed; tile++) {
        fill_tile(s, tile, t, points, potential, opposite);
    }
}

static double total(const double *mass, int64_t count) {
    double sum = 0.0;
    for (int64_t i = 0; i < count; i++) {
        sum += mass[i];
    }
    return sum;
}

static int side_make(side_t *s, arena_t *a, int64_t count, const entropic_t *t, const double *points,
                     const double *potential, const double *mass, double opposite) {
    s->mass = arena_take(a, filled_up(count), sizeof(double));
    for (int64_t k = 0, size = SMALL_TILE; k < STOREYS; k++, size *= FAN) {
        storey_make(&s->storey[k], a, size, count, t, points, potential, opposite);
    }
    for (int64_t i = 0; i < count && !a->failed; i++) {
        s->heaviest = mass[i] > s->heaviest ? mass[i] : s->heaviest;
    }
    for (int64_t i = 0; i < count && !a->failed; i++) {
        s->mass[i] = s->heaviest > 0.0 ? mass[i] / s->heaviest : 0.0;
    }
    return !a->failed;
}

/* Terms of the series of 2^(x.y) up to a degree, in the order in which moments are taken. */
enum { DEGREES = DIM == 2 ? 11 : 7, MOST_TERMS = DIM == 2 ? 66 : 84 };

typedef struct {
    int terms;
    double factor[MOST_TERMS]; /* (ln 2)^|k| / k! */
    double order[MOST_TERMS];  /* |k| */
    double reach;              /* it will do where no product exceeds this */
} series_t;

/* The largest product up to which a series of this degree is good enough: what it leaves out, relative to the whole, is
 * at most z^(degree + 1) / (degree + 1)! e^z for a product of z / ln 2 or of -z / ln 2. */
static double reach_of(int degree, double precision) {
    double low = 0.0, high = 2.0;
    for (int step = 0; step < 40; step++) {
        const double z = 0.5 * (low + high);
        double rest = exp(z);
        for (int k = 1; k <= degree + 1; k++) {
            rest *= z / k;
        }
        *(rest <= precision ? &low : &high) = z;
    }
    return low / LOG_2;
}

static void make_series(series_t *s, int degree, double precision) {
    s->reach = reach_of(degree, precision);
    double part[DEGREES] = {1.0}; /* (ln 2)^k / k! */
    for (int k = 1; k < DEGREES; k++) {
        part[k] = part[k - 1] * LOG_2 / k;
    }
    s->terms = 0;
    for (int l = 0; l <= (DIM == 3 ? degree : 0); l++) {
        for (int k = 0; k <= degree - l; k++) {
            for (int i = 0; i <= degree - l - k; i++) {
                s->factor[s->terms] = part[l] * part[k] * part[i];
                s->order[s->terms++] = l + k + i;
            }
        }
    }
}

/* What one of the crew has summed up. */
typedef struct {
    double *columns; /* (m, filled up) */
    double spent;
    int64_t pairs;
    outcome_t outcome;
} share_t;

typedef struct {
    entropic_t *task;
    side_t x, y;
    double *weights; /* (groups of CHANNELS) x (m, filled up): values times mass, and last 1 times mass */
    double *largest; /* (channels + 1) what values were divided by */
    double lift;     /* added to every exponent, so that plans of very small or large masses are in range */
    int64_t groups;
    int top; /* storey of the tiles that are dealt out */
    series_t series[DEGREES];
    share_t *shares;
    atomic_int over;
} sweep_t;

/* Where the sums over a pair of tiles go. */
typedef struct {
    double *rows, *spent, *columns;
} sums_t;

enum { WITH_SPENT = 64 }; /* added to a degree */

static inline int terms_of(int degree) {
    return DIM == 2 ? (degree + 1) * (degree + 2) / 2 : (degree + 1) * (degree + 2) * (degree + 3) / 6;
}

/* Two tiles beside each other: the parts of the exponents that are the rows' and the columns', in double. */
typedef struct {
    const storey_t *x, *y;
    int64_t at, other;
    int rows, columns; /* points of each, a multiple of LARGEST_STEP */
    double row[TILE], column[TILE];
    double apart[DIM]; /* of the middles */
    double top, least; /* no exponent is larger, and none that matters smaller */
    double rounding;   /* of exponents that matter, in float32 */
    int degree;        /* of the series that will do, 0 where none will */
} meeting_t;

static inline double largest_of(const double *v, int count) {
    double best[8];
    memcpy(best, v, sizeof best);
    for (int i = 8; i < count; i += 8) {
        for (int k = 0; k < 8; k++) {
            best[k] = v[i + k] > best[k] ? v[i + k] : best[k];
        }
    }
    for (int k = 1; k < 8; k++) {
        best[0] = best[k] > best[0] ? best[k] : best[0];
    }
    return best[0];
}

/* Let two tiles meet; 0 where nothing between them matters. */
static int meet(meeting_t *w, const sweep_t *s, const storey_t *x, int64_t at, const storey_t *y, int64_t other) {
    const entropic_t *t = s->task;
    const double unit = LOG2_E / t->epsilon * t->scale;
    const int64_t row = tile_begin(x, at), column = tile_begin(y, other);
    double constant = x->offset[at] + y->offset[other] + s->lift, curved = 0.0;
    w->x = x;
    w->y = y;
    w->at = at;
    w->other = other;
    w->rows = tile_size(x, at);
    w->columns = tile_size(y, other);
#if POWER == 2
    double tilt[DIM];
    for (int d = 0; d < DIM; d++) {
        w->apart[d] = x->middle[d][at] - y->middle[d][other];
        constant -= unit * w->apart[d] * w->apart[d];
        curved += 2.0 * unit * x->half[d][at] * y->half[d][other];
        tilt[d] = 2.0 * unit * w->apart[d];
    }
    for (int i = 0; i < w->rows; i++) {
        double r = x->potential[row + i];
        for (int d = 0; d < DIM; d++) {
            r -= tilt[d] * x->local[d][row + i];
        }
        w->row[i] = r;
    }
    for (int j = 0; j < w->columns; j++) {
        double c = y->potential[column + j];
        for (int d = 0; d < DIM; d++) {
            c += tilt[d] * y->local[d][column + j];
        }
        w->column[j] = c;
    }
    const double highest = largest_of(w->row, w->rows);
    w->top = constant + highest + largest_of(w->column, w->columns) + curved;
#else
    double near = 0.0, far = 0.0;
    for (int d = 0; d < DIM; d++) {
        w->apart[d] = x->middle[d][at] - y->middle[d][other];
        const double sides = x->half[d][at] + y->half[d][other], middles = fabs(w->apart[d]);
        near += middles > sides ? (middles - sides) * (middles - sides) : 0.0;
        far += (middles + sides) * (middles + sides);
    }
    memcpy(w->row, x->potential + row, (size_t)w->rows * sizeof *w->row);
    memcpy(w->column, y->potential + column, (size_t)w->columns * sizeof *w->column);
    const double highest = largest_of(w->row, w->rows);
    w->top = constant + highest + largest_of(w->column, w->columns) - unit * sqrt(near);
    curved = 2.0 * unit * sqrt(far);
#endif
    w->least = s->lift + (x->expected[at] < y->expected[other] ? x->expected[at] : y->expected[other]);
    if (!(w->top >= w->least)) {
        return 0;
    }
    for (int i = 0; i < w->rows; i++) {
        w->row[i] -= highest;
    }
    for (int j = 0; j < w->columns; j++) {
        w->column[j] += highest + constant;
    }
    w->degree = 0;
    for (int degree = DEGREES - 1; degree > 0 && POWER == 2 && curved <= s->series[degree].reach; degree -= 2) {
        w->degree = degree;
    }
    const double depth = w->top - w->least - (s->task->with_spent ? COSTLY : 0.0);
    w->rounding = 0x1p-24 * LOG_2 * (2.0 * depth + fabs(w->top) + 2.0 * curved);
    return 1;
}

#define REAL float
#define LANES f32_lanes_t
#define EXP2 f32_exp2
#define TYPED(name) f32_##name
#include "entropic_pair.h"
#undef REAL
#undef LANES
#undef EXP2
#undef TYPED
#define REAL double
#define LANES f64_lanes_t
#define EXP2 f64_exp2
#define TYPED(name) f64_##name
#include "entropic_pair.h"

/* What one of the crew works with, for one of the largest tiles of rows at a time. */
typedef struct {
    meeting_t meetings[STOREYS];
    f32_pair_t f32_pair;
    f64_pair_t f64_pair;
    f32_lanes_t f32_rows[SMALL_TILE], f32_spent[SMALL_TILE];
    f64_lanes_t f64_rows[SMALL_TILE], f64_spent[SMALL_TILE];
    float f32_weights[CHANNELS][TILE];
    double f64_weights[CHANNELS][TILE];
    double rows[TILE], spent[TILE], carried[CHANNELS][TILE];
} bench_t;

/* Take what lanes have summed up over to the rows from `row` on. */
static void flush(bench_t *w, int64_t row) {
    for (int i = 0; i < SMALL_TILE; i++) {
        w->rows[row + i] += f32_sum(w->f32_rows[i]) + f64_sum(w->f64_rows[i]);
        w->spent[row + i] += f32_sum(w->f32_spent[i]) + f64_sum(w->f64_spent[i]);
    }
    memset(w->f32_rows, 0, sizeof w->f32_rows);
    memset(w->f32_spent, 0, sizeof w->f32_spent);
    memset(w->f64_rows, 0, sizeof w->f64_rows);
    memset(w->f64_spent, 0, sizeof w->f64_spent);
}

static int is_coarse(const meeting_t *w, const entropic_t *t) {
    return t->precision >= F32_BEST && w->rounding <= t->precision && w->top <= F32_MOST && w->least >= -F32_MOST;
}

/* What to do with two tiles that matter to each other; `row` is the first within the largest tile. */
typedef void visit_t(const sweep_t *s, share_t *share, bench_t *w, const meeting_t *m, int64_t row, int64_t group);

static void sum_tiles(const sweep_t *s, share_t *share, bench_t *w, const meeting_t *m, int64_t row, int64_t group) {
    (void)group;
    const sums_t to = {w->rows + row, w->spent + row, share->columns + tile_begin(m->y, m->other)};
    if (!is_coarse(m, s->task)) {
        f64_fill(&w->f64_pair, m, s);
        f64_sum_pair(s, &w->f64_pair, m->degree, w->f64_rows, w->f64_spent, to);
    } else {
        f32_fill(&w->f32_pair, m, s);
        f32_sum_pair(s, &w->f32_pair, m->degree, w->f32_rows, w->f32_spent, to);
    }
}

static void carry_tiles(const sweep_t *s, share_t *share, bench_t *w, const meeting_t *m, int64_t row, int64_t group) {
    (void)share;
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
    if (is_coarse(m, s->task)) {
        f32_fill(&w->f32_pair, m, s);
        f32_carry_pair(s, &w->f32_pair, m->degree, w->f32_weights, to);
    } else {
        f64_fill(&w->f64_pair, m, s);
        f64_carry_pair(s, &w->f64_pair, m->degree, w->f64_weights, to);
    }
}

/* Take two tiles of a storey as they are where a series will do for them, or the smaller ones within them. */
static void visit_tiles(const sweep_t *s, share_t *share, bench_t *w, int storey, int64_t at, int64_t other,
                        int64_t row, visit_t visit, int64_t group) {
    meeting_t *m = &w->meetings[storey];
    if (!meet(m, s, &s->x.storey[storey], at, &s->y.storey[storey], other)) {
        return;
    }
    if (storey == 0 || m->degree > 0) {
        share->pairs += m->rows * m->columns;
        visit(s, share, w, m, row, group);
        return;
    }
    const storey_t *x = &s->x.storey[storey - 1], *y = &s->y.storey[storey - 1];
    for (int64_t i = at * FAN; i < (at + 1) * FAN && i < x->tiles; i++) {
        const int64_t here = row + (i - at * FAN) * x->size;
        for (int64_t j = other * FAN; j < (other + 1) * FAN && j < y->tiles; j++) {
            visit_tiles(s, share, w, storey - 1, i, j, here, visit, group);
        }
        if (storey == 1 && !s->task->carried) {
            flush(w, here);
        }
    }
}

static void visit_all(const sweep_t *s, share_t *share, bench_t *w, int64_t at, visit_t visit, int64_t group) {
    for (int64_t other = 0; other < s->y.storey[s->top].tiles; other++) {
        visit_tiles(s, share, w, s->top, at, other, 0, visit, group);
    }
}

static void sum_rows(const sweep_t *s, share_t *share, bench_t *w, int64_t at) {
    const entropic_t *t = s->task;
    const int64_t begin = tile_begin(&s->x.storey[s->top], at);
    memset(w->rows, 0, sizeof w->rows);
    memset(w->spent, 0, sizeof w->spent);
    visit_all(s, share, w, at, sum_tiles, 0);
    for (int64_t i = 0; i < tile_size(&s->x.storey[s->top], at) && begin + i < t->n; i++) {
        t->rows[begin + i] = s->y.heaviest * w->rows[i];
        share->spent += t->a[begin + i] * s->y.heaviest * w->spent[i];
    }
}

static void carry_to_rows(const sweep_t *s, share_t *share, bench_t *w, int64_t at) {
    const entropic_t *t = s->task;
    const int64_t begin = tile_begin(&s->x.storey[s->top], at), size = tile_size(&s->x.storey[s->top], at);
    for (int64_t group = 0; group < s->groups; group++) {
        memset(w->carried, 0, sizeof w->carried);
        visit_all(s, share, w, at, carry_tiles, group);
        for (int channel = 0; channel < CHANNELS; channel++) {
            const int64_t k = group * CHANNELS + channel;
            for (int64_t i = 0; i < size && begin + i < t->n && k <= t->channels; i++) {
                const double sum = s->y.heaviest * s->largest[k] * w->carried[channel][i];
                *(k < t->channels ? &t->carried[(begin + i) * t->channels + k] : &t->rows[begin + i]) = sum;
            }
        }
    }
}

/* Rows of tiles are dealt out in turn, so that sums do not depend on who is faster. */
static void sweep_part(void *on, int64_t part, int64_t parts) {
    sweep_t *s = on;
    share_t *share = &s->shares[part];
    bench_t *w = aligned_alloc(VECTOR_BYTES, sizeof *w); /* as vectors ask for; the size is a multiple of theirs */
    share->outcome = w ? SOLVED : OUT_OF_MEMORY;
    if (w) {
        memset(w, 0, sizeof *w);
    }
    for (int64_t at = part; at < s->x.storey[s->top].tiles && share->outcome == SOLVED && !atomic_load(&s->over);
         at += parts) {
        if (s->task->carried) {
            carry_to_rows(s, share, w, at);
        } else {
            sum_rows(s, share, w, at);
        }
        if (part == 0) {
            share->outcome = stopped(&s->task->stop);
        }
    }
    if (share->outcome != SOLVED) {
        atomic_store(&s->over, 1);
    }
    free(w);
}

/* Values times the masses of their columns, and the masses themselves as the last channel. */
static int weigh_values(sweep_t *s, arena_t *a) {
    const entropic_t *t = s->task;
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

static void take_together(const sweep_t *s, int64_t parts) {
    entropic_t *t = s->task;
    double spent = 0.0;
    t->pairs = 0;
    for (int64_t part = 0; part < parts; part++) {
        t->pairs += s->shares[part].pairs;
        spent += s->shares[part].spent;
        for (int64_t j = 0; j < t->m && !t->carried; j++) {
            t->columns[j] = s->x.heaviest * s->shares[part].columns[j] + (part ? t->columns[j] : 0.0);
        }
    }
    t->spent = t->with_spent ? t->epsilon * LOG_2 * spent : t->spent;
}

/* The first part of a split is the largest power of two that leaves a second. */
static void split_in_runs(const double *points, int32_t *order, int64_t begin, int64_t end, int64_t smallest) {
    if (end - begin <= smallest) {
        return;
    }
    int64_t half = smallest;
    while (2 * half < end - begin) {
        half *= 2;
    }
    kd_split(points, order, begin, end, begin + half);
    split_in_runs(points, order, begin, begin + half, smallest);
    split_in_runs(points, order, begin + half, end, smallest);
}

/* As many as have a tile each, and work for longer than it takes to wake them. */
static int64_t threads_for(const entropic_t *t, int64_t tiles) {
    int64_t threads = t->threads < tiles ? t->threads : tiles;
    while (threads > 1 && t->n * t->m / threads < WORTH_A_THREAD) {
        threads--;
    }
    return threads;
}

pass_t NAME(entropic_pass);

outcome_t NAME(entropic_pass)(entropic_t *t) {
    arena_t arena = {0};
    sweep_t s = {.task = t};
    outcome_t outcome = OUT_OF_MEMORY;
    atomic_init(&s.over, 0);
    s.top = t->n < MANY || t->m < MANY ? STOREYS - 2 : STOREYS - 1;
    for (int degree = 2; degree < DEGREES; degree += 2) {
        make_series(&s.series[degree], degree, t->precision);
    }
    const double of_x = total(t->a, t->n), of_y = total(t->b, t->m);
    s.lift = of_x > 0.0 && of_y > 0.0 ? rint(0.5 * (log2(of_x) + log2(of_y))) : 0.0;
    if (side_make(&s.x, &arena, t->n, t, t->x, t->f, t->a, of_y) &&
        side_make(&s.y, &arena, t->m, t, t->y, t->g, t->b, of_x) && (!t->carried || weigh_values(&s, &arena))) {
        s.x.heaviest *= exp2(-s.lift);
        s.y.heaviest *= exp2(-s.lift);
        const int64_t threads = threads_for(t, s.x.storey[s.top].tiles);
        s.shares = arena_take(&arena, threads, sizeof *s.shares);
        for (int64_t part = 0; part < threads && !arena.failed && !t->carried; part++) {
            s.shares[part].columns = arena_take(&arena, filled_up(t->m), sizeof(double));
        }
        crew_t *crew = arena.failed ? NULL : crew_make(&arena, threads);
        if (crew) {
            crew_work(crew, sweep_part, &s);
            crew_dismiss(crew);
            outcome = SOLVED;
            for (int64_t part = 0; part < crew->parts; part++) {
                outcome = s.shares[part].outcome != SOLVED ? s.shares[part].outcome : outcome;
            }
            take_together(&s, crew->parts);
        }
    }
    arena_free(&arena);
    return outcome;
}

neighbours_t NAME(neighbours);

void NAME(neighbours)(const double *points, int32_t *order, int64_t count, int64_t smallest) {
    for (int64_t i = 0; i < count; i++) {
        order[i] = (int32_t)i;
    }
    split_in_runs(points, order, 0, count, smallest);
}
