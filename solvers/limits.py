"""What a limit on the cost of a pair leaves of points: the pairs near enough, or all of them, at duals that show it."""

from __future__ import annotations

import numpy as np

from .problem import Assignment, PointCost
from .result import Matching

#: Where the pairs of each row begin (n + 1), their columns and their costs.
Pairs = tuple[np.ndarray, np.ndarray, np.ndarray]

#: Of all pairs, the part that has to be below the limit for a list of them to be no better than the matrix.
MANY = 1 / 8


def as_limited(problem: Assignment, matching: Matching) -> Matching | None:
    """An optimal matching of the costs alone as the answer to the limited problem; None where its duals do not prove it
    to be that."""
    assert problem.limit is not None
    assert matching.u is not None
    assert matching.v is not None
    n, m = problem.shape
    if matching.u.max() + matching.v.max() > problem.limit:
        return None
    # The longer side keeps its duals: they are 0 where it is left out.
    passed = problem.limit - matching.u.max() if n > m else matching.v.max()
    u, v = matching.u - (problem.limit - passed), matching.v - passed
    return Matching.of(problem, matching.row_to_col, np.minimum(u, 0.0), np.minimum(v, 0.0), matching.counters)


def dtype_for(cost_dtype: np.dtype, limit: float) -> type[np.floating] | None:
    """The type of a matrix that can be cut off at the limit exactly; None: whichever holds the costs."""
    return None if cost_dtype == np.float64 or float(np.float32(limit)) == limit else np.float64


def pairs_within(cost: PointCost, limit: float) -> Pairs | None:
    """The pairs that cost less than the limit, row by row.

    None where they are no small part of all pairs. Takes squared distances in a few dimensions.
    """
    from scipy.spatial import cKDTree

    n, m = cost.shape
    x, y = (np.asarray(points, dtype=np.float64) for points in (cost.x, cost.y))
    begin = np.zeros(n + 1, dtype=np.int64)
    if limit <= 0:
        return begin, np.zeros(0, np.int32), np.zeros(0)
    # A little more than the distance at the limit: which pairs are below it is for their costs to say.
    reach = np.sqrt(limit / cost.scale) * (1 + 1e-9)
    rows, columns = cKDTree(x), cKDTree(y)
    if rows.count_neighbors(columns, reach) > MANY * n * m:
        return None
    found = rows.sparse_distance_matrix(columns, reach, output_type="ndarray")
    i, j = found["i"], found["j"]
    entries = cost.entries(i, j)
    below = entries < limit
    i, j, entries = i[below], j[below], entries[below]
    order = np.lexsort((j, i))
    begin[1:] = np.cumsum(np.bincount(i, minlength=n))
    return begin, j[order].astype(np.int32), entries[order]
