"""The problem as a worker gets it: in memory that it can read and nobody else's worker can write, and changed before
each call, so that what a solver remembers of one call is of no use in the next.

Two of the last rows, or columns where entries are sparse, change places, chosen at random. That costs the same and is
as much work to a solver as before, down to the layout of every array; but it is another problem, with another answer,
which is turned back here.
"""

from __future__ import annotations

import dataclasses
import fcntl
import mmap
import os
import tempfile
import time
from types import TracebackType
from typing import Literal, Self, TypeVar

import numpy as np

from lapmark.solvers.problem import Infeasible, Problem, SparseCost, Transport
from lapmark.solvers.result import Matching

from . import protocol
from .protocol import Answer

#: Rows, or columns, at the end of which two change places: so many, or this part of all where that is more.
LAST, PART = 8, 16

#: Of memfd_create(2): nobody may map or open it for writing from now on; what is mapped stays.
_SEAL_FUTURE_WRITE = 0x0010

Array = TypeVar("Array", bound=np.ndarray | None)


class Handover:
    """A problem in memory to share. Use it in a `with` statement, which gives that back.

    Attributes
    ----------
    descriptor : int
        To be read with `protocol.read_problem`, from another process; it cannot be written to.
    shape : (n, m)
    took : float
        Seconds of processor time that it took to write the problem down.
    """

    def __init__(self, problem: Problem, seed: int | None = None) -> None:
        self.shape = problem.shape
        self._problem, self._rng = problem, np.random.default_rng(seed)
        self._rows, self._columns = (np.arange(size) for size in problem.shape)
        own = os.memfd_create("lapmark", os.MFD_ALLOW_SEALING) if hasattr(os, "memfd_create") else _nameless()
        with os.fdopen(os.dup(own), "wb") as file:
            start = time.process_time()
            places = protocol.write_problem(problem, file)
            self.took = time.process_time() - start
        self._map = mmap.mmap(own, 0)
        self._arrays = [
            np.ndarray(array.shape, array.dtype, self._map, place, order=_order(array)) for place, array in places
        ]
        self.descriptor = _readable(own)
        os.close(own)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._arrays.clear()
        self._map.close()
        os.close(self.descriptor)

    def vary(self) -> None:
        """Have two rows or columns, where there are as many, change places with each other."""
        n, m = self.shape
        sparse = isinstance(self._problem.cost, SparseCost)  # whose rows may differ in how many entries they have
        size = m if sparse else n
        if size < 2:
            return
        last = min(size, max(LAST, size // PART))
        pair = size - 1 - self._rng.choice(last, 2, replace=False)
        if sparse:
            data, indices, begin = self._arrays[:3]
            _swap_columns(data, indices, begin, *map(int, pair))
        else:
            _swap(self._arrays[0], pair)
        _swap(self._columns if sparse else self._rows, pair)
        if isinstance(self._problem, Transport):
            _swap(self._arrays[-1 if sparse else -2], pair)

    def turned_back(self, answer: Answer) -> Answer:
        """Return the answer to the original problem for one to the current problem; invalid parts stay as they are."""
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


def _nameless() -> int:
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _readable(own: int) -> int:
    """A descriptor of the same memory that can only be read, whatever its holder does, where the system has that."""
    if hasattr(fcntl, "F_ADD_SEALS"):
        seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | _SEAL_FUTURE_WRITE | fcntl.F_SEAL_SEAL
        try:
            fcntl.fcntl(own, fcntl.F_ADD_SEALS, seals)
            return os.open(f"/proc/self/fd/{own}", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            pass  # an older kernel
    return os.dup(own)


def _order(array: np.ndarray) -> Literal["C", "F"]:
    """How `numpy.save` lays it out."""
    return "F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C"


def _swap(array: np.ndarray, pair: np.ndarray) -> None:
    array[pair] = array[pair[::-1]]


def _swap_columns(data: np.ndarray, indices: np.ndarray, begin: np.ndarray, one: int, other: int) -> None:
    """In rows of sorted entries."""
    named = np.flatnonzero((indices == one) | (indices == other))
    indices[named] = one + other - indices[named]
    for row in np.unique(np.searchsorted(begin, named, side="right") - 1):
        part = slice(begin[row], begin[row + 1])
        order = np.argsort(indices[part])
        indices[part], data[part] = indices[part][order], data[part][order]


def _put(values: Array, places: np.ndarray) -> Array:
    """Values of the rows or columns as they are now, in the order in which they were."""
    if values is None or values.shape != places.shape:
        return values
    put = np.empty_like(values)
    put[places] = values
    return put


def _names(numbers: np.ndarray | None, places: np.ndarray) -> np.ndarray | None:
    if numbers is None or numbers.dtype.kind not in "iu" or not ((numbers >= 0) & (numbers < len(places))).all():
        return numbers
    return places[numbers]
