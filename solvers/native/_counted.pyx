# cython: language_level=3
"""A call that a profiler can tell from everything around it, by the name of a C function."""


cdef extern from *:
    """
    /* Found by its name, so neither inlined nor hidden. What stands behind the call keeps it from becoming a jump, which
       no profiler would see return. */
    __attribute__((noinline, used, visibility("default"))) PyObject *lapmark_counted(PyObject *function)
    {
        PyObject *result = PyObject_CallNoArgs(function);
        __asm__ volatile("" ::: "memory");
        return result;
    }
    """
    object lapmark_counted(object function)


def counted(function):
    """What `function()` returns; all it does lies within the C function `lapmark_counted`."""
    return lapmark_counted(function)
