"""Cascade: duals from coarse to fine, an auction with short lists of candidates, and an exact end, in C."""

from __future__ import annotations

import numpy as np

from ..deadline import Deadline
from ..limits import Pairs, as_limited, dtype_for, pairs_within
from ..native import _cascade, _native
from ..problem import Assignment, Cost, PointCost, SparseCost
from ..refine import refined
from ..registry import Capabilities, register
from ..result import Matching
from ..wide import BOUND_SECONDS, Answer, solve_wide, turned_back

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
    deadline = Deadline(time_limit)
    matching, largest = _search(problem, deadline, threads, levels, lists, avx2)
    return refined(problem, matching, deadline, largest)


def _search(
    problem: Assignment, deadline: Deadline, threads: int, levels: bool, lists: bool, avx2: bool
) -> tuple[Matching, float]:
    """The answer, up to what rounding does to it, and by how much costs differ that were looked at."""
    cost, (n, m) = problem.cost, problem.shape
    limit = np.inf if problem.limit is None else problem.limit
    largest = 0.0

    def noted(answer: _cascade.Answer) -> Answer:
        nonlocal largest
        *rest, largest = answer
        return tuple(rest)

    def listed(wide: Cost, pairs: Pairs, bound_seconds: float) -> Matching:
        """From a list of all pairs that may be matched."""
        return turned_back(
            problem,
            wide,
            lambda seconds: noted(_cascade.sparse(*pairs, wide.shape[1], avx2, seconds, limit)),
            deadline,
            bound_seconds,
        )

    if isinstance(cost, SparseCost):
        wide = cost if n <= m else SparseCost(cost.csr.T)
        csr = wide.csr
        pairs = csr.indptr.astype(np.int64), csr.indices.astype(np.int32), csr.data.astype(np.float64)
        return listed(wide, pairs, BOUND_SECONDS * csr.nnz), largest
    if isinstance(cost, PointCost) and (points := cost.in_space(2)) and (limit == np.inf or n * m > SMALL_MATRIX):
        wide_points = cost if n <= m else cost.mirrored()
        x, y = points if n <= m else reversed(points)
        bound_seconds = PAIRS_A_POINT * BOUND_SECONDS * (n + m)
        if limit < np.inf and (near := pairs_within(wide_points, limit, deadline)):
            return listed(wide_points, near, bound_seconds), largest
        matching = turned_back(
            problem,
            wide_points,
            lambda seconds: noted(_cascade.points(x, y, cost.scale, avx2, seconds, levels, lists)),
            deadline,
            bound_seconds,
        )
        if limit == np.inf:
            return matching, largest
        if proven := as_limited(problem, matching):
            return proven, largest
    matching = solve_wide(
        problem,
        lambda matrix, seconds: noted(_cascade.dense(matrix, avx2, seconds, limit, threads, levels, lists)),
        deadline,
        dtype_for(cost.dtype, limit),
    )
    return matching, largest
