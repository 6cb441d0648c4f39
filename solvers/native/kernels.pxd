"""What several bindings share of the C kernels: how a solver ends, and a cost between points."""


cdef extern from "lapmark.h":
    ctypedef enum outcome_t:
        SOLVED, INFEASIBLE, INTERRUPTED, TIMED_OUT, OUT_OF_MEMORY


cdef extern from "points.h":
    ctypedef struct points_t:
        const double *x
        const double *y
        double scale
