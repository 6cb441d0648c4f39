"""What duals of one side leave to the other: the smallest c_ij − g_j of each row, or c_ij − f_i of each column."""

from __future__ import annotations

import numpy as np

from .native import _native
from .problem import Cost, PointCost


def row_minima(cost: Cost, g: np.ndarray, every_pair: bool = False) -> np.ndarray:
    """min_j c_ij − g_j, (n,), for finite g (m,).

    Of distances in up to 3 dimensions, and their squares, those pairs are left out that a bound rules out, unless all
    are asked for.
    """
    n, m = cost.shape
    if isinstance(cost, PointCost) and not every_pair and min(n, m) > 0 and (points := cost.in_space(1, 2)) is not None:
        return _native.point_minima(*points, cost.scale, -g, power=int(cost.p))
    low = [_native.row_minima(block, g) for _, block in cost.blocks()]
    return np.concatenate(low) if low else np.zeros(0)


def column_minima(cost: Cost, f: np.ndarray, every_pair: bool = False) -> np.ndarray:
    """min_i c_ij − f_i, (m,), for finite f (n,)."""
    n, m = cost.shape
    if isinstance(cost, PointCost) and not every_pair and min(n, m) > 0 and (points := cost.in_space(1, 2)) is not None:
        return _native.point_minima(*points[::-1], cost.scale, -f, power=int(cost.p))
    low = np.full(m, np.inf)
    for start, block in cost.blocks():
        np.minimum(low, _native.column_minima(block, f[start : start + len(block)]), out=low)
    return low


def fitted(
    cost: Cost, f: np.ndarray, g: np.ndarray, surplus: float = 0.0, every_pair: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Duals (n,) and (m,) with f_i + g_j ≤ c_ij: those of the longer side as given, the others as much as they leave.

    On the side that keeps a surplus, the rows where it is above 0 and the columns where below, they are at most 0. A
    row or a column without a pair gets 0.
    """
    most_f, most_g = (0.0 if surplus > 0 else np.inf), (0.0 if surplus < 0 else np.inf)
    n, m = cost.shape
    if n <= m:
        g = np.minimum(g, most_g)
        f = np.minimum(row_minima(cost, g, every_pair), most_f)
    else:
        f = np.minimum(f, most_f)
        g = np.minimum(column_minima(cost, f, every_pair), most_g)
    return np.where(f == np.inf, 0.0, f), np.where(g == np.inf, 0.0, g)
