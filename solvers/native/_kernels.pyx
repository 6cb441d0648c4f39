# cython: language_level=3
"""The kernels, for the other bindings: a module that linked them itself would hold a copy of its own, 2 MB each."""

from cpython.pycapsule cimport PyCapsule_New

from .kernels cimport look_up_kernels


look_up = PyCapsule_New(<void *> look_up_kernels, NULL, NULL)
