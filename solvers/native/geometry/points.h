/* Costs between points: scale * |x_i - y_j|^p, p = 1 or 2, in 2 or 3 dimensions, computed when they are needed. */
#pragma once

typedef struct {
    const double *x, *y; /* (n, dimensions), (m, dimensions) row-major */
    double scale;
} points_t;
