"""c-transforms: the smallest c_ij − g_j of each row, and c_ij − f_i of each column, given duals of the other side.

Each minimum is the sum of two arrays, `low` and `rest`. For stored costs that sum is exact; for a formula it is at most
the minimum of the formula in exact arithmetic. So sums in a certificate hold despite rounding; solvers only need duals,
and take `low`. Duals may have a `tail` each: a second number to add, if one float64 number does not hold them.
"""

import math

import numpy as np

from lapmark.solvers.costs import Cost, GridCost, PointCost, SparseCost
from lapmark.solvers.native import _matrix

from .exact_sums import UNIT, difference
from .one_dimension import Line, above_least

#: low (k,) and rest (k,), both +inf for a row or column without an allowed pair.
Minima = tuple[np.ndarray, np.ndarray]


def row_minima(cost: Cost, g: np.ndarray, tail: np.ndarray | None = None, every_pair: bool = False) -> Minima:
    """Return min_j c_ij − g_j of each of n rows, for finite g (m,).

    For distances and their squares in up to 3 dimensions, pairs that a bound excludes are not looked at, unless
    `every_pair`. With a tail the sum of low and rest is at most the minimum, to 2⁻⁵⁰ of the rest.
    """
    if isinstance(cost, PointCost):
        return _point_minima(cost, g, tail, every_pair)
    if isinstance(cost, GridCost):
        return _grid_minima(cost, g, tail, every_pair)
    if isinstance(cost, SparseCost):
        rows, cols = entry_places(cost)
        return _listed_minima(rows, cost.shape[0], cost.csr.data, g[cols], None if tail is None else tail[cols])
    low, rest = np.full(cost.shape[0], np.inf), np.full(cost.shape[0], np.inf)
    for start, block in cost.blocks():
        part = slice(start, start + len(block))
        low[part] = _matrix.row_minima(block, g, rest=rest[part], tail=tail)
    return low, rest


def column_minima(cost: Cost, f: np.ndarray, tail: np.ndarray | None = None, every_pair: bool = False) -> Minima:
    """Return min_i c_ij − f_i of each of m columns, for finite f (n,), like `row_minima`."""
    if isinstance(cost, PointCost):
        return _point_minima(cost.mirrored(), f, tail, every_pair)
    if isinstance(cost, GridCost):
        return _grid_minima(cost.mirrored(), f, tail, every_pair)
    if isinstance(cost, SparseCost):
        rows, cols = entry_places(cost)
        return _listed_minima(cols, cost.shape[1], cost.csr.data, f[rows], None if tail is None else tail[rows])
    low, rest = np.full(cost.shape[1], np.inf), np.full(cost.shape[1], np.inf)
    for start, block in cost.blocks():
        part, more = slice(start, start + len(block)), np.empty(len(rest))
        here = _matrix.column_minima(block, f[part], rest=more, tail=None if tail is None else tail[part])
        with np.errstate(invalid="ignore"):  # inf − inf, for a column without an allowed pair
            least = np.minimum(low, here)
            less = (here - least) + more < (low - least) + rest
        low, rest = np.where(less, here, low), np.where(less, more, rest)
    if tail is not None:
        rest -= 8 * UNIT * (np.abs(rest) + np.abs(tail).max(initial=0.0))  # blocks were compared by rounded sums
    return low, rest


def _grid_minima(cost: GridCost, g: np.ndarray, tail: np.ndarray | None, every_pair: bool) -> Minima:
    """Return minima over cells of a grid: exact if all numbers are multiples of one unit, or if there are few pairs."""
    n, m = cost.shape
    tail = np.zeros(m) if tail is None else tail
    total = g + tail if tail.any() else g
    off = cost.rounding(total) + (UNIT * float(np.abs(total).max()) if tail.any() else 0.0)
    if every_pair:
        low = np.concatenate(
            [np.empty(0), *((block - total).min(axis=1, initial=np.inf) for _, block in cost.blocks())]
        )
    else:
        low = cost.least(total)
    if 0 < n * m <= MOST_CLOSE and off > 0:
        return low, _exact_rest(cost, g, tail, low, np.repeat(np.arange(n), m), np.tile(np.arange(m), n))
    return low, np.full(n, -2 * off)


def entry_places(cost: SparseCost) -> tuple[np.ndarray, np.ndarray]:
    """Return row and column of each stored entry."""
    return np.repeat(np.arange(cost.shape[0]), np.diff(cost.csr.indptr)), cost.csr.indices


#: Largest number of pairs of points to compute in twice the precision: in all, or per row and column if that is more.
MOST_CLOSE, MOST_CLOSE_EACH = 2**18, 64


def _point_minima(cost: PointCost, g: np.ndarray, tail: np.ndarray | None, every_pair: bool) -> Minima:
    """Return minima in float64, with the rest from twice the precision of the pairs that may be the smallest."""
    n, m = cost.shape
    tail = np.zeros(m) if tail is None else tail
    if not every_pair and (line := _exact_line(cost)):
        return _line_minima(cost, line, g, tail)
    points = None if every_pair or min(n, m) == 0 else cost.in_space(1, 2)
    if points is not None:
        low = _matrix.point_minima(*points, cost.scale, -g, power=int(cost.p))
    else:
        low = np.full(n, np.inf)
        for start, block in cost.blocks():
            low[start : start + len(block)] = _matrix.row_minima(block, g)
    off = _rounded(cost, g, low) + UNIT * np.abs(low) + np.abs(tail).max(initial=0.0)
    most = max(MOST_CLOSE, MOST_CLOSE_EACH * (n + m))
    pairs = near_pairs(cost, g, low, 4 * off, True, most, every_pair)
    if pairs is None:
        return low, -2 * off
    return low, _exact_rest(cost, g, tail, low, *pairs)


def _exact_rest(
    cost: Cost, g: np.ndarray, tail: np.ndarray, low: np.ndarray, rows: np.ndarray, columns: np.ndarray
) -> np.ndarray:
    """Return the least c_ij − g_j − tail_j over these pairs of each row, minus `low`, in twice the precision."""
    entries, missing = cost.exact_entries(rows, columns)
    high, rounded = difference(entries, g[columns])
    rest = np.full(len(low), np.inf)
    np.minimum.at(rest, rows, _sum_down(high - low[rows], rounded, missing, -tail[columns]))
    return rest


def _exact_line(cost: PointCost) -> Line | None:
    """Return the line of one-dimensional points, if that is as accurate as looking at all pairs."""
    if cost.x.shape[1] > 1:  # such points are off their line by rounding
        return None
    # Other powers are rounded differently here, so that few pairs are all looked at instead.
    return Line.of(cost) if cost.p in (1, 2) or math.prod(cost.shape) > MOST_CLOSE else None


def _line_minima(cost: PointCost, line: Line, g: np.ndarray, tail: np.ndarray) -> Minima:
    """Return the minima for points on a line, without looking at all pairs."""
    columns, above = line.least(g, tail)
    entries, missing = cost.exact_entries(np.arange(len(columns)), columns)
    low, rounded = difference(entries, g[columns])
    if cost.p not in (1, 2):  # columns were chosen by powers with other rounding errors
        above = above + above_least(len(columns), _rounded(cost, g, low))
    return low, _sum_down(rounded, missing, -tail[columns]) - above


def _rounded(cost: PointCost, g: np.ndarray, low: np.ndarray) -> np.ndarray:
    """Bound the error of costs in float64 among values near the least."""
    relative, absolute = cost.rounding
    return relative * (np.abs(low) + np.abs(g).max(initial=0.0)) + absolute


def _listed_minima(
    groups: np.ndarray, count: int, values: np.ndarray, duals: np.ndarray, tails: np.ndarray | None
) -> Minima:
    """Return the minima of values − duals, (k,), in each of the groups 0 … count − 1."""
    high, error = difference(values.astype(np.float64), duals)
    low, rest = np.full(count, np.inf), np.full(count, np.inf)
    np.minimum.at(low, groups, high)
    reach = low if tails is None else low + (4 * np.abs(tails).max(initial=0.0) + 8 * UNIT * np.abs(low))
    near = high <= reach[groups]
    parts = (high - low[groups])[near], error[near]
    np.minimum.at(rest, groups[near], sum(parts) if tails is None else _sum_down(*parts, -tails[near]))
    return low, rest


def _sum_down(*parts: np.ndarray) -> np.ndarray:
    """Return sums of small numbers: exact if no addition rounds, otherwise slightly less."""
    total, lost = parts[0], np.zeros(len(parts[0]))
    for part in parts[1:]:
        total, rest = difference(total, -part)
        lost += np.abs(rest)
    return np.where(lost > 0, np.nextafter(total - 2 * lost, -np.inf), total)


def fitted(
    cost: Cost, f: np.ndarray, g: np.ndarray, surplus: float = 0.0, every_pair: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Return feasible duals (n,) and (m,): the longer side's as given, the others as large as f_i + g_j ≤ c_ij allows.

    On the side that keeps a surplus, rows if it is above 0 and columns if below, they are at most 0. A row or a column
    without a pair gets 0.
    """
    most_f, most_g = (0.0 if surplus > 0 else np.inf), (0.0 if surplus < 0 else np.inf)
    n, m = cost.shape
    if n <= m:
        g = np.minimum(g, most_g)
        f = np.minimum(row_minima(cost, g, every_pair=every_pair)[0], most_f)
    else:
        f = np.minimum(f, most_f)
        g = np.minimum(column_minima(cost, f, every_pair=every_pair)[0], most_g)
    return np.where(f == np.inf, 0.0, f), np.where(g == np.inf, 0.0, g)


def all_duals(
    cost: Cost, rows: np.ndarray, columns: np.ndarray, f: np.ndarray, g: np.ndarray, surplus: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Return duals (n,) and (m,) that extend those of some rows and columns by the largest feasible ones.

    `surplus` as in `fitted`.
    """
    n, m = cost.shape
    u, v = np.zeros(n), np.zeros(m)
    u[rows], v[columns] = f, g
    idle_rows, idle_columns = (
        np.flatnonzero(np.bincount(used, minlength=size) == 0) for size, used in ((n, rows), (m, columns))
    )
    most_u, most_v = (0.0 if surplus > 0 else np.inf), (0.0 if surplus < 0 else np.inf)
    if len(idle_rows):
        u[idle_rows] = np.minimum(row_minima(cost.part(idle_rows, columns), g)[0], most_u)
        u[u == np.inf] = 0.0  # without a pair
    if len(idle_columns):
        v[idle_columns] = np.minimum(column_minima(cost.part(np.arange(n), idle_columns), u)[0], most_v)
        v[v == np.inf] = 0.0
    return u, v


def near_pairs(
    cost: Cost,
    duals: np.ndarray,
    low: np.ndarray,
    reach: np.ndarray | float,
    of_columns: bool,
    most: int,
    every_pair: bool = False,
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the pairs, as rows (k,) and columns (k,), whose reduced cost is at most `reach` above a minimum.

    `low` are the minima given the duals of the columns, or of the rows. Pairs within rounding of the bound are
    included. None if there are more than `most`. Takes O(n m) time, except for costs of which `row_minima` excludes
    pairs by a bound.
    """
    bound = low + reach + 8 * UNIT * (np.abs(low) + np.abs(duals).max(initial=0.0))
    if isinstance(cost, PointCost) and not every_pair and min(cost.shape) > 0 and (points := cost.in_space(1, 2)):
        here = points if of_columns else points[::-1]
        found = _matrix.near_points(*here, cost.scale, -duals, bound, most, power=int(cost.p))
        return found if of_columns or found is None else found[::-1]
    if isinstance(cost, SparseCost):
        i, j = entry_places(cost)
        near = cost.csr.data - duals[j] <= bound[i] if of_columns else cost.csr.data - duals[i] <= bound[j]
        return (i[near], j[near]) if np.count_nonzero(near) <= most else None
    rows, columns, count = [np.empty(0, dtype=np.intp)], [np.empty(0, dtype=np.intp)], 0
    for start, block in cost.blocks():
        part = slice(start, start + len(block))
        near = block - duals <= bound[part, None] if of_columns else block - duals[part, None] <= bound
        i, j = np.nonzero(near)
        rows.append(start + i)
        columns.append(j)
        count += len(i)
        if count > most:
            return None
    return np.concatenate(rows), np.concatenate(columns)
