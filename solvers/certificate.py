"""The harness's own verdict on an answer, in float64 and from the problem alone.

An assignment is proven by linear programming duality. For square problems any v gives a lower bound on every matching:

    sum_i min_j (c_ij − v_j) + sum_j v_j ≤ cost of any matching,

and for n < m the same holds once v ≤ 0, because an unmatched column then contributes at most 0 (n > m is the mirror image).
So a bound needs nothing of the solver's to be trusted: its v is a proposal, and the minima are taken here, over every entry.
A matching that meets the bound is optimal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .native import _native
from .problem import Assignment, Problem, Transport, place
from .result import Matching, Plan, Result

#: Relative gap up to which an answer counts as optimal: far above rounding, far below any difference a user can see.
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Certificate:
    """What is known for certain about an answer.

    Attributes
    ----------
    valid : bool
        It is a complete matching (or a plan with the stated marginal error) of finite cost, and costs what it says.
    cost : float
        Its cost, summed here; NaN where it is no matching at all.
    dual_bound : float
        A lower bound on the cost of every answer; −inf where none is known.
    gap : float
        (cost − dual_bound) / |cost|: 0 is optimal, inf where there is no bound.
    max_violation : float
        Largest violation of u_i + v_j ≤ c_ij (and of the signs of a rectangular problem) by the solver's own duals; NaN without duals.
    optimal : bool
        The gap is within the tolerance, or within the rounding that float64 sums of such costs cannot avoid.
    fault : str or None
        Why it is not valid.
    """

    valid: bool
    cost: float
    dual_bound: float
    gap: float
    max_violation: float
    optimal: bool
    fault: str | None = None


def certify(problem: Problem, result: Result, bound: float | None = None, tolerance: float = TOLERANCE) -> Certificate:
    """Judge an answer.

    Parameters
    ----------
    problem : Assignment or Transport
    result : Matching or Plan
    bound : float, optional
        A lower bound that an earlier certificate of the same problem established; the better of the two is used. This is how an
        answer without duals is judged.
    tolerance : float
        Relative gap up to which the answer counts as optimal.

    Returns
    -------
    Certificate
        Also for answers that are wrong in any way: a bad answer is never an exception.
    """
    known = -np.inf if bound is None else float(bound)
    if isinstance(problem, Assignment):
        if not isinstance(result, Matching):
            return _invalid(f"answered with a {type(result).__name__}, not a Matching", known)
        return _certify_matching(problem, result, known, tolerance)
    if not isinstance(problem, Transport):
        raise TypeError(f"certify takes an Assignment or a Transport, not {type(problem).__name__}")
    if not isinstance(result, Plan):
        return _invalid(f"answered with a {type(result).__name__}, not a Plan", known)
    return _certify_plan(problem, result, known, tolerance)


def dual_bound(problem: Assignment, u: np.ndarray, v: np.ndarray) -> tuple[float, float]:
    """The bound that duals prove, and their largest violation of feasibility.

    Only the duals of the columns count (of the rows where n > m), clipped to the sign that a rectangular problem asks for; the
    others are recomputed as minima, so that the bound holds whatever was passed in.
    """
    n, m = problem.shape
    if n <= m:
        proposal = np.minimum(v, 0.0) if n < m else v
        wrong_sign = v.max(initial=0.0) if n < m else 0.0
        best = np.empty(n)
        slack = np.empty(n)
        for start, block in problem.cost.blocks():
            stop = start + len(block)
            best[start:stop] = _native.row_minima(block, proposal)
            slack[start:stop] = best[start:stop] if proposal is v else _native.row_minima(block, v)
        violation = float((u - slack).max(initial=wrong_sign))
    else:
        proposal = np.minimum(u, 0.0)
        wrong_sign = u.max(initial=0.0)
        best = np.full(m, np.inf)
        slack = np.full(m, np.inf)
        for start, block in problem.cost.blocks():
            stop = start + len(block)
            np.minimum(best, _native.column_minima(block, proposal[start:stop]), out=best)
            np.minimum(slack, _native.column_minima(block, u[start:stop]), out=slack)
        violation = float((v - slack).max(initial=wrong_sign))
    bound = float(best.sum() + proposal.sum())
    return (bound if np.isfinite(bound) else -np.inf), max(violation, 0.0)


def _certify_matching(problem: Assignment, result: Matching, known: float, tolerance: float) -> Certificate:
    fault, row_to_col = _matching_fault(problem, result.row_to_col)
    if fault is not None:
        return _invalid(fault, known)
    rows = np.flatnonzero(row_to_col >= 0)
    chosen = problem.cost.entries(rows, row_to_col[rows])
    cost = float(chosen.sum())
    size = float(np.abs(chosen).sum())
    if not np.isfinite(cost):
        at = int(np.argmax(~np.isfinite(chosen)))
        return _invalid(f"row {rows[at]} is matched to column {row_to_col[rows[at]]}, a forbidden pair", known)
    try:
        stated = float(result.cost)
    except (TypeError, ValueError):
        return _invalid(f"states its cost as {result.cost!r}", known, cost)
    if not abs(stated - cost) <= 1e-6 * size:
        return _invalid(f"states a cost of {stated:.12g}, but its matching costs {cost:.12g}", known, cost)

    bound, violation = known, np.nan
    if result.u is not None or result.v is not None:
        duals, dual_fault = _duals(problem, result)
        if duals is None:
            return _invalid(dual_fault, known, cost)
        own, violation = dual_bound(problem, *duals)
        bound = max(own, known)
    excess = cost - bound
    gap = _relative(excess, cost)
    optimal = bool(excess <= tolerance * size + _rounding(problem, len(rows)))
    return Certificate(True, cost, bound, gap, violation, optimal)


def _matching_fault(problem: Assignment, answer: object) -> tuple[str | None, np.ndarray]:
    """What stops `answer` from being a complete matching, and the answer as intp."""
    n, m = problem.shape
    row_to_col = np.asarray(answer)
    if row_to_col.shape != (n,):
        return f"row_to_col has shape {row_to_col.shape}, not ({n},)", row_to_col
    if row_to_col.dtype.kind not in "iu":
        return f"row_to_col holds {row_to_col.dtype}, not integers", row_to_col
    row_to_col = row_to_col.astype(np.intp)
    outside = (row_to_col < -1) | (row_to_col >= m)
    if outside.any():
        i = int(np.argmax(outside))
        return f"row {i} is matched to column {row_to_col[i]}, of {m} columns", row_to_col
    taken = row_to_col[row_to_col >= 0]
    count = np.bincount(taken, minlength=m)
    if count.max(initial=0) > 1:
        j = int(np.argmax(count))
        return f"not a permutation: column {j} is matched to {count[j]} rows", row_to_col
    if len(taken) < min(n, m):
        return f"{len(taken)} rows are matched, not {min(n, m)}", row_to_col
    return None, row_to_col


def _duals(problem: Assignment, result: Matching) -> tuple[tuple[np.ndarray, np.ndarray] | None, str]:
    """The duals as finite float64 vectors, or None and what is wrong with them."""
    checked = []
    for name, given, size in zip("uv", (result.u, result.v), problem.shape, strict=True):
        if given is None:
            return None, f"{name} is missing, though the other dual is there"
        dual = np.asarray(given)
        if dual.shape != (size,) or dual.dtype.kind not in "fiu":
            return None, f"dual {name} has shape {dual.shape} and dtype {dual.dtype}, not ({size},) float64"
        dual = np.ascontiguousarray(dual, dtype=np.float64)
        if not np.isfinite(dual).all():
            at = np.unravel_index(np.argmax(~np.isfinite(dual)), dual.shape)
            return None, f"dual {name}{place(at)} is {dual[at]}"
        checked.append(dual)
    return (checked[0], checked[1]), ""


def _rounding(problem: Assignment, count: int) -> float:
    """What float64 rounding alone can open between a cost and its bound: each dual is a difference of costs."""
    largest = 0.0
    for _, block in problem.cost.blocks():
        finite = block if not problem.cost.forbids else block[np.isfinite(block)]
        if finite.size:
            largest = max(largest, abs(float(finite.max())), abs(float(finite.min())))
    return 16 * float(np.finfo(np.float64).eps) * count * largest


def _certify_plan(problem: Transport, plan: Plan, known: float, tolerance: float) -> Certificate:
    a, b = problem.a, problem.b
    assert a is not None
    assert b is not None
    fault = _plan_fault(problem, plan)
    if fault is not None:
        return _invalid(fault, known)
    rows, cols, cost = np.zeros(len(a)), np.zeros(len(b)), 0.0
    for start, block in problem.cost.blocks():
        stop = start + len(block)
        mass = _mass(problem, plan, start, stop, block)
        with np.errstate(invalid="ignore"):
            cost += float(np.where(mass > 0, mass * block, 0.0).sum())
        rows[start:stop] = mass.sum(axis=1)
        cols += mass.sum(axis=0)
    if not np.isfinite(cost):
        return _invalid("moves mass between a forbidden pair, or an infinite mass", known, cost)
    if problem.reach is None:
        error = max(float(np.abs(rows - a).sum()), float(np.abs(cols - b).sum())) / float(a.sum())
        if error > 2 * plan.marginal_error + 1e-6:
            return _invalid(f"states a marginal error of {plan.marginal_error:.3g}, but has {error:.3g}", known, cost)
    if not abs(plan.cost - cost) <= 1e-6 * max(abs(cost), abs(plan.cost)):
        return _invalid(f"states a cost of {plan.cost:.12g}, but its plan costs {cost:.12g}", known, cost)
    bound = known
    if plan.g is not None and problem.reach is None:
        best = np.concatenate([_native.row_minima(block, plan.g) for _, block in problem.cost.blocks()])
        bound = max(bound, float(best @ a + plan.g @ b))
    excess = cost - bound
    return Certificate(True, cost, bound, _relative(excess, cost), np.nan, bool(excess <= tolerance * abs(cost)))


def _plan_fault(problem: Transport, plan: Plan) -> str | None:
    n, m = problem.shape
    if plan.mass is not None:
        return None if plan.mass.shape == (n, m) else f"the plan has shape {plan.mass.shape}, not {(n, m)}"
    for name, potential, size in (("f", plan.f, n), ("g", plan.g, m)):
        if potential is None:
            return f"neither a plan nor the potential {name}"
        if np.shape(potential) != (size,) or not np.isfinite(potential).all():
            return f"the potential {name} is not {size} finite numbers"
    return None if problem.epsilon > 0 else "gives potentials only, of a problem without blur"


def _mass(problem: Transport, plan: Plan, start: int, stop: int, block: np.ndarray) -> np.ndarray:
    if plan.mass is not None:
        return plan.mass[start:stop].toarray()
    assert plan.f is not None
    assert problem.a is not None
    exponent = (plan.f[start:stop, None] + plan.g - block) / problem.epsilon
    with np.errstate(over="ignore"):
        return problem.a[start:stop, None] * problem.b * np.exp(exponent)


def _relative(excess: float, cost: float) -> float:
    if excess == 0:
        return 0.0
    return float(excess / abs(cost)) if cost else float(np.copysign(np.inf, excess))


def _invalid(fault: str, known: float, cost: float = np.nan) -> Certificate:
    return Certificate(False, cost, known, np.inf, np.nan, False, fault)
