"""Cascade: coarse-to-fine duals, an auction with short lists of candidates, and exact augmentation at the end, in C."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lapmark.solvers.costs import Cost, DenseCost, PointCost, SparseCost
from lapmark.solvers.costs.float_matrix import float_matrix
from lapmark.solvers.costs.one_dimension import Line
from lapmark.solvers.costs.sparse import DENSE_SHARE
from lapmark.solvers.deadline import BOUND_SECONDS, Deadline
from lapmark.solvers.native import InstructionSet, _cascade, _matrix, _transport
from lapmark.solvers.problem import Assignment
from lapmark.solvers.registry import Capabilities, register
from lapmark.solvers.result import Matching

from .cost_limit import Pairs, as_limited, dtype_for, pairs_within
from .matching_refinement import refined
from .wide_matrix import Answer, solve_wide, turned_back

#: Pairs of points up to which a matrix is faster: without a cost limit, and with one.
SMALL_MATRIX, SMALL_LIMITED = 2**17, 2**22

#: Pairs of points up to which a matrix may be built. If n < m, up to SCANS scans per row are tried on it first, since
#: hardly any row is outbid.
FEW_PAIRS, SCANS = 2**22, 16

#: Bids per row of a level of points above which the network simplex is faster, in 2 and in 3 dimensions, at 10 000
#: points; and the exponent of its growth with the points. Evenly spread points take 180, a lattice up to 500 on the
#: last level.
MOST_WORK, GROWTH = {2: 400, 3: 1000}, 2 / 3

#: Pairs per point that a bound looks at, about.
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
        counters={
            "row_scans",
            "augmentations",
            "reductions",
            "bids",
            "phases",
            "path_rows",
            "pivots",
            "arcs",
            "rounds",
        },
        family="multilevel auction",
        source="D. P. Bertsekas (1988); R. Jonker, A. Volgenant (1987); B. Schmitzer (2016); docs/how-solvers-work.md",
    ),
)
def cascade(
    problem: Assignment,
    time_limit: float | None = None,
    threads: int = 1,
    levels: bool = True,
    lists: bool = True,
    isa: InstructionSet | None = None,
) -> Matching:
    """Solve an assignment problem to the optimum.

    Points on a line at a convex power of their distance, and points at squared distance in up to 3 dimensions, take
    O(n + m) memory, lists of less than a tenth of all pairs that of their entries; any other cost becomes a matrix.

    Parameters
    ----------
    problem : Assignment
    time_limit : float, optional
        Seconds.
    threads : int
        Threads that share the rows of a matrix, and very many points. The optimal cost does not depend on it, but the
        counters do, and which of several optimal matchings is returned may.
    levels, lists : bool
        False switches off coarse-to-fine duals or lists of candidates, to measure their effect.
    isa : {"scalar", "avx2", "neon"}, optional
        Instruction set; the best one that the processor has by default.
    """
    search = _Search(problem, Deadline(time_limit), threads, levels, lists, isa)
    return refined(problem, search.answer(), search.deadline, search.largest)


@dataclass
class _Search:
    """A search for the answer up to rounding; `largest` is the largest difference of costs that it has seen."""

    problem: Assignment
    deadline: Deadline
    threads: int
    levels: bool
    lists: bool
    isa: InstructionSet | None
    largest: float = 0.0

    def answer(self) -> Matching:
        """Return the answer, by a method that suits the kind of the cost."""
        cost = self.wide
        if isinstance(cost, SparseCost) and not self._is_better_as_matrix(cost):
            csr = cost.csr
            pairs = csr.indptr.astype(np.int64), csr.indices.astype(np.int32), csr.data.astype(np.float64)
            return self._of_pairs(cost, pairs, BOUND_SECONDS * csr.nnz)
        if isinstance(cost, PointCost) and (found := self._on_a_line(cost) or self._in_space(cost)):
            return found
        dtype = dtype_for(cost.dtype, self.limit)
        return solve_wide(self.problem, self._of_matrix, self.deadline, dtype)

    def _is_better_as_matrix(self, cost: SparseCost) -> bool:
        """Return whether a list of pairs, up to FEW_PAIRS, is so dense that the matrix is faster."""
        (n, m), pairs = cost.shape, cost.csr.nnz
        return self.limit == np.inf and self.levels and self.lists and DENSE_SHARE * n * m <= pairs <= FEW_PAIRS

    @cached_property
    def wide(self) -> Cost:
        """The cost with n ≤ m; a matrix is only transposed when it is copied."""
        cost, (n, m) = self.problem.cost, self.problem.shape
        if n <= m or not isinstance(cost, SparseCost | PointCost):
            return cost
        return SparseCost(cost.csr.T) if isinstance(cost, SparseCost) else cost.mirrored()

    @property
    def limit(self) -> float:
        return np.inf if self.problem.limit is None else self.problem.limit

    def _of_matrix(self, matrix: np.ndarray, seconds: float) -> Answer:
        known = self.problem.cost.range_of(matrix) if isinstance(self.problem.cost, DenseCost) else None
        return self._noted(
            _cascade.dense(matrix, seconds, self.limit, self.threads, self.levels, self.lists, known, self.isa)
        )

    def _of_pairs(self, wide: Cost, pairs: Pairs, bound_seconds: float) -> Matching:
        """Return the answer from a list of all allowed pairs."""
        return turned_back(
            self.problem,
            wide,
            lambda seconds: self._noted(_cascade.sparse(*pairs, wide.shape[1], seconds, self.limit, isa=self.isa)),
            self.deadline,
            bound_seconds,
        )

    def _on_a_line(self, wide: PointCost) -> Matching | None:
        """Return the answer for points on a line at a convex power of their distance, None for other points."""
        if not self.levels or (line := Line.of(wide)) is None:
            return None

        def search(seconds: float) -> Answer:
            row_to_col, v = line.match(seconds) or (None, np.zeros(wide.shape[1]))
            rows = np.arange(wide.shape[0])
            u = rows if row_to_col is None else wide.entries(rows, row_to_col) - v[row_to_col]
            return row_to_col, u, v, {}

        if wide.x.shape[1] > 1:
            self.largest = np.inf  # rounding puts such points off the line, so that refinement has to check
        return self._limited(turned_back(self.problem, wide, search, self.deadline, self._bound_seconds(wide)))

    def _in_space(self, wide: PointCost) -> Matching | None:
        """Return the answer for points in 2 or 3 dimensions at squared distance; None if a matrix is faster."""
        points, (n, m) = wide.in_space(2), wide.shape
        if points is None or n * m <= (SMALL_LIMITED if self.limit < np.inf else SMALL_MATRIX):
            return None
        bound_seconds = self._bound_seconds(wide)
        if self.limit < np.inf and (near := pairs_within(wide, self.limit, self.deadline)):
            return self._of_pairs(wide, near, bound_seconds)

        def search(seconds: float) -> Answer:
            few = n * m <= FEW_PAIRS
            if n < m and few:
                scanned = _matrix.assign(
                    "jv", float_matrix(wide, self.deadline), seconds, most_scans=SCANS * n, isa=self.isa
                )
                if scanned[0] is not None:
                    return scanned
            parts = self.levels, self.lists
            guarded = all(parts) and (n == m or few)
            most_work = MOST_WORK[points[0].shape[1]] * max(1, n / 10_000) ** GROWTH if guarded else 0
            answer = _cascade.points(*points, wide.scale, seconds, self.threads, *parts, int(most_work), self.isa)
            if answer is None and n == m:
                return _shipped(points, wide.scale, self.isa, self.deadline.left_before(bound_seconds))
            if answer is None:
                return self._of_matrix(float_matrix(wide, self.deadline), self.deadline.left_before(bound_seconds))
            return self._noted(answer)

        return self._limited(turned_back(self.problem, wide, search, self.deadline, bound_seconds))

    def _limited(self, matching: Matching) -> Matching | None:
        """Return an answer without the limit as that with it; None if its duals do not prove it."""
        return matching if self.limit == np.inf else as_limited(self.problem, matching)

    def _noted(self, answer: _cascade.Answer) -> Answer:
        row_to_col, u, v, counters, self.largest = answer
        return row_to_col, u, v, counters

    @staticmethod
    def _bound_seconds(wide: PointCost) -> float:
        return PAIRS_A_POINT * BOUND_SECONDS * sum(wide.shape)


def _shipped(points: tuple[np.ndarray, np.ndarray], scale: float, isa: InstructionSet | None, seconds: float) -> Answer:
    """Return the matching of n points to n points as transport of masses 1, which no vertex of the polytope divides."""
    ones = np.ones(len(points[0]))
    u, v, pairs, counters = _transport.points(*points, 2, scale, ones, ones, seconds, isa)
    if pairs is None:
        return None, u, v, counters
    rows, columns, moved = pairs
    row_to_col = np.empty(len(ones), dtype=np.intp)
    row_to_col[rows[moved > 0]] = columns[moved > 0]
    return row_to_col, u, v, counters
