# cython: language_level=3, boundscheck=False, wraparound=False
"""Thin binding of exact transport: picks the build for the cost and the processor, releases the GIL, raises what went wrong.

Masses are whole numbers above 0, int64, of equal sums on both sides; nothing is checked here but shapes. Each function
returns duals u (n,) and v (m,); rows, columns and shipped (n + m − 1,), what is shipped between whom, or None where the
seconds were over; and a dict of counters.
"""

import numpy as np

from libc.stdint cimport int32_t, int64_t

from solvers.native.kernels cimport INTERRUPTED, OUT_OF_MEMORY, TIMED_OUT, outcome_t, points_t
from solvers.native.stopping cimport raise_pending, stop_t, stop_within


cdef extern from "transport.h":
    ctypedef struct transport_t:
        int64_t n, m
        const void *cost
        const int64_t *supply
        const int64_t *demand
        double *u
        double *v
        int32_t *rows
        int32_t *columns
        int64_t *shipped
        int64_t pivots, arcs, rounds
        stop_t stop
    ctypedef outcome_t (*ship_t)(transport_t *) noexcept nogil

cdef extern from "builds.h":
    ctypedef struct point_build_t:
        ship_t transport
    const point_build_t *find_point_build(bint avx2, int dimensions, int power)
    ctypedef struct plain_build_t:
        ship_t transport
    const plain_build_t *find_plain_build(bint avx2)


cdef run(ship_t function, const void *cost, const int64_t[::1] supply, const int64_t[::1] demand, double seconds):
    cdef transport_t task
    cdef outcome_t outcome
    cdef int64_t n = supply.shape[0], m = demand.shape[0]
    if n + m >= 2**30:
        raise ValueError(f"{n}×{m}: at most 2**30 − 1 rows and columns together")
    u, v = np.zeros(n), np.zeros(m)
    rows, columns = np.zeros(n + m, dtype=np.int32), np.zeros(n + m, dtype=np.int32)
    shipped = np.zeros(n + m, dtype=np.int64)
    cdef double[::1] u_view = u
    cdef double[::1] v_view = v
    cdef int32_t[::1] row_view = rows
    cdef int32_t[::1] column_view = columns
    cdef int64_t[::1] shipped_view = shipped
    task.n, task.m, task.cost, task.supply, task.demand = n, m, cost, &supply[0], &demand[0]
    task.u, task.v, task.rows, task.columns = &u_view[0], &v_view[0], &row_view[0], &column_view[0]
    task.shipped = &shipped_view[0]
    task.pivots = task.arcs = task.rounds = 0
    task.stop = stop_within(seconds)
    with nogil:
        outcome = function(&task)
    if outcome == OUT_OF_MEMORY:
        raise MemoryError(f"no memory for the tree and the arcs of {n}×{m}")
    if outcome == INTERRUPTED:
        raise_pending()
    counters = {"pivots": task.pivots, "arcs": task.arcs, "rounds": task.rounds}
    pairs = None if outcome == TIMED_OUT else (rows[:-1], columns[:-1], shipped[:-1])
    return u, v, pairs, counters


def dense(const double[:, ::1] cost, const int64_t[::1] supply, const int64_t[::1] demand, bint avx2, double seconds):
    """A matrix (n, m) of finite costs."""
    cdef const plain_build_t *build = find_plain_build(avx2)
    if build == NULL:
        raise RuntimeError("this processor has no AVX2")
    if cost.shape[0] != supply.shape[0] or cost.shape[1] != demand.shape[0]:
        raise ValueError("costs and masses of different sizes")
    return run(build.transport, &cost[0, 0], supply, demand, seconds)


def points(const double[:, ::1] x, const double[:, ::1] y, int power, double scale, const int64_t[::1] supply,
           const int64_t[::1] demand, bint avx2, double seconds):
    """scale · |x_i − y_j|^power between points x (n, d) and y (m, d), power = 1 or 2, d = 2 or 3."""
    cdef points_t cost
    if x.shape[1] != y.shape[1] or x.shape[1] not in (2, 3):
        raise ValueError(f"points of {x.shape[1]} and {y.shape[1]} dimensions; both must have 2 or 3")
    if x.shape[0] != supply.shape[0] or y.shape[0] != demand.shape[0]:
        raise ValueError("points and masses of different sizes")
    cdef const point_build_t *build = find_point_build(avx2, x.shape[1], power)
    if build == NULL:
        raise RuntimeError("this processor has no AVX2")
    cost.x, cost.y, cost.scale = &x[0, 0], &y[0, 0], scale
    return run(build.transport, &cost, supply, demand, seconds)
