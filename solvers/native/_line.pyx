# cython: language_level=3, boundscheck=False, wraparound=False
"""Thin binding of matching and transport on a line: releases the GIL, raises errors.

Numbers x (n,) and y (m,) are ascending, n and m at least 1, and the cost is scale · |x_i − y_j|^power with power ≥ 1. Nothing
is checked here.
"""

import numpy as np

from libc.stdint cimport int32_t, int64_t

from .kernels cimport SOLVED, line_costs_t, line_match, line_row_minima, line_transport, outcome_t, \
    raise_failure, stop_t, stop_within


cdef line_costs_t numbers(const double[::1] x, const double[::1] y, double power, double scale):
    return line_costs_t(&x[0], &y[0], x.shape[0], y.shape[0], power, scale)


cdef bint is_solved(outcome_t outcome, int64_t n, int64_t m) except -1:
    """Return whether there was enough time; raise any other failure."""
    raise_failure(outcome, f"no memory for {n} and {m} numbers")
    return outcome == SOLVED


def match(const double[::1] x, const double[::1] y, double power, double scale, double seconds):
    """Return the column (n,) of each row, n ≤ m, and duals (m,) of the columns that prove it; None if the time was over."""
    cdef line_costs_t c = numbers(x, y, power, scale)
    cdef stop_t stop = stop_within(seconds)
    cdef outcome_t outcome
    column, v = np.empty(c.n, dtype=np.int32), np.empty(c.m)
    cdef int32_t[::1] column_view = column
    cdef double[::1] v_view = v
    with nogil:
        outcome = line_match(&c, &column_view[0], &v_view[0], &stop)
    return (column, v) if is_solved(outcome, c.n, c.m) else None


def ship(const double[::1] x, const double[::1] y, const double[::1] a, const double[::1] b, double power, double scale,
         double seconds):
    """Move masses a to b, both above 0. Return optimal duals f (n,) and g (m,), and the rows, columns and masses (k,) of the plan;
    None if the time was over."""
    cdef line_costs_t c = numbers(x, y, power, scale)
    cdef stop_t stop = stop_within(seconds)
    cdef outcome_t outcome
    cdef int64_t count = 0
    rows, columns = np.empty(c.n + c.m, dtype=np.int32), np.empty(c.n + c.m, dtype=np.int32)
    moved, f, g = np.empty(c.n + c.m), np.zeros(c.n), np.zeros(c.m)
    cdef int32_t[::1] rows_view = rows
    cdef int32_t[::1] columns_view = columns
    cdef double[::1] moved_view = moved
    cdef double[::1] f_view = f
    cdef double[::1] g_view = g
    with nogil:
        outcome = line_transport(&c, &a[0], &b[0], &rows_view[0], &columns_view[0], &moved_view[0], &count, &f_view[0],
                               &g_view[0], &stop)
    return (f, g, rows[:count], columns[:count], moved[:count]) if is_solved(outcome, c.n, c.m) else None


def least(const double[::1] x, const double[::1] y, double power, double scale, const double[::1] g, const double[::1] tail):
    """Return for each row a column (n,) at which the cost less g_j + tail_j is smallest, and the largest rounding error of the
    values compared. Takes O((n + m) log n) time."""
    cdef line_costs_t c = numbers(x, y, power, scale)
    cdef stop_t stop = stop_within(np.inf)
    cdef outcome_t outcome
    cdef double lost = 0.0
    best = np.empty(c.n, dtype=np.int64)
    cdef int64_t[::1] best_view = best
    with nogil:
        outcome = line_row_minima(&c, &g[0], &tail[0], &best_view[0], &lost, &stop)
    is_solved(outcome, c.n, c.m)
    return best, lost
