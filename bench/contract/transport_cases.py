"""Transport problems with a known optimum: in closed form, or from SciPy as the referee.

`TRANSPORT_CASES` holds the lists by name. All are seeded, small, and the same everywhere. Each has a blur, for the
solvers that need one; the optimum is the one without blur.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse
from scipy.optimize import linear_sum_assignment, linprog

from lapmark.solvers.costs import Cost, DenseCost, GridCost, PointCost, SparseCost
from lapmark.solvers.problem import Transport
from lapmark.solvers.registry import Solver

from .cases import Case, CaseLists, case_list

Rng = np.random.Generator


@dataclass(frozen=True)
class TransportCase(Case[Transport]):
    """A problem without a reach, and the least ⟨π, C⟩ of a plan that meets its marginals."""

    def for_solver(self, solver: Solver) -> TransportCase:
        """Return the case; without its blur for an exact solver."""
        if not solver.capabilities.exact:
            return self
        return dataclasses.replace(self, problem=dataclasses.replace(self.problem, blur=0.0))

    @property
    def largest(self) -> float:
        """The largest |cost| times the mass, the scale of rounding in sums over a plan."""
        return float(np.abs(self.problem.cost.span()).max() * self.problem.masses[0].sum())

    def __str__(self) -> str:
        n, m = self.problem.shape
        cost = self.problem.cost
        match cost:
            case PointCost():
                what = f"points in {cost.x.shape[1]} dimensions, p = {cost.p:g}"
            case GridCost():
                what = f"cells of a grid {cost.grid}, spacing {cost.spacing}"
            case _:
                what = "a matrix"
        kind = cost.x.dtype if isinstance(cost, PointCost) else cost.dtype
        return f"{self.label}: {n}×{m} {kind}, {what}, blur {self.problem.blur:g}"


TRANSPORT_CASES: CaseLists[TransportCase] = {}

cases = functools.partial(case_list, TRANSPORT_CASES)


def masses(rng: Rng, n: int, zeros: float = 0.0) -> np.ndarray:
    """Draw masses of very different sizes with sum 1, a share of them 0."""
    drawn = rng.exponential(1, n) ** 2
    drawn[rng.permutation(n)[: int(zeros * n)]] = 0
    return drawn / drawn.sum()


def refereed(
    label: str, cost: Cost, a: Any = None, b: Any = None, blur: float = 0.05, partial: bool = False
) -> TransportCase:
    """Return a case with the optimum of a linear program over all pairs of points with mass, scaled to order one."""
    problem = Transport(cost, a, b, blur=blur, partial=partial)
    a, b = problem.masses
    rows, cols = np.flatnonzero(a), np.flatnonzero(b)
    matrix = cost.dense().astype(np.float64)[np.ix_(rows, cols)]
    allowed = np.isfinite(matrix)
    scale, mass = float(np.abs(matrix[allowed]).max() or 1.0), min(float(a.sum()), float(b.sum()))
    n, m = matrix.shape
    of_rows, of_cols = np.kron(np.eye(n), np.ones(m)), np.kron(np.ones(n), np.eye(m))
    sums = (a[rows] / mass, b[cols] / mass)
    # If the sums differ, the larger side may keep mass; if they are equal, one equation follows from the others.
    kept = problem.surplus
    met = [(of_rows, sums[0])] * (kept <= 0) + [(of_cols[kept == 0 :], sums[1][kept == 0 :])] * (kept >= 0)
    most = [(of_rows, sums[0])] * (kept > 0) + [(of_cols, sums[1])] * (kept < 0)
    equations, inequalities = (
        (np.vstack([each for each, _ in part]), np.concatenate([each for _, each in part])) if part else (None, None)
        for part in (met, most)
    )
    found = linprog(
        np.where(allowed, matrix / scale, 0.0).ravel(),
        *inequalities,
        *equations,
        bounds=[(0, None if free else 0) for free in allowed.ravel()],
    )
    return TransportCase(label, problem, float(found.fun) * scale * mass)


def assigned(label: str, cost: Cost, blur: float) -> TransportCase:
    """Return a case with n masses of 1 / n on either side: its optimum is the mean cost of an assignment."""
    matrix = cost.dense()
    best = matrix[linear_sum_assignment(matrix)].mean()
    return TransportCase(label, Transport(cost, blur=blur), float(best))


def sorted_optimum(x: np.ndarray, y: np.ndarray, a: np.ndarray, b: np.ndarray, p: float) -> float:
    """Return the optimum of points on a line, where masses keep their order."""
    i, j = np.argsort(x), np.argsort(y)
    left, right = np.cumsum(a[i]), np.cumsum(b[j])
    cuts = np.sort(np.concatenate([[0.0], left, right]))
    middle = (cuts[1:] + cuts[:-1]) / 2
    from_x = x[i][np.searchsorted(left, middle).clip(0, len(x) - 1)]
    to_y = y[j][np.searchsorted(right, middle).clip(0, len(y) - 1)]
    return float(np.diff(cuts) @ np.abs(from_x - to_y) ** p)


@cases("transport-programme")
def _() -> Iterator[TransportCase]:
    for n, m in ((1, 1), (1, 6), (6, 1), (5, 5), (12, 9), (9, 12)):
        for dtype in ("float64", "float32", "int32"):
            rng = np.random.default_rng([n, m])
            matrix = (10 * rng.random((n, m))).astype(dtype)
            yield refereed("uniform", DenseCost(matrix), blur=0.5)
            yield refereed("uneven", DenseCost(matrix - dtype.startswith("f") * 5), masses(rng, n), masses(rng, m), 0.5)


@cases("transport-points")
def _() -> Iterator[TransportCase]:
    rng = np.random.default_rng(1)
    for d, p, dtype in itertools.product((1, 2, 3, 5), (1, 2, 3), ("float64", "float32")):
        x, y = rng.random((14, d)).astype(dtype), rng.random((17, d)).astype(dtype)
        yield refereed("points", PointCost(x, y, p, scale=0.5), masses(rng, 14), masses(rng, 17), 0.1)


@cases("transport-grid")
def _() -> Iterator[TransportCase]:
    rng = np.random.default_rng(15)
    for grid in ((1,), (9,), (1, 6, 1), (3, 4), (5, 5), (2, 3, 2), (2, 2, 2, 2)):
        n = math.prod(grid)
        for spacing in (1.0, 0.3, tuple(1.0 + 0.7 * k for k in range(len(grid)))):
            yield refereed("a grid", GridCost(grid, spacing), masses(rng, n, 0.2), masses(rng, n, 0.2), 0.5)
        rows, columns = (rng.permutation(n)[: max(1, n - k)] for k in (0, 2))
        some = GridCost(grid, 1.0, rows, columns)
        yield refereed("some cells", some, masses(rng, len(rows)), masses(rng, len(columns)), 0.5)


@cases("transport-line")
def _() -> Iterator[TransportCase]:
    rng = np.random.default_rng(2)
    for (n, m), p in itertools.product(((60, 60), (70, 45), (1, 30)), (1, 2, 1.5)):
        x, y, a, b = rng.random(n), rng.normal(0.5, 0.3, m), masses(rng, n), masses(rng, m)
        problem = Transport(PointCost(x[:, None], y[:, None], p), a, b, blur=0.05)
        yield TransportCase("on a line", problem, sorted_optimum(x, y, a, b, p))


@cases("transport-translation")
def _() -> Iterator[TransportCase]:
    rng = np.random.default_rng(3)
    for d, mass in itertools.product((1, 2, 3), (None, masses(rng, 50))):
        x, by = rng.random((50, d)), rng.normal(size=d)
        order = rng.permutation(50)
        a, b = (mass, mass[order]) if mass is not None else (None, None)
        problem = Transport(PointCost(x, x[order] + by), a, b, blur=0.1)
        yield TransportCase("moved by a vector", problem, float(by @ by))


@cases("transport-equal-weights")
def _() -> Iterator[TransportCase]:
    rng = np.random.default_rng(4)
    for n in (2, 30):
        points = PointCost(rng.random((n, 2)), rng.random((n, 2)))
        for cost in (points, DenseCost(rng.random((n, n))), DenseCost(rng.integers(0, 4, (n, n)))):
            yield assigned("an assignment", cost, blur=0.05)


@cases("transport-zero-masses")
def _() -> Iterator[TransportCase]:
    rng = np.random.default_rng(5)
    for n, m in ((10, 10), (12, 20)):
        a, b = masses(rng, n, zeros=0.4), masses(rng, m, zeros=0.5)
        yield refereed("zero masses", PointCost(rng.random((n, 2)), rng.random((m, 2))), a, b)
        yield refereed("zero masses", DenseCost(rng.random((n, m))), a, b)
        yield refereed("one of each", DenseCost(rng.random((n, m))), np.eye(n)[3], np.eye(m)[5])


@cases("transport-partial")
def _() -> Iterator[TransportCase]:
    """Sums that differ, by a factor of up to 100: the smaller is moved in full."""
    rng = np.random.default_rng(15)
    for (n, m), share in itertools.product(((9, 12), (14, 6), (1, 5)), (0.01, 0.5, 3.0, 100.0)):
        a, b = masses(rng, n), share * masses(rng, m)
        for cost in (PointCost(rng.random((n, 2)), rng.random((m, 2))), DenseCost(rng.random((n, m)))):
            yield refereed(f"sums 1 and {share:g}", cost, a, b, partial=True)


@cases("transport-forbidden")
def _() -> Iterator[TransportCase]:
    """Allowed are the pairs along which some plan moves mass, and a few more."""
    rng = np.random.default_rng(16)
    for n, m in ((5, 5), (9, 12), (14, 6)):
        for share in (0.1, 0.5):
            some = rng.exponential(1, (n, m)) * (rng.random((n, m)) < 0.4)
            some[rng.integers(0, n), :] += 0.1
            matrix = np.where((some > 0) | (rng.random((n, m)) < share), rng.random((n, m)), np.inf)
            a, b = some.sum(axis=1), some.sum(axis=0)
            stored = scipy.sparse.csr_array((matrix[np.isfinite(matrix)], np.nonzero(np.isfinite(matrix))), (n, m))
            for cost in (DenseCost(matrix), SparseCost(stored)):
                yield refereed("pairs forbidden", cost, a, b)


@cases("transport-duplicates")
def _() -> Iterator[TransportCase]:
    rng = np.random.default_rng(6)
    for d in (1, 2, 3):
        places = rng.random((4, d))
        x, y = places[rng.integers(0, 4, 15)], places[rng.integers(0, 4, 18)]
        yield refereed("few places", PointCost(x, y), masses(rng, 15), masses(rng, 18))
        here = PointCost(np.full((6, d), 0.3), np.full((9, d), 0.3))
        yield TransportCase("one place", Transport(here, blur=0.05), 0.0)
        apart = PointCost(np.zeros((6, d)), np.full((9, d), 0.5))
        yield TransportCase("two places", Transport(apart, masses(rng, 6), masses(rng, 9), blur=0.05), 0.25 * d)
        yield TransportCase("onto itself", Transport(PointCost(x, x), blur=0.05), 0.0)


@cases("transport-outliers")
def _() -> Iterator[TransportCase]:
    rng = np.random.default_rng(7)
    for far, p in itertools.product((10.0, 1e3), (1, 2)):
        x, y = rng.random((16, 2)), rng.random((16, 2))
        x[0], y[3] = far, -far
        # A linear program has too few digits for this; an assignment has enough.
        yield assigned(f"one point {far:g} away on each side", PointCost(x, y, p), blur=0.1)


@cases("transport-far-from-the-origin")
def _() -> Iterator[TransportCase]:
    """float32 has 7 digits: an offset must not use up those of the distances."""
    rng = np.random.default_rng(8)
    x, y, a, b = rng.random((20, 2)), rng.random((20, 2)), masses(rng, 20), masses(rng, 20)
    for offset, dtype in itertools.product((1e3, 1e4), ("float32", "float64")):
        moved = PointCost((x + offset).astype(dtype), (y + offset).astype(dtype))
        yield refereed(f"offset {offset:g}", moved, a, b)
    yield refereed("offset 1e7", PointCost(x + 1e7, y + 1e7), a, b)


@cases("transport-mass-scale")
def _() -> Iterator[TransportCase]:
    rng = np.random.default_rng(9)
    for mass, cost in itertools.product((1e-30, 1e-3, 1e3, 1e30), ("points", "matrix")):
        points = PointCost(rng.random((12, 2)), rng.random((15, 2)))
        given = points if cost == "points" else DenseCost(points.dense())
        yield refereed(f"a mass of {mass:g}", given, mass * masses(rng, 12), mass * masses(rng, 15), 0.1)


@cases("transport-cost-scale")
def _() -> Iterator[TransportCase]:
    rng = np.random.default_rng(10)
    for scale in (1e-200, 1e-15, 1e15, 1e200):
        x, y, a, b = rng.random((12, 2)), rng.random((15, 2)), masses(rng, 12), masses(rng, 15)
        matrix = PointCost(x, y).dense()
        yield refereed(f"costs times {scale:g}", DenseCost(scale * matrix), a, b, 0.02 * scale)
        yield refereed(f"costs times {scale:g}", PointCost(x * scale**0.5, y * scale**0.5), a, b, 0.1 * scale**0.5)


@cases("transport-layouts")
def _() -> Iterator[TransportCase]:
    rng = np.random.default_rng(11)
    n = 9
    base, a, b = rng.random((3 * n, 3 * n)), masses(rng, 2 * n), masses(rng, n)
    frozen = base[:n, :n].copy()
    frozen.flags.writeable = False
    layouts: dict[str, Any] = {
        "Fortran order": np.asfortranarray(frozen),
        "strided": base[::3, ::3],
        "negative strides": base[n - 1 :: -1, n - 1 :: -1],
        "read-only": frozen,
        "broadcast": np.broadcast_to(base[0, :n], (n, n)),
        "big-endian": frozen.astype(">f8"),
        "unaligned": np.frombuffer(b"." + frozen.tobytes(), dtype=np.float64, offset=1).reshape(n, n),
        "lists": frozen.tolist(),
        "integers": np.ceil(9 * frozen).astype(np.int8),
        "float16": frozen.astype(np.float16),
    }
    half = a[::2] / a[::2].sum()
    weights: Any
    for label, array in layouts.items():
        for weights in (half, a[::2][::-1] / a[::2].sum(), half.tolist(), half.astype(">f8")):
            yield refereed(label, DenseCost(array), weights, b, blur=0.3)
        yield refereed(f"points, {label}", PointCost(array, frozen), half, b, blur=0.3)
    yield refereed("whole masses", DenseCost(frozen), np.ones(n, int), [2] * 4 + [1] + [0] * 4, blur=0.3)
