"""Kernel sums: the sums of a plan a_i b_j e_ij, e_ij = exp((f_i + g_j − c_ij) / ε), that Sinkhorn's algorithm needs.

A matrix is read directly. For points no matrix is ever built: at distance or squared distance in up to 3 dimensions
sums are taken tile by tile, otherwise block by block, in O(n + m) memory.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from lapmark.solvers.costs import PointCost
from lapmark.solvers.costs.c_transform import row_minima
from lapmark.solvers.costs.cost import BLOCK_ENTRIES
from lapmark.solvers.costs.float_matrix import float_matrix
from lapmark.solvers.deadline import Deadline
from lapmark.solvers.native import _matrix, _sinkhorn
from lapmark.solvers.problem import Transport

#: Default relative error tolerance of the kernel sums of points: that of float32.
PRECISION = 2.0**-14

#: The same before the last ε, where potentials only need a marginal error of 0.1.
ROUGH = 2.0**-10

#: Points that a pass handles together.
TILE = 64

#: Smallest tolerance for which sums of a matrix may come from a kernel in float32.
KERNEL_PRECISION = 2.0**-25

#: Smallest mass for which a kernel in float32 is accurate.
LEAST_KEPT = 1e-30

#: Tolerance of careful sums: that of float64, or for more pairs than MANY_PAIRS the best of float32, whose rounding
#: errors average out.
FINEST, FINEST_OF_MANY, MANY_PAIRS = 1e-12, 4e-6, 1 << 20


@dataclass(frozen=True)
class Sums:
    """Σ_j b_j e_ij (n,), Σ_i a_i e_ij (m,), and Σ_ij a_i b_j e_ij c_ij, NaN if it was not computed."""

    rows: np.ndarray
    cols: np.ndarray
    cost: float = np.nan


class Pairs(Protocol):
    """All pairs of a cost, and masses a (n,) and b (m,). Potentials are f (n,) and g (m,), all float64."""

    @property
    def a(self) -> np.ndarray: ...

    @property
    def b(self) -> np.ndarray: ...

    @property
    def noise(self) -> float:
        """Bound on the error of a marginal error."""
        ...

    def lost(self, sums: np.ndarray, expected: np.ndarray | float) -> np.ndarray:
        """Return which sums are out of range, or too far below the expected ones to be accurate."""
        ...

    def sums(self, f: np.ndarray, g: np.ndarray, epsilon: float, seconds: float, careful: bool = False) -> Sums | None:
        """Return the sums of a pass over all pairs, if `careful` with the cost; None if the time is over."""
        ...

    def soft_minima(self, which: np.ndarray, g: np.ndarray, epsilon: float) -> np.ndarray:
        """Return −ε log Σ_j b_j exp((g_j − c_ij) / ε) of some rows, relative to their hard minima, so in range.

        inf for a row whose pairs are all forbidden.
        """
        ...

    def carried(self, f: np.ndarray, g: np.ndarray, epsilon: float, values: np.ndarray) -> np.ndarray:
        """Return Σ_j b_j e_ij values_jk (n, k) of values (m, k)."""
        ...

    def rough(self) -> Pairs:
        """Return the pairs with sums as rough as ROUGH."""
        ...

    def mirrored(self) -> Pairs:
        """Return the pairs with rows and columns exchanged."""
        ...


@dataclass(frozen=True)
class Level:
    """Masses in a unit that brings e_ij into range; `shift` is then added to each f_i + g_j, in units of ε."""

    a: np.ndarray
    b: np.ndarray
    unit: float
    shift: float

    @classmethod
    def of(cls, a: np.ndarray, b: np.ndarray) -> Level:
        exponent = round((math.log2(a.sum()) + math.log2(b.sum())) / 2)
        return cls(a / 2.0**exponent, b / 2.0**exponent, 2.0**exponent, math.log(2) * exponent)


class Levelled:
    """What pairs in float64 share: the level of their masses, and the range of their sums."""

    a: np.ndarray
    b: np.ndarray

    @cached_property
    def level(self) -> Level:
        return Level.of(self.a, self.b)

    def lost(self, sums: np.ndarray, expected: np.ndarray | float) -> np.ndarray:
        return ~((sums > 1e-12) & (sums < 1e250))  # a pass drops terms below 2**-100 and ends at 2**1000


@dataclass(frozen=True)
class MatrixPairs(Levelled):
    """The pairs of a matrix (n, m), float32 or float64 in C order, inf if forbidden; `threads` share the rows."""

    matrix: np.ndarray
    a: np.ndarray
    b: np.ndarray
    threads: int = 1
    noise = 0.0

    def sums(self, f: np.ndarray, g: np.ndarray, epsilon: float, seconds: float, careful: bool = False) -> Sums | None:
        return None if seconds <= 0 else self.exact_sums(f, g, epsilon)

    def exact_sums(self, f: np.ndarray, g: np.ndarray, epsilon: float, kept: np.ndarray | None = None) -> Sums:
        """Return sums with an exponential for every pair, and store these in `kept` if given."""
        a, b, g = self.level.a, self.level.b, g + epsilon * self.level.shift

        def of(part: slice) -> tuple[np.ndarray, np.ndarray, float]:
            room = None if kept is None else kept[part]
            return _matrix.marginals(self.matrix[part], f[part], g, a[part], b, epsilon, kept=room)

        rows, cols, cost = self.shared_out(of)
        return Sums(rows, cols, self.level.unit * cost)

    def shared_out(self, work: Callable[[slice], tuple[Any, ...]]) -> list[Any]:
        """Run `work` on all rows: its first result is concatenated by row, the others are added up."""
        if self.threads == 1:
            return list(work(slice(0, len(self.a))))
        bounds = np.linspace(0, len(self.a), self.threads + 1).astype(int)
        with ThreadPoolExecutor(self.threads) as pool:
            rows, *rest = zip(*pool.map(work, (slice(*ends) for ends in itertools.pairwise(bounds))), strict=True)
        return [np.concatenate(rows), *(sum(parts) for parts in rest)]

    def soft_minima(self, which: np.ndarray, g: np.ndarray, epsilon: float) -> np.ndarray:
        return _soft_minima(self.matrix[which], weighted(g, self.b, epsilon), epsilon)

    def carried(self, f: np.ndarray, g: np.ndarray, epsilon: float, values: np.ndarray) -> np.ndarray:
        height = max(1, BLOCK_ENTRIES // len(g))
        starts = range(0, len(f), height)
        return _carried(
            f, weighted(g, self.b, epsilon), epsilon, values, ((i, self.matrix[i : i + height]) for i in starts)
        )

    def rough(self) -> MatrixPairs:
        return self

    def mirrored(self) -> MatrixPairs:
        return MatrixPairs(self.matrix.T, self.b, self.a, self.threads)


def weighted(g: np.ndarray, b: np.ndarray, epsilon: float) -> np.ndarray:
    """Return potentials that include the masses: b exp(g / ε) = exp(weighted / ε)."""
    with np.errstate(divide="ignore"):
        return g + epsilon * np.log(b)


def _soft_minima(block: np.ndarray, g: np.ndarray, epsilon: float) -> np.ndarray:
    """Return −ε log Σ_j exp((g_j − c_ij) / ε) of each row of a matrix."""
    block = np.ascontiguousarray(block)
    hard = _matrix.row_minima(block, g)
    rows, _, _ = _matrix.marginals(block, hard, g, np.zeros(len(block)), np.ones(len(g)), epsilon)
    return hard - epsilon * np.log(np.maximum(rows, 1.0))  # the smallest alone adds 1


def _carried(
    f: np.ndarray, g: np.ndarray, epsilon: float, values: np.ndarray, blocks: Iterable[tuple[int, np.ndarray]]
) -> np.ndarray:
    """Return Σ_j exp((f_i + g_j − c_ij) / ε) values_jk (n, k), for blocks of rows with the index of their first."""
    parts = ((f[start : start + len(block), None], block) for start, block in blocks)
    return np.concatenate([np.exp((own + g - block) / epsilon) @ values for own, block in parts])


#: Largest move of a potential, in units of ε, since a kernel was computed, up to which it is used.
FARTHEST = 20.0


@dataclass(frozen=True)
class KernelPairs(MatrixPairs):
    """A matrix whose kernel e_ij is kept in float32, and scaled as the potentials move, for several passes.

    It is recomputed at another ε, and before it loses digits (B. Schmitzer, SIAM J. Sci. Comput. 41 (2019), section
    3.1). Takes O(n m) memory, half as much as the costs in float64.
    """

    kernel: list[Any] = field(default_factory=list)  # the last: e_ij, and the f, g and ε at which it was computed
    noise = 2.0**-23

    def sums(self, f: np.ndarray, g: np.ndarray, epsilon: float, seconds: float, careful: bool = False) -> Sums | None:
        if seconds <= 0:
            return None
        if careful:
            return self.exact_sums(f, g, epsilon)
        if self.kernel and self.kernel[3] == epsilon:
            kept, old_f, old_g, _ = self.kernel
            move_f, move_g = (f - old_f) / epsilon, (g - old_g) / epsilon
            if max(np.abs(move_f).max(), np.abs(move_g).max()) < FARTHEST:
                u, v = np.exp(move_f), np.exp(move_g)
                a, b = self.level.a * u, self.level.b * v
                rows, cols = self.shared_out(lambda part: _matrix.scaled(kept[part], a[part], b))
                return Sums(u * rows, v * cols)
        kept = self.kernel[0] if self.kernel else np.empty(self.matrix.shape, dtype=np.float32)
        self.kernel[:] = kept, f, g, epsilon
        return self.exact_sums(f, g, epsilon, kept)


@dataclass(frozen=True)
class FormulaPairs(Levelled):
    """The pairs of points of any dimension at any power of their distance: a block of a matrix at a time."""

    cost: PointCost
    a: np.ndarray
    b: np.ndarray
    noise = 0.0

    def sums(self, f: np.ndarray, g: np.ndarray, epsilon: float, seconds: float, careful: bool = False) -> Sums | None:
        deadline, rows, cols, spent = Deadline(seconds), np.empty(len(f)), np.zeros(len(g)), 0.0
        a, b, g = self.level.a, self.level.b, g + epsilon * self.level.shift
        for start, block in self.cost.blocks():
            if deadline.left <= 0:
                return None
            part = slice(start, start + len(block))
            rows[part], more, spent_here = _matrix.marginals(block, f[part], g, a[part], b, epsilon)
            cols += more
            spent += spent_here
        return Sums(rows, cols, self.level.unit * spent)

    def soft_minima(self, which: np.ndarray, g: np.ndarray, epsilon: float) -> np.ndarray:
        some = PointCost(self.cost.x[which], self.cost.y, self.cost.p, self.cost.scale)
        g = weighted(g, self.b, epsilon)
        return np.concatenate([_soft_minima(block, g, epsilon) for _, block in some.blocks()])

    def carried(self, f: np.ndarray, g: np.ndarray, epsilon: float, values: np.ndarray) -> np.ndarray:
        return _carried(f, weighted(g, self.b, epsilon), epsilon, values, self.cost.blocks())

    def rough(self) -> FormulaPairs:
        return self

    def mirrored(self) -> FormulaPairs:
        return FormulaPairs(self.cost.mirrored(), self.b, self.a)


@dataclass(frozen=True)
class PointPairs:
    """The pairs of points x (n, d) and y (m, d), d = 2 or 3, at distance or its square, in the order of `neighbours`.

    Pairs with less than `precision` of the expected sum of a row and a column, exp(−f / ρ), are left out by a bound;
    float32 is used if its rounding errors stay below that.
    """

    x: np.ndarray
    y: np.ndarray
    p: int
    scale: float
    a: np.ndarray
    b: np.ndarray
    rho: float = np.inf
    precision: float = PRECISION
    threads: int = 1
    noise = 0.0

    def lost(self, sums: np.ndarray, expected: np.ndarray | float) -> np.ndarray:
        # The pairs left out may add up to `precision` times the expected sum.
        return ~((sums > 8 * self.precision * expected) & (sums > 1e-30) & (sums < 1e30))

    def sums(self, f: np.ndarray, g: np.ndarray, epsilon: float, seconds: float, careful: bool = False) -> Sums | None:
        pairs = self
        if careful:
            finest = FINEST if len(f) * len(g) <= MANY_PAIRS else FINEST_OF_MANY
            pairs = replace(self, precision=min(self.precision, finest))
        done = pairs._sweep(f, g, epsilon, seconds, spent=careful)
        return None if done is None else Sums(*done[:3])

    def carried(self, f: np.ndarray, g: np.ndarray, epsilon: float, values: np.ndarray) -> np.ndarray:
        return self._sweep(f, g, epsilon, np.inf, values=values)[1]

    def soft_minima(self, which: np.ndarray, g: np.ndarray, epsilon: float) -> np.ndarray:
        heavy = self.b > 0
        y, g = self.y[heavy], weighted(g[heavy], self.b[heavy], epsilon)
        hard = row_minima(PointCost(self.x[which], y, self.p, self.scale), g)[0]
        none, ones = np.zeros(len(hard)), np.ones(len(g))
        rest = replace(self, x=self.x[which], y=y, a=none, b=ones, rho=np.inf, precision=FINEST)
        rows = rest._sweep(hard, g, epsilon, np.inf)[0]
        return hard - epsilon * np.log(np.maximum(rows, 1.0))  # the nearest alone adds 1

    def rough(self) -> PointPairs:
        return replace(self, precision=max(self.precision, ROUGH))

    def mirrored(self) -> PointPairs:
        return replace(self, x=self.y, y=self.x, a=self.b, b=self.a)

    def _sweep(self, f: np.ndarray, g: np.ndarray, epsilon: float, seconds: float, **asked: Any) -> Any:
        points = (self.x, self.y, f, g, self.a, self.b, self.scale, self.p)
        return _sinkhorn.sweep(*points, epsilon, self.rho, self.precision, self.threads, seconds, **asked)


@dataclass(frozen=True)
class Ordered:
    """Pairs sorted so that neighbours are near each other, and the order of rows (n,) and columns (m,)."""

    pairs: Pairs
    rows: np.ndarray | slice
    cols: np.ndarray | slice

    @classmethod
    def of(
        cls,
        problem: Transport,
        deadline: Deadline,
        precision: float = PRECISION,
        threads: int = 1,
        normalised: bool = False,
        repeated: bool = False,
        run: int = TILE,
    ) -> Ordered:
        """Return the pairs of a problem.

        Masses are scaled to sum 1 if `normalised`; `repeated` says that each ε takes many passes; runs of `run` points
        are neighbours.
        """
        cost, (a, b) = problem.cost, problem.masses
        if normalised:
            a, b = a / a.sum(), b / b.sum()
        if not isinstance(cost, PointCost):
            # For two tiny masses e_ij may overflow in float32.
            serves = repeated and precision >= KERNEL_PRECISION and max(a.min(), b.min()) > LEAST_KEPT
            kind = KernelPairs if serves else MatrixPairs
            return cls(kind(float_matrix(cost, deadline), a, b, threads), slice(None), slice(None))
        points = cost.in_space(1, 2)
        if points is None:
            return cls(FormulaPairs(cost, a, b), slice(None), slice(None))
        # Coordinates far from the origin have few digits for distances.
        x, y = (each - points[0].mean(axis=0) for each in points)
        rows, cols = _in_order(x, y, run, threads)
        formula = (int(cost.p), cost.scale)
        pairs = PointPairs(x[rows], y[cols], *formula, a[rows], b[cols], problem.rho, precision, threads)
        return cls(pairs, rows, cols)

    def mirrored(self) -> Ordered:
        """Return the pairs with rows and columns exchanged."""
        return Ordered(self.pairs.mirrored(), self.cols, self.rows)


def _in_order(x: np.ndarray, y: np.ndarray, run: int, threads: int) -> tuple[np.ndarray, np.ndarray]:
    if threads == 1:
        return _sinkhorn.neighbours(x, run), _sinkhorn.neighbours(y, run)
    with ThreadPoolExecutor(1) as other:
        of_y = other.submit(_sinkhorn.neighbours, y, run)
        return _sinkhorn.neighbours(x, run), of_y.result()


def in_place(ordered: np.ndarray, order: np.ndarray | slice) -> np.ndarray:
    """Return values that are in this order in their original places."""
    values = np.empty_like(ordered)
    values[order] = ordered
    return values
