"""POT's `compute_bspot_bijection`: bijections of two point clouds merged from random space partitions. Approximate."""

import numpy as np

from lapmark.solvers.costs import PointCost
from lapmark.solvers.errors import Unsupported
from lapmark.solvers.problem import Assignment
from lapmark.solvers.registry import Capabilities, register
from lapmark.solvers.result import Matching

#: Largest dimension for the package's Gaussian slices, whose set-up is cubic in it, by its own advice.
SLICED_DIMENSIONS = 64


@register(
    "pot-bsp",
    Capabilities(
        exact=False,
        costs={"points"},
        dtypes={"float32", "float64"},
        family="binary space partition",
        source="B. Genest et al., BSP-OT, ACM Trans. Graph. 44 (2025); https://github.com/PythonOT/POT",
        curve={"plans": (1, 8, 64)},
    ),
    requires=("pot",),
)
def pot_bsp(problem: Assignment, plans: int = 64) -> Matching:
    """Solve for points at squared distance, in O(plans · n log n) time and O(plans · n) memory; more plans, lower cost.

    The package draws from one generator per process, without a seed: a second call gives another answer.
    """
    from ot.bsp import compute_bspot_bijection

    cost = problem.cost
    assert isinstance(cost, PointCost)
    if cost.p != 2:
        raise Unsupported(f"pot-bsp takes squared Euclidean distances (p = 2) only, not p = {cost.p:g}")
    x, y = (np.ascontiguousarray(points, dtype=np.float64) for points in (cost.x, cost.y))
    sliced = x.shape[1] <= SLICED_DIMENSIONS
    _, row_to_col, _ = compute_bspot_bijection(x, y, n_plans=plans, gaussian_slicing=sliced)
    return Matching.of(problem, row_to_col)
