"""Algorithm 1015 of the ACM collection, from the package `py-lap-solver`: the fastest peer on large problems."""

from typing import Literal

import numpy as np

from lapmark.solvers.errors import Unsupported
from lapmark.solvers.problem import Assignment
from lapmark.solvers.registry import Capabilities, register
from lapmark.solvers.result import Matching


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
def lap1015(
    problem: Assignment, epsilon: bool = True, precision: Literal["given", "float64", "float32"] = "given"
) -> Matching:
    """Solve on one thread, by the fastest of the package's variants.

    Parameters
    ----------
    problem : Assignment
    epsilon : bool
        The package's ε-scaling, on by default there too: faster on large problems, but for some that are tiny, constant
        or |i − j| the answer is not a matching.
    precision : {"given", "float64", "float32"}
        The type it solves in; "given" is float32 for float32 costs, and float64 for all others. Costs that float32
        rounds may have another optimum.
    """
    from py_lap_solver.solvers.lap1015_solver import Lap1015Solver

    if precision not in ("given", "float64", "float32"):
        raise ValueError(f"precision = {precision!r}; choose from given, float64, float32")
    matrix = problem.cost.dense()
    single = precision == "float32" or (precision == "given" and matrix.dtype == np.float32)
    n, m = problem.shape
    # The package refuses read-only arrays, and would copy a tall matrix to transpose it anyway.
    with np.errstate(over="ignore"):
        wide = np.require(matrix if n <= m else matrix.T, np.float32 if single else np.float64, ["C", "A", "W"])
    if precision == "float32" and not np.isfinite(wide).all():
        raise Unsupported("lap1015 with precision=float32 takes costs in the range of float32 only")  # inf crashes it
    answer = Lap1015Solver(use_openmp=False, use_lambda=True, use_epsilon=epsilon).solve_single(wide)
    if n <= m:
        return Matching.of(problem, answer)
    matched = answer >= 0
    return Matching.from_pairs(problem, answer[matched], np.flatnonzero(matched))
