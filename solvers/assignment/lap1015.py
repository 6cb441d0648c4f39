"""Algorithm 1015 of the ACM collection, from the package `py-lap-solver`: the fastest peer on large problems."""

from __future__ import annotations

import numpy as np

from ..problem import Assignment
from ..registry import Capabilities, register
from ..result import Matching


@register(
    "lap1015",
    Capabilities(
        exact=True,
        rectangular=True,
        dtypes={"float32", "float64"},
        family="shortest augmenting path",
        source="S. Guthe, D. Thuerck, ACM Trans. Math. Softw. 47 (2021) article 18",
    ),
    requires=("py-lap-solver",),
)
def lap1015(problem: Assignment, epsilon: bool = True) -> Matching:
    """Solves float32 as float32 and all else in float64, on one thread, by the fastest of the package's variants.

    `epsilon` is its ε-scaling, on by default as in the package: faster on large problems, but it sometimes answers tiny
    or constant ones with something that is no matching.
    """
    from py_lap_solver.solvers.lap1015_solver import Lap1015Solver

    matrix = problem.cost.dense()
    dtype = np.float32 if matrix.dtype == np.float32 else np.float64
    n, m = problem.shape
    # It refuses read-only arrays, and its own transposition of a tall matrix is a copy as well.
    wide = np.require(matrix if n <= m else matrix.T, dtype, ["C", "A", "W"])
    answer = Lap1015Solver(use_openmp=False, use_lambda=True, use_epsilon=epsilon).solve_single(wide)
    if n <= m:
        return Matching.of(problem, answer)
    matched = answer >= 0
    return Matching.from_pairs(problem, answer[matched], np.flatnonzero(matched))
