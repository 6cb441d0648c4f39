"""Costs between points, computed on demand."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from lapmark.solvers.errors import OutOfRange
from lapmark.solvers.validation import LARGEST_COST, MASKED_POINTS, as_numeric, check_entries, check_number, first

from .cost import Cost, are_multiples
from .dense import DenseCost, dense_negative, dense_up_to
from .exact_sums import difference, product, unit_of

#: Squares of distances well below this have fewer digits than others.
TINIEST_DISTANCE = 1e-140


@dataclass(frozen=True, eq=False)
class PointCost(Cost):
    """The cost scale · |x_i − y_j|^p between points, computed on demand: O(n + m) memory.

    Parameters
    ----------
    x : array_like, shape (n, d)
        Points of the rows, float32 or float64 (other real types are widened). Copied.
    y : array_like, shape (m, d)
        Points of the columns.
    p : float
        Exponent of the Euclidean distance, > 0.
    scale : float
        Factor, finite and > 0.
    """

    kind: ClassVar[str] = "points"
    x: np.ndarray
    y: np.ndarray
    p: float = 2
    scale: float = 1.0

    def __post_init__(self) -> None:
        for name in ("x", "y"):
            # A copy, because moving points would invalidate the trees built over them.
            points = np.array(as_numeric(getattr(self, name), name, masked=MASKED_POINTS), order="C")
            if points.ndim != 2:
                cure = "; reshape(-1, 1) makes points on a line" if points.ndim == 1 else ""
                raise ValueError(f"{name}: expected points as an (n, d) array, got shape {points.shape}{cure}")
            if check_entries(points, name):
                row, col = first(np.isinf(points))
                raise ValueError(f"{name}[{row}, {col}] is inf; coordinates must be finite")
            if points.dtype.kind != "f":
                points = points.astype(np.float64)
            object.__setattr__(self, name, points)
        if self.x.shape[1] != self.y.shape[1]:
            raise ValueError(f"x has {self.x.shape[1]} coordinates a point, y has {self.y.shape[1]}")
        for name in ("p", "scale"):
            object.__setattr__(self, name, check_number(getattr(self, name), name, positive=True))
        extent = max(float(np.abs(points).max(initial=0.0)) for points in (self.x, self.y))
        with np.errstate(over="ignore"):
            squared = 4 * np.float64(extent) ** 2 * max(self.x.shape[1], 1)
            largest = max(squared, self.scale * squared ** (self.p / 2))
        if not largest <= LARGEST_COST:
            raise OutOfRange(f"coordinates up to {extent:g} give costs beyond {LARGEST_COST:g}; rescale the points")

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.x), len(self.y)

    def block(self, start: int, stop: int) -> np.ndarray:
        from scipy.spatial.distance import cdist

        squared = cdist(self.x[start:stop], self.y, "sqeuclidean")
        return self._from_squared(squared)

    def part(self, rows: np.ndarray, columns: np.ndarray) -> PointCost:
        return PointCost(self.x[rows], self.y[columns], self.p, self.scale)

    def up_to(self, most: float) -> DenseCost:
        return dense_up_to(self, most)

    def negative(self) -> DenseCost:
        return dense_negative(self)

    def entries(self, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        difference = np.subtract(self.x[rows], self.y[cols], dtype=np.float64)
        return self._from_squared((difference * difference).sum(axis=1))

    def exact_entries(self, rows: np.ndarray, cols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if self.p not in (1, 2):
            return super().exact_entries(rows, cols)
        square, rest = np.zeros(len(rows)), np.zeros(len(rows))
        for x, y in zip(self.x.T.astype(np.float64), self.y.T.astype(np.float64), strict=True):
            apart, apart_rest = difference(x[rows], y[cols])
            term, term_rest = product(apart, apart)
            square, sum_rest = difference(square, -term)
            rest += sum_rest + (term_rest + 2 * apart * apart_rest)
        if self.p == 1:
            # One step of Newton's method doubles the digits of a root.
            root = np.sqrt(square)
            high, low = product(root, root)
            missing = ((square - high) - low) + rest
            square, rest = root, np.divide(missing, 2 * root, out=np.zeros(len(rows)), where=root > 0)
        cost, cost_rest = product(square, np.asarray(self.scale))
        return cost, cost_rest + self.scale * rest

    @cached_property
    def rounding(self) -> tuple[float, float]:
        """(relative, absolute): largest error of an entry in float64 against the formula in exact arithmetic."""
        # Each difference, square, sum, power and product rounds once; a power may be off by a few units more.
        d, unit, tiny = self.x.shape[1], 2.0**-53, float(np.finfo(np.float64).tiny)
        relative = (self.p / 2 * (d + 2) + (3 if self.p in (1, 2) else 10)) * unit
        # That holds for normal numbers. Every distance above 0 is at least the unit of the coordinates.
        nearest = min(unit_of(self.x), unit_of(self.y))
        if min(nearest**2, self.scale * nearest**self.p) >= tiny:
            return relative, 0.0
        return relative, float(self.scale * (d * tiny) ** (self.p / 2) + d * tiny)

    def is_whole(self, unit: float) -> bool:
        if self.p != 2:
            return False
        mantissa, exponent = math.frexp(self.scale)
        odd = int(mantissa * 2**53)
        exponent += (odd & -odd).bit_length() - 1 - 53  # the scale is an odd number times 2**exponent
        step = math.ldexp(1.0, math.ceil((math.log2(unit) - exponent) / 2))
        return all(are_multiples(points, step) for points in (self.x, self.y))

    def span(self) -> tuple[float, float]:
        if 0 in self.shape:
            return 0.0, 0.0
        return 0.0, float(self._from_squared(np.array([self.diameter**2]))[0])

    @cached_property
    def diameter(self) -> float:
        """Diagonal of the box around all points: no distance exceeds it."""
        # Axis by axis is much faster than along the rows.
        axes = zip(self.x.T, self.y.T, strict=True)
        sides = [float(max(x.max(), y.max())) - float(min(x.min(), y.min())) for x, y in axes]
        return float(np.linalg.norm(sides))

    def mirrored(self) -> PointCost:
        """Return the cost with rows and columns exchanged."""
        mirrored = copy.copy(self)  # a copy keeps what was checked and cached, which holds for both
        object.__setattr__(mirrored, "x", self.y)
        object.__setattr__(mirrored, "y", self.x)
        return mirrored

    def is_in_space(self, *powers: int) -> bool:
        """Return whether `in_space` supports these points: 1 to 3 dimensions, p among `powers`."""
        return self.p in powers and self.x.shape[1] in (1, 2, 3)

    def in_space(self, *powers: int) -> tuple[np.ndarray, np.ndarray] | None:
        """Return x and y with 2 or 3 coordinates for native code; None unless p is among `powers` and d ≤ 3."""
        if not self.is_in_space(*powers):
            return None
        dimensions = self.x.shape[1]
        if self.p == 1 and max(np.abs(points).max(initial=0.0) for points in (self.x, self.y)) < TINIEST_DISTANCE:
            return None  # squares would underflow, differently in each implementation
        padding = ((0, 0), (0, max(2 - dimensions, 0)))
        x, y = (np.pad(points, padding) if dimensions == 1 else points for points in (self.x, self.y))
        return np.require(x, np.float64, ["C", "A"]), np.require(y, np.float64, ["C", "A"])

    def _from_squared(self, squared: np.ndarray) -> np.ndarray:
        if self.p != 2:
            squared **= self.p / 2
        if self.scale != 1:
            squared *= self.scale
        return squared
