"""What Sinkhorn's algorithm asks of a cost: the sums of a plan a_i b_j e_ij, e_ij = exp((f_i + g_j − c_ij) / ε).

A matrix is read as it is. Of points in up to 3 dimensions, at distance or squared distance, and of any other cost that
is a formula, there is never a matrix: sums are taken tile by tile, or block by block, in O(n + m) memory.

What the sums are for is the business of `solvers.entropic`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from .deadline import Deadline
from .minima import row_minima
from .native import _entropic, _native
from .problem import BLOCK_ENTRIES, PointCost, Transport
from .wide import float_matrix

#: Sums of points are told to such a part of what they are expected to be, unless more is asked for: what float32 gives.
PRECISION = 2.0**-14

#: Points that stand side by side in a pass.
TILE = 64

#: Sums of a matrix may come from a kernel in float32 where no more than this is asked for.
KERNEL_PRECISION = 2.0**-25

#: The precision of sums that are taken with care.
FINEST = 1e-9


@dataclass(frozen=True)
class Sums:
    """Σ_j b_j e_ij (n,), Σ_i a_i e_ij (m,), and Σ_ij a_i b_j e_ij c_ij, which is NaN where it was not asked for."""

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
        """What a marginal error may be off by."""
        ...

    def lost(self, sums: np.ndarray, expected: np.ndarray | float) -> np.ndarray:
        """Which sums are out of range, or too far below what was expected to be trusted."""
        ...

    def sums(self, f: np.ndarray, g: np.ndarray, epsilon: float, seconds: float, cost: bool = False) -> Sums | None:
        """A pass over all pairs; None where the seconds were over."""
        ...

    def soft_minima(self, which: np.ndarray, g: np.ndarray, epsilon: float) -> np.ndarray:
        """−ε log Σ_j b_j exp((g_j − c_ij) / ε) of some rows, from their hard minima on: no sum is out of range."""
        ...

    def carried(self, f: np.ndarray, g: np.ndarray, epsilon: float, values: np.ndarray) -> np.ndarray:
        """Σ_j b_j e_ij values_jk (n, k) of values (m, k)."""
        ...

    def mirrored(self) -> Pairs:
        """The same with rows and columns in each other's place."""
        ...


def _out_of_range(sums: np.ndarray) -> np.ndarray:
    """Which sums over a matrix are: a pass drops terms below 2**-100 and ends at 2**1000."""
    return ~((sums > 1e-12) & (sums < 1e250))


@dataclass(frozen=True)
class MatrixPairs:
    """A matrix (n, m) of float32 or float64 in C order. Rows are shared out among `threads`."""

    matrix: np.ndarray
    a: np.ndarray
    b: np.ndarray
    threads: int = 1
    noise = 0.0

    def lost(self, sums: np.ndarray, expected: np.ndarray | float) -> np.ndarray:
        return _out_of_range(sums)

    def sums(self, f: np.ndarray, g: np.ndarray, epsilon: float, seconds: float, cost: bool = False) -> Sums | None:
        return None if seconds <= 0 else self.exact_sums(f, g, epsilon)

    def exact_sums(self, f: np.ndarray, g: np.ndarray, epsilon: float, kept: np.ndarray | None = None) -> Sums:
        """Sums with an exponential for every pair, all of which go to `kept` where it is given."""

        def of(part: slice) -> tuple[np.ndarray, np.ndarray, float]:
            room = None if kept is None else kept[part]
            return _native.marginals(self.matrix[part], f[part], g, self.a[part], self.b, epsilon, kept=room)

        return Sums(*self.shared_out(of))

    def shared_out(self, work: Callable[[slice], tuple[Any, ...]]) -> list[Any]:
        """What the work gives for all rows, from what it gives for some: the first of it by row, the rest to add up."""
        if self.threads == 1:
            return list(work(slice(0, len(self.a))))
        bounds = np.linspace(0, len(self.a), self.threads + 1).astype(int)
        with ThreadPoolExecutor(self.threads) as pool:
            rows, *rest = zip(*pool.map(work, (slice(*ends) for ends in itertools.pairwise(bounds))), strict=True)
        return [np.concatenate(rows), *(sum(parts) for parts in rest)]

    def soft_minima(self, which: np.ndarray, g: np.ndarray, epsilon: float) -> np.ndarray:
        some = np.ascontiguousarray(self.matrix[which])
        hard = _native.row_minima(some, np.where(self.b > 0, g, -np.inf))
        rows, _, _ = _native.marginals(some, hard, g, np.zeros(len(some)), self.b, epsilon)
        return hard - epsilon * np.log(rows)

    def carried(self, f: np.ndarray, g: np.ndarray, epsilon: float, values: np.ndarray) -> np.ndarray:
        weighted = self.b[:, None] * values
        height = max(1, BLOCK_ENTRIES // len(g))
        parts = (slice(start, start + height) for start in range(0, len(f), height))
        return np.concatenate([np.exp((f[p, None] + g - self.matrix[p]) / epsilon) @ weighted for p in parts])

    def mirrored(self) -> MatrixPairs:
        return MatrixPairs(self.matrix.T, self.b, self.a, self.threads)


#: A kernel serves as long as no potential has moved by more than so many ε since it was taken.
FARTHEST = 20.0


@dataclass(frozen=True)
class KernelPairs(MatrixPairs):
    """A matrix whose e_ij, the kernel, are kept in float32 and scaled as the potentials move on, for several passes.

    It is taken anew at another ε and where it would lose digits. B. Schmitzer, SIAM J. Sci. Comput. 41 (2019), section
    3.1. O(n m) memory, half as much as the costs in float64.
    """

    kernel: list[Any] = field(default_factory=list)  # the last: e_ij, and the f, g and ε that it was taken at
    noise = 2.0**-23

    def sums(self, f: np.ndarray, g: np.ndarray, epsilon: float, seconds: float, cost: bool = False) -> Sums | None:
        if seconds <= 0:
            return None
        if cost:
            return self.exact_sums(f, g, epsilon)
        if self.kernel and self.kernel[3] == epsilon:
            kept, old_f, old_g, _ = self.kernel
            move_f, move_g = (f - old_f) / epsilon, (g - old_g) / epsilon
            if max(np.abs(move_f).max(), np.abs(move_g).max()) < FARTHEST:
                u, v = np.exp(move_f), np.exp(move_g)
                a, b = self.a * u, self.b * v
                rows, cols = self.shared_out(lambda part: _native.scaled(kept[part], a[part], b))
                return Sums(u * rows, v * cols)
        kept = self.kernel[0] if self.kernel else np.empty(self.matrix.shape, dtype=np.float32)
        self.kernel[:] = kept, f, g, epsilon
        return self.exact_sums(f, g, epsilon, kept)


@dataclass(frozen=True)
class FormulaPairs:
    """Points of any dimension at any power of their distance: a block of a matrix at a time."""

    cost: PointCost
    a: np.ndarray
    b: np.ndarray
    noise = 0.0

    def lost(self, sums: np.ndarray, expected: np.ndarray | float) -> np.ndarray:
        return _out_of_range(sums)

    def sums(self, f: np.ndarray, g: np.ndarray, epsilon: float, seconds: float, cost: bool = False) -> Sums | None:
        deadline, rows, cols, spent = Deadline(seconds), np.empty(len(f)), np.zeros(len(g)), 0.0
        for start, block in self.cost.blocks():
            if deadline.left <= 0:
                return None
            part = slice(start, start + len(block))
            rows[part], more, spent_here = _native.marginals(block, f[part], g, self.a[part], self.b, epsilon)
            cols += more
            spent += spent_here
        return Sums(rows, cols, spent)

    def soft_minima(self, which: np.ndarray, g: np.ndarray, epsilon: float) -> np.ndarray:
        some = PointCost(self.cost.x[which], self.cost.y, self.cost.p, self.cost.scale)
        everything = (MatrixPairs(block, np.zeros(len(block)), self.b) for _, block in some.blocks())
        return np.concatenate([part.soft_minima(np.ones(len(part.a), dtype=bool), g, epsilon) for part in everything])

    def carried(self, f: np.ndarray, g: np.ndarray, epsilon: float, values: np.ndarray) -> np.ndarray:
        none = np.zeros(0)
        parts = ((f[i : i + len(block)], MatrixPairs(block, none, self.b)) for i, block in self.cost.blocks())
        return np.concatenate([pairs.carried(part, g, epsilon, values) for part, pairs in parts])

    def mirrored(self) -> FormulaPairs:
        return FormulaPairs(self.cost.mirrored(), self.b, self.a)


@dataclass(frozen=True)
class PointPairs:
    """Points x (n, d) and y (m, d), d = 2 or 3, at distance or squared distance, in the order of `neighbours`.

    Pairs that hold less than `precision` of what a row and a column are expected to sum to, exp(−f / ρ), are left out,
    by a bound; and float32 serves wherever its rounding stays below that.
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
        # What is left out may add up to a precision of the sum that was expected.
        return ~((sums > 8 * self.precision * expected) & (sums > 1e-30) & (sums < 1e30))

    def sums(self, f: np.ndarray, g: np.ndarray, epsilon: float, seconds: float, cost: bool = False) -> Sums | None:
        done = self._sweep(f, g, epsilon, seconds, spent=cost)
        return None if done is None else Sums(*done[:3])

    def carried(self, f: np.ndarray, g: np.ndarray, epsilon: float, values: np.ndarray) -> np.ndarray:
        """Σ_j b_j e_ij values_jk (n, k) of values (m, k)."""
        return self._sweep(f, g, epsilon, np.inf, values=values)[1]

    def soft_minima(self, which: np.ndarray, g: np.ndarray, epsilon: float) -> np.ndarray:
        heavy = self.b > 0
        hard = row_minima(PointCost(self.x[which], self.y[heavy], self.p, self.scale), g[heavy])[0]
        # Next to the nearest, a sum may be as small as its mass.
        finest = float(self.b[heavy].min() / self.b.sum()) * FINEST
        rest = replace(self, x=self.x[which], a=np.zeros(len(hard)), rho=np.inf, precision=finest)
        rows = rest._sweep(hard, g, epsilon, np.inf)[0]
        return hard - epsilon * np.log(rows)

    def mirrored(self) -> PointPairs:
        return replace(self, x=self.y, y=self.x, a=self.b, b=self.a)

    def _sweep(self, f: np.ndarray, g: np.ndarray, epsilon: float, seconds: float, **asked: Any) -> Any:
        points = (self.x, self.y, f, g, self.a, self.b, self.scale, self.p)
        return _entropic.sweep(*points, epsilon, self.rho, self.precision, self.threads, seconds, **asked)


@dataclass(frozen=True)
class Ordered:
    """Pairs in an order in which neighbours are near each other, and that order of rows (n,) and columns (m,)."""

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
        """The pairs of a problem.

        Masses have sum 1 where `normalised`; each ε has many passes where `repeated`; runs of `run` points are
        neighbours.
        """
        cost, a, b = problem.cost, problem.a, problem.b
        assert a is not None
        assert b is not None
        if normalised:
            a, b = a / a.sum(), b / b.sum()
        if not isinstance(cost, PointCost):
            kind = KernelPairs if repeated and precision >= KERNEL_PRECISION else MatrixPairs
            return cls(kind(float_matrix(cost, deadline), a, b, threads), slice(None), slice(None))
        points = cost.in_space(1, 2)
        if points is None:
            return cls(FormulaPairs(cost, a, b), slice(None), slice(None))
        # Far from the origin coordinates have few digits left for distances.
        x, y = (each - points[0].mean(axis=0) for each in points)
        rows, cols = _in_order(x, y, run, threads)
        formula = (int(cost.p), cost.scale)
        pairs = PointPairs(x[rows], y[cols], *formula, a[rows], b[cols], problem.rho, precision, threads)
        return cls(pairs, rows, cols)

    def mirrored(self) -> Ordered:
        """The same with rows and columns in each other's place."""
        return Ordered(self.pairs.mirrored(), self.cols, self.rows)


def _in_order(x: np.ndarray, y: np.ndarray, run: int, threads: int) -> tuple[np.ndarray, np.ndarray]:
    if threads == 1:
        return _entropic.neighbours(x, run), _entropic.neighbours(y, run)
    with ThreadPoolExecutor(1) as other:
        of_y = other.submit(_entropic.neighbours, y, run)
        return _entropic.neighbours(x, run), of_y.result()


def in_place(ordered: np.ndarray, order: np.ndarray | slice) -> np.ndarray:
    """What stands in that order, where it belongs."""
    values = np.empty_like(ordered)
    values[order] = ordered
    return values
