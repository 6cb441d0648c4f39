"""The entry point to certificates: judge any answer to any problem."""

import numpy as np

from .certificate import TOLERANCE, Certificate
from .certificate.certificate import invalid
from .certificate.matching import certify_matching
from .problem import Assignment, Problem, Transport
from .result import Matching, Plan, Result
from .solve import solve


def certify(
    problem: Problem,
    result: Result,
    bound: float | None = None,
    tolerance: float = TOLERANCE,
    *,
    every_pair: bool = False,
    search: bool = True,
) -> Certificate:
    """Judge an answer.

    Parameters
    ----------
    problem : Assignment or Transport
    result : Matching or Plan
    bound : float, optional
        A `dual_bound` that an earlier certificate of the same problem established; the better of the two is used.
    tolerance : float
        Part of the `scope` by which an optimal answer may cost more than the cheapest.
    every_pair : bool
        Look at all n·m pairs of a `PointCost` in up to 3 dimensions. By default pairs are left out if a lower bound on
        the costs of a group of points excludes them, so that a million points are certified in seconds.
    search : bool
        Look for duals if the answer has none, or its duals do not prove it optimal. That takes as long as solving the
        problem again.

    Returns
    -------
    Certificate
        Also for wrong answers of any kind: a bad answer never raises an exception.
    """
    nothing = np.inf if isinstance(problem, Assignment) and problem.maximize else -np.inf
    known = nothing if bound is None else float(bound)
    if isinstance(problem, Assignment):
        if not isinstance(result, Matching):
            return invalid(f"answered with a {type(result).__name__}, not a Matching", known)
        with np.errstate(over="ignore", invalid="ignore"):  # a solver's duals may be anything, inf and NaN included
            return certify_matching(problem, result, known, tolerance, every_pair, solve if search else None)
    if not isinstance(problem, Transport):
        raise TypeError(f"certify takes an Assignment or a Transport, not {type(problem).__name__}")
    if not isinstance(result, Plan):
        return invalid(f"answered with a {type(result).__name__}, not a Plan", known)
    # Imported here because scipy.sparse takes as long to import as everything else.
    from .certificate.plan import certify_plan

    with np.errstate(over="ignore", invalid="ignore"):
        return certify_plan(problem, result, known, tolerance, every_pair, solve if search else None)
