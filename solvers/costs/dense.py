"""Costs given as a matrix."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

import numpy as np

from lapmark.solvers.native import _matrix
from lapmark.solvers.validation import MASKED_COSTS, SPARSE_COSTS, as_numeric, check_entries, check_matrix

from .cost import Cost

#: Entries of a matrix from which on its range is kept: smaller ones are read again in no time.
LARGE = 2**17


class CostRange(NamedTuple):
    """The range of the costs of a matrix (n, m), found in one pass.

    Attributes
    ----------
    low, high : float
        The smallest cost, −inf if one is NaN; the largest finite one.
    forbids : bool
        Whether a pair is forbidden.
    columns : (m,) float64
        The smallest cost of each column.
    """

    low: float
    high: float
    forbids: bool
    columns: np.ndarray

    @property
    def extremes(self) -> tuple[float, float]:
        return self.low, np.inf if self.forbids else self.high


def range_of_matrix(matrix: np.ndarray) -> CostRange | None:
    """Return the range of a large matrix that native code can read in its place, None for any other."""
    if matrix.size < LARGE or matrix.dtype not in (np.float32, np.float64):
        return None
    if not (matrix.flags.c_contiguous and matrix.flags.aligned):
        return None
    return CostRange(*_matrix.cost_range(matrix))


@dataclass(frozen=True, eq=False)
class DenseCost(Cost):
    """A cost given as a matrix.

    Parameters
    ----------
    matrix : array_like, shape (n, m)
        float16, float32, float64, bool or any integer type, in any memory layout. float32, float64 and integers are
        kept without a copy; float16 and bool are widened. A frame or a list of other numbers, such as nullable or
        Arrow columns, is copied to float64. `inf` forbids a pair. Writing to the matrix afterwards, even while it is
        being solved, makes the answer wrong, which a certificate shows, or an error.

    Raises
    ------
    TypeError
        For complex, text, object, masked, sparse and extended-precision arrays, and numbers that float64 does not hold,
        such as Decimal("0.1"): nothing is dropped or rounded silently.
    ValueError
        For anything but two dimensions, NaN, −inf, integers beyond 2**53 and, as `OutOfRange`, finite entries beyond
        1e300. The message names the first such entry.
    """

    kind: ClassVar[str] = "dense"
    matrix: np.ndarray
    _forbids: bool = field(init=False, repr=False, default=False)
    _range: CostRange | None = field(init=False, repr=False, default=None)

    @classmethod
    def trusted(cls, matrix: np.ndarray, forbids: bool, range: CostRange | None = None) -> DenseCost:
        """Return a cost whose entries come from another cost, and were validated there."""
        cost = object.__new__(cls)
        object.__setattr__(cost, "matrix", matrix)
        object.__setattr__(cost, "_forbids", forbids)
        object.__setattr__(cost, "_range", range)
        return cost

    def __post_init__(self) -> None:
        matrix = as_numeric(self.matrix, "cost matrix", masked=MASKED_COSTS, sparse=SPARSE_COSTS)
        check_matrix(matrix)
        object.__setattr__(self, "matrix", matrix)
        object.__setattr__(self, "_range", range_of_matrix(matrix))
        extremes = None if self._range is None else self._range.extremes
        object.__setattr__(self, "_forbids", check_entries(matrix, "cost matrix", extremes=extremes))

    @property
    def shape(self) -> tuple[int, int]:
        n, m = self.matrix.shape
        return n, m

    @property
    def dtype(self) -> np.dtype:
        return self.matrix.dtype

    @property
    def forbids(self) -> bool:
        return self._forbids

    def range_of(self, matrix: np.ndarray) -> CostRange | None:
        """Return what the validation has found out about `matrix`, None if that is not the matrix of this cost."""
        return self._range if matrix is self.matrix else None

    def block(self, start: int, stop: int) -> np.ndarray:
        return self.matrix[start:stop]

    def part(self, rows: np.ndarray, columns: np.ndarray) -> DenseCost:
        if (len(rows), len(columns)) == self.shape:
            return self
        return DenseCost.trusted(self.matrix[np.ix_(rows, columns)], self.forbids)

    def mirrored(self) -> DenseCost:
        return DenseCost.trusted(self.matrix.T, self.forbids)

    def up_to(self, most: float) -> DenseCost:
        return dense_up_to(self, most)

    def negative(self) -> DenseCost:
        return dense_negative(self)

    def entries(self, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        return self.matrix[rows, cols].astype(np.float64)

    def dense(self) -> np.ndarray:
        return self.matrix


def dense_up_to(cost: Cost, most: float) -> DenseCost:
    """Return a matrix of the costs, with every pair above `most` forbidden."""
    matrix = cost.dense()
    return DenseCost(np.where(matrix > most, np.inf, matrix))


def dense_negative(cost: Cost) -> DenseCost:
    """Return a matrix of the costs −c_ij, in floats, which hold every integer of a cost exactly."""
    dtype = cost.dtype if cost.dtype.kind == "f" else np.dtype(np.float64)
    negative = np.empty(cost.shape, dtype=dtype)
    for start, block in cost.blocks():
        part = negative[start : start + len(block)]
        np.subtract(0.0, block, out=part, dtype=dtype)
        if cost.forbids:
            np.abs(part, out=part, where=np.isinf(part))
    return DenseCost.trusted(negative, cost.forbids)
