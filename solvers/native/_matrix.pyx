# cython: language_level=3, boundscheck=False, wraparound=False
"""Thin binding of the kernels on matrices: chooses them by type and processor, releases the GIL, raises errors.

Arguments are those of validated problems; only shapes and types are checked here.
"""

import numpy as np

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from libc.math cimport fabs
from libc.stdint cimport int32_t, int64_t, intptr_t
from libc.stdlib cimport qsort

from .kernels cimport INFEASIBLE, CHECK_EVERY, SOLVED, SPENT, TIMED_OUT, assignment_solver_t, assignment_t, \
    compare_ascending, cost_range_t, dense_kernels_t, import_kernels, kernels_for, kernels_t, \
    new_assignment, nonzero, outcome_t, point_kernels_for, point_kernels_t, points_t, raise_failure, raise_if_interrupted, raise_if_too_large, raise_infeasible, \
    stop_t, stop_within

from lapmark.solvers.validation import LARGEST_COST


import_kernels()


cdef const dense_kernels_t *kernels_of_matrix(matrix, isa) except NULL:
    """Return the kernels of an instruction set, None for the best, for the type of a matrix."""
    return &kernels_for(isa).dense[matrix.dtype == np.float32]


cdef inline int64_t rows_per_check(int64_t m):
    """Return the rows of m columns between two checks for Ctrl-C, for kernels that do not check it themselves."""
    return max(1, CHECK_EVERY // max(m, 1))


def as_cost(matrix):
    """Return the matrix as the kernels read it: C order, aligned, float32 or float64."""
    dtype = np.float32 if matrix.dtype == np.float32 else np.float64
    if matrix.dtype == dtype and matrix.flags.c_contiguous and matrix.flags.aligned:
        return matrix  # faster than np.require
    return np.require(matrix, dtype=dtype, requirements=["C", "A"])


cdef size_t address_of(array) except? 0:
    """Return the address of an array in C order, which the caller must keep alive; ten times as fast as `ctypes`."""
    cdef Py_buffer buffer
    PyObject_GetBuffer(array, &buffer, PyBUF_SIMPLE)
    PyBuffer_Release(&buffer)
    return <size_t> buffer.buf


def assign(str method, matrix, double seconds=float("inf"), double limit=float("inf"),
           int64_t most_scans=0, isa=None):
    """Solve an (n, m) problem with n <= m by "jv" or "auction"; only "jv" leaves out rows dearer than a limit.

    Return row_to_col (n,) intp, −1 where left out, u (n,), v (m,) float64 and a dict of the nonzero counters. If that takes
    longer than `seconds`, or more than `most_scans` row scans (0: no limit), row_to_col is None, v is feasible and u is not set.
    """
    cdef outcome_t outcome = SOLVED
    cdef assignment_solver_t *solver
    matrix = as_cost(matrix)
    n, m = matrix.shape
    raise_if_too_large(n, m)
    cdef const dense_kernels_t *kernels = kernels_of_matrix(matrix, isa)
    if method == "jv":
        solver, rows = kernels.jonker_volgenant, n
    elif method == "auction":
        solver, rows = kernels.auction, m
    else:
        raise ValueError(f"no native method is called {method!r}")
    x, y, u, v = np.empty(rows, dtype=np.int32), np.empty(m, dtype=np.int32), np.zeros(rows), np.zeros(m)
    x.fill(-1)
    y.fill(-1)
    zeros = matrix if rows == n else np.zeros(m, dtype=matrix.dtype)  # for rows that are not given
    cdef size_t at_cost = address_of(matrix), at_zeros = address_of(zeros)
    cdef int32_t[::1] x_view = x
    cdef int32_t[::1] y_view = y
    cdef double[::1] u_view = u
    cdef double[::1] v_view = v
    cdef assignment_t task = new_assignment(rows, m, n, limit, seconds)
    task.most_scans = most_scans
    if n:
        task.cost, task.zeros = <const void *> at_cost, <const void *> at_zeros
        task.x, task.y, task.u, task.v = &x_view[0], &y_view[0], &u_view[0], &v_view[0]
        with nogil:
            outcome = solver(&task)
        raise_failure(outcome, f"no memory for the search arrays of {n}×{m}")
        if outcome == INFEASIBLE:
            raise_infeasible(&task, x, y)
    return None if outcome in (TIMED_OUT, SPENT) else x[:n].astype(np.intp), u[:n], v, nonzero(task.counters)


ctypedef fused index:
    int32_t
    int64_t


def _listed(const index[::1] begin, const index[::1] columns, const intptr_t[::1] rows, const intptr_t[::1] cols,
            intptr_t[::1] places):
    cdef int64_t k, low, high, middle, end
    with nogil:
        for k in range(rows.shape[0]):
            low, high = begin[rows[k]], begin[rows[k] + 1]
            end = high
            while low < high:
                middle = (low + high) // 2
                if columns[middle] < cols[k]:
                    low = middle + 1
                else:
                    high = middle
            places[k] = low if low < end and columns[low] == cols[k] else -1


def listed(begin, columns, rows, cols):
    """Return where the pairs (rows[k], cols[k]) are in a list of pairs with ascending columns, (k,) intp; −1 if absent.

    begin (n + 1,) and columns are those of a CSR array; a row beyond it is an IndexError.
    """
    rows, cols = (np.ascontiguousarray(each, dtype=np.intp) for each in (rows, cols))
    if rows.size and not 0 <= rows.min() <= rows.max() < len(begin) - 1:
        raise IndexError("a row is out of range")
    places = np.empty(len(rows), dtype=np.intp)
    _listed(begin, columns, rows, cols, places)
    return places


def are_pairs(const int64_t[::1] begin, const index[::1] columns, const double[::1] weights, int64_t m):
    """Return whether these are lists of pairs, (n + 1) and twice (pairs,), with ascending columns below m and weights that
    are neither 0 nor beyond LARGEST_COST."""
    cdef int64_t i, e, n = begin.shape[0] - 1, last, count = columns.shape[0]
    cdef bint fine = n >= 0 and begin[0] == 0 and begin[n] == count and weights.shape[0] == count
    cdef double most = LARGEST_COST
    with nogil:
        for i in range(n if fine else 0):
            last = -1
            if not begin[i] <= begin[i + 1] <= count:
                fine = False
                break
            for e in range(begin[i], begin[i + 1]):
                fine &= last < columns[e] < m and weights[e] != 0 and fabs(weights[e]) <= most
                last = columns[e]
    return fine


def sizes(const double[::1] paid, const double[::1] u, const double[::1] v):
    """Return the typical spread of the costs `paid` (k,), k ≥ 1, and the largest magnitude of these and of duals (n,) and (m,).

    The spread is the lower median of the nonzero distances to the median; 0 if most costs equal the median.
    """
    cdef int64_t k, count = paid.shape[0], equal = 0
    cdef double middle, largest = 0.0
    for k in range(count):
        largest = max(largest, fabs(paid[k]))
    for k in range(u.shape[0]):
        largest = max(largest, fabs(u[k]))
    for k in range(v.shape[0]):
        largest = max(largest, fabs(v[k]))
    ranked = np.empty(count)
    cdef double[::1] apart = ranked
    apart[:] = paid
    qsort(&apart[0], count, sizeof(double), compare_ascending)
    middle = apart[count // 2]
    for k in range(count):
        apart[k] = fabs(apart[k] - middle)
    qsort(&apart[0], count, sizeof(double), compare_ascending)
    while equal < count and apart[equal] == 0:
        equal += 1
    return (apart[(equal + count - 1) // 2] if 2 * equal <= count else 0.0), largest


def row_minima(matrix, const double[::1] v, double[::1] rest=None, const double[::1] tail=None, isa=None):
    """Return min_j c_ij − v_j for each row of an (n, m) matrix, rounded; inf if a row has no finite entry.

    `rest` (n,), if given, is set to what makes the minimum exact: their sum is min_j c_ij − v_j. With a `tail` (m,) of the duals
    the sum is a lower bound of min_j c_ij − v_j − tail_j, by at most 2⁻⁵⁰ of the rest.
    """
    matrix = as_cost(matrix)
    cdef int64_t n = matrix.shape[0], m = matrix.shape[1], start, count
    low = np.full(n, np.inf)
    cdef double[::1] low_view = low
    cdef size_t at_cost = address_of(matrix)
    cdef const dense_kernels_t *kernels = kernels_of_matrix(matrix, isa)
    cdef double *rests = NULL
    cdef const double *tails = NULL
    check_duals(v, tail, rest, m, n)
    if tail is not None and m:
        tails = &tail[0]
    for start in range(0, n if m else 0, rows_per_check(m)):
        count = min(rows_per_check(m), n - start)
        if rest is not None:
            rests = &rest[start]
        with nogil:
            kernels.row_minima(<const void *> at_cost, count, m, &v[0], tails, &low_view[start], rests)
        at_cost += count * m * matrix.itemsize
        raise_if_interrupted()
    return low


cdef check_duals(const double[::1] duals, const double[::1] tail, double[::1] rest, int64_t theirs, int64_t others):
    """Refuse duals of one side, or a `rest` of the other, of the wrong size."""
    for name, given, size in (("duals", duals, theirs), ("tails", tail, theirs), ("rests", rest, others)):
        if given is not None and len(given) != size:
            raise ValueError(f"{len(given)} {name} where there are {size}")


def two_minima(matrix, const double[::1] v, isa=None):
    """Return the two smallest c_ij − v_j of each row of an (n, m) matrix.

    These are values (n, 2) float64 and their columns (n, 2) int64, ordered by (value, column); inf at −1 if there is none.
    """
    matrix = as_cost(matrix)
    cdef int64_t n = matrix.shape[0], m = matrix.shape[1]
    low, at = np.full((n, 2), np.inf), np.full((n, 2), -1, dtype=np.int64)
    cdef double[:, ::1] low_view = low
    cdef int64_t[:, ::1] at_view = at
    cdef size_t at_cost = address_of(matrix)
    cdef const dense_kernels_t *kernels = kernels_of_matrix(matrix, isa)
    if v.shape[0] != m:
        raise ValueError(f"v has {v.shape[0]} entries for {m} columns")
    if n and m:
        with nogil:
            kernels.two_minima_rows(<const void *> at_cost, n, m, &v[0], &low_view[0, 0], &at_view[0, 0])
    return low, at


def column_minima(matrix, const double[::1] u, double[::1] rest=None, const double[::1] tail=None, isa=None):
    """Return min_i c_ij − u_i for each column of an (n, m) matrix, like `row_minima`."""
    matrix = as_cost(matrix)
    cdef int64_t n = matrix.shape[0], m = matrix.shape[1]
    low = np.full(m, np.inf)
    row = np.empty(m, dtype=np.int32)
    cdef double[::1] low_view = low
    cdef int32_t[::1] row_view = row
    cdef size_t at_cost = address_of(matrix)
    cdef const dense_kernels_t *kernels = kernels_of_matrix(matrix, isa)
    check_duals(u, tail, rest, n, m)
    cdef const double *tails = NULL
    cdef double *rests = NULL
    if n and m:
        if tail is not None:
            tails = &tail[0]
        if rest is not None:
            rests = &rest[0]
        with nogil:
            kernels.column_minima(<const void *> at_cost, n, m, &u[0], tails, &low_view[0], rests, &row_view[0])
    return low


def cost_range(matrix, isa=None):
    """Return the least cost, the largest finite one, whether a pair is forbidden, and the minimum of each column (m,).

    The matrix (n, m), n and m ≥ 1, is read once. If a cost is NaN or −inf, the least is −inf. Without a finite cost the largest is
    −inf.
    """
    cdef int64_t n = matrix.shape[0], m = matrix.shape[1], start, count
    cdef cost_range_t found = cost_range_t(float("inf"), -float("inf"), 0)
    low = np.full(m, np.inf)
    cdef double[::1] low_view = low
    matrix = as_cost(matrix)
    cdef size_t at_cost = address_of(matrix)
    cdef const dense_kernels_t *kernels = kernels_of_matrix(matrix, isa)
    for start in range(0, n, rows_per_check(m)):
        count = min(rows_per_check(m), n - start)
        with nogil:
            kernels.cost_range(<const void *> at_cost, count, m, &low_view[0], &found)
        at_cost += count * m * matrix.itemsize
        raise_if_interrupted()
    return found.low, found.high, bool(found.forbids), low


cdef const point_kernels_t *kernels_of_points(const double[:, ::1] x, const double[:, ::1] y, const double[::1] weight,
                                              int power) except NULL:
    """Return the kernels for points x (n, d) and y (m, d) with m ≥ 1 weights; power = 1 or 2, d = 2 or 3."""
    if x.shape[1] != y.shape[1] or x.shape[1] not in (2, 3) or y.shape[0] == 0 or weight.shape[0] != y.shape[0]:
        raise ValueError(f"no pairs between points {(x.shape[0], x.shape[1])} and {(y.shape[0], y.shape[1])} with {weight.shape[0]} weights")
    return point_kernels_for(None, x.shape[1], power)


def point_minima(const double[:, ::1] x, const double[:, ::1] y, double scale, const double[::1] weight, int power=2):
    """Return min_j scale · |x_i − y_j|^power + weight_j for points x (n, d) and m ≥ 1 points y (m, d); power = 1 or 2, d = 2 or
    3.

    Bounds rule out most pairs: O(n + m) memory and about O(n + m) time.
    """
    cdef int64_t n = x.shape[0], m = y.shape[0]
    cdef points_t cost
    cdef outcome_t outcome
    cdef stop_t stop = stop_within(np.inf)
    cdef const point_kernels_t *kernels = kernels_of_points(x, y, weight, power)
    low = np.empty(n)
    cdef double[::1] low_view = low
    if n:
        cost.x, cost.y, cost.scale = &x[0, 0], &y[0, 0], scale
        with nogil:
            outcome = kernels.minima(&cost, n, m, &weight[0], &low_view[0], &stop)
        raise_failure(outcome, f"no memory to look through the pairs of {n} and {m} points")
    return low


def near_points(const double[:, ::1] x, const double[:, ::1] y, double scale, const double[::1] weight,
                const double[::1] bound, int64_t most, int power=2):
    """List the pairs with scale · |x_i − y_j|^power + weight_j ≤ bound_i, for the arguments of `point_minima` and bounds (n,).

    Return rows and columns, (k,) int32, in no particular order; None if they are more than `most`.
    """
    cdef int64_t n = x.shape[0], m = y.shape[0], found = 0
    cdef points_t cost
    cdef outcome_t outcome
    cdef stop_t stop = stop_within(np.inf)
    cdef const point_kernels_t *kernels = kernels_of_points(x, y, weight, power)
    rows, columns = np.empty(max(most, 1), dtype=np.int32), np.empty(max(most, 1), dtype=np.int32)
    cdef int32_t[::1] rows_view = rows
    cdef int32_t[::1] columns_view = columns
    if n:
        cost.x, cost.y, cost.scale = &x[0, 0], &y[0, 0], scale
        with nogil:
            outcome = kernels.near(&cost, n, m, &weight[0], &bound[0], most, &rows_view[0], &columns_view[0], &found, &stop)
        raise_failure(outcome, f"no memory to look through the pairs of {n} and {m} points")
    return None if found > most else (rows[:found], columns[:found])


def marginals(matrix, const double[::1] f, const double[::1] g, const double[::1] a, const double[::1] b, double epsilon,
              float[:, ::1] kept=None, isa=None):
    """Return both marginals of the plan a_i b_j e_ij, e_ij = exp((f_i + g_j − c_ij) / ε), relative to a and b, and its cost.

    These are Σ_j b_j e_ij (n,), Σ_i a_i e_ij (m,) and Σ_ij a_i b_j e_ij c_ij. A sum is NaN if some e_ij is beyond 2**1000.
    `kept` (n, m), if given, is filled with the e_ij.
    """
    matrix = as_cost(matrix)
    cdef int64_t n = matrix.shape[0], m = matrix.shape[1], start, count
    rows, cols = np.zeros(n), np.zeros(m)
    cdef double[::1] rows_view = rows
    cdef double[::1] cols_view = cols
    cdef double cost = 0.0
    cdef size_t at_cost = address_of(matrix)
    cdef const dense_kernels_t *kernels = kernels_of_matrix(matrix, isa)
    if not (f.shape[0] == a.shape[0] == n and g.shape[0] == b.shape[0] == m):
        raise ValueError(f"f, a and g, b have {f.shape[0]}, {a.shape[0]} and {g.shape[0]}, {b.shape[0]} entries for {n}×{m} costs")
    if kept is not None and not (kept.shape[0] == n and kept.shape[1] == m):
        raise ValueError(f"room for {kept.shape[0]}×{kept.shape[1]} of {n}×{m} entries")
    cdef float *room = NULL
    for start in range(0, n if m else 0, rows_per_check(m)):
        count = min(rows_per_check(m), n - start)
        if kept is not None:
            room = &kept[start, 0]
        with nogil:
            cost += kernels.marginals(<const void *> at_cost, count, m, &f[start], &g[0], &a[start], &b[0], epsilon,
                                    &rows_view[start], &cols_view[0], room)
        at_cost += count * m * matrix.itemsize
        raise_if_interrupted()
    return rows, cols, cost


def scaled(const float[:, ::1] kept, const double[::1] a, const double[::1] b, isa=None):
    """Return Σ_j kept_ij b_j (n,) and Σ_i a_i kept_ij (m,)."""
    cdef int64_t n = kept.shape[0], m = kept.shape[1], start, count
    rows, cols = np.zeros(n), np.zeros(m)
    cdef double[::1] rows_view = rows
    cdef double[::1] cols_view = cols
    cdef const kernels_t *kernels = kernels_for(isa)
    if not (a.shape[0] == n and b.shape[0] == m):
        raise ValueError(f"{a.shape[0]} and {b.shape[0]} masses for {n}×{m} entries")
    for start in range(0, n if m else 0, rows_per_check(m)):
        count = min(rows_per_check(m), n - start)
        with nogil:
            kernels.kernel_marginals(&kept[start, 0], count, m, &a[start], &b[0], &rows_view[start], &cols_view[0])
        raise_if_interrupted()
    return rows, cols
