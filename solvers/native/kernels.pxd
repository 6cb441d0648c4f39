"""C declarations that the bindings share, each struct once, and what every binding does: find the kernels, stop on Ctrl-C or
at a deadline, and raise what went wrong. Each module gets a copy of these functions, but only `_kernels` holds the kernels: the
others call `import_kernels` first."""

from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.stdint cimport int32_t, int64_t, intptr_t
from libc.string cimport memset


# Not taken from cpython.exc, whose declarations would raise inside the callback, where nothing can.
cdef extern from "Python.h":
    int PyErr_CheckSignals() noexcept
    void *PyErr_Occurred() noexcept
    void *PyImport_AddModule(const char *) noexcept
    void *PyObject_CallMethod(void *, const char *, const char *, ...) noexcept
    void Py_DecRef(void *) noexcept


cdef extern from "core/outcome.h":
    ctypedef enum outcome_t:
        SOLVED, INFEASIBLE, INTERRUPTED, TIMED_OUT, OUT_OF_MEMORY, CHANGED, SPENT
    ctypedef int (*interrupted_t)() noexcept nogil
    ctypedef struct stop_t:
        interrupted_t interrupted
        double deadline
    double monotonic_seconds() noexcept nogil

cdef extern from "core/sorting.h":
    int compare_ascending(const void *, const void *) noexcept nogil

cdef extern from "core/sparse_costs.h":
    ctypedef struct sparse_costs_t:
        const int64_t *begin
        const int32_t *column
        const double *cost

cdef extern from "geometry/points.h":
    ctypedef struct points_t:
        const double *x
        const double *y
        double scale

cdef extern from "assignment/cost_range.h":
    ctypedef struct cost_range_t:
        double low, high
        int forbids

cdef extern from "assignment/assignment.h":
    int64_t CHECK_EVERY
    ctypedef enum stage_t:
        FROM_NOTHING
    ctypedef struct counters_t:
        int64_t row_scans, augmentations, reductions, bids, phases, path_rows
    ctypedef struct ablation_t:
        int levels, lists
    ctypedef struct assignment_t:
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
        ablation_t without
        int64_t check_every, until_check
        outcome_t outcome
        int64_t most_scans
        stage_t stage
        int64_t most_work
        const double *column_low
        cost_range_t range
    ctypedef outcome_t assignment_solver_t(assignment_t *) noexcept nogil

cdef extern from "assignment/small.h":
    enum:
        SMALL_SIDE
    ctypedef struct small_t:
        const void *cost
        int64_t n, m
        bint single, maximize
        double largest
        intptr_t *row_to_col
        double total
        bint solved

cdef extern from "transport/masses.h":
    ctypedef int mass_t  # an integer of 128 bits, which Cython cannot declare
    ctypedef struct mass_scale_t:
        double unit
    mass_scale_t masses_to_integers(const double *a, int64_t n, const double *b, int64_t m, bint partial, mass_t *supply,
                                    mass_t *demand) nogil

cdef extern from "transport/transport.h":
    ctypedef struct transport_t:
        int64_t n, m
        const void *cost
        const mass_t *supply
        const mass_t *demand
        double negligible
        double *u
        double *v
        int32_t *rows
        int32_t *columns
        mass_t *shipped
        int64_t pivots, arcs, rounds
        stop_t stop
    ctypedef outcome_t transport_solver_t(transport_t *) noexcept nogil

cdef extern from "transport/grid/grid_flow.h":
    int64_t GRID_LARGEST_COST
    ctypedef struct grid_t:
        int64_t axes
        const int64_t *bins
        const int64_t *step
    ctypedef struct grid_flow_t:
        grid_t grid
        int64_t count
        const mass_t *supply
        const mass_t *demand
        int64_t *height
        int32_t *rows
        int32_t *columns
        mass_t *shipped
        int64_t pairs, searches, lifts, augmentations
        stop_t stop
    ctypedef outcome_t grid_flow_solver_t(grid_flow_t *) noexcept nogil
    int64_t grid_flow_room(int64_t axes, int64_t count) nogil

cdef extern from "transport/line.h":
    ctypedef struct line_costs_t:
        const double *x
        const double *y
        int64_t n, m
        double power, scale
    outcome_t line_match(const line_costs_t *, int32_t *, double *, const stop_t *) nogil
    outcome_t line_transport(const line_costs_t *, const double *, const double *, int32_t *, int32_t *, double *, int64_t *,
                             double *, double *, const stop_t *) nogil
    outcome_t line_row_minima(const line_costs_t *, const double *, const double *, int64_t *, double *, const stop_t *) nogil

cdef extern from "transport/histograms/histograms.h":
    ctypedef struct histograms_t:
        int64_t n, m
        const double *cost
        const double *a
        const double *b
        bint metric, partial
        double rounding
        bint exact
        const double *x
        const double *y
        int64_t dimensions
        int power
        double scale
        int64_t pairs
        const int64_t *of_a
        const int64_t *of_b
        double *total
        double *f
        double *g
        int32_t *rows
        int32_t *columns
        double *moved
        int64_t *pivots

cdef extern from "sinkhorn/point_marginals.h":
    ctypedef struct point_marginals_t:
        int64_t n, m
        const double *x
        const double *y
        const double *f
        const double *g
        const double *a
        const double *b
        double scale, epsilon, rho, precision
        int64_t threads
        stop_t stop
        double *rows
        double *columns
        double spent
        bint with_spent
        const double *values
        double *carried
        int64_t channels, pairs

cdef extern from "dispatch/kernels.h":
    ctypedef struct dense_kernels_t:
        assignment_solver_t *jonker_volgenant
        assignment_solver_t *auction
        assignment_solver_t *cascade
        void (*row_minima)(const void *, int64_t, int64_t, const double *, const double *, double *, double *) noexcept nogil
        void (*cost_range)(const void *, int64_t, int64_t, double *, cost_range_t *) noexcept nogil
        void (*column_minima)(const void *, int64_t, int64_t, const double *, const double *, double *, double *,
                              int32_t *) noexcept nogil
        void (*two_minima_rows)(const void *, int64_t, int64_t, const double *, double *, int64_t *) noexcept nogil
        double (*marginals)(const void *, int64_t, int64_t, const double *, const double *, const double *, const double *,
                            double, double *, double *, float *) noexcept nogil
    ctypedef struct point_kernels_t:
        assignment_solver_t *cascade
        transport_solver_t *transport
        outcome_t (*minima)(const points_t *, int64_t, int64_t, const double *, double *, const stop_t *) noexcept nogil
        outcome_t (*near)(const points_t *, int64_t, int64_t, const double *, const double *, int64_t, int32_t *, int32_t *,
                          int64_t *, const stop_t *) noexcept nogil
        outcome_t (*marginals)(point_marginals_t *) noexcept nogil
        void (*tile_order)(const double *, int32_t *, int64_t, int64_t) noexcept nogil
    ctypedef enum isa_t:
        ISA_COUNT
    ctypedef struct kernels_t:
        const char *name
        dense_kernels_t dense[2]
        point_kernels_t points[2][2]
        assignment_solver_t *cascade_sparse
        transport_solver_t *transport_dense
        transport_solver_t *transport_sparse
        grid_flow_solver_t *grid_flow
        void (*kernel_marginals)(const float *, int64_t, int64_t, const double *, const double *, double *,
                                 double *) noexcept nogil
        bint (*is_metric)(const double *, int64_t) noexcept nogil
    ctypedef const kernels_t *kernel_lookup_t(const char *isa) noexcept nogil
    kernel_lookup_t look_up_kernels
    const kernels_t *find_kernels(int) noexcept nogil
    outcome_t histograms_solve(const histograms_t *, const kernels_t *, int, const stop_t *) noexcept nogil
    void small_solve(small_t *, const kernels_t *) noexcept nogil
    outcome_t small_solve_all(small_t *, int64_t, const kernels_t *, int, const stop_t *) noexcept nogil
    outcome_t wide_solve(small_t *, const kernels_t *, const stop_t *) noexcept nogil

cdef extern from *:
    """
    /* One of each for each module. */
    static kernel_lookup_t *imported_lookup;
    static const kernels_t *best_kernels;
    """
    kernel_lookup_t *imported_lookup
    const kernels_t *best_kernels


cdef inline int import_kernels() except -1:
    """Find the kernels; a module of bindings does so once, when it is imported."""
    global imported_lookup, best_kernels
    from lapmark.solvers.native import _kernels

    imported_lookup = <kernel_lookup_t *> PyCapsule_GetPointer(_kernels.look_up, NULL)
    best_kernels = kernels_for(_kernels.INSTRUCTION_SETS[-1])
    return 0


cdef inline const kernels_t *kernels_for(isa) except NULL:
    """Return the kernels of the instruction set that is named; with None, of the best."""
    if isa is None:
        return best_kernels
    from lapmark.solvers.native._kernels import up_to

    return imported_lookup(up_to(isa)[-1].encode())


cdef inline const point_kernels_t *point_kernels_for(isa, int64_t dimensions, int power) except NULL:
    return &kernels_for(isa).points[power == 2][dimensions == 3]


cdef inline int interrupted() noexcept nogil:
    """Whether a signal handler raised; its exception stays set."""
    with gil:
        return PyErr_Occurred() != NULL or PyErr_CheckSignals() != 0


cdef inline int never() noexcept nogil:
    return 0


cdef inline int told_or_interrupted() noexcept nogil:
    """The same as `interrupted`, which also tells the callback of the solve; an exception of it stays set."""
    cdef void *told
    with gil:
        if PyErr_Occurred() != NULL or PyErr_CheckSignals() != 0:
            return 1
        told = PyObject_CallMethod(PyImport_AddModule("lapmark.solvers.progress"), "beat", NULL)
        Py_DecRef(told)
        return told == NULL


cdef inline stop_t stop_within(double seconds):
    """Stop after `seconds`, or on Ctrl-C: only the main thread sees signals, and others need not wait for the lock.

    Where the solve has a callback for its progress, it is told as well, in any thread.
    """
    import sys
    import threading

    cdef stop_t stop
    progress = sys.modules.get("lapmark.solvers.progress")  # loaded only where somebody wants to be told
    stop.interrupted = interrupted if threading.get_ident() == threading.main_thread().ident else never
    if progress is not None and progress.is_active():
        stop.interrupted = told_or_interrupted
    stop.deadline = monotonic_seconds() + seconds
    return stop


cdef inline int raise_pending() except -1:
    """Let the exception that a signal handler left surface."""
    return -1


cdef inline int raise_if_interrupted() except -1:
    return raise_pending() if interrupted() else 0


cdef inline int raise_failure(outcome_t outcome, str memory) except -1:
    """Raise what a solver failed with; `memory` is the message if there was no memory."""
    if outcome == OUT_OF_MEMORY:
        raise MemoryError(memory)
    if outcome == INTERRUPTED:
        return raise_pending()
    if outcome == CHANGED:
        from lapmark.solvers.validation import COSTS_CHANGED

        raise ValueError(COSTS_CHANGED)
    return 0


cdef inline int raise_if_too_large(int64_t n, int64_t m) except -1:
    if max(n, m) >= 2**31 - 1:
        raise ValueError(f"{n}×{m}: at most 2**31 − 2 rows and columns")
    return 0


cdef inline assignment_t new_assignment(int64_t n, int64_t m, int64_t given, double limit, double seconds):
    """A problem of n rows and m columns without its costs, and with room for no result yet."""
    cdef assignment_t task
    memset(&task, 0, sizeof(task))
    task.n, task.m, task.given, task.limit = n, m, given, limit
    task.check_every, task.outcome, task.stage = CHECK_EVERY, SOLVED, FROM_NOTHING
    task.stop = stop_within(seconds)
    return task


cdef inline int raise_infeasible(const assignment_t *task, x, y) except -1:
    """Raise the proof of Hall's theorem that a solver has left in x and y."""
    from lapmark.solvers.errors import Infeasible

    raise Infeasible.hall(x[: task.blocked], y[: task.blocked - 1])


cdef inline dict nonzero(counters_t counters):
    return {name: count for name, count in dict(counters).items() if count}
