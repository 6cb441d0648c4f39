"""Points on a line at a convex power of their distance: matching and transport by sorting."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass

import numpy as np

from lapmark.solvers.costs import Cost, PointCost
from lapmark.solvers.native import _line

from .exact_sums import UNIT

#: Distance from the line that counts as rounding, relative to the largest coordinate.
ROUNDED_OFF = 4 * UNIT

#: Squared sine of an angle above which three points are not on a line, unless they are so close together that rounding
#: explains it, which a full check decides.
BENDS = 1e-3


@dataclass(frozen=True, eq=False)
class Line:
    """Points by their positions along a line: the cost is scale · |x_i − y_j|^p, p ≥ 1.

    Attributes
    ----------
    rows, columns : (n,), (m,) intp
        Their order along the line.
    x, y : (n,), (m,) float64
        Their positions, ascending.
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
        """Return the line on which the points lie up to rounding; None if they do not, and for any other cost."""
        if not isinstance(cost, PointCost) or cost.p < 1 or 0 in cost.shape:
            return None
        if cost.rounding[1] > 0 or (along := _along(cost)) is None:  # squares would underflow
            return None
        rows, columns = (np.argsort(each, kind="stable") for each in along)
        return cls(rows, columns, along[0][rows], along[1][columns], cost.p, cost.scale)

    def match(self, seconds: float) -> tuple[np.ndarray, np.ndarray] | None:
        """Return the column of each row, (n,) with n ≤ m, and duals (m,) of the columns; None if the time is over.

        Takes O((n + m) log(n + m)) time, plus up to n (m − n) steps.
        """
        found = _line.match(self.x, self.y, self.p, self.scale, seconds)
        if found is None:
            return None
        row_to_col, v = np.empty(len(self.x), dtype=np.intp), np.empty(len(self.y))
        row_to_col[self.rows], v[self.columns] = self.columns[found[0]], found[1]
        return row_to_col, v

    def ship(
        self, a: np.ndarray, b: np.ndarray, seconds: float
    ) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray, np.ndarray]] | None:
        """Return optimal duals (n,) and (m,), and pairs (rows, columns, masses) that move masses a (n,) to b (m,).

        All masses are above 0. None if the time is over.
        """
        found = _line.ship(self.x, self.y, a[self.rows], b[self.columns], self.p, self.scale, seconds)
        if found is None:
            return None
        f, g, (along_x, along_y, rows, columns, moved) = np.empty(len(a)), np.empty(len(b)), found
        f[self.rows], g[self.columns] = along_x, along_y
        return f, g, (self.rows[rows], self.columns[columns], moved)

    def least(self, g: np.ndarray, tail: np.ndarray) -> tuple[np.ndarray, np.ndarray | float]:
        """Return for each row the column (n,) of least cost minus g_j + tail_j, up to rounding.

        Also return how far that may be above the least because of rounding, without that of a power.
        """
        best, lost = _line.least(self.x, self.y, self.p, self.scale, g[self.columns], tail[self.columns])
        found = np.empty(len(best), dtype=np.intp)
        found[self.rows] = self.columns[best]
        return found, above_least(len(best), lost)


def above_least(rows: int, off: np.ndarray | float) -> np.ndarray | float:
    """Bound how far a chosen value is above the least if values have an error of `off`.

    Each of the log₂ n choices that a row makes for others may cost twice the error.
    """
    return 2 * (math.log2(rows) + 2) * off


def _along(cost: PointCost) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the positions along the line on which all points lie, or None."""
    x, y = cost.x.astype(np.float64, copy=False), cost.y.astype(np.float64, copy=False)
    if x.shape[1] == 1:
        return x[:, 0], y[:, 0]
    if _bends(x[0], y[0], x[-1]) or _bends(x[0], y[0], y[-1]):
        return None
    largest = max(float(np.abs(points).max(initial=0.0)) for points in (x, y))
    off = ROUNDED_OFF * largest * math.sqrt(x.shape[1])
    # The direction is from the point furthest from some point to the one furthest from that.
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
    """Return whether three points are clearly not on a line, which saves checking all of them."""
    a, b, c = (point.tolist() for point in points)
    one, other = [s - t for s, t in zip(b, a, strict=True)], [s - t for s, t in zip(c, a, strict=True)]
    squares = _inner(one, one) * _inner(other, other)
    return squares - _inner(one, other) ** 2 > BENDS * squares


def _inner(one: list[float], other: list[float]) -> float:
    return sum(map(operator.mul, one, other))


def _furthest(points: np.ndarray, point: np.ndarray) -> int:
    return int(((points - point) ** 2).sum(axis=1).argmax())
