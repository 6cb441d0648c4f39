"""Cascade: duals from coarse to fine, an auction with short lists of candidates, and an exact end, in C."""

from __future__ import annotations

import numpy as np

from ..deadline import Deadline
from ..native import _cascade, _native
from ..problem import Assignment, PointCost, SparseCost
from ..registry import Capabilities, register
from ..result import Matching
from ..validation import check_threads
from ..wide import BOUND_SECONDS, solve_wide, turned_back

#: Of all pairs, a bound for points looks at about so many for each of them.
PAIRS_A_POINT = 2000


@register(
    "cascade",
    Capabilities(
        exact=True,
        costs={"dense", "points", "sparse"},
        rectangular=True,
        forbidden=True,
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
    threads = check_threads(threads)
    deadline, cost = Deadline(time_limit), problem.cost
    if isinstance(cost, SparseCost):
        return _sparse(problem, cost, deadline, avx2)
    if isinstance(cost, PointCost) and (points := cost.in_space()) is not None:
        n, m = problem.shape
        wide = cost if n <= m else PointCost(cost.y, cost.x, cost.p, cost.scale)
        x, y = points if n <= m else reversed(points)
        return turned_back(
            problem,
            wide,
            lambda seconds: _cascade.points(x, y, cost.scale, avx2, seconds, levels, lists),
            deadline,
            PAIRS_A_POINT * BOUND_SECONDS * (n + m),
        )
    return solve_wide(
        problem, lambda matrix, seconds: _cascade.dense(matrix, avx2, seconds, threads, levels, lists), time_limit
    )


def _sparse(problem: Assignment, cost: SparseCost, deadline: Deadline, avx2: bool) -> Matching:
    n, m = problem.shape
    wide = cost if n <= m else SparseCost(cost.csr.T)
    csr = wide.csr
    pairs = csr.indptr.astype(np.int64), csr.indices.astype(np.int32), csr.data.astype(np.float64)
    return turned_back(
        problem,
        wide,
        lambda seconds: _cascade.sparse(*pairs, csr.shape[1], avx2, seconds),
        deadline,
        BOUND_SECONDS * n * m,
    )
