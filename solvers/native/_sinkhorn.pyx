# cython: language_level=3, boundscheck=False, wraparound=False
"""Thin binding of the passes of Sinkhorn's algorithm over points: chooses the kernels, releases the GIL, raises errors.

The points of a pass must be in the order that `neighbours` returns. Only shapes are checked here.
"""

import numpy as np

from libc.stdint cimport int32_t, int64_t

from .kernels cimport TIMED_OUT, import_kernels, outcome_t, point_kernels_for, point_kernels_t, point_marginals_t, \
    raise_failure, stop_within


import_kernels()


cdef const point_kernels_t *kernels_of_points(isa, int dimensions, int power) except NULL:
    if dimensions not in (2, 3) or power not in (1, 2):
        raise ValueError(f"no kernel for {dimensions} dimensions and the exponent {power}")
    return point_kernels_for(isa, dimensions, power)


def neighbours(const double[:, ::1] points, int64_t smallest=64):
    """Return the order (count,) int32 of points (count, d), d = 2 or 3, in which each aligned run of `smallest`, a power of two,
    or 2, 4, … times as many points is a box of its own. Tiles are runs of 64."""
    order = np.empty(points.shape[0], dtype=np.int32)
    cdef int32_t[::1] view = order
    cdef int64_t count = points.shape[0]
    cdef const point_kernels_t *kernels = kernels_of_points(None, points.shape[1], 2)
    if smallest < 1 or smallest & (smallest - 1):
        raise ValueError(f"runs of {smallest}; it must be a power of two")
    if count:
        with nogil:
            kernels.tile_order(&points[0, 0], &view[0], count, smallest)
    return order


def sweep(const double[:, ::1] x, const double[:, ::1] y, const double[::1] f, const double[::1] g, const double[::1] a,
          const double[::1] b, double scale, int power, double epsilon, double rho, double precision, int64_t threads,
          double seconds, const double[:, ::1] values=None, bint spent=False, isa=None):
    """Sum up the plan a_i b_j e_ij, e_ij = exp((f_i + g_j − scale · |x_i − y_j|^power) / epsilon).

    Return Σ_j b_j e_ij (n,); Σ_i a_i e_ij (m,), or with values (m, k) instead Σ_j b_j e_ij values_jk (n, k); the cost of the
    plan, or NaN unless `spent`; and the number of pairs in the tiles that were summed. None if the time was over.
    """
    cdef point_marginals_t task
    cdef outcome_t outcome
    cdef int64_t n = x.shape[0], m = y.shape[0]
    if not (f.shape[0] == a.shape[0] == n > 0 and g.shape[0] == b.shape[0] == m > 0 and x.shape[1] == y.shape[1]):
        raise ValueError(f"points {(n, x.shape[1])} and {(m, y.shape[1])} with {f.shape[0]}, {g.shape[0]} potentials and {a.shape[0]}, {b.shape[0]} masses")
    if values is not None and values.shape[0] != m:
        raise ValueError(f"{values.shape[0]} values for {m} columns")
    cdef const point_kernels_t *kernels = kernels_of_points(isa, x.shape[1], power)
    rows = np.zeros(n)
    columns = np.zeros(m if values is None else 0)
    carried = np.zeros((n, 0 if values is None else values.shape[1]))
    cdef double[::1] rows_view = rows
    cdef double[::1] columns_view = columns
    cdef double[:, ::1] carried_view = carried
    task.n, task.m, task.x, task.y = n, m, &x[0, 0], &y[0, 0]
    task.f, task.g, task.a, task.b = &f[0], &g[0], &a[0], &b[0]
    task.scale, task.epsilon, task.rho, task.precision = scale, epsilon, rho, precision
    task.threads, task.stop = max(threads, 1), stop_within(seconds)
    task.rows, task.columns, task.with_spent, task.spent = &rows_view[0], NULL, spent, float("nan")
    task.values, task.carried, task.channels, task.pairs = NULL, NULL, 0, 0
    if values is None:
        task.columns = &columns_view[0]
    elif values.shape[1]:
        task.values, task.carried, task.channels = &values[0, 0], &carried_view[0, 0], values.shape[1]
    with nogil:
        outcome = kernels.marginals(&task)
    raise_failure(outcome, f"no memory for the tiles of {n} and {m} points")
    return None if outcome == TIMED_OUT else (rows, columns if values is None else carried, task.spent, task.pairs)
