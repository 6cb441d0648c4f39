"""Ctrl-C and time limits, for every binding alike. There is nothing to link: each module gets a copy of its own."""


# Declared here rather than taken from cpython.exc, whose declarations would raise inside the callback, where nothing can.
cdef extern from "Python.h":
    int PyErr_CheckSignals() noexcept
    void *PyErr_Occurred() noexcept


cdef extern from "stop.h":
    ctypedef int (*interrupted_t)() noexcept nogil
    ctypedef struct stop_t:
        interrupted_t interrupted
        double deadline
    double monotonic_seconds() noexcept nogil


cdef inline int interrupted() noexcept nogil:
    """Whether a signal handler raised; its exception stays set."""
    with gil:
        return PyErr_Occurred() != NULL or PyErr_CheckSignals() != 0


cdef inline int never() noexcept nogil:
    return 0


cdef inline stop_t stop_within(double seconds):
    """Stop after so many seconds, or on Ctrl-C: only the main thread sees signals, and others need not fight for its lock."""
    import threading

    cdef stop_t stop
    stop.interrupted = interrupted if threading.get_ident() == threading.main_thread().ident else never
    stop.deadline = monotonic_seconds() + seconds
    return stop


cdef inline int raise_pending() except -1:
    """Let the exception that a signal handler left surface."""
    return -1


cdef inline int raise_if_interrupted() except -1:
    return raise_pending() if interrupted() else 0
