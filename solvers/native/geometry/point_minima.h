/* Minima of costs plus weights between points; see point_minima.c. */
#pragma once

#include "core/outcome.h"
#include "geometry/points.h"

typedef outcome_t point_minima_t(const points_t *p, int64_t n, int64_t m, const double *weight, double *low,
                                 const stop_t *stop);
typedef outcome_t near_points_t(const points_t *p, int64_t n, int64_t m, const double *weight, const double *bound,
                                int64_t room, int32_t *rows, int32_t *columns, int64_t *found, const stop_t *stop);
