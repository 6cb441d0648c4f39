"""Cascade: duals from coarse to fine, an auction with short lists of candidates, and an exact end, in C."""

from __future__ import annotations

import numpy as np

from ..deadline import Deadline
from ..limits import Pairs, as_limited, dtype_for, pairs_within
from ..native import _cascade, _native
from ..problem import Assignment, Cost, PointCost, SparseCost
from ..registry import Capabilities, register
from ..result import Matching
from ..wide import BOUND_SECONDS, solve_wide, turned_back

#: Under a limit, points with up to so many pairs are sooner solved as a matrix.
SMALL_MATRIX = 2**22

#: Of all pairs, a bound for points looks at about so many for each of them.
PAIRS_A_POINT = 2000


@register(
    "cascade",
    Capabilities(
        exact=True,
        costs={"dense", "points", "sparse"},
        rectangular=True,
        forbidden=True,
        limit=True,
        dtypes={"float32", "float64"},
        duals=True,
        threads=True,
        time_limit=True,
        counters={"row_scans", "augmentations", "reductions", "bids", "phases", "path_rows"},
        family="multilevel auction",
        source="D. P. Bertsekas (1988); R. Jonker, A. Volgenant (1987); B. Schmitzer (2016); see METHODOLOGY.md",
    ),
)
def cascade(
    problem: Assignment,
    time_limit: float | None = None,
    threads: int = 1,
    levels: bool = True,
    lists: bool = True,
    avx2: bool = _native.HAS_AVX2,
) -> Matching:
    """Points at squared distance in up to 3 dimensions take O(n + m) memory, sparse costs that of their entries; any
    other cost is taken as a matrix, whose rows `threads` look at together. The optimum does not depend on their number,
    but which of several optimal matchings it is may, and the counters do.

    `levels`, `lists` and `avx2` switch off duals coarse to fine, lists that spare looks at whole rows, and the
    instruction set: to show what each is worth, at the same optimum.
    """
    deadline, cost, (n, m) = Deadline(time_limit), problem.cost, problem.shape
    limit = np.inf if problem.limit is None else problem.limit
    if isinstance(cost, SparseCost):
        wide = cost if n <= m else SparseCost(cost.csr.T)
        csr = wide.csr
        pairs = csr.indptr.astype(np.int64), csr.indices.astype(np.int32), csr.data.astype(np.float64)
        return _listed(problem, wide, pairs, deadline, BOUND_SECONDS * n * m, avx2)
    if isinstance(cost, PointCost) and (points := cost.in_space(2)) and (limit == np.inf or n * m > SMALL_MATRIX):
        wide_points = cost if n <= m else PointCost(cost.y, cost.x, cost.p, cost.scale)
        x, y = points if n <= m else reversed(points)
        bound_seconds = PAIRS_A_POINT * BOUND_SECONDS * (n + m)
        if limit < np.inf and (near := pairs_within(wide_points, limit, deadline)):
            return _listed(problem, wide_points, near, deadline, bound_seconds, avx2)
        matching = turned_back(
            problem,
            wide_points,
            lambda seconds: _cascade.points(x, y, cost.scale, avx2, seconds, levels, lists),
            deadline,
            bound_seconds,
        )
        if limit == np.inf:
            return matching
        if proven := as_limited(problem, matching):
            return proven
    return solve_wide(
        problem,
        lambda matrix, seconds: _cascade.dense(matrix, avx2, seconds, limit, threads, levels, lists),
        deadline,
        dtype_for(cost.dtype, limit),
    )


def _listed(
    problem: Assignment, wide: Cost, pairs: Pairs, deadline: Deadline, bound_seconds: float, avx2: bool
) -> Matching:
    """From a list of all pairs that may be matched."""
    limit = np.inf if problem.limit is None else problem.limit
    return turned_back(
        problem,
        wide,
        lambda seconds: _cascade.sparse(*pairs, wide.shape[1], avx2, seconds, limit),
        deadline,
        bound_seconds,
    )
