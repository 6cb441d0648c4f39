# cython: language_level=3, boundscheck=False, wraparound=False
"""Thin binding of exact transport: chooses the kernels, releases the GIL, raises errors.

Masses a (n,) and b (m,) are above 0; b is scaled to the sum of a, from which it differs by rounding only. Only shapes are checked
here. Each function returns duals u (n,) and v (m,); the rows, columns and masses (n + m − 1,) of the plan, or None if the time
was over; and a dict of counters.
"""

import numpy as np

from libc.stdint cimport int32_t, int64_t, uint8_t

from .kernels cimport GRID_LARGEST_COST, INFEASIBLE, TIMED_OUT, grid_flow_room, grid_flow_t, histograms_solve, \
    histograms_t, import_kernels, kernels_for, kernels_t, mass_scale_t, mass_t, masses_to_integers, outcome_t, \
    point_kernels_for, points_t, raise_failure, sparse_costs_t, stop_t, stop_within, transport_solver_t, transport_t


import_kernels()


def is_metric(const double[:, ::1] cost, isa=None):
    """Return whether a matrix is at least 0, 0 on the diagonal, and satisfies the triangle inequality up to rounding."""
    cdef int64_t n = cost.shape[0]
    cdef bint holds
    cdef const kernels_t *kernels = kernels_for(isa)
    if n != cost.shape[1]:
        return False
    with nogil:
        holds = n == 0 or kernels.is_metric(&cost[0, 0], n)
    return holds


cdef run(transport_solver_t *solver, const void *cost, const double[::1] a, const double[::1] b, double seconds,
         double negligible=0.0):
    cdef transport_t task
    cdef outcome_t outcome
    cdef int64_t n = a.shape[0], m = b.shape[0], k
    if n + m >= 2**30:
        raise ValueError(f"{n}×{m}: at most 2**30 − 1 rows and columns together")
    u, v = np.zeros(n), np.zeros(m)
    rows, columns = np.zeros(n + m, dtype=np.int32), np.zeros(n + m, dtype=np.int32)
    moved = np.zeros(n + m - 1)
    cdef double[::1] u_view = u
    cdef double[::1] v_view = v
    cdef int32_t[::1] row_view = rows
    cdef int32_t[::1] column_view = columns
    cdef double[::1] moved_view = moved
    whole = np.empty(2 * (n + m) * sizeof(mass_t), dtype=np.uint8)
    cdef uint8_t[::1] whole_view = whole
    cdef mass_t *units = <mass_t *> &whole_view[0]
    cdef mass_scale_t scale = masses_to_integers(&a[0], n, &b[0], m, False, units, units + n)
    task.n, task.m, task.cost, task.supply, task.demand = n, m, cost, units, units + n
    task.u, task.v, task.rows, task.columns = &u_view[0], &v_view[0], &row_view[0], &column_view[0]
    task.shipped = units + n + m
    task.negligible = negligible
    task.pivots = task.arcs = task.rounds = 0
    task.stop = stop_within(seconds)
    with nogil:
        outcome = solver(&task)
    raise_failure(outcome, f"no memory for the tree and the arcs of {n}×{m}")
    counters = {"pivots": task.pivots, "arcs": task.arcs, "rounds": task.rounds}
    if outcome == INFEASIBLE:
        raise Stuck(u, v)
    if outcome == TIMED_OUT:
        return u, v, None, counters
    for k in range(n + m - 1):
        moved_view[k] = <double> task.shipped[k] * scale.unit
    return u, v, (rows[: n + m - 1], columns[: n + m - 1], moved), counters


class Stuck(Exception):
    """Infeasible: integer duals u (n,) and v (m,) with u_i + v_j ≤ 0 on every allowed pair prove it."""


def sparse(const int64_t[::1] begin, const int32_t[::1] column, const double[::1] cost, const double[::1] a,
           const double[::1] b, double negligible, double seconds, isa=None):
    """Solve the allowed pairs of a CSR matrix, ascending in each row. Raise Stuck if more than the share `negligible` of a mass has to use other pairs."""
    cdef const kernels_t *kernels = kernels_for(isa)
    cdef sparse_costs_t pairs
    if begin.shape[0] != a.shape[0] + 1 or column.shape[0] != cost.shape[0] or begin[a.shape[0]] != cost.shape[0]:
        raise ValueError("pairs and masses of different sizes")
    if cost.shape[0] >= 2**31:
        raise ValueError(f"{cost.shape[0]} allowed pairs: at most 2**31 − 1")
    pairs.begin, pairs.column, pairs.cost = &begin[0], NULL, NULL
    if cost.shape[0]:
        pairs.column, pairs.cost = &column[0], &cost[0]
    return run(kernels.transport_sparse, &pairs, a, b, seconds, negligible)


def dense(const double[:, ::1] cost, const double[::1] a, const double[::1] b, double seconds, isa=None):
    """Solve a matrix (n, m) of finite costs."""
    cdef const kernels_t *kernels = kernels_for(isa)
    if cost.shape[0] != a.shape[0] or cost.shape[1] != b.shape[0]:
        raise ValueError("costs and masses of different sizes")
    return run(kernels.transport_dense, &cost[0, 0], a, b, seconds)


def points(const double[:, ::1] x, const double[:, ::1] y, int power, double scale, const double[::1] a,
           const double[::1] b, double seconds, isa=None):
    """Solve costs scale · |x_i − y_j|^power between points x (n, d) and y (m, d), power = 1 or 2, d = 2 or 3."""
    cdef points_t cost
    if x.shape[1] != y.shape[1] or x.shape[1] not in (2, 3):
        raise ValueError(f"points of {x.shape[1]} and {y.shape[1]} dimensions; both must have 2 or 3")
    if x.shape[0] != a.shape[0] or y.shape[0] != b.shape[0]:
        raise ValueError("points and masses of different sizes")
    cost.x, cost.y, cost.scale = &x[0, 0], &y[0, 0], scale
    return run(point_kernels_for(isa, x.shape[1], power).transport, &cost, a, b, seconds)


#: Largest sum of (bins − 1) · step over the axes of a grid.
LARGEST_GRID_COST = GRID_LARGEST_COST


def grid(const int64_t[::1] bins, const int64_t[::1] step, const double[::1] a, const double[::1] b, double seconds, isa=None):
    """Solve city block costs between the cells of a grid: `bins` along each axis, the last one contiguous, `step` the cost of one.

    Return integer duals (count,), of rows as they are and of columns negated, in units of cost; the rows, columns and masses of
    the plan, or None if the time was over; and a dict of counters.
    """
    cdef grid_flow_t task
    cdef outcome_t outcome
    cdef int64_t count = a.shape[0], axes = bins.shape[0], cells = 1, k
    cdef const kernels_t *kernels = kernels_for(isa)
    if step.shape[0] != axes or b.shape[0] != count or not count or not axes:
        raise ValueError("grid and masses of different sizes")
    for k in range(axes):
        if bins[k] < 1 or step[k] < 1 or cells > 2**31 // bins[k]:
            raise ValueError(f"a grid of {list(bins)} bins, {list(step)} each")
        cells *= bins[k]
    if cells != count or count >= 2**31:
        raise ValueError(f"a grid of {list(bins)} bins for {count} masses")
    cdef int64_t room = grid_flow_room(axes, count)
    height, rows, columns = np.zeros(count, dtype=np.int64), np.empty(room, dtype=np.int32), np.empty(room, dtype=np.int32)
    cdef int64_t[::1] height_view = height
    cdef int32_t[::1] row_view = rows
    cdef int32_t[::1] column_view = columns
    units = np.empty((2 * count + room) * sizeof(mass_t), dtype=np.uint8)
    cdef uint8_t[::1] unit_view = units
    cdef mass_t *whole = <mass_t *> &unit_view[0]
    cdef mass_scale_t scale = masses_to_integers(&a[0], count, &b[0], count, False, whole, whole + count)
    task.grid.axes, task.grid.bins, task.grid.step, task.count = axes, &bins[0], &step[0], count
    task.supply, task.demand, task.shipped = whole, whole + count, whole + 2 * count
    task.height, task.rows, task.columns = &height_view[0], &row_view[0], &column_view[0]
    task.pairs = task.searches = task.lifts = task.augmentations = 0
    task.stop = stop_within(seconds)
    with nogil:
        outcome = kernels.grid_flow(&task)
    raise_failure(outcome, f"no memory for the flow on a grid of {count} cells")
    counters = {"searches": task.searches, "lifts": task.lifts, "augmentations": task.augmentations}
    if outcome == TIMED_OUT:
        return height, None, counters
    moved = np.empty(task.pairs)
    cdef double[::1] moved_view = moved
    for k in range(task.pairs):
        moved_view[k] = <double> task.shipped[k] * scale.unit
    return height, (rows[: task.pairs], columns[: task.pairs], moved), counters


def histograms(const double[:, ::1] cost, const double[:, ::1] a, const double[:, ::1] b, const int64_t[::1] of_a,
               const int64_t[::1] of_b, bint metric, bint partial, double rounding, bint whole, int threads,
               bint exact=False, points=None, isa=None):
    """Solve pairs of histograms a[of_a[k]] and b[of_b[k]] over the bins of a matrix (n, m) of finite costs.

    `exact` says that the costs are integers whose sums are not rounded; `points` (x, y, power, scale), power = 1 or 2, are the
    points of which the matrix holds the rounded costs.

    Return costs and numbers of pivots (k,); if `whole` also duals f (k, n) and g (k, m) and the plans: rows, columns and masses
    (k, n + m − 1), padded with zeros. With a `metric`, mass that both histograms have in a bin stays there.
    """
    cdef histograms_t task
    cdef outcome_t outcome
    cdef stop_t stop = stop_within(float("inf"))
    cdef int64_t n = cost.shape[0], m = cost.shape[1], pairs = of_a.shape[0], k
    cdef const double[:, ::1] x_view
    cdef const double[:, ::1] y_view
    cdef const kernels_t *kernels = kernels_for(isa)
    if not n or not m or a.shape[1] != n or b.shape[1] != m or of_b.shape[0] != pairs or (metric and n != m):
        raise ValueError("costs and histograms of different sizes")
    for k in range(pairs):
        if not (0 <= of_a[k] < a.shape[0] and 0 <= of_b[k] < b.shape[0]):
            raise ValueError(f"pair {k} of histograms that are not there")
    total, pivots = np.zeros(pairs), np.zeros(pairs, dtype=np.int64)
    cdef double[::1] total_view = total
    cdef int64_t[::1] pivot_view = pivots
    cdef int64_t kept = pairs if whole else 0
    f, g, moved = np.zeros((kept, n)), np.zeros((kept, m)), np.zeros((kept, n + m - 1))
    rows, columns = (np.zeros((kept, n + m - 1), dtype=np.int32) for _ in range(2))
    cdef double[:, ::1] f_view = f
    cdef double[:, ::1] g_view = g
    cdef double[:, ::1] moved_view = moved
    cdef int32_t[:, ::1] row_view = rows
    cdef int32_t[:, ::1] column_view = columns
    if pairs:
        task.n, task.m, task.pairs, task.cost, task.a, task.b = n, m, pairs, &cost[0, 0], &a[0, 0], &b[0, 0]
        task.of_a, task.of_b, task.total, task.pivots = &of_a[0], &of_b[0], &total_view[0], &pivot_view[0]
        task.metric, task.partial, task.rounding, task.exact = metric, partial, rounding, exact
        task.x = task.y = NULL
        if points is not None:
            x_view, y_view, task.power, task.scale = points
            if x_view.shape[0] != n or y_view.shape[0] != m or x_view.shape[1] != y_view.shape[1]:
                raise ValueError("costs and points of different sizes")
            task.x, task.y, task.dimensions = &x_view[0, 0], &y_view[0, 0], x_view.shape[1]
        task.f = task.g = task.moved = NULL
        task.rows = task.columns = NULL
        if whole:
            task.f, task.g, task.moved = &f_view[0, 0], &g_view[0, 0], &moved_view[0, 0]
            task.rows, task.columns = &row_view[0, 0], &column_view[0, 0]
        with nogil:
            outcome = histograms_solve(&task, kernels, threads, &stop)
        raise_failure(outcome, f"no memory for a pair of histograms of {n} and {m} bins")
    return total, pivots, (f, g, rows, columns, moved) if whole else None
