"""Features of a problem: a dozen numbers that say how hard it is for each solver, computed in milliseconds.

All are computed from a sample of the rows and columns, and scaled so that a difference of 1 is large. The distance of
two problems is the Euclidean distance of their features.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from lapmark.bench.problems import Case
from lapmark.solvers.costs import Cost, DenseCost, PointCost, SparseCost
from lapmark.solvers.problem import Assignment, Problem

#: Rows and columns of the sample.
ROWS, COLUMNS = 128, 1024

#: Larger instances of a family are described by one of this size.
DESCRIBED_SIZE = 1000

#: The name of each feature in a table, and its description.
NAMES = {
    "proportion": "columns for each row",
    "allowed": "share of allowed pairs",
    "distinct": "distinct costs",
    "spread": "spread of the costs",
    "contested": "rows after the same column",
    "separable": "part that is a_i + b_j",
    "rank_one": "rest that is u_i v_j",
    "rank_three": "rest of rank three",
    "whole": "whole costs",
    "single": "float32",
    "dimensions": "coordinates of a point",
    "unequal": "unequal masses",
}


@dataclass(frozen=True)
class Target:
    """A problem to predict run times for: its size, kind and features, and the label of its family, "" for none."""

    n: int
    m: int
    kind: str
    features: Mapping[str, float]
    label: str = ""

    @classmethod
    def of(cls, problem: Problem, label: str = "", shape: tuple[int, int] | None = None) -> Target:
        """Describe a problem, or a larger one of this `shape` by its small instance `problem`."""
        n, m = shape or problem.shape
        return cls(n, m, kind(problem), features(problem), label)


def describe(case: Case) -> tuple[Target, Problem]:
    """Describe a case by a small instance, which is also returned; a ValueError if it has no such size or setting."""
    problem = small_instance(case)
    n, m = problem.shape
    return Target.of(problem, case.label, (case.n, max(1, round(m * case.n / n)))), problem


def small_case(case: Case) -> Case:
    """Return the case with at most `DESCRIBED_SIZE` rows."""
    return replace(case, n=min(case.n, DESCRIBED_SIZE))


def small_instance(case: Case) -> Problem:
    """Build the small case, or the case itself where its family has no such size."""
    small = small_case(case)
    try:
        return small.build()
    except ValueError:
        if small == case:
            raise
        return case.build()


def kind(problem: Problem) -> str:
    """Return the kind of a problem, `assignment, dense` or `blurred transport, points`: only equal kinds compare."""
    if isinstance(problem, Assignment):
        name = "assignment"
    else:
        name = "transport" if problem.blur == 0 and problem.reach is None else "blurred transport"
    return f"{name}, {problem.cost.kind}"


def features(problem: Problem) -> dict[str, float]:
    """Return the value of each of `NAMES`, within [0, 1]; the problem must have a row and a column."""
    n, m = problem.shape
    sample = _sample(problem.cost)
    finite = np.isfinite(sample)
    values = np.sort(sample[finite])
    found = dict.fromkeys(NAMES, 0.0)
    found["proportion"] = min(abs(np.log2(m / n)) / 4, 1.0)
    found["allowed"] = float(finite.mean())
    if isinstance(problem.cost, SparseCost):
        found["allowed"] = problem.cost.csr.nnz / (n * m)
    if isinstance(problem.cost, PointCost):
        found["dimensions"] = min(np.log2(problem.cost.x.shape[1]) / 8, 1.0)
    if not isinstance(problem, Assignment):
        a, _ = problem.masses
        spread = float(a.std() / a.mean())
        found["unequal"] = spread / (1 + spread)
    found["single"] = 0.25 * (problem.cost.dtype == np.float32)
    if not values.size:
        return found
    found["whole"] = float((values == np.round(values)).all())
    distinct = 1 + np.count_nonzero(np.diff(values))
    found["distinct"] = float(np.log(distinct) / np.log(max(len(values), 2)))
    middle, high = np.quantile(values, (0.5, 0.95)) - values[0]
    found["spread"] = min(float(np.log10(high / middle)) / 4, 1.0) if middle > 0 else float(high > 0)
    some = finite.any(axis=1)
    nearest = np.argmin(sample[some], axis=1)
    found["contested"] = 1 - len(np.unique(nearest)) / min(len(nearest), sample.shape[1])
    scale = values[-1] - values[0]
    if scale > 0:
        found |= _structure(np.where(finite, sample, values[-1]) / scale)
    return found


def _sample(cost: Cost) -> np.ndarray:
    """Return at most ROWS × COLUMNS entries in float64, of rows and columns drawn with a fixed seed."""
    rng = np.random.default_rng(0)
    rows, cols = (
        np.sort(rng.choice(size, min(size, most), replace=False))
        for size, most in zip(cost.shape, (ROWS, COLUMNS), strict=True)
    )
    if isinstance(cost, PointCost):
        return PointCost(cost.x[rows], cost.y[cols], cost.p, cost.scale).dense()
    if isinstance(cost, DenseCost):
        return cost.matrix[np.ix_(rows, cols)].astype(np.float64)
    pairs = np.ix_(rows, cols)
    grid = np.broadcast_arrays(*pairs)
    return cost.entries(*(axis.ravel() for axis in grid)).reshape(grid[0].shape)


def _structure(sample: np.ndarray) -> dict[str, float]:
    """Return the share of the variance that is a_i + b_j, and the shares of the rest that have rank one and three."""
    whole = sample - sample.mean()
    rest = sample - sample.mean(axis=1, keepdims=True) - sample.mean(axis=0) + sample.mean()
    total, left = float((whole**2).sum()), float((rest**2).sum())
    if not left > 1e-12 * total:
        return {"separable": 1.0, "rank_one": 1.0, "rank_three": 1.0}
    squares = np.linalg.eigvalsh(rest @ rest.T)[::-1]  # squared singular values, largest first
    return {
        "separable": 1 - left / total,
        "rank_one": float(squares[0] / left),
        "rank_three": float(squares[:3].sum() / left),
    }
