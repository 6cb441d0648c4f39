"""Matching and transport between points on a line, at a convex power of the distance: what sorting solves."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass

import numpy as np

from lapmark.solvers.native import _numbers
from lapmark.solvers.problem import Cost, PointCost

from .exact_sums import UNIT

#: Points on a line in a plane or in space are off it by rounding: by a few units of their largest coordinate.
ROUNDED_OFF = 4 * UNIT

#: The squared sine of an angle at which points are not on a line, whatever rounding may have done, if they are not so
#: near each other that it has done all of it; then a closer look decides.
BENDS = 1e-3


@dataclass(frozen=True, eq=False)
class Line:
    """Points by where they are along a line: the cost is scale · |x_i − y_j|^p, p ≥ 1.

    Attributes
    ----------
    rows, columns : (n,), (m,) intp
        Their order along the line.
    x, y : (n,), (m,) float64
        Where they are, ascending.
    p, scale : float
    """

    rows: np.ndarray
    columns: np.ndarray
    x: np.ndarray
    y: np.ndarray
    p: float
    scale: float

    @classmethod
    def of(cls, cost: Cost) -> Line | None:
        """The line that points lie on but for rounding; None where they do not, and for any other cost."""
        if not isinstance(cost, PointCost) or cost.p < 1 or 0 in cost.shape:
            return None
        if cost.rounding[1] > 0 or (along := _along(cost)) is None:  # so small that squares underflow
            return None
        rows, columns = (np.argsort(each, kind="stable") for each in along)
        return cls(rows, columns, along[0][rows], along[1][columns], cost.p, cost.scale)

    def match(self, seconds: float) -> tuple[np.ndarray, np.ndarray] | None:
        """The column of each row, (n,) with n ≤ m, and duals (m,) of the columns; None where it takes longer.

        Takes O((n + m) log(n + m)) time, and up to n (m − n) steps more.
        """
        found = _numbers.match(self.x, self.y, self.p, self.scale, seconds)
        if found is None:
            return None
        row_to_col, v = np.empty(len(self.x), dtype=np.intp), np.empty(len(self.y))
        row_to_col[self.rows], v[self.columns] = self.columns[found[0]], found[1]
        return row_to_col, v

    def ship(
        self, a: np.ndarray, b: np.ndarray, seconds: float
    ) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray, np.ndarray]] | None:
        """Optimal duals (n,) and (m,), and pairs (rows, columns, masses) that move masses a (n,) and b (m,) above 0.

        None where it takes longer.
        """
        found = _numbers.ship(self.x, self.y, a[self.rows], b[self.columns], self.p, self.scale, seconds)
        if found is None:
            return None
        f, g, (along_x, along_y, rows, columns, moved) = np.empty(len(a)), np.empty(len(b)), found
        f[self.rows], g[self.columns] = along_x, along_y
        return f, g, (self.rows[rows], self.columns[columns], moved)

    def least(self, g: np.ndarray, tail: np.ndarray) -> tuple[np.ndarray, np.ndarray | float]:
        """Return a column (n,) where the cost less g_j + tail_j is the least to each row, but for rounding.

        And by how much it may be above that because values were rounded, not counting the rounding of a power.
        """
        best, lost = _numbers.least(self.x, self.y, self.p, self.scale, g[self.columns], tail[self.columns])
        found = np.empty(len(best), dtype=np.intp)
        found[self.rows] = self.columns[best]
        return found, above_least(len(best), lost)


def above_least(rows: int, off: np.ndarray | float) -> np.ndarray | float:
    """By how much a value may be above the least where values are off by so much: each of log₂ n times that a row has
    chosen for others may have cost twice that.
    """
    return 2 * (math.log2(rows) + 2) * off


def _along(cost: PointCost) -> tuple[np.ndarray, np.ndarray] | None:
    """Where points are along the line that they lie on."""
    x, y = cost.x.astype(np.float64, copy=False), cost.y.astype(np.float64, copy=False)
    if x.shape[1] == 1:
        return x[:, 0], y[:, 0]
    if _bends(x[0], y[0], x[-1]) or _bends(x[0], y[0], y[-1]):
        return None
    largest = max(float(np.abs(points).max(initial=0.0)) for points in (x, y))
    off = ROUNDED_OFF * largest * math.sqrt(x.shape[1])
    # From the point that is furthest from any to the one furthest from that.
    both = np.vstack([x, y])
    first = both[_furthest(both, both[0])]
    way = both[_furthest(both, first)] - first
    length = float(np.linalg.norm(way))
    if not length > 0:
        return None
    way /= length
    along = (both - first) @ way
    if np.abs(both - first - along[:, None] * way).max() > off:
        return None
    return along[: len(x)], along[len(x) :]


def _bends(*points: np.ndarray) -> bool:
    """Whether three points are plainly not on a line, which spares a look at all of them."""
    a, b, c = (point.tolist() for point in points)
    one, other = [s - t for s, t in zip(b, a, strict=True)], [s - t for s, t in zip(c, a, strict=True)]
    squares = _inner(one, one) * _inner(other, other)
    return squares - _inner(one, other) ** 2 > BENDS * squares


def _inner(one: list[float], other: list[float]) -> float:
    return sum(map(operator.mul, one, other))


def _furthest(points: np.ndarray, point: np.ndarray) -> int:
    return int(((points - point) ** 2).sum(axis=1).argmax())
