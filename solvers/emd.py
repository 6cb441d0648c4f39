"""Many transport problems of one cost in one call: the earth mover's distance of histograms over common bins."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .assignment.wide_matrix import float_matrix
from .deadline import Deadline
from .native import _native, _transport
from .problem import Cost, Infeasible, PointCost, Transport, check_cost
from .registry import solve
from .result import Plan
from .validation import ROUNDING, check_histograms, check_sums, check_threads, place, sums_differ

#: Matrices of at most so many entries are shared by all pairs; above, each pair is a problem of its own.
LARGEST = 2**20

#: Ratio of the largest cost to the smallest above 0 from which on pairs are problems of their own, too.
WIDE = 2.0**70


def emd(cost: Cost, a: Any, b: Any, *, partial: bool = False, threads: int | None = None) -> np.ndarray:
    """The least cost of moving each of many masses a onto masses b: the earth mover's distance.

    Leading dimensions broadcast as in NumPy: the rows of two (k, n) arrays pair by pair, one histogram against many, or
    all pairs by `a[:, None]` and `b`.

    Parameters
    ----------
    cost : DenseCost, PointCost or SparseCost, shape (n, m)
        The unit of the result is that of the cost times that of the masses; nothing is divided by the mass that moves.
    a : array_like, shape (..., n)
        Masses of the rows, finite and ≥ 0.
    b : array_like, shape (..., m)
        Masses of the columns.
    partial : bool
        Where the sums of a pair differ, move the smaller in full, as `Transport` does.
    threads : int, optional
        At most so many threads; by default, and with −1, as many as cores may be used. Answers do not depend on it.

    Returns
    -------
    float64 array of the broadcast shape
        What each pair costs at least: for one pair an array of no dimensions.

    Raises
    ------
    ValueError
        Where a mass is negative, NaN or infinite, where a histogram has none, or where the sums of a pair differ by
        more than rounding and `partial` is not set: the message names the place. As `Infeasible` where allowed pairs
        cannot carry the masses.
    """
    return _Pairs.read(cost, a, b, partial, threads).costs()


def emd_plans(cost: Cost, a: Any, b: Any, *, partial: bool = False, threads: int | None = None) -> list[Plan]:
    """What `emd` computes the costs of, with optimal duals as a proof; parameters and errors are the same.

    Returns
    -------
    list of Plan
        In the order of `emd(…).ravel()`; what a plan says of its problem is what `solve` says of
        `Transport(cost, a, b, blur=0, partial=partial)`.
    """
    return _Pairs.read(cost, a, b, partial, threads).plans()


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Histograms a (k, n) and b (l, m), and which of them are pairs: a[of_a[i]] and b[of_b[i]]."""

    cost: Cost
    a: np.ndarray
    b: np.ndarray
    of_a: np.ndarray
    of_b: np.ndarray
    shape: tuple[int, ...]
    partial: bool
    threads: int

    @classmethod
    def read(cls, cost: Cost, a: Any, b: Any, partial: bool, threads: int | None) -> _Pairs:
        check_cost(cost)
        workers = check_threads(threads)
        (n, m), a, b = cost.shape, check_histograms(a, "a", cost.shape[0]), check_histograms(b, "b", cost.shape[1])
        if n == 0 or m == 0:
            raise ValueError(f"nothing to transport: the cost has shape {(n, m)}")
        shape = np.broadcast_shapes(a.shape[:-1], b.shape[:-1])
        # Which of the histograms as they were given; broadcasting them would copy them once for each pair.
        of_a, of_b = (
            np.broadcast_to(np.arange(each[..., 0].size).reshape(each.shape[:-1]), shape).ravel() for each in (a, b)
        )
        pairs = cls(cost, a.reshape(-1, n), b.reshape(-1, m), of_a, of_b, shape, partial, workers)
        if not partial:
            pairs.check_sums()
        return pairs

    def check_sums(self) -> None:
        sums = self.a.sum(axis=1)[self.of_a], self.b.sum(axis=1)[self.of_b]
        differ = sums_differ(*sums)
        if differ.any():
            k = int(np.argmax(differ))
            at = f", for the pair {place(np.unravel_index(k, self.shape))}" if self.shape else ""
            check_sums(sums[0][k], sums[1][k], f"{at}; rescale one, or give partial=True")

    def costs(self) -> np.ndarray:
        if self.is_large:
            return np.array([plan.cost for plan in self._one_by_one()], dtype=np.float64).reshape(self.shape)
        return self._together(False)[0].reshape(self.shape)

    def plans(self) -> list[Plan]:
        if self.is_large:
            return self._one_by_one()
        return plans_of([self.problem(k) for k in range(len(self.of_a))], *self._together(True))

    @property
    def is_large(self) -> bool:
        n, m = self.cost.shape
        return n * m > LARGEST or self.cost.forbids or self._is_wide

    @cached_property
    def _is_wide(self) -> bool:
        """Whether some cost may dwarf the others so that duals lose them, which a solver looks after one by one."""
        if isinstance(self.cost, PointCost):
            return False
        costs = np.abs(self.cost.dense(), dtype=np.float64)
        return float(costs.max()) > WIDE * float(costs.min(initial=np.inf, where=costs > 0))

    def problem(self, k: int) -> Transport:
        return Transport(self.cost, self.a[self.of_a[k]], self.b[self.of_b[k]], blur=0, partial=self.partial)

    def _together(self, whole: bool) -> Any:
        matrix = float_matrix(self.cost, Deadline(None), dtype=np.float64)
        metric = keeps_common_mass(self.cost, matrix, len(self.of_a))
        return _transport.histograms(
            matrix,
            self.a,
            self.b,
            self.of_a,
            self.of_b,
            metric,
            self.partial,
            ROUNDING,
            whole,
            self.threads,
            _native.HAS_AVX2,
            sums_are_exact(matrix),
            points_of(self.cost),
        )

    def _one_by_one(self) -> list[Plan]:
        pairs = range(len(self.of_a))
        if self.threads == 1:
            return [self._alone(k) for k in pairs]
        pool = ThreadPoolExecutor(self.threads)
        try:
            return list(pool.map(self._alone, pairs))
        finally:
            pool.shutdown(cancel_futures=True)  # so that Ctrl-C waits for those under way only

    def _alone(self, k: int) -> Plan:
        try:
            return solve(self.problem(k))
        except Infeasible as error:
            at = place(np.unravel_index(k, self.shape)) if self.shape else ""
            raise Infeasible(f"the pair {at}: {error}", error.rows, error.columns) from None


def solve_alone(problem: Transport, avx2: bool) -> Plan:
    """One small problem without forbidden pairs, in the same way."""
    matrix = float_matrix(problem.cost, Deadline(None), dtype=np.float64)
    metric, pair = keeps_common_mass(problem.cost, matrix, 1), np.zeros(1, dtype=np.int64)
    assert problem.a is not None
    assert problem.b is not None
    a, b = problem.a[None], problem.b[None]
    answer = _transport.histograms(
        matrix, a, b, pair, pair, metric, problem.partial, ROUNDING, True, 1, avx2, False, points_of(problem.cost)
    )
    return plans_of([problem], *answer)[0]


def plans_of(problems: list[Transport], costs: np.ndarray, pivots: np.ndarray, answers: Any) -> list[Plan]:
    """Plans of problems with the same cost from what native code answered."""
    f, g, rows, columns, moved = answers
    counts = np.count_nonzero(moved, axis=1)
    return [
        Plan.from_pairs(
            problem, rows[k, :count], columns[k, :count], moved[k, :count], f[k], g[k], {"pivots": int(pivots[k])}
        )
        for k, (problem, count) in enumerate(zip(problems, counts, strict=True))
    ]


def keeps_common_mass(cost: Cost, matrix: np.ndarray, pairs: int) -> bool:
    """Whether mass that both sides of a pair have in a bin may stay there: where the cost is known to be a metric.

    Distances between the same points are. Of a matrix it has to be tried, which takes n³ steps and so is worth it for
    many pairs only.
    """
    if isinstance(cost, PointCost):
        return cost.p <= 1 and np.array_equal(cost.x, cost.y)
    return pairs > len(matrix) // 4 and _transport.is_metric(matrix, _native.HAS_AVX2)


def sums_are_exact(matrix: np.ndarray) -> bool:
    """Whether costs are whole numbers, and so small that none of their sums along a tree is rounded."""
    largest = float(np.abs(matrix).max()) * sum(matrix.shape)
    return largest < 2.0**52 and bool((matrix == np.rint(matrix)).all())


def points_of(cost: Cost) -> tuple[np.ndarray, np.ndarray, int, float] | None:
    """Return what distances or squares between points are computed from, which are rounded in a matrix of them."""
    if not isinstance(cost, PointCost) or cost.p not in (1, 2):
        return None
    x, y = (np.require(points, np.float64, ["C", "A"]) for points in (cost.x, cost.y))
    return x, y, int(cost.p), cost.scale
