/* Matching and transport between sorted numbers at the cost scale |x - y|^power, power >= 1, which is a Monge cost; see
 * assignment/monge_matching.inc.h.
 */
#pragma once

#include "core/outcome.h"

typedef struct {
    const double *x, *y; /* (n), (m) ascending */
    int64_t n, m;        /* at least 1 */
    double power, scale;
} line_costs_t;

/* Write the column of each row, column (n), n <= m, and optimal duals v (m): if n < m, at most 0, and 0 on free
 * columns. */
outcome_t line_match(const line_costs_t *c, int32_t *column, double *v, const stop_t *stop);

/* Transport masses a (n) to b (m), all above 0 and with equal sums up to rounding. Write rows[k], columns[k] and
 * moved[k] of *count <= n + m - 1 pairs, and optimal duals f (n) and g (m). */
outcome_t line_transport(const line_costs_t *c, const double *a, const double *b, int32_t *rows, int32_t *columns,
                         double *moved, int64_t *count, double *f, double *g, const stop_t *stop);

/* Write to best[i] a column at which the cost less g_j + tail_j is smallest for row i, up to about *lost: the most that
 * rounding dropped from any value. */
outcome_t line_row_minima(const line_costs_t *c, const double *g, const double *tail, int64_t *best, double *lost,
                          const stop_t *stop);
