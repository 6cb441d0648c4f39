# cython: language_level=3, boundscheck=False, wraparound=False
"""Thin binding of cascade: picks the build for the cost and the processor, releases the GIL, raises what went wrong.

Arguments are those of validated problems with n ≤ m; nothing is checked here but shapes. Each function returns row_to_col
(n,) intp, or None where the seconds were over; u (n,) and v (m,) float64, where v proves a bound in any case; a dict of the
counters that are not zero; and by how much costs differ that were looked at.
"""

import numpy as np

from libc.stdint cimport int32_t, int64_t

from .kernels cimport CHANGED, INFEASIBLE, INTERRUPTED, OUT_OF_MEMORY, SOLVED, SPENT, TIMED_OUT, outcome_t, points_t, raise_changed
from .stopping cimport raise_pending, stop_t, stop_within
from lapmark.solvers.problem import Infeasible


cdef extern from "lapmark.h":
    int64_t LOOK_EVERY
    ctypedef enum stage_t:
        FROM_NOTHING
    ctypedef struct counters_t:
        int64_t row_scans, augmentations, reductions, bids, phases, path_rows
    ctypedef struct parts_t:
        int levels, lists
    ctypedef struct task_t:
        int64_t n, m, given
        const void *cost
        const void *zeros
        int32_t *x
        int32_t *y
        double *u
        double *v
        double limit, largest
        int64_t blocked
        counters_t counters
        stop_t stop
        int64_t threads
        parts_t without
        int64_t look_every, until_look
        outcome_t outcome
        int64_t most_scans
        stage_t stage
        int64_t most_work

cdef extern from "sparse.h":
    ctypedef struct sparse_t:
        const int64_t *begin
        const int32_t *column
        const double *cost

cdef extern from "builds.h":
    ctypedef outcome_t (*assign_t)(task_t *) noexcept nogil
    ctypedef struct build_t:
        assign_t cascade
    const build_t *find_build(bint avx2, bint single)
    ctypedef struct point_build_t:
        assign_t cascade
    const point_build_t *find_point_build(bint avx2, int dimensions, int power)
    ctypedef struct plain_build_t:
        assign_t cascade_sparse
    const plain_build_t *find_plain_build(bint avx2)


cdef run(assign_t function, int64_t n, int64_t m, const void *cost, double seconds,
        double limit=float("inf"), int64_t threads=1, bint levels=True, bint lists=True, int64_t most_work=0):
    cdef task_t task
    cdef outcome_t outcome
    if max(n, m) >= 2**31 - 1:
        raise ValueError(f"{n}×{m}: at most 2**31 − 2 rows and columns")
    x, y, u, v = np.empty(n, dtype=np.int32), np.empty(m, dtype=np.int32), np.zeros(n), np.zeros(m)
    x.fill(-1)
    y.fill(-1)
    cdef int32_t[::1] x_view = x
    cdef int32_t[::1] y_view = y
    cdef double[::1] u_view = u
    cdef double[::1] v_view = v
    task.n, task.m, task.given, task.cost, task.zeros, task.blocked = n, m, n, cost, NULL, 0
    task.limit, task.largest = limit, 0.0
    task.look_every, task.until_look, task.outcome = LOOK_EVERY, 0, SOLVED
    task.most_scans, task.stage, task.most_work = 0, FROM_NOTHING, most_work
    task.x, task.y, task.u, task.v = &x_view[0], &y_view[0], &u_view[0], &v_view[0]
    task.counters = counters_t(0, 0, 0, 0, 0, 0)
    task.stop = stop_within(seconds)
    task.threads, task.without = threads, parts_t(not levels, not lists)
    with nogil:
        outcome = function(&task)
    if outcome == OUT_OF_MEMORY:
        raise MemoryError(f"no memory for the lists of {n}×{m}")
    if outcome == INTERRUPTED:
        raise_pending()
    if outcome == INFEASIBLE:
        raise Infeasible.hall(x[: task.blocked], y[: task.blocked - 1])
    if outcome == CHANGED:
        raise_changed()
    if outcome == SPENT:
        return None
    counters = {name: count for name, count in dict(task.counters).items() if count}
    return None if outcome == TIMED_OUT else x.astype(np.intp), u, v, counters, task.largest


ctypedef fused real:
    float
    double


def dense(const real[:, ::1] cost, bint avx2, double seconds, double limit=float("inf"), int64_t threads=1,
          bint levels=True, bint lists=True):
    """A matrix (n, m), +inf where a pair is forbidden. Float32 is solved as the numbers it holds, in float64.

    Under a finite limit, which the type of the matrix holds as it is, c − limit is minimised over matchings of any
    size; a row that stays out has column −1.
    """
    cdef const build_t *build = find_build(avx2, real is float)
    if build == NULL:
        raise RuntimeError("this processor has no AVX2")
    return run(build.cascade, cost.shape[0], cost.shape[1], &cost[0, 0], seconds, limit, threads, levels,
               lists)


def points(const double[:, ::1] x, const double[:, ::1] y, double scale, bint avx2, double seconds, int64_t threads=1,
           bint levels=True, bint lists=True, int64_t most_work=0):
    """scale · |x_i − y_j|² between points x (n, d) and y (m, d), d = 2 or 3. None where a level takes more work a row than that.
    """
    cdef points_t cost
    if x.shape[1] != y.shape[1] or x.shape[1] not in (2, 3):
        raise ValueError(f"points of {x.shape[1]} and {y.shape[1]} dimensions; both must have 2 or 3")
    cdef const point_build_t *build = find_point_build(avx2, x.shape[1], 2)
    if build == NULL:
        raise RuntimeError("this processor has no AVX2")
    cost.x, cost.y, cost.scale = &x[0, 0], &y[0, 0], scale
    return run(build.cascade, x.shape[0], y.shape[0], &cost, seconds, float("inf"), threads, levels, lists,
               most_work)


def sparse(const int64_t[::1] begin, const int32_t[::1] column, const double[::1] cost, int64_t columns, bint avx2,
           double seconds, double limit=float("inf"), bint bids=True):
    """The allowed pairs of row i: column[e] at cost[e], e from begin[i] (n + 1) up to begin[i + 1]. A limit as above.

    Without `bids` all is left to shortest paths, which lose no digits to prices of a size that no answer needs.
    """
    cdef sparse_t pairs
    cdef const plain_build_t *build = find_plain_build(avx2)
    if build == NULL:
        raise RuntimeError("this processor has no AVX2")
    pairs.begin, pairs.column, pairs.cost = &begin[0], &column[0] if column.shape[0] else NULL, &cost[0] if cost.shape[0] else NULL
    return run(build.cascade_sparse, begin.shape[0] - 1, columns, &pairs, seconds, limit, 1, bids)
