/* Sums over one pair of tiles, in numbers of type REAL. A template that is included for float and for double, with
 * TYPED(name) the name of a function or type, LANES the vector type, and EXP2 its power of two.
 *
 * Exponents are to base 2, in coordinates of the pair, which keep most digits:
 *
 *     t_ij = row_i + column_j + sum_d x_id y_jd        for squared distances,
 *     t_ij = row_i + column_j - |x_i - y_j|            for distances.
 *
 * Costs, in units of an exponent, use the same coordinates without the potentials, which would take their digits:
 *
 *     q_ij = far_row_i + far_column_j - sum_d x_id y_jd,    or |x_i - y_j|.
 */

enum { TYPED(PER_VECTOR) = VECTOR_BYTES / sizeof(REAL) };

typedef struct {
    REAL row[TILE], x[DIM][TILE], a[TILE];
    REAL column[TILE], y[DIM][TILE], b[TILE];
    REAL far_row[TILE], far_column[TILE]; /* set if costs are wanted */
    int rows, columns;
} TYPED(pair_data_t);

static inline double TYPED(tree_sum)(LANES v) {
    REAL lane[TYPED(PER_VECTOR)];
    memcpy(lane, &v, sizeof v);
    for (int half = TYPED(PER_VECTOR) / 2; half > 0; half /= 2) {
        for (int k = 0; k < half; k++) {
            lane[k] += lane[k + half];
        }
    }
    return (double)lane[0];
}

#if POWER == 2
/* |x - y|^2 of points whose middles are D apart: |x' + D|^2 is the part of the row, |y'|^2 - 2 D.y' that of the column.
 */
static void TYPED(fill_far)(TYPED(pair_data_t) *restrict p, const tile_pair_t *restrict w, double unit) {
    const int64_t row = tile_begin(w->x, w->at), column = tile_begin(w->y, w->other);
    for (int i = 0; i < w->rows; i++) {
        double square = 0.0;
        for (int d = 0; d < DIM; d++) {
            const double apart = w->x->local[d][row + i] + w->apart[d];
            square += apart * apart;
        }
        p->far_row[i] = (REAL)(unit * square);
    }
    for (int j = 0; j < w->columns; j++) {
        double square = 0.0;
        for (int d = 0; d < DIM; d++) {
            const double y = w->y->local[d][column + j];
            square += y * (y - 2.0 * w->apart[d]);
        }
        p->far_column[j] = (REAL)(unit * square);
    }
}
#endif

static void TYPED(fill)(TYPED(pair_data_t) *restrict p, const tile_pair_t *restrict w, const pass_t *s) {
    const double unit = LOG2_E / s->task->epsilon * s->task->scale;
    const int64_t row = tile_begin(w->x, w->at), column = tile_begin(w->y, w->other);
    p->rows = w->rows;
    p->columns = w->columns;
    for (int d = 0; d < DIM; d++) {
        const double *x = w->x->local[d] + row, *y = w->y->local[d] + column;
#if POWER == 2
        /* Within 1 and within the largest product, so no power overflows. */
        const double half = w->x->half[d][w->at];
        const double of_x = isnormal(half) ? 1.0 / half : 0.0, of_y = 2.0 * unit * half, shift = 0.0;
#else
        /* In units of the exponent, so no square overflows. */
        const double of_x = unit, of_y = unit, shift = unit * w->apart[d];
#endif
        for (int i = 0; i < w->rows; i++) {
            p->x[d][i] = (REAL)(of_x * x[i]);
        }
        for (int j = 0; j < w->columns; j++) {
            p->y[d][j] = (REAL)(of_y * y[j] - shift);
        }
    }
    for (int i = 0; i < w->rows; i++) {
        p->row[i] = (REAL)w->row[i];
        p->a[i] = (REAL)s->x.mass[row + i];
    }
    for (int j = 0; j < w->columns; j++) {
        p->column[j] = (REAL)w->column[j];
        p->b[j] = (REAL)s->y.mass[column + j];
    }
#if POWER == 2
    if (s->task->with_spent) {
        TYPED(fill_far)(p, w, unit);
    }
#endif
}

/* Add to `rest` the part of an exponent that depends on both points. */
static inline LANES TYPED(exponent)(const TYPED(pair_data_t) * p, int i, LANES rest, const LANES *y) {
#if POWER == 2
    for (int d = 0; d < DIM; d++) {
        rest += p->x[d][i] * y[d];
    }
    return rest;
#else
    LANES square = {0};
    for (int d = 0; d < DIM; d++) {
        const LANES apart = p->x[d][i] - y[d];
        square += apart * apart;
    }
    return rest - TYPED(root)(square);
#endif
}

/* Add sum_j b_j e_ij to `rows`, sum_i a_i e_ij to `columns` and, if wanted, sum_j b_j e_ij q_ij to `spent`. */
static inline void TYPED(sums)(const TYPED(pair_data_t) *restrict p, LANES *restrict rows, LANES *restrict spent,
                               double *restrict columns, int with_spent) {
    enum { ROWS = 4, STEP = TYPED(PER_VECTOR) };
    REAL sums[TILE] = {0};
    for (int i = 0; i < p->rows; i += ROWS) {
        LANES row[ROWS], cost[ROWS];
        for (int k = 0; k < ROWS; k++) {
            row[k] = rows[i + k];
            cost[k] = with_spent ? spent[i + k] : row[k];
        }
        for (int j = 0; j < p->columns; j += STEP) {
            const LANES column = TYPED(load)(p->column + j), b = TYPED(load)(p->b + j);
            LANES y[DIM], sum = TYPED(load)(sums + j);
            for (int d = 0; d < DIM; d++) {
                y[d] = TYPED(load)(p->y[d] + j);
            }
            for (int k = 0; k < ROWS; k++) {
                const LANES e = EXP2(TYPED(exponent)(p, i + k, p->row[i + k] + column, y));
                row[k] += b * e;
                sum += p->a[i + k] * e;
                if (with_spent) {
                    const LANES common = TYPED(exponent)(p, i + k, (LANES){0}, y);
#if POWER == 2
                    cost[k] += (b * e) * (p->far_row[i + k] + TYPED(load)(p->far_column + j) - common);
#else
                    cost[k] -= (b * e) * common;
#endif
                }
            }
            memcpy(sums + j, &sum, sizeof sum);
        }
        for (int k = 0; k < ROWS; k++) {
            rows[i + k] = row[k];
            if (with_spent) {
                spent[i + k] = cost[k];
            }
        }
    }
    for (int j = 0; j < p->columns; j++) {
        columns[j] += (double)sums[j];
    }
}

/* Add sum_j e_ij weights_kj to `carried`, for CHANNELS of weights. */
static inline void TYPED(carry)(const TYPED(pair_data_t) *restrict p, REAL weights[CHANNELS][TILE],
                                double *const carried[CHANNELS]) {
    enum { ROWS = 2, STEP = TYPED(PER_VECTOR) };
    for (int i = 0; i < p->rows; i += ROWS) {
        LANES total[ROWS][CHANNELS] = {{{0}}};
        for (int j = 0; j < p->columns; j += STEP) {
            const LANES column = TYPED(load)(p->column + j);
            LANES y[DIM];
            for (int d = 0; d < DIM; d++) {
                y[d] = TYPED(load)(p->y[d] + j);
            }
            for (int k = 0; k < ROWS; k++) {
                const LANES e = EXP2(TYPED(exponent)(p, i + k, p->row[i + k] + column, y));
                for (int channel = 0; channel < CHANNELS; channel++) {
                    total[k][channel] += e * TYPED(load)(weights[channel] + j);
                }
            }
        }
        for (int k = 0; k < ROWS; k++) {
            for (int channel = 0; channel < CHANNELS; channel++) {
                carried[channel][i + k] += TYPED(tree_sum)(total[k][channel]);
            }
        }
    }
}

#if POWER == 2
/* The same sums if x'.y' is small over a whole pair of tiles, by the series
 *
 *     2^(x.y) = sum_k (ln 2)^|k| / k! x^k y^k,    k of DIM indices with |k| <= degree:
 *
 * moments of each side, and a polynomial in the coordinates of the other. One exponential per point serves TILE pairs.
 */

/* moments[term] += sum weight x^k, in the order of the loops. */
static ALWAYS_INLINE void TYPED(add_moments)(LANES *moments, LANES weight, const LANES *x, int degree) {
    LANES power[DEGREES];
    int term = 0;
    power[0] = weight;
#pragma GCC unroll 16
    for (int k = 1; k <= degree; k++) {
        power[k] = power[k - 1] * x[0];
    }
#if DIM == 3
    LANES last = power[0] * 0 + 1;
#pragma GCC unroll 16
    for (int l = 0; l <= degree; l++, last *= x[2]) {
#else
    const int l = 0;
    const LANES last = power[0] * 0 + 1;
    {
#endif
        LANES next = last;
#pragma GCC unroll 16
        for (int k = 0; k <= degree - l; k++, next *= x[1]) {
#pragma GCC unroll 16
            for (int i = 0; i <= degree - l - k; i++) {
                moments[term++] += power[i] * next;
            }
        }
    }
}

/* sum of coefficients[term] x^k. */
static ALWAYS_INLINE LANES TYPED(polynomial)(const REAL *coefficients, const LANES *x, int degree) {
    LANES total = x[0] * 0;
    int term = 0;
#if DIM == 3
    LANES last = x[0] * 0 + 1;
#pragma GCC unroll 16
    for (int l = 0; l <= degree; l++, last *= x[2]) {
#else
    const int l = 0;
    const LANES last = x[0] * 0 + 1;
    {
#endif
        LANES next = last;
#pragma GCC unroll 16
        for (int k = 0; k <= degree - l; k++, next *= x[1]) {
            const int terms = degree - l - k;
            LANES row = x[0] * 0 + coefficients[term + terms];
#pragma GCC unroll 16
            for (int i = terms - 1; i >= 0; i--) {
                row = row * x[0] + coefficients[term + i];
            }
            total += next * row;
            term += terms + 1;
        }
    }
    return total;
}

static ALWAYS_INLINE void TYPED(expand)(const TYPED(pair_data_t) *restrict p, pair_sums_t to, const series_t *series,
                                        int degree, int with_spent) {
    enum { STEP = TYPED(PER_VECTOR) };
    const int terms = terms_of(degree);
    LANES of_x[MOST_TERMS], of_y[MOST_TERMS], of_cost[MOST_TERMS];
    REAL for_x[MOST_TERMS], for_y[MOST_TERMS], for_cost[MOST_TERMS];
    for (int term = 0; term < terms; term++) {
        of_x[term] = of_y[term] = of_cost[term] = (LANES){0};
    }
    LANES row[TILE / STEP], column[TILE / STEP], at[DIM];
    for (int v = 0; v < p->columns / (int)STEP; v++) {
        column[v] = EXP2(TYPED(load)(p->column + v * STEP));
        const LANES weight = TYPED(load)(p->b + v * STEP) * column[v];
        for (int d = 0; d < DIM; d++) {
            at[d] = TYPED(load)(p->y[d] + v * STEP);
        }
        TYPED(add_moments)(of_y, weight, at, degree);
        if (with_spent) {
            TYPED(add_moments)(of_cost, weight * TYPED(load)(p->far_column + v * STEP), at, degree);
        }
    }
    for (int v = 0; v < p->rows / (int)STEP; v++) {
        row[v] = EXP2(TYPED(load)(p->row + v * STEP));
        for (int d = 0; d < DIM; d++) {
            at[d] = TYPED(load)(p->x[d] + v * STEP);
        }
        TYPED(add_moments)(of_x, TYPED(load)(p->a + v * STEP) * row[v], at, degree);
    }
    for (int term = 0; term < terms; term++) {
        const double moment = TYPED(tree_sum)(of_y[term]);
        for_x[term] = (REAL)(series->factor[term] * moment);
        for_y[term] = (REAL)(series->factor[term] * TYPED(tree_sum)(of_x[term]));
        if (with_spent) { /* q is far_row + far_column - x.y, and (x.y)^k of order k */
            const double order = series->order[term] / LOG_2;
            for_cost[term] = (REAL)(series->factor[term] * (TYPED(tree_sum)(of_cost[term]) - order * moment));
        }
    }
    for (int v = 0; v < p->rows / (int)STEP; v++) {
        for (int d = 0; d < DIM; d++) {
            at[d] = TYPED(load)(p->x[d] + v * STEP);
        }
        const LANES sums = row[v] * TYPED(polynomial)(for_x, at, degree);
        for (int k = 0; k < (int)STEP; k++) {
            to.rows[v * STEP + k] += (double)sums[k];
        }
        if (with_spent) {
            const LANES far = TYPED(load)(p->far_row + v * STEP);
            const LANES costs = far * sums + row[v] * TYPED(polynomial)(for_cost, at, degree);
            for (int k = 0; k < (int)STEP; k++) {
                to.spent[v * STEP + k] += (double)costs[k];
            }
        }
    }
    for (int v = 0; v < p->columns / (int)STEP; v++) {
        for (int d = 0; d < DIM; d++) {
            at[d] = TYPED(load)(p->y[d] + v * STEP);
        }
        const LANES others = column[v] * TYPED(polynomial)(for_y, at, degree);
        for (int k = 0; k < (int)STEP; k++) {
            to.columns[v * STEP + k] += (double)others[k];
        }
    }
}

/* What `carry` does, by the series. */
static ALWAYS_INLINE void TYPED(expand_carry)(const TYPED(pair_data_t) *restrict p, REAL weights[CHANNELS][TILE],
                                              double *const carried[CHANNELS], const series_t *series, int degree) {
    enum { STEP = TYPED(PER_VECTOR) };
    LANES row[TILE / STEP], column[TILE / STEP], at[DIM];
    for (int v = 0; v < p->rows / (int)STEP; v++) {
        row[v] = EXP2(TYPED(load)(p->row + v * STEP));
    }
    for (int v = 0; v < p->columns / (int)STEP; v++) {
        column[v] = EXP2(TYPED(load)(p->column + v * STEP));
    }
    for (int channel = 0; channel < CHANNELS; channel++) {
        const int terms = terms_of(degree);
        LANES of_y[MOST_TERMS];
        REAL for_x[MOST_TERMS];
        for (int term = 0; term < terms; term++) {
            of_y[term] = (LANES){0};
        }
        for (int v = 0; v < p->columns / (int)STEP; v++) {
            for (int d = 0; d < DIM; d++) {
                at[d] = TYPED(load)(p->y[d] + v * STEP);
            }
            TYPED(add_moments)(of_y, TYPED(load)(weights[channel] + v * STEP) * column[v], at, degree);
        }
        for (int term = 0; term < terms; term++) {
            for_x[term] = (REAL)(series->factor[term] * TYPED(tree_sum)(of_y[term]));
        }
        for (int v = 0; v < p->rows / (int)STEP; v++) {
            for (int d = 0; d < DIM; d++) {
                at[d] = TYPED(load)(p->x[d] + v * STEP);
            }
            const LANES sums = row[v] * TYPED(polynomial)(for_x, at, degree);
            for (int k = 0; k < (int)STEP; k++) {
                carried[channel][v * STEP + k] += (double)sums[k];
            }
        }
    }
}
#endif

/* Sum over a pair by a series of this degree or, if it is 0, pair by pair. */
static void TYPED(sum_pair)(const pass_t *s, const TYPED(pair_data_t) *restrict p, int degree,
                            LANES *restrict row_lanes, LANES *restrict spent_lanes, pair_sums_t to) {
    const int with_spent = s->task->with_spent;
    switch (degree + (with_spent ? WITH_SPENT : 0)) {
#if POWER == 2
    case 2:
        TYPED(expand)(p, to, &s->series[2], 2, 0);
        break;
    case 4:
        TYPED(expand)(p, to, &s->series[4], 4, 0);
        break;
    case 6:
        TYPED(expand)(p, to, &s->series[6], 6, 0);
        break;
#if DIM == 2 /* in space they have too many terms */
    case 8:
        TYPED(expand)(p, to, &s->series[8], 8, 0);
        break;
    case 10:
        TYPED(expand)(p, to, &s->series[10], 10, 0);
        break;
#endif
    case WITH_SPENT + 2:
        TYPED(expand)(p, to, &s->series[2], 2, 1);
        break;
    case WITH_SPENT + 4:
        TYPED(expand)(p, to, &s->series[4], 4, 1);
        break;
    case WITH_SPENT + 6:
        TYPED(expand)(p, to, &s->series[6], 6, 1);
        break;
#if DIM == 2 /* in space they have too many terms */
    case WITH_SPENT + 8:
        TYPED(expand)(p, to, &s->series[8], 8, 1);
        break;
    case WITH_SPENT + 10:
        TYPED(expand)(p, to, &s->series[10], 10, 1);
        break;
#endif
#endif
    case WITH_SPENT:
        TYPED(sums)(p, row_lanes, spent_lanes, to.columns, 1);
        break;
    default:
        TYPED(sums)(p, row_lanes, spent_lanes, to.columns, 0);
    }
}

static void TYPED(carry_pair)(const pass_t *s, const TYPED(pair_data_t) *restrict p, int degree,
                              REAL weights[CHANNELS][TILE], double *const carried[CHANNELS]) {
    (void)s; /* without a series there is nothing to look up */
    switch (degree) {
#if POWER == 2
    case 2:
        TYPED(expand_carry)(p, weights, carried, &s->series[2], 2);
        break;
    case 4:
        TYPED(expand_carry)(p, weights, carried, &s->series[4], 4);
        break;
    case 6:
        TYPED(expand_carry)(p, weights, carried, &s->series[6], 6);
        break;
#if DIM == 2 /* in space they have too many terms */
    case 8:
        TYPED(expand_carry)(p, weights, carried, &s->series[8], 8);
        break;
    case 10:
        TYPED(expand_carry)(p, weights, carried, &s->series[10], 10);
        break;
#endif
#endif
    default:
        TYPED(carry)(p, weights, carried);
    }
}
