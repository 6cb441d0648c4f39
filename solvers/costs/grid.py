"""City block costs between the cells of a regular grid, computed on demand."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from numbers import Integral
from typing import Any, ClassVar

import numpy as np

from lapmark.solvers.errors import OutOfRange
from lapmark.solvers.validation import LARGEST_COST, check_number

from .cost import Cost, are_multiples
from .dense import DenseCost, dense_negative, dense_up_to
from .exact_sums import UNIT, difference, product, unit_of

#: Largest number of cells of a grid.
MOST_CELLS = 2**31 - 1

#: Largest ratio of two spacings: beyond it, steps along one axis would be rounding errors of those along the other.
MOST_UNEQUAL = 2.0**20


@dataclass(frozen=True, eq=False)
class GridCost(Cost):
    """The city block (L1) distance between the cells of a regular grid: Σ_k spacing_k · |i_k − j_k|.

    By default rows and columns are all cells, in C order: the masses of an image `a` are `a.ravel()`.

    Parameters
    ----------
    grid : tuple of int
        Number of bins along each axis, as the `shape` of an array.
    spacing : float or tuple of float
        Cost of a step, the same along all axes or one per axis; finite and > 0.
    rows, columns : array_like of int, optional
        Distinct cells that are the rows and the columns, as indices into the flat array.
    """

    kind: ClassVar[str] = "grid"
    grid: tuple[int, ...]
    spacing: float | tuple[float, ...] = 1.0
    rows: np.ndarray | None = None
    columns: np.ndarray | None = None

    def __post_init__(self) -> None:
        given = self.grid if isinstance(self.grid, (tuple, list, np.ndarray)) else (self.grid,)
        if not len(given) or not all(isinstance(n, Integral) and n >= 1 for n in given):
            raise ValueError(f"grid = {self.grid!r}; it must be a tuple of whole numbers of bins, each at least 1")
        bins = tuple(int(n) for n in given)
        if math.prod(bins) > MOST_CELLS:
            raise ValueError(f"grid = {bins!r} has {math.prod(bins)} cells; at most 2**31 − 1")
        object.__setattr__(self, "grid", bins)
        object.__setattr__(self, "spacing", _spacing(self.spacing, len(bins)))
        if not self.diameter <= LARGEST_COST:
            raise OutOfRange(f"spacing = {self.spacing!r} gives costs beyond {LARGEST_COST:g}; rescale it")
        for name in ("rows", "columns"):
            object.__setattr__(self, name, self._cells(getattr(self, name), name))

    def _cells(self, cells: Any, name: str) -> np.ndarray:
        """Return the indices of cells; an error unless they are distinct cells of the grid."""
        count = math.prod(self.grid)
        if cells is None:
            return np.arange(count)
        cells = np.array(cells)
        if cells.ndim != 1 or (cells.size and cells.dtype.kind not in "iu"):
            raise ValueError(f"{name} has shape {cells.shape} and type {cells.dtype}; it must be a list of cells")
        if cells.size and not 0 <= cells.min() <= cells.max() < count:
            raise ValueError(f"{name} names cells from {cells.min()} to {cells.max()}; the grid has 0 to {count - 1}")
        cells = cells.astype(np.intp)
        if len(np.unique(cells)) < len(cells):
            raise ValueError(f"{name} names a cell twice")
        return cells

    @property
    def cells(self) -> tuple[np.ndarray, np.ndarray]:
        """The cells (n,) of the rows and (m,) of the columns."""
        assert self.rows is not None
        assert self.columns is not None
        return self.rows, self.columns

    @property
    def spacings(self) -> np.ndarray:
        """The cost of a step along each axis, (d,) float64."""
        return np.array(self.spacing, dtype=np.float64)

    @property
    def diameter(self) -> float:
        """The cost between two opposite corners; inf if it overflows."""
        with np.errstate(over="ignore"):
            return float(self.spacings @ (np.array(self.grid, dtype=np.float64) - 1))

    @property
    def shape(self) -> tuple[int, int]:
        rows, columns = self.cells
        return len(rows), len(columns)

    def steps(self, rows: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return the number of steps along each axis between rows and columns, which broadcast."""
        of_rows, of_columns = self.cells
        ends = np.unravel_index(of_rows[rows], self.grid), np.unravel_index(of_columns[columns], self.grid)
        return tuple(np.abs(i - j) for i, j in zip(*ends, strict=True))

    def entries(self, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        total = np.zeros(np.broadcast_shapes(np.shape(rows), np.shape(cols)))
        for steps, spacing in zip(self.steps(rows, cols), self.spacings, strict=True):
            total += steps * spacing
        return total

    def exact_entries(self, rows: np.ndarray, cols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        total, rest = np.zeros(len(rows)), np.zeros(len(rows))
        for steps, spacing in zip(self.steps(rows, cols), self.spacings, strict=True):
            term, term_rest = product(steps.astype(np.float64), np.full(len(rows), spacing))
            total, sum_rest = difference(total, -term)
            rest += sum_rest + term_rest
        return total, rest

    def block(self, start: int, stop: int) -> np.ndarray:
        n, m = self.shape
        return self.entries(np.arange(start, min(stop, n))[:, None], np.arange(m))

    def part(self, rows: np.ndarray, columns: np.ndarray) -> GridCost:
        of_rows, of_columns = self.cells
        return self._between(of_rows[rows], of_columns[columns])

    def mirrored(self) -> GridCost:
        rows, columns = self.cells
        return self._between(columns, rows)

    def _between(self, rows: np.ndarray, columns: np.ndarray) -> GridCost:
        other = copy.copy(self)  # what was checked stays checked
        object.__setattr__(other, "rows", rows)
        object.__setattr__(other, "columns", columns)
        return other

    def up_to(self, most: float) -> DenseCost:
        return dense_up_to(self, most)

    def negative(self) -> DenseCost:
        return dense_negative(self)

    def is_whole(self, unit: float) -> bool:
        return are_multiples(self.spacings, unit)

    def span(self) -> tuple[float, float]:
        return (0.0, 0.0) if 0 in self.shape else (0.0, self.diameter)

    def least(self, g: np.ndarray) -> np.ndarray:
        """Return min_j c_ij − g_j of each row, (n,), for finite g (m,), up to `rounding`.

        City block distances add up over the axes, so the minimum is taken along one axis after the other: forwards and
        backwards, every cell takes what its neighbour has plus a step. That looks at all n · m pairs in O(d · cells)
        (P. Felzenszwalb, D. Huttenlocher, Distance transforms of sampled functions, Theory of Computing 8 (2012)).
        """
        rows, columns = self.cells
        values = np.full(math.prod(self.grid), np.inf)
        values[columns] = -g
        values = values.reshape(self.grid)
        for axis, (bins, spacing) in enumerate(zip(self.grid, self.spacings, strict=True)):
            along = (spacing * np.arange(bins)).reshape([-1 if k == axis else 1 for k in range(len(self.grid))])
            forwards = np.minimum.accumulate(values - along, axis=axis) + along
            backwards = np.flip(np.minimum.accumulate(np.flip(values + along, axis), axis=axis), axis) - along
            values = np.minimum(forwards, backwards)
        return values.ravel()[rows]

    def rounding(self, g: np.ndarray) -> float:
        """Bound the error of c_ij − g_j, and of `least`: 0 if all numbers are multiples of one unit with few digits."""
        largest = float(np.abs(g).max(initial=0.0)) + 2 * self.diameter
        if largest < min(unit_of(self.spacings), unit_of(g)) * 2.0**53:
            return 0.0
        return 16 * len(self.grid) * UNIT * largest


def _spacing(given: Any, axes: int) -> tuple[float, ...]:
    """Return the cost of a step along each axis."""
    several = given if isinstance(given, (tuple, list, np.ndarray)) and np.ndim(given) else [given] * axes
    if len(several) != axes:
        raise ValueError(f"spacing has {len(several)} numbers; give one, or one per axis, {axes} in all")
    steps = tuple(check_number(step, "spacing", positive=True) for step in several)
    if max(steps) / MOST_UNEQUAL > min(steps):
        raise ValueError(f"spacing = {given!r}: the largest is more than 2**20 times the smallest")
    return steps
