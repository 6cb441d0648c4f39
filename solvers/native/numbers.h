/* Matching and transport between numbers at the cost scale |x - y|^power, power >= 1, which is Monge: see runs.h. */
#ifndef LAPMARK_NUMBERS_H
#define LAPMARK_NUMBERS_H

#include "lapmark.h"

typedef struct {
    const double *x, *y; /* (n), (m) ascending */
    int64_t n, m;        /* at least 1 */
    double power, scale;
} numbers_t;

/* column[i]: the partner of row i, for n <= m; v: (m) optimal duals, at most 0 and 0 on free columns where n < m. */
outcome_t match_numbers(const numbers_t *c, int32_t *column, double *v, const stop_t *stop);

/* Ship masses a (n) and b (m), all above 0 and with sums that agree up to rounding. Writes rows[k], columns[k] and
 * moved[k] of *count <= n + m - 1 pairs, and optimal duals f (n) and g (m). */
outcome_t ship_numbers(const numbers_t *c, const double *a, const double *b, int32_t *rows, int32_t *columns,
                       double *moved, int64_t *count, double *f, double *g, const stop_t *stop);

/* best[i]: a column j at which the cost less g_j + tail_j is the least to row i, but for `lost` or so: what rounding
 * has taken off any value that was looked at, at most. */
outcome_t least_numbers(const numbers_t *c, const double *g, const double *tail, int64_t *best, double *lost,
                        const stop_t *stop);

#endif
