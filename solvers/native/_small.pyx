# cython: language_level=3, boundscheck=False, wraparound=False
"""Small problems straight from NumPy arrays to the C code: anything in between would take longer than the solver.

Problems that cannot be solved here, because of their type, their size or a fault, are handed back for others to solve or refuse.
"""

cimport numpy as cnp
from libc.stdint cimport int64_t, intptr_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from .kernels cimport SMALL_SIDE, SOLVED, import_kernels, kernels_for, kernels_t, outcome_t, raise_pending, small_solve, \
    small_solve_all, small_t, stop_t, stop_within, wide_solve

from lapmark.solvers.validation import LARGEST_COST, LARGEST_INTEGER


cnp.import_array()
import_kernels()

LARGEST_SIDE = SMALL_SIDE

cdef const kernels_t *KERNELS = kernels_for(None)

cdef double LARGEST_FLOAT = LARGEST_COST

# Integers at the limit may have been rounded to it on their way to float64.
cdef double LARGEST_EXACT = LARGEST_INTEGER - 1

# Problems of fewer costs are solved in less time than it may take to reacquire the GIL.
cdef enum:
    COSTS_WITHIN_LOCK = 2500

cdef cnp.npy_intp LARGEST_WIDE = 2**31 - 2


cdef cnp.ndarray as_costs(costs, int dimensions, bint wide=False):
    """Return the array in C order as float32 or float64; None if it is no such array or its matrices are not small.

    With `wide` they may also be large if they are not square.
    """
    if not cnp.PyArray_CheckExact(costs):
        return None
    cdef cnp.ndarray array = <cnp.ndarray> costs
    cdef int kind = cnp.PyArray_TYPE(array)
    if cnp.PyArray_NDIM(array) != dimensions:
        return None
    cdef cnp.npy_intp n = cnp.PyArray_DIM(array, dimensions - 2), m = cnp.PyArray_DIM(array, dimensions - 1)
    if n == 0 or m == 0 or max(n, m) > (LARGEST_WIDE if wide and n != m else SMALL_SIDE):
        return None
    if kind == cnp.NPY_FLOAT64 or kind == cnp.NPY_FLOAT32:
        if cnp.PyArray_ISCARRAY_RO(array):
            return array
    elif cnp.PyTypeNum_ISINTEGER(kind) or kind == cnp.NPY_BOOL or kind == cnp.NPY_FLOAT16:
        kind = cnp.NPY_FLOAT64
    else:
        return None
    return <cnp.ndarray> cnp.PyArray_FROMANY(array, kind, 0, 0, cnp.NPY_ARRAY_CARRAY_RO)


cdef inline void set_up(small_t *problem, cnp.ndarray array, bint integers, bint maximize) noexcept:
    """Set up the first matrix of an array, except where its answer goes."""
    cdef int dimensions = cnp.PyArray_NDIM(array)
    memset(problem, 0, sizeof(small_t))
    problem.cost = cnp.PyArray_DATA(array)
    problem.n = cnp.PyArray_DIM(array, dimensions - 2)
    problem.m = cnp.PyArray_DIM(array, dimensions - 1)
    problem.single = cnp.PyArray_TYPE(array) == cnp.NPY_FLOAT32
    problem.largest = LARGEST_EXACT if integers else LARGEST_FLOAT
    problem.maximize = maximize


cdef inline bint holds_integers(array) noexcept:
    return not cnp.PyArray_ISFLOAT(<cnp.ndarray> array)


cdef inline bint is_large_transpose(costs):
    """Return whether this is a matrix in Fortran order that is not small or square, whose transpose is read in place."""
    if not cnp.PyArray_CheckExact(costs) or cnp.PyArray_NDIM(<cnp.ndarray> costs) != 2:
        return False
    cdef cnp.npy_intp n = cnp.PyArray_DIM(<cnp.ndarray> costs, 0), m = cnp.PyArray_DIM(<cnp.ndarray> costs, 1)
    return n != m and max(n, m) > SMALL_SIDE and cnp.PyArray_IS_F_CONTIGUOUS(<cnp.ndarray> costs) and \
        not cnp.PyArray_IS_C_CONTIGUOUS(<cnp.ndarray> costs)


def assign(costs, bint maximize):
    """Return row and column indices of the best matching, as SciPy does; None if small.c cannot answer."""
    cdef small_t problem
    cdef intptr_t on_stack[SMALL_SIDE]
    cdef intptr_t *row_to_col = on_stack
    cdef cnp.npy_intp count, i, k = 0
    cdef stop_t stop
    cdef outcome_t outcome = SOLVED
    if is_large_transpose(costs):
        answer = assign(costs.T, maximize)
        if answer is None:
            return None
        cols, rows = answer
        order = rows.argsort()
        return rows[order], cols[order]
    cdef cnp.ndarray array = as_costs(costs, 2, True), columns
    if array is None:
        return None
    set_up(&problem, array, holds_integers(costs), maximize)
    if problem.n > SMALL_SIDE:
        count = problem.n
        columns = cnp.PyArray_SimpleNew(1, &count, cnp.NPY_INTP)
        row_to_col = <intptr_t *> cnp.PyArray_DATA(columns)
    problem.row_to_col = row_to_col
    if max(problem.n, problem.m) > SMALL_SIDE:
        stop = stop_within(float("inf"))
        with nogil:
            outcome = wide_solve(&problem, KERNELS, &stop)
        if outcome != SOLVED:
            raise_pending()
    elif problem.n * problem.m < COSTS_WITHIN_LOCK:
        small_solve(&problem, KERNELS)
    else:
        with nogil:
            small_solve(&problem, KERNELS)
    if not problem.solved:
        return None
    count = min(problem.n, problem.m)
    rows = cnp.PyArray_SimpleNew(1, &count, cnp.NPY_INTP)
    cols = cnp.PyArray_SimpleNew(1, &count, cnp.NPY_INTP)
    cdef intptr_t *row = <intptr_t *> cnp.PyArray_DATA(<cnp.ndarray> rows)
    cdef intptr_t *col = <intptr_t *> cnp.PyArray_DATA(<cnp.ndarray> cols)
    for i in range(problem.n):
        if row_to_col[i] >= 0 and k < count:
            row[k], col[k] = i, row_to_col[i]
            k += 1
    # If another thread changes the costs meanwhile, rows may be left out.
    return (rows, cols) if k == count else None


cdef class Batch:
    """Memory for `count` problems; those that are never set up stay unsolved."""

    cdef small_t *problems
    cdef int64_t count

    def __cinit__(self, int64_t count):
        self.count = count
        self.problems = <small_t *> calloc(count + 1, sizeof(small_t))
        if self.problems == NULL:
            raise MemoryError(f"no memory for {count} problems")

    def __dealloc__(self):
        free(self.problems)

    cdef list solve(self, int threads, double[::1] totals):
        """Set the totals; return the indices of the problems left over."""
        cdef stop_t stop = stop_within(float("inf"))
        cdef outcome_t outcome
        cdef int64_t k
        with nogil:
            outcome = small_solve_all(self.problems, self.count, KERNELS, threads, &stop)
        if outcome != SOLVED:
            raise_pending()
        left = []
        for k in range(self.count):
            totals[k] = self.problems[k].total
            if not self.problems[k].solved:
                left.append(k)
        return left


def assign_stack(costs, bint maximize, int threads, intptr_t[:, ::1] row_to_col, double[::1] totals):
    """Solve the matrices of a (b, n, m) array into row_to_col (b, n) and totals (b,); return the indices of those left over."""
    cdef int64_t k, count = costs.shape[0]
    cdef cnp.ndarray array = as_costs(costs, 3)
    if array is None or count == 0:
        return list(range(count))
    cdef Batch batch = Batch(count)
    cdef small_t first
    set_up(&first, array, holds_integers(costs), maximize)
    cdef int64_t size = first.n * first.m * cnp.PyArray_ITEMSIZE(array)
    for k in range(count):
        batch.problems[k] = first
        batch.problems[k].cost = <const char *> first.cost + k * size
        batch.problems[k].row_to_col = &row_to_col[k, 0]
    return batch.solve(threads, totals)


def assign_list(list costs, bint maximize, int threads, list row_to_col, double[::1] totals):
    """Solve matrices of any shapes; set row_to_col to an array (n,) for each but those left over, and return their indices."""
    cdef int64_t k, count = len(costs)
    cdef Batch batch = Batch(count)
    cdef cnp.ndarray array, answer
    cdef cnp.npy_intp n
    alive = []
    for k in range(count):
        array = as_costs(costs[k], 2)
        if array is None:
            continue
        alive.append(array)
        set_up(&batch.problems[k], array, holds_integers(costs[k]), maximize)
        n = batch.problems[k].n
        answer = cnp.PyArray_SimpleNew(1, &n, cnp.NPY_INTP)
        batch.problems[k].row_to_col = <intptr_t *> cnp.PyArray_DATA(answer)
        row_to_col[k] = answer
    return batch.solve(threads, totals)
