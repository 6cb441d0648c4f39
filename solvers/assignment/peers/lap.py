"""The package `lap`, dense: Jonker–Volgenant in C++, common in object tracking."""

import numpy as np

from lapmark.solvers.errors import Infeasible
from lapmark.solvers.problem import Assignment
from lapmark.solvers.registry import Capabilities, register
from lapmark.solvers.result import Matching

from .lapx import in_place_of


@register(
    "lap",
    Capabilities(
        exact=True,
        rectangular=True,
        forbidden=True,
        dtypes={"float32", "float64"},
        family="shortest augmenting path",
        source="https://github.com/gatagat/lap",
    ),
    requires=("lap",),
    condition=in_place_of("lap", "lapx"),
)
def lap(problem: Assignment) -> Matching:
    """Solve in float64; a rectangular matrix is padded to a square by the package.

    It is not asked for the cost: on small problems that takes longer than the solution.
    """
    from lap import lapjv

    n, m = problem.shape
    row_to_col, _ = lapjv(problem.cost.dense(), extend_cost=n != m, return_cost=False)
    matching = Matching.of(problem, row_to_col)
    if np.isinf(matching.cost):
        raise Infeasible("lap found no matching of finite cost")
    return matching
