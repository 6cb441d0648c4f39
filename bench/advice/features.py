"""Features of a problem: a dozen numbers that say how hard it is for each solver.

What tells most is the work of solving a small sample: how many rows find no column of their own at once, and how many
others a search from them scans.

They are computed from a sample of fixed size, in `SECONDS` for any size of problem, and scaled so that
a difference of 1 is large. Where a solve is shorter than ten times that, the model does without them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from lapmark.bench.problems import Case
from lapmark.solvers.costs import DenseCost, PointCost, SparseCost
from lapmark.solvers.native import _matrix
from lapmark.solvers.problem import Assignment, Problem

from . import nearest_size

#: Rows and columns of the sample that is looked at, and of the square one that is solved.
ROWS, COLUMNS, SOLVED = 32, 128, 48

#: Seconds that they take, at any size.
SECONDS = 1.2e-4

#: Where in each of equal parts of the rows, or of the columns, one is drawn.
_PLACES = np.random.default_rng(0).random(COLUMNS)

#: Larger instances of a family are described by one of this size.
DESCRIBED_SIZE = 1000

#: The name of each feature in a table, and its description.
NAMES = {
    "proportion": "columns for each row",
    "allowed": "share of allowed pairs",
    "distinct": "distinct costs",
    "spread": "spread of the costs",
    "contested": "rows after the same column",
    "left": "rows of a sample without a column when each has bid",
    "searched": "scans for each row of a sample",
    "single": "float32",
    "dimensions": "coordinates of a point",
    "unequal": "unequal masses",
    "sharpness": "range of the costs over the blur",
    "unbalanced": "masses that may differ",
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
    """Return the case with about `DESCRIBED_SIZE` rows, if it has more."""
    return replace(case, n=min(case.n, DESCRIBED_SIZE))


def small_instance(case: Case) -> Problem:
    """Build the small case, at the nearest size that its family takes, or the case itself if it takes none."""
    if case.n > DESCRIBED_SIZE and (small := nearest_size.nearest(small_case(case))) is not None:
        return small.build()
    return case.build()


def kind(problem: Problem) -> str:
    """Return the kind of a problem, `assignment, dense` or `blurred transport, points`: only equal kinds compare."""
    if isinstance(problem, Assignment):
        name = "assignment"
    else:
        name = "transport" if problem.blur == 0 and problem.reach is None else "blurred transport"
    return f"{name}, {problem.cost.kind}"


def shape_features(problem: Problem) -> dict[str, float]:
    """Return the features that need no look at a cost, and 0 for all others."""
    found = dict.fromkeys(NAMES, 0.0)
    n, m = problem.shape
    found["proportion"] = min(abs(math.log2(m / n)) / 4, 1.0)
    found["single"] = 0.25 * (problem.cost.dtype == np.float32)
    if isinstance(problem.cost, SparseCost):
        found["allowed"] = problem.cost.csr.nnz / (n * m)
    if isinstance(problem.cost, PointCost):
        found["dimensions"] = min(math.log2(problem.cost.x.shape[1]) / 8, 1.0)
    return found


def features(problem: Problem) -> dict[str, float]:
    """Return the value of each of `NAMES`, within [0, 1]; the problem must have a row and a column."""
    found = shape_features(problem)
    sample = _sample(problem)
    finite = np.isfinite(sample)
    if not isinstance(problem, Assignment):
        a, _ = problem.masses
        spread = float(a.std() / a.mean())
        found["unequal"] = spread / (1 + spread)
        found["unbalanced"] = float(problem.reach is not None and math.isfinite(problem.reach))
    values = sample[finite]
    if not isinstance(problem.cost, SparseCost):
        found["allowed"] = values.size / sample.size
    if not values.size:
        return found
    values.sort()
    distinct = 1 + np.count_nonzero(values[1:] != values[:-1])
    found["distinct"] = math.log(distinct) / math.log(max(len(values), 2))
    low, middle, high = (float(values[int(share * (len(values) - 1))]) for share in (0, 0.5, 0.95))
    found["spread"] = min(math.log10((high - low) / (middle - low)) / 4, 1.0) if middle > low else float(high > low)
    some = sample if values.size == sample.size else sample[finite.any(axis=1)]
    nearest = set(some.argmin(axis=1).tolist())
    found["contested"] = 1 - len(nearest) / min(some.shape)
    scale = float(values[-1]) - low
    if not isinstance(problem, Assignment) and problem.blur > 0 < scale:
        found["sharpness"] = min(max(math.log10(scale / problem.epsilon) / 4, 0.0), 1.0)
    if scale > 0 and isinstance(problem, Assignment) and not isinstance(problem.cost, SparseCost):
        found |= _labour(problem)
    return found


def _labour(problem: Assignment) -> dict[str, float]:
    """Return how laborious a square sample is for the method of Jonker and Volgenant."""
    side = min(SOLVED, *problem.shape)
    matrix = _sample(problem, side, side)
    if not (allowed := np.isfinite(matrix)).all():
        matrix[~allowed] = 2 * np.abs(matrix[allowed]).max(initial=1.0)
    work = _matrix.assign("jv", matrix)[-1]
    return {
        "left": work.get("augmentations", 0) / side,
        "searched": min(math.log2(1 + work.get("row_scans", 0) / side) / 6, 1.0),
    }


def _sample(problem: Problem, most_rows: int = ROWS, most_columns: int = COLUMNS) -> np.ndarray:
    """Return costs to be minimised in float64, of at most so many rows and columns that are spread over all of them."""
    cost = problem.cost
    rows, cols = map(_drawn, cost.shape, (most_rows, most_columns))
    pairs = rows[:, None], cols
    if isinstance(cost, PointCost):
        entries = PointCost(cost.x[rows], cost.y[cols], cost.p, cost.scale).dense()
    elif isinstance(cost, DenseCost):
        entries = cost.matrix[pairs].astype(np.float64)
    else:
        grid = np.broadcast_arrays(*pairs)
        entries = cost.entries(*(axis.ravel() for axis in grid)).reshape(grid[0].shape)
    if isinstance(problem, Assignment) and problem.maximize:
        return np.where(np.isinf(entries), entries, -entries)
    return entries


def _drawn(size: int, most: int) -> np.ndarray:
    """Return all places of `size`, or one in each of `most` equal parts."""
    if size <= most:
        return np.arange(size)
    ends = np.arange(most + 1) * size // most
    return ends[:-1] + (_PLACES[:most] * np.diff(ends)).astype(np.intp)


def group(kind: str) -> str:
    """Return the group of kinds that compare with each other: transport of a matrix and of points are one."""
    method, _, cost = kind.partition(", ")
    return f"{cost} {method}" if method == "assignment" or cost == "grid" else method
