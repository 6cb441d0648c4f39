"""The harness's own verdict on an answer, in float64 and from the problem alone.

An assignment is proven by linear programming duality. For square problems any v gives a lower bound on every matching:

    sum_i min_j (c_ij − v_j) + sum_j v_j ≤ cost of any matching,

and for n < m the same holds once v ≤ 0, because an unmatched column then contributes at most 0 (n > m is the mirror
image). Under a limit c_ij − limit stands for c_ij, v ≤ 0 in any case, and a row that may stay out counts below 0 only:

    sum_i min(0, min_j (c_ij − limit − v_j)) + sum_j v_j ≤ sum of c_ij − limit over any matching of any size.

So a bound needs nothing of the solver's to be trusted: its v is a proposal, and the minima are taken here, over
every entry. A matching that meets the bound is optimal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real

import numpy as np

from .minima import column_minima, row_minima
from .problem import Assignment, Cost, Problem, Transport
from .result import Matching, Plan, Result

#: Relative gap up to which an answer counts as optimal: far above rounding, far below any difference a user can see.
TOLERANCE = 1e-9

EPSILON = float(np.finfo(np.float64).eps)

#: Duals that miss the proof of their matching by a relative NOISE, which is what float32 leaves, are made tight in at
#: most so many more passes over the cost.
NOISE, SWEEPS = 1e-5, 128


@dataclass(frozen=True)
class Certificate:
    """What is known for certain about an answer.

    Attributes
    ----------
    valid : bool
        It is a complete matching (or a plan with the stated marginal error) of finite cost, and costs what it says.
    cost : float
        What it costs, summed here; NaN where it is no matching at all. Under a limit, what is minimised: the sum of
        c_ij − limit over its pairs. Of a plan, ⟨π, C⟩ as it stands.
    dual_bound : float
        A lower bound on the cost of every answer, −inf where none is known; an upper one, or inf, where the problem
        maximises. Of a transport problem, on every feasible plan without regard to the blur.
    gap : float
        |cost − dual_bound| / |cost|, below 0 on the wrong side of the bound: 0 is optimal, inf where there is none. Of
        a plan, the same with `feasible_cost`.
    max_violation : float
        Largest violation of u_i + v_j ≤ c_ij, and of the signs of a rectangular or a limited problem, by the solver's
        own duals; NaN without duals.
    optimal : bool
        The gap is within the tolerance, or within the rounding that float64 sums of such costs cannot avoid.
    fault : str or None
        Why it is not valid.
    feasible_cost : float
        Of a plan: what it costs once it is rounded to meet its marginals, or where unbalanced with its penalties. This
        and what follows is NaN for a matching.
    row_error, column_error : float
        Of a plan: Σ_i |Σ_j π_ij − a_i| / Σ_i a_i, and the same of the columns; where unbalanced, from the masses
        a_i exp(−f_i / ρ) that its potentials ask for.
    entropic_gap : float
        Of potentials: how far the entropic problem's own objective, that of their plan rounded, is above the dual one
        that they prove, relative to it: 0 once they have converged. The `gap` has the blur's share in it, this has not.
    """

    valid: bool
    cost: float
    dual_bound: float
    gap: float
    max_violation: float
    optimal: bool
    fault: str | None = None
    feasible_cost: float = np.nan
    row_error: float = np.nan
    column_error: float = np.nan
    entropic_gap: float = np.nan

    @property
    def marginal_error(self) -> float:
        """The larger of the two errors of a plan."""
        return max(self.row_error, self.column_error)


def certify(
    problem: Problem,
    result: Result,
    bound: float | None = None,
    tolerance: float = TOLERANCE,
    *,
    every_pair: bool = False,
) -> Certificate:
    """Judge an answer.

    Parameters
    ----------
    problem : Assignment or Transport
    result : Matching or Plan
    bound : float, optional
        A `dual_bound` that an earlier certificate of the same problem established; the better of the two is used. That
        is how an answer without duals is judged.
    tolerance : float
        Relative gap up to which the answer counts as optimal.
    every_pair : bool
        Look at all n·m pairs of a `PointCost` in up to 3 dimensions, too. By default those are left out that a lower
        bound on the costs of a group of points rules out, so that a million points are certified in seconds.

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
        return _certify_matching(problem, result, known, tolerance, every_pair)
    if not isinstance(problem, Transport):
        raise TypeError(f"certify takes an Assignment or a Transport, not {type(problem).__name__}")
    if not isinstance(result, Plan):
        return invalid(f"answered with a {type(result).__name__}, not a Plan", known)
    # Imported here because it needs scipy.sparse, which takes as long as all the rest.
    from .plan_certificate import certify_plan

    return certify_plan(problem, result, known, tolerance)


@dataclass(frozen=True)
class Bound:
    """What duals prove.

    `value` bounds every matching from below; `violation` is how far the duals were from feasible as given, `scale` the
    largest of those that `value` was summed from, `noise` what rounding can add to that sum, and `minima` the duals of
    the shorter side that fit the other's best.
    """

    value: float
    violation: float
    scale: float
    noise: float
    minima: np.ndarray


def dual_bound(problem: Assignment, u: np.ndarray, v: np.ndarray, every_pair: bool = False) -> Bound:
    """The bound that duals prove on a problem that minimises.

    Only the duals of the columns count (of the rows where n > m), clipped to the sign that a limit or a rectangular
    problem asks for; the others are recomputed as minima, so that the bound holds whatever was passed in, but for
    rounding.
    """
    return bound_of(problem.cost, problem.limit, u, v, every_pair)


def bound_of(cost: Cost, limit: float | None, u: np.ndarray, v: np.ndarray, every_pair: bool = False) -> Bound:
    """The same for the cost and the limit of a problem."""
    n, m = cost.shape
    given, other = (v, u) if n <= m else (u, v)
    signed = n != m or limit is not None
    wrong_sign = given.max(initial=0.0) if signed else 0.0
    proposal = np.minimum(given, 0.0) if wrong_sign > 0 else given
    best = _minima(cost, proposal, every_pair)
    slack = best if proposal is given else _minima(cost, given, every_pair)
    if limit is not None:
        best, slack = np.minimum(best - limit, 0.0), slack - limit
        wrong_sign = other.max(initial=wrong_sign)
    violation = float((other - slack).max(initial=wrong_sign))
    parts = np.concatenate([best, proposal])
    with np.errstate(over="ignore", invalid="ignore"):
        value, noise = float(parts.sum()), EPSILON * float(np.abs(parts).sum())
    if not np.isfinite(value):
        value = -np.inf
    return Bound(value, max(violation, 0.0), float(np.abs(parts).max(initial=0.0)), noise, best)


def _minima(cost: Cost, duals: np.ndarray, every_pair: bool) -> np.ndarray:
    """The minima that duals of the longer side leave to the shorter."""
    n, m = cost.shape
    return row_minima(cost, duals, every_pair) if n <= m else column_minima(cost, duals, every_pair)


def _certify_matching(
    problem: Assignment, result: Matching, known: float, tolerance: float, every_pair: bool
) -> Certificate:
    fault, row_to_col = _matching_fault(problem, result.row_to_col)
    if fault is not None:
        return invalid(fault, known)
    rows = np.flatnonzero(row_to_col >= 0)
    cols = row_to_col[rows]
    entries = problem.cost.entries(rows, cols)
    if not np.isfinite(entries).all():
        at = int(np.argmax(~np.isfinite(entries)))
        return invalid(f"row {rows[at]} is matched to column {cols[at]}, a forbidden pair", known)
    stated, total, size = number(result.cost), float(entries.sum()), float(np.abs(entries).sum())
    if not abs(stated - total) <= 1e-6 * size:
        return invalid(f"states a cost of {result.cost!r}, but its matching costs {total:.12g}", known, total)

    # What is minimised: the negative of a cost that is maximised, less the limit.
    sign = -1.0 if problem.maximize else 1.0
    problem = problem.minimizing
    offset = problem.limit or 0.0
    chosen = sign * entries - offset
    cost = float(chosen.sum())
    size = min(size, float(np.abs(chosen).sum()))
    largest = float(np.abs([*problem.cost.span(), offset]).max())
    biggest_chosen = float(np.abs([*entries, *chosen]).max(initial=0.0))

    def allowance(scale: float) -> float:
        return tolerance * size + rounding(min(problem.shape), min(largest, max(scale, biggest_chosen)))

    def proven(bound: Bound) -> bool:
        return cost - bound.value <= allowance(bound.scale)

    bound, violation, allowed = sign * known, np.nan, allowance(largest)
    if result.u is not None or result.v is not None:
        u, fault = vector("dual u", result.u, problem.shape[0])
        v, fault_of_v = vector("dual v", result.v, problem.shape[1])
        if u is None or v is None:
            return invalid(fault or fault_of_v, known, sign * cost)
        own = dual_bound(problem, sign * u, sign * v, every_pair)
        violation = own.violation
        if cost - bound > allowed and cost - own.value <= NOISE * size + allowed:
            own = _sweep(problem, rows, cols, chosen, own, proven, every_pair)
        # Duals beyond the costs by orders of magnitude would prove anything by rounding alone; they prove nothing.
        if own.noise <= allowance(largest) and own.value >= bound:
            bound, allowed = own.value, allowance(own.scale)
    excess = cost - bound
    optimal = bool(excess <= allowed)
    return Certificate(True, sign * cost, sign * bound, relative(excess, cost), violation, optimal)


def _sweep(
    problem: Assignment,
    rows: np.ndarray,
    cols: np.ndarray,
    chosen: np.ndarray,
    bound: Bound,
    proven: Callable[[Bound], bool],
    every_pair: bool,
) -> Bound:
    """The best bound from duals made tight on the matching (rows, cols), in sweeps of Bellman and Ford.

    Potentials that make an optimal matching tight exist, so sweeps take the rounding out of its duals, be it that of
    float32 or of large prices that cancelled. On a matching that is not optimal they lead nowhere, and prove nothing.
    """
    n, m = problem.shape
    best = bound
    for _ in range(SWEEPS):
        if proven(best):
            break
        u, v = np.zeros(n), np.zeros(m)
        if n <= m:
            u, v[cols] = bound.minima, chosen - bound.minima[rows]
        else:
            v, u[rows] = bound.minima, chosen - bound.minima[cols]
        bound = dual_bound(problem, u, v, every_pair)
        best = max(best, bound, key=lambda candidate: candidate.value)
    return best


def _matching_fault(problem: Assignment, answer: object) -> tuple[str | None, np.ndarray]:
    """What stops `answer` from being a complete matching, and the answer as intp."""
    n, m = problem.shape
    row_to_col = _array(answer)
    if row_to_col.shape != (n,):
        return f"row_to_col has shape {row_to_col.shape}, not ({n},)", row_to_col
    if row_to_col.dtype.kind not in "iu":
        return f"row_to_col holds {row_to_col.dtype}, not integers", row_to_col
    outside = (row_to_col < -1) | (row_to_col >= m)
    if outside.any():
        i = int(np.argmax(outside))
        return f"row {i} is matched to column {row_to_col[i]}, of {m} columns", row_to_col
    row_to_col = row_to_col.astype(np.intp)
    taken = row_to_col[row_to_col >= 0]
    count = np.bincount(taken, minlength=m)
    if count.max(initial=0) > 1:
        j = int(np.argmax(count))
        return f"not a permutation: column {j} is matched to {count[j]} rows", row_to_col
    if len(taken) < min(n, m) and problem.limit is None:
        return f"{len(taken)} rows are matched, not {min(n, m)}", row_to_col
    return None, row_to_col


def _array(answer: object) -> np.ndarray:
    """Whatever a solver answered as an array; one without a shape to match where it is none."""
    try:
        return np.asarray(answer)
    except (TypeError, ValueError):
        return np.empty((0, 0, 0))


def vector(name: str, answer: object, size: int) -> tuple[np.ndarray | None, str]:
    """A solver's duals or potentials as (size,) finite float64, or None and what is wrong with them."""
    if answer is None:
        return None, f"the {name} is missing"
    vector = _array(answer)
    if vector.shape != (size,) or vector.dtype.kind not in "fiu":
        return None, f"the {name} has shape {vector.shape} and dtype {vector.dtype}, not ({size},) float64"
    vector = np.ascontiguousarray(vector, dtype=np.float64)
    if not np.isfinite(vector).all():
        at = int(np.argmax(~np.isfinite(vector)))
        return None, f"the {name} is {vector[at]} at [{at}]"
    return vector, ""


def number(answer: object) -> float:
    """Whatever a solver stated as a float; NaN where it is no number."""
    return float(answer) if isinstance(answer, Real) else np.nan


def rounding(count: float, scale: float) -> float:
    """What float64 rounding alone can open between a cost and its bound: each dual is a difference of such numbers."""
    return 16 * EPSILON * count * scale


def relative(excess: float, cost: float) -> float:
    if excess == 0:
        return 0.0
    return float(excess / abs(cost)) if cost else float(np.copysign(np.inf, excess))


def invalid(fault: str, known: float, cost: float = np.nan) -> Certificate:
    return Certificate(False, cost, known, np.inf, np.nan, False, fault)
