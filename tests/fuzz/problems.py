"""Problems drawn at random: small, of every kind, and with all that is known to have led a solver astray."""

from __future__ import annotations

import math

import numpy as np
import scipy.sparse

from lapmark import Assignment, DenseCost, PointCost, SparseCost, Transport
from lapmark.solvers.costs import Cost
from lapmark.solvers.problem import Problem

Rng = np.random.Generator

#: Matrices (n, m) by name, from (generator, n, m).
MATRICES = {
    "uniform": lambda rng, n, m: rng.random((n, m)),
    "whole": lambda rng, n, m: rng.integers(0, 10, (n, m)).astype(float),
    "ties": lambda rng, n, m: rng.integers(0, 2, (n, m)).astype(float),
    "equal": lambda rng, n, m: np.full((n, m), rng.random()),
    "signed": lambda rng, n, m: rng.normal(size=(n, m)),
    "offset": lambda rng, n, m: 2.0**50 + rng.integers(0, 1000, (n, m)),
    "wide": lambda rng, n, m: 10.0 ** rng.uniform(-10, 10, (n, m)),
    "lognormal": lambda rng, n, m: np.exp(10 * rng.normal(size=(n, m))),
    "sums": lambda rng, n, m: np.add.outer(rng.random(n), rng.random(m)) * 10.0 ** rng.uniform(0, 12),
    "nearly sums": lambda rng, n, m: (
        np.add.outer(1e9 * rng.random(n), 1e9 * rng.random(m)) + rng.integers(0, 3, (n, m))
    ),
    "row offsets": lambda rng, n, m: rng.integers(0, 3, (n, m)) + 1e15 * rng.integers(0, 5, n)[:, None],
    "numbers on a line": lambda rng, n, m: np.abs(np.subtract.outer(rng.normal(size=n), rng.normal(size=m))),
    "products": lambda rng, n, m: np.outer(rng.random(n), rng.random(m)),
    "twins": lambda rng, n, m: rng.random((n, 1)) + 1e-14 * rng.random((n, m)),
    "single precision": lambda rng, n, m: rng.random((n, m), dtype=np.float32),
    "tiny": lambda rng, n, m: 1e-300 * rng.random((n, m)),
    "huge": lambda rng, n, m: 1e290 * rng.random((n, m)),
}

#: Masses (k,) by name, from (generator, k); none is all zeros.
MASSES = {
    "equal": lambda rng, k: np.full(k, 1 / k),
    "uniform": lambda rng, k: rng.random(k) + 0.01,
    "whole": lambda rng, k: rng.integers(0, 4, k) + (np.arange(k) == rng.integers(k)),
    "of many sizes": lambda rng, k: 10.0 ** rng.uniform(-18, 0, k),
    "some empty": lambda rng, k: np.where(rng.random(k) < 0.4, 0, rng.random(k)) + (np.arange(k) == rng.integers(k)),
}


def draw_problem(rng: Rng, largest: int = 6) -> Problem:
    """Return an assignment or a transport problem of at most so many rows and columns."""
    n, m = (int(rng.integers(1, largest + 1)) for _ in range(2))
    if rng.random() < 0.4:
        m = n
    cost = _draw_cost(rng, n, m)
    if rng.random() < 0.5:
        maximize = cost.kind != "points" and rng.random() < 0.3
        limit = (
            float(rng.choice(_levels(cost))) * rng.choice([0.5, 1.0, 1.0 + 2.0**-52]) if rng.random() < 0.25 else None
        )
        return Assignment(cost, limit, maximize=maximize)
    a, b = (MASSES[str(rng.choice(list(MASSES)))](rng, k).astype(float) for k in (n, m))
    partial = bool(rng.random() < 0.3)
    if not partial:
        b *= a.sum() / b.sum()
    return Transport(cost, a, b, blur=0, partial=partial)


def is_ordinary(problem: Problem) -> bool:
    """Whether nothing about the problem spans as much as twelve orders of magnitude, or is as good as 0."""
    numbers = [_levels(problem.cost)]
    if isinstance(problem, Assignment) and problem.limit is not None:
        numbers[0] = np.append(numbers[0], problem.limit)
    if isinstance(problem, Transport):
        numbers += [np.concatenate([problem.a, problem.b])]
    spans = [np.abs(each[each != 0]) for each in numbers]
    least = math.prod(each.min(initial=1.0) for each in spans)
    return least > 1e-290 and all(len(each) == 0 or each.max() < 1e12 * each.min() for each in spans)


def _draw_cost(rng: Rng, n: int, m: int) -> Cost:
    if rng.random() < 0.2:
        return _draw_points(rng, n, m)
    matrix = MATRICES[str(rng.choice(list(MATRICES)))](rng, n, m)
    if rng.random() < 0.5:
        # "Never", as a number: the same for all pairs, or not; for a few of them, or nearly all.
        never = 10.0 ** rng.uniform(6, rng.choice([20, 300]))
        some = rng.random((n, m)) < rng.choice([0.1, 0.3, 0.6, 0.9])
        different = rng.integers(1, 4, (n, m)) if rng.random() < 0.3 else 1
        matrix = np.where(some, np.minimum(never * different, 1e300), matrix)
    if rng.random() < 0.2:
        matrix = np.where(rng.random((n, m)) < 0.3, np.inf, matrix)
    if rng.random() < 0.3:
        allowed = np.nonzero(np.isfinite(matrix))
        return SparseCost(scipy.sparse.csr_array((matrix[allowed], allowed), shape=(n, m)))
    return DenseCost(matrix)


def _draw_points(rng: Rng, n: int, m: int) -> PointCost:
    """Squared distances, which are rational."""
    d = int(rng.integers(1, 5))
    lattice = rng.random() < 0.3
    x, y = (rng.integers(0, 4, (k, d)).astype(float) if lattice else rng.normal(size=(k, d)) for k in (n, m))
    if rng.random() < 0.3:
        x[0] *= 10.0 ** rng.uniform(1, 12)
    if rng.random() < 0.2:
        y += 10.0 ** rng.uniform(1, 6)
    if rng.random() < 0.2:
        x, y = x.astype(np.float32), y.astype(np.float32)
    return PointCost(x, y, scale=float(rng.choice([1.0, 0.5, 1e5, 0.1])))


def _levels(cost: Cost) -> np.ndarray:
    costs = cost.dense().astype(np.float64).ravel()
    return costs[np.isfinite(costs)] if np.isfinite(costs).any() else np.ones(1)
