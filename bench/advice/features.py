"""What tells one problem from another for its solvers, in a few numbers that any cost yields in milliseconds.

All are taken from a sample of the rows and columns, and scaled so that a difference of 1 is a large one: problems are
as near to each other as the Euclidean distance of their features.
"""

from __future__ import annotations

import numpy as np

from lapmark.solvers.problem import Assignment, Cost, DenseCost, PointCost, Problem, SparseCost

#: Rows and columns of the sample.
ROWS, COLUMNS = 128, 1024

#: The features by name, with what a person calls them.
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


def kind(problem: Problem) -> str:
    """What problems must share to be compared at all: `assignment of dense costs`, `blurred transport of points`."""
    if isinstance(problem, Assignment):
        name = "assignment"
    else:
        name = "transport" if problem.blur == 0 and problem.reach is None else "blurred transport"
    return f"{name}, {problem.cost.kind}"


def features(problem: Problem) -> dict[str, float]:
    """The values of `NAMES`, each within [0, 1].

    Parameters
    ----------
    problem : Assignment or Transport
        With a row and a column at least.
    """
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
        assert problem.a is not None
        spread = float(problem.a.std() / problem.a.mean())
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
    """At most ROWS × COLUMNS entries, in float64: rows and columns drawn at random, the same every time."""
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
    """How much of a matrix is a sum of rows and columns, and how much of what is left has rank one, and three."""
    whole = sample - sample.mean()
    rest = sample - sample.mean(axis=1, keepdims=True) - sample.mean(axis=0) + sample.mean()
    total, left = float((whole**2).sum()), float((rest**2).sum())
    if not left > 1e-12 * total:
        return {"separable": 1.0, "rank_one": 1.0, "rank_three": 1.0}
    squares = np.linalg.eigvalsh(rest @ rest.T)[::-1]  # of the singular values
    return {
        "separable": 1 - left / total,
        "rank_one": float(squares[0] / left),
        "rank_three": float(squares[:3].sum() / left),
    }
