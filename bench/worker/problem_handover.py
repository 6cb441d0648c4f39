"""Handover of a problem to a worker: in shared memory that it cannot write, and varied before each call.

The variation makes anything that a solver remembers of one call useless in the next. Two of the last rows (columns for
sparse costs), chosen at random, are swapped. The optimal cost, the work and the layout of every array stay the same,
but it is another problem with another answer, which is mapped back here.
"""

import contextlib
import dataclasses
import mmap
import os
import sys
import tempfile
import time
from typing import Literal, Self, TypeVar

import numpy as np

from lapmark.solvers.costs import SparseCost
from lapmark.solvers.errors import Infeasible
from lapmark.solvers.problem import Problem, Transport
from lapmark.solvers.result import Matching

from . import protocol
from .protocol import Answer

#: The swapped rows or columns are among the last LAST, or the last 1 / FRACTION of all if that is more.
LAST, FRACTION = 8, 16

#: Seal of memfd_create(2): no new mapping or opening for writing; existing mappings stay.
_SEAL_FUTURE_WRITE = 0x0010

Array = TypeVar("Array", bound=np.ndarray | None)


class Handover:
    """A problem in shared memory. Use it in a `with` statement, which frees the memory.

    `descriptor` is read-only, for another process to read with `protocol.read_problem`. `took` is the processor time
    in seconds to write the problem.
    """

    def __init__(self, problem: Problem, seed: int | None = None) -> None:
        self.shape = problem.shape
        self._problem, self._rng = problem, np.random.default_rng(seed)
        self._rows, self._columns = (np.arange(size) for size in problem.shape)
        own, self.descriptor = _memory_file()
        with os.fdopen(os.dup(own), "wb") as file:
            start = time.process_time()
            places = protocol.write_problem(problem, file)
            self.took = time.process_time() - start
        self._map = mmap.mmap(own, 0)
        self._arrays = [
            np.ndarray(array.shape, array.dtype, self._map, place, order=_order(array)) for place, array in places
        ]
        _seal(own)
        os.close(own)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._arrays.clear()
        self._map.close()
        os.close(self.descriptor)

    def vary(self) -> None:
        """Swap two rows or columns, if there are two."""
        n, m = self.shape
        sparse = isinstance(self._problem.cost, SparseCost)  # whose rows may differ in how many entries they have
        size = m if sparse else n
        if size < 2:
            return
        last = min(size, max(LAST, size // FRACTION))
        pair = size - 1 - self._rng.choice(last, 2, replace=False)
        if sparse:
            data, indices, begin = self._arrays[:3]
            _swap_columns(data, indices, begin, *map(int, pair))
        else:
            _swap(self._arrays[0], pair)
        _swap(self._columns if sparse else self._rows, pair)
        if isinstance(self._problem, Transport):
            _swap(self._arrays[-1 if sparse else -2], pair)

    def map_back(self, answer: Answer) -> Answer:
        """Map an answer to the current problem to one to the original problem; invalid parts stay unchanged."""
        n, m = self._problem.shape
        if isinstance(answer, Infeasible):
            rows, columns = _names(answer.rows, self._rows), _names(answer.columns, self._columns)
            if rows is None or columns is None or len(rows) == 0:
                return Infeasible(str(answer), rows, columns)
            return Infeasible.hall(rows, columns)
        if isinstance(answer, Matching):
            matched, row_to_col = answer.row_to_col, answer.row_to_col
            if matched.shape == (n,) and matched.dtype.kind in "iu":
                inside = (matched >= 0) & (matched < m)
                row_to_col = np.empty_like(matched)
                row_to_col[self._rows] = np.where(inside, self._columns[np.where(inside, matched, 0)], matched)
            return dataclasses.replace(
                answer, row_to_col=row_to_col, u=_put(answer.u, self._rows), v=_put(answer.v, self._columns)
            )
        mass = answer.mass
        if mass is not None and mass.shape == (n, m):
            coo = mass.tocoo()
            places = self._rows[coo.coords[0]], self._columns[coo.coords[1]]
            mass = type(mass)((coo.data, places), shape=(n, m))
        return dataclasses.replace(answer, f=_put(answer.f, self._rows), g=_put(answer.g, self._columns), mass=mass)


def _memory_file() -> tuple[int, int]:
    """Return two descriptors of a new file without a name: the second can only read.

    It is in memory on Linux, elsewhere in the folder for temporary files.
    """
    if sys.platform == "linux" and os.path.isdir("/proc/self/fd"):
        own = os.memfd_create("lapmark", os.MFD_ALLOW_SEALING)
        return own, os.open(f"/proc/self/fd/{own}", os.O_RDONLY | os.O_CLOEXEC)
    with tempfile.NamedTemporaryFile(buffering=0) as file:
        return os.dup(file.fileno()), os.open(file.name, os.O_RDONLY)


def _seal(descriptor: int) -> None:
    """Keep all others from writing to a memory file, through whatever descriptor; a mapping that exists stays."""
    if sys.platform == "linux":
        import fcntl

        seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | _SEAL_FUTURE_WRITE | fcntl.F_SEAL_SEAL
        with contextlib.suppress(OSError):  # an older kernel, or no memory file
            fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)


def _order(array: np.ndarray) -> Literal["C", "F"]:
    """Return the order in which `numpy.save` writes an array."""
    return "F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C"


def _swap(array: np.ndarray, pair: np.ndarray) -> None:
    array[pair] = array[pair[::-1]]


def _swap_columns(data: np.ndarray, indices: np.ndarray, begin: np.ndarray, one: int, other: int) -> None:
    """Swap two columns of a sparse matrix, keeping the entries of each row sorted."""
    named = np.flatnonzero((indices == one) | (indices == other))
    indices[named] = one + other - indices[named]
    for row in np.unique(np.searchsorted(begin, named, side="right") - 1):
        part = slice(begin[row], begin[row + 1])
        order = np.argsort(indices[part])
        indices[part], data[part] = indices[part][order], data[part][order]


def _put(values: Array, places: np.ndarray) -> Array:
    """Return values of the current rows or columns in their original order."""
    if values is None or values.shape != places.shape:
        return values
    put = np.empty_like(values)
    put[places] = values
    return put


def _names(numbers: np.ndarray | None, places: np.ndarray) -> np.ndarray | None:
    if numbers is None or numbers.dtype.kind not in "iu" or not ((numbers >= 0) & (numbers < len(places))).all():
        return numbers
    return places[numbers]
