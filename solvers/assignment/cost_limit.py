"""Assignment of points under a cost limit: list only the pairs below it, or show that it excludes none."""

import numpy as np

from lapmark.solvers.costs import PointCost
from lapmark.solvers.deadline import Deadline
from lapmark.solvers.problem import Assignment
from lapmark.solvers.result import Matching

#: Index of the first pair of each row (n + 1), and the pairs' columns and costs.
Pairs = tuple[np.ndarray, np.ndarray, np.ndarray]

#: Largest number of pairs in a list: as a part of all pairs, beyond which the matrix is as good, and in all.
MANY, MOST = 1 / 8, 2**28

#: Rows to look up before checking the deadline again.
ROWS_AT_ONCE = 2**12


def as_limited(problem: Assignment, matching: Matching) -> Matching | None:
    """Return a matching that is optimal without the limit as the answer with it; None if its duals do not prove it."""
    assert problem.limit is not None
    (n, m), (u, v) = problem.shape, matching.duals
    if u.max() + v.max() > problem.limit:
        return None
    # The longer side keeps its duals, which are 0 for unmatched rows or columns.
    passed = problem.limit - u.max() if n > m else v.max()
    u, v = u - (problem.limit - passed), v - passed
    return Matching.of(problem, matching.row_to_col, np.minimum(u, 0.0), np.minimum(v, 0.0), matching.counters)


def dtype_for(cost_dtype: np.dtype, limit: float) -> type[np.floating] | None:
    """Return the type of a matrix to compare with the limit exactly; None for the type that holds the costs."""
    return None if cost_dtype == np.float64 or float(np.float32(limit)) == limit else np.float64


def pairs_within(cost: PointCost, limit: float, deadline: Deadline) -> Pairs | None:
    """Return the pairs of points at squared distance that cost less than the limit, row by row; None if too many."""
    from scipy.spatial import cKDTree

    n, m = cost.shape
    x, y = (np.asarray(points, dtype=np.float64) for points in (cost.x, cost.y))
    # A little more than the distance at the limit, since the costs decide which pairs are below it.
    reach = np.sqrt(max(limit, 0.0) / cost.scale) * (1 + 1e-9)
    columns, starts = cKDTree(y), range(0, n, ROWS_AT_ONCE)
    count = 0
    for start in starts:
        deadline.check(cost.shape)
        count += cKDTree(x[start : start + ROWS_AT_ONCE]).count_neighbors(columns, reach)
        if count > min(MANY * n * m, MOST):
            return None
    counts, column, entries = [], [], []
    for start in starts:
        deadline.check(cost.shape)
        rows = cKDTree(x[start : start + ROWS_AT_ONCE])
        near = rows.sparse_distance_matrix(columns, reach, output_type="ndarray")
        near = near[np.lexsort((near["j"], near["i"]))]
        costs = cost.entries(start + near["i"], near["j"])
        below = costs < limit
        counts.append(np.bincount(near["i"][below], minlength=rows.n))
        column.append(near["j"][below].astype(np.int32))
        entries.append(costs[below])
    begin = np.concatenate([[0], *counts]).cumsum(dtype=np.int64)
    return begin, np.concatenate(column), np.concatenate(entries)
