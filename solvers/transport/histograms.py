"""Exact transport between histograms over common bins: many small problems of one matrix in one native call."""

from typing import Any

import numpy as np

from lapmark.solvers.costs import Cost, PointCost
from lapmark.solvers.costs.float_matrix import float_matrix
from lapmark.solvers.deadline import Deadline
from lapmark.solvers.native import InstructionSet, _transport
from lapmark.solvers.problem import Transport
from lapmark.solvers.result import Plan
from lapmark.solvers.validation import ROUNDING


def solve_together(
    cost: Cost,
    a: np.ndarray,
    b: np.ndarray,
    pairs: tuple[np.ndarray, np.ndarray],
    partial: bool,
    with_plans: bool,
    threads: int,
    try_exact_sums: bool = True,
    isa: InstructionSet | None = None,
) -> tuple[np.ndarray, np.ndarray, Any]:
    """Return costs (p,), pivots (p,) and, if `with_plans`, the answers that `plans_of` reads.

    Parameters
    ----------
    cost : Cost
        Small, without forbidden pairs.
    a, b : (k, n), (l, m) float64
        Masses of the histograms.
    pairs : (p,) and (p,) int64
        Indices into a and b.
    partial : bool
        As in `Transport`.
    try_exact_sums : bool
        Whether to check if sums of costs are never rounded, which makes pivots cheaper.
    """
    matrix = float_matrix(cost, Deadline(None), dtype=np.float64)
    metric = _keeps_common_mass(cost, matrix, len(pairs[0]))
    exact = try_exact_sums and _sums_are_exact(matrix)
    return _transport.histograms(
        matrix, a, b, *pairs, metric, partial, ROUNDING, with_plans, threads, exact, _points_of(cost), isa
    )


def solve_alone(problem: Transport, isa: InstructionSet | None) -> Plan:
    """Solve one small problem without forbidden pairs."""
    (a, b), pair = problem.masses, np.zeros(1, dtype=np.int64)
    answer = solve_together(problem.cost, a[None], b[None], (pair, pair), problem.partial, True, 1, False, isa)
    return plans_of([problem], *answer)[0]


def plans_of(problems: list[Transport], costs: np.ndarray, pivots: np.ndarray, answers: Any) -> list[Plan]:
    """Return the plans of problems with the same cost from what `solve_together` answered."""
    f, g, rows, columns, moved = answers
    counts = np.count_nonzero(moved, axis=1)
    return [
        Plan.from_pairs(
            problem, rows[k, :count], columns[k, :count], moved[k, :count], f[k], g[k], {"pivots": int(pivots[k])}
        )
        for k, (problem, count) in enumerate(zip(problems, counts, strict=True))
    ]


def _keeps_common_mass(cost: Cost, matrix: np.ndarray, pairs: int) -> bool:
    """Return whether mass that both sides hold in a bin may stay there, because the cost is known to be a metric.

    Distances between the same points are one. Testing a matrix takes n³ steps, which only pays for many pairs.
    """
    if isinstance(cost, PointCost):
        return cost.p <= 1 and np.array_equal(cost.x, cost.y)
    return pairs > len(matrix) // 4 and _transport.is_metric(matrix)


def _sums_are_exact(matrix: np.ndarray) -> bool:
    """Return whether costs are whole numbers, and so small that none of their sums along a tree is rounded."""
    largest = float(np.abs(matrix).max()) * sum(matrix.shape)
    return largest < 2.0**52 and bool((matrix == np.rint(matrix)).all())


def _points_of(cost: Cost) -> tuple[np.ndarray, np.ndarray, int, float] | None:
    """Return the points of distances or their squares, which a matrix of them holds only rounded."""
    if not isinstance(cost, PointCost) or cost.p not in (1, 2):
        return None
    x, y = (np.require(points, np.float64, ["C", "A"]) for points in (cost.x, cost.y))
    return x, y, int(cost.p), cost.scale
