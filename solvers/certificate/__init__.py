"""Proofs: how good an answer is, by LP duality, from the problem and the answer alone.

`certify` judges a matching (`matching`) or a plan (`plan`). What a solver states is held against what is found here,
and used for nothing else: its duals are proposals, from which bounds are taken anew.
"""

from __future__ import annotations

import numpy as np

from lapmark.solvers.problem import Assignment, Problem, Transport
from lapmark.solvers.result import Matching, Plan, Result

from .matching import certify_matching
from .verdict import TOLERANCE, Certificate, invalid

__all__ = ["TOLERANCE", "Certificate", "certify"]


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
        The part of the `scope` by which an optimal answer may be dearer than the cheapest.
    every_pair : bool
        Look at all n·m pairs of a `PointCost` in up to 3 dimensions, too. By default those are left out that a lower
        bound on the costs of a group of points rules out, so that a million points are certified in seconds.
    search : bool
        Look for duals where the answer has none, or has some that do not prove it. That takes as long as to solve the
        problem once more.

    Returns
    -------
    Certificate
        Also for answers that are wrong in any way: a bad answer is never an exception.
    """
    nothing = np.inf if isinstance(problem, Assignment) and problem.maximize else -np.inf
    known = nothing if bound is None else float(bound)
    if isinstance(problem, Assignment):
        if not isinstance(result, Matching):
            return invalid(f"answered with a {type(result).__name__}, not a Matching", known)
        with np.errstate(over="ignore", invalid="ignore"):  # duals may be anything; what is not finite proves nothing
            return certify_matching(problem, result, known, tolerance, every_pair, search)
    if not isinstance(problem, Transport):
        raise TypeError(f"certify takes an Assignment or a Transport, not {type(problem).__name__}")
    if not isinstance(result, Plan):
        return invalid(f"answered with a {type(result).__name__}, not a Plan", known)
    # Imported here because it needs scipy.sparse, which takes as long as all the rest.
    from .plan import certify_plan

    with np.errstate(over="ignore", invalid="ignore"):
        return certify_plan(problem, result, known, tolerance, every_pair, search)
