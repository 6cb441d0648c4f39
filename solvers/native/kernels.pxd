"""What several bindings share of the C kernels: how a solver ends, and a cost between points."""


cdef extern from "lapmark.h":
    ctypedef enum outcome_t:
        SOLVED, INFEASIBLE, INTERRUPTED, TIMED_OUT, OUT_OF_MEMORY, CHANGED, SPENT


cdef inline int raise_changed() except -1:
    from lapmark.solvers.validation import COSTS_CHANGED

    raise ValueError(COSTS_CHANGED)


cdef extern from "points.h":
    ctypedef struct points_t:
        const double *x
        const double *y
        double scale
