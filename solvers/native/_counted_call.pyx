# cython: language_level=3
"""A call that a profiler can single out by the name of a C function."""


cdef extern from *:
    """
    /* Found by its name, so neither inlined nor hidden. The barrier keeps the call from becoming a jump, whose return no
       profiler would see. */
    __attribute__((noinline, used, visibility("default"))) PyObject *lapmark_counted(PyObject *function)
    {
        PyObject *result = PyObject_CallNoArgs(function);
        __asm__ volatile("" ::: "memory");
        return result;
    }
    """
    object lapmark_counted(object function)


def counted(function):
    """Return `function()`, called within the C function `lapmark_counted`."""
    return lapmark_counted(function)
