# cython: language_level=3
"""The kernels, for the other bindings: a module that linked them itself would hold a copy of its own, 2 MB each.

The instruction sets that they may use are decided here, once: the variable LAPMARK_ISA names the best one.
"""

import os

from cpython.pycapsule cimport PyCapsule_New

from .kernels cimport ISA_COUNT, find_kernels, look_up_kernels


look_up = PyCapsule_New(<void *> look_up_kernels, NULL, NULL)

#: The instruction sets that are compiled in, that this processor has and that LAPMARK_ISA allows; the best one last.
INSTRUCTION_SETS = tuple(find_kernels(isa).name.decode() for isa in range(ISA_COUNT) if find_kernels(isa) != NULL)


def up_to(str isa):
    """Return the instruction sets up to this one; raise a ValueError that names all if it is none of them."""
    if isa not in INSTRUCTION_SETS:
        raise ValueError(f"instruction set {isa!r}: it must be {' or '.join(INSTRUCTION_SETS)} here")
    return INSTRUCTION_SETS[: INSTRUCTION_SETS.index(isa) + 1]


if name := os.environ.get("LAPMARK_ISA"):
    try:
        INSTRUCTION_SETS = up_to(name)
    except ValueError as error:
        raise ImportError(f"LAPMARK_ISA: {error}") from None
