"""The earth mover's distance: many exact transport problems with one cost in one call."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .costs import Cost, GridCost, PointCost
from .costs.cost import check_cost
from .errors import Infeasible, place
from .problem import Transport
from .result import Plan
from .solve import solve
from .transport.histograms import plans_of, solve_together
from .validation import check_histograms, check_sums, check_threads, sums_differ

#: Entries of a matrix up to which all pairs are solved together; above, each pair is solved by itself.
LARGEST = 2**20

#: On a grid: entries of a matrix up to which all pairs are solved together in any case; above, pairs of histograms from
#: which on the matrix is worth its construction, and products of the numbers of cells with mass, per cell, up to which.
SMALL_GRID, MANY_PAIRS, FEW_HELD = 2**16, 32, 64

#: Ratio of the largest cost to the smallest above 0 from which on pairs are solved one by one, too.
WIDE = 2.0**70


def emd(cost: Cost, a: Any, b: Any, *, partial: bool = False, threads: int | None = None) -> np.ndarray:
    """Return the least cost of moving each of many histograms a onto b: the earth mover's distance.

    Leading dimensions broadcast as in NumPy: the rows of two (k, n) arrays pair by pair, one histogram against many, or
    all pairs by `a[:, None]` and `b`.

    Parameters
    ----------
    cost : DenseCost, PointCost, GridCost or SparseCost, shape (n, m)
        The result is in units of cost times mass, not divided by the mass that moves.
    a : array_like, shape (..., n)
        Masses of the rows, finite and ≥ 0.
    b : array_like, shape (..., m)
        Masses of the columns.
    partial : bool
        If the sums of a pair differ, move the smaller in full, as in `Transport`.
    threads : int, optional
        Largest number of threads; by default, and with −1, all cores of this process. Answers do not depend on it.

    Returns
    -------
    float64 array of the broadcast shape
        Least cost of each pair; an array of no dimensions for one pair.

    Raises
    ------
    ValueError
        If a mass is negative, NaN or infinite, a histogram has no mass, or the sums of a pair differ by more than
        rounding without `partial`: the message names the place. As `Infeasible` if the allowed pairs cannot carry the
        masses.
    """
    return _Pairs.read(cost, a, b, partial, threads).costs()


def emd_plans(cost: Cost, a: Any, b: Any, *, partial: bool = False, threads: int | None = None) -> list[Plan]:
    """Return the plans whose costs `emd` returns, with optimal duals; parameters and errors are the same.

    Returns
    -------
    list of Plan
        In the order of `emd(…).ravel()`; each as from `solve(Transport(cost, a, b, partial=partial))`.
    """
    return _Pairs.read(cost, a, b, partial, threads).plans()


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Histograms a (k, n) and b (l, m), and the indices of their pairs: a[of_a[i]] with b[of_b[i]]."""

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
        # Indices are broadcast, not the histograms, which would be copied once for each pair.
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
        return n * m > LARGEST or self.cost.forbids or self._is_wide or self._flows_on_grid

    @cached_property
    def _flows_on_grid(self) -> bool:
        """Whether flows on the grid, pair by pair, are faster than one matrix for all pairs."""
        (n, m), cost = self.cost.shape, self.cost
        if not isinstance(cost, GridCost) or n * m <= SMALL_GRID:
            return False
        held, wanted = (int(np.count_nonzero(masses)) / max(len(masses), 1) for masses in (self.a, self.b))
        return len(self.of_a) < MANY_PAIRS or held * wanted > FEW_HELD * n

    @cached_property
    def _is_wide(self) -> bool:
        """Whether some cost is so large that duals lose the digits of others, which `solve` refines one by one."""
        if isinstance(self.cost, (GridCost, PointCost)):
            return False
        costs = np.abs(self.cost.dense(), dtype=np.float64)
        return float(costs.max()) > WIDE * float(costs.min(initial=np.inf, where=costs > 0))

    def problem(self, k: int) -> Transport:
        return Transport(self.cost, self.a[self.of_a[k]], self.b[self.of_b[k]], partial=self.partial)

    def _together(self, whole: bool) -> Any:
        return solve_together(self.cost, self.a, self.b, (self.of_a, self.of_b), self.partial, whole, self.threads)

    def _one_by_one(self) -> list[Plan]:
        pairs = range(len(self.of_a))
        if self.threads == 1:
            return [self._by_itself(k) for k in pairs]
        pool = ThreadPoolExecutor(self.threads)
        try:
            return list(pool.map(self._by_itself, pairs))
        finally:
            pool.shutdown(cancel_futures=True)  # so that Ctrl-C only waits for pairs under way

    def _by_itself(self, k: int) -> Plan:
        try:
            return solve(self.problem(k))
        except Infeasible as error:
            at = place(np.unravel_index(k, self.shape)) if self.shape else ""
            raise Infeasible(f"the pair {at}: {error}", error.rows, error.columns) from None
