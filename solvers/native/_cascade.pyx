# cython: language_level=3, boundscheck=False, wraparound=False
"""Thin binding of cascade: chooses the kernels, releases the GIL, raises errors.

Arguments are those of validated problems with n ≤ m; only shapes are checked here. Each function returns row_to_col (n,) intp,
or None if the time was over; u (n,) and v (m,) float64, where v proves a bound in any case; a dict of the nonzero counters; and
the range of the costs that the search looked at.
"""

import numpy as np

from libc.stdint cimport int32_t, int64_t

from .kernels cimport INFEASIBLE, SPENT, TIMED_OUT, ablation_t, assignment_solver_t, assignment_t, cost_range_t, \
    import_kernels, kernels_for, new_assignment, nonzero, outcome_t, point_kernels_for, points_t, raise_failure, raise_if_too_large, raise_infeasible, \
    sparse_costs_t


import_kernels()


cdef run(assignment_solver_t *solver, int64_t n, int64_t m, const void *cost, double seconds,
        double limit=float("inf"), int64_t threads=1, bint levels=True, bint lists=True, int64_t most_work=0, known=None):
    cdef outcome_t outcome
    raise_if_too_large(n, m)
    x, y, u, v = np.empty(n, dtype=np.int32), np.empty(m, dtype=np.int32), np.zeros(n), np.zeros(m)
    x.fill(-1)
    y.fill(-1)
    cdef int32_t[::1] x_view = x
    cdef int32_t[::1] y_view = y
    cdef double[::1] u_view = u
    cdef double[::1] v_view = v
    cdef const double[::1] column_low
    cdef assignment_t task = new_assignment(n, m, n, limit, seconds)
    task.cost, task.most_work, task.threads, task.without = cost, most_work, threads, ablation_t(not levels, not lists)
    task.x, task.y, task.u, task.v = &x_view[0], &y_view[0], &u_view[0], &v_view[0]
    if known is not None:
        low, high, forbids, column_low = known
        task.range = cost_range_t(low, high, forbids)
        if column_low.shape[0] == m:
            task.column_low = &column_low[0]
    with nogil:
        outcome = solver(&task)
    raise_failure(outcome, f"no memory for the lists of {n}×{m}")
    if outcome == INFEASIBLE:
        raise_infeasible(&task, x, y)
    if outcome == SPENT:
        return None
    return None if outcome == TIMED_OUT else x.astype(np.intp), u, v, nonzero(task.counters), task.largest


ctypedef fused real:
    float
    double


def dense(const real[:, ::1] cost, double seconds, double limit=float("inf"), int64_t threads=1,
          bint levels=True, bint lists=True, known=None, isa=None):
    """Solve a matrix (n, m), +inf where a pair is forbidden. Float32 input is solved exactly, in float64.

    `known`: what `_matrix.cost_range` returns for the matrix, which saves a pass over it.

    Under a finite limit, which the type of the matrix must represent exactly, minimise c − limit over matchings of any size;
    a row that stays out has column −1.
    """
    return run(kernels_for(isa).dense[real is float].cascade, cost.shape[0], cost.shape[1], &cost[0, 0], seconds, limit,
               threads, levels, lists, 0, known)


def points(const double[:, ::1] x, const double[:, ::1] y, double scale, double seconds, int64_t threads=1,
           bint levels=True, bint lists=True, int64_t most_work=0, isa=None):
    """Solve costs scale · |x_i − y_j|² between points x (n, d) and y (m, d), d = 2 or 3.

    Return None if a level takes more than `most_work` bids per row; 0 is no limit.
    """
    cdef points_t cost
    if x.shape[1] != y.shape[1] or x.shape[1] not in (2, 3):
        raise ValueError(f"points of {x.shape[1]} and {y.shape[1]} dimensions; both must have 2 or 3")
    cost.x, cost.y, cost.scale = &x[0, 0], &y[0, 0], scale
    return run(point_kernels_for(isa, x.shape[1], 2).cascade, x.shape[0], y.shape[0], &cost, seconds, float("inf"), threads, levels, lists,
               most_work)


def sparse(const int64_t[::1] begin, const int32_t[::1] column, const double[::1] cost, int64_t columns,
           double seconds, double limit=float("inf"), bint bids=True, isa=None):
    """Solve sparse costs: row i allows column[e] at cost[e], e from begin[i] (n + 1) to begin[i + 1]. The limit is as above.

    Without `bids` there are shortest paths only: large prices of an auction would take digits of the duals.
    """
    cdef sparse_costs_t pairs
    pairs.begin, pairs.column, pairs.cost = &begin[0], &column[0] if column.shape[0] else NULL, &cost[0] if cost.shape[0] else NULL
    return run(kernels_for(isa).cascade_sparse, begin.shape[0] - 1, columns, &pairs, seconds, limit, 1, bids)
