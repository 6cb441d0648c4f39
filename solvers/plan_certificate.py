"""The verdict on a transport plan, the counterpart of what `solvers.certificate` does for a matching.

Solvers differ in what they call ε, a cost or an error. So all of it is taken from the plan, or from the potentials that
stand for one: its marginals, its cost, what a feasible plan made of it costs, and what its potentials prove
(`solvers.plan_bounds`). What the solver states is held against that, and used for nothing else.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import scipy.sparse

from .certificate import Certificate, invalid, number, relative, rounding, vector
from .plan_bounds import MET, Scaled, convergence, dual_bounds, penalised, rounded
from .problem import Transport
from .rerouting import rerouted
from .result import Plan
from .spread import Sums, gathered, masses_of, spread
from .validation import place


def certify_plan(problem: Transport, plan: Plan, known: float, tolerance: float) -> Certificate:
    """Judge a plan: its marginals, its cost, and its distance from the optimum; see `certify`."""
    n, m = problem.shape
    f, fault_of_f = vector("potential f", plan.f, n)
    g, fault_of_g = vector("potential g", plan.g, m)
    fault: str | None
    if plan.mass is not None:
        fault = _mass_fault(problem, plan.mass)
    elif problem.epsilon == 0:
        fault = "gives potentials only, of a problem without blur"
    else:
        fault = fault_of_f or fault_of_g
    if fault:
        return invalid(fault, known)

    sums, scaled = _sums(problem, plan.mass, f, g)
    errors = _errors(problem, sums, f, g)
    if fault := _misstatement(problem, plan, sums, errors):
        return invalid(fault, known, sums.cost)

    near, above, feasible, missed = None, None, sums.cost, 0.0
    if problem.reach is not None:
        feasible = penalised(problem, sums)
    elif (missed := max(errors)) > MET:
        near = rounded(problem, sums, scaled)
        if plan.mass is None and problem.cost.forbids and not np.isfinite(near.cost):
            assert f is not None
            assert g is not None
            cost, above = rerouted(problem, f, g)
            near = dataclasses.replace(near, cost=cost)
        # Masses in float64 cannot always be met to the last digit where pairs are forbidden.
        feasible = near.cost if np.isfinite(near.cost) or missed > tolerance else sums.cost

    bound, rounded_off, entropic = known, 0.0, np.nan
    if f is not None and g is not None:
        largest = float(np.abs([*problem.cost.span(), 0.0]).max())
        total = max(float(masses.sum()) for masses in masses_of(problem))
        for own in dual_bounds(problem, f, g):
            # Duals beyond the costs by orders of magnitude would prove anything by rounding alone; they prove nothing.
            if own.value > bound and own.noise <= tolerance * abs(feasible) + rounding(total, largest):
                bound, rounded_off = own.value, rounding(total, min(largest, own.scale))
            if feasible - bound <= tolerance * abs(feasible) + rounded_off:
                break
        if plan.mass is None:
            entropic = convergence(problem, sums, f, g, near, above)
    excess = feasible - bound
    # A plan that misses its marginals is an optimum only in so far as it needs no rounding.
    optimal = missed <= tolerance and excess <= tolerance * abs(feasible) + rounded_off
    return Certificate(
        valid=True,
        cost=sums.cost,
        dual_bound=bound,
        gap=relative(excess, feasible) if np.isfinite(feasible) else np.inf,
        max_violation=np.nan,
        optimal=bool(optimal),
        feasible_cost=feasible,
        row_error=errors[0],
        column_error=errors[1],
        entropic_gap=entropic,
    )


def _misstatement(problem: Transport, plan: Plan, sums: Sums, errors: tuple[float, float]) -> str | None:
    """What the plan says of itself and is not so."""
    if not sums.finite:
        return "moves mass between a forbidden pair, or an infinite mass"
    found = max(errors)
    if not np.isfinite(found) and not np.isnan(found):
        return "its potentials ask for an infinite mass"
    stated = _stated(plan, plan.marginal_error, found)
    if not np.isnan(found) and not found <= 2 * stated + 1e-6:
        return f"states a marginal error of {plan.marginal_error!r}, but has {found:.3g}"
    stated = _stated(plan, plan.cost, sums.cost)
    # Costs of both signs may cancel; that of a blurred plan is of the order of ε where all else vanishes.
    moved = float(sums.rows.sum())
    digits = rounding(moved, float(np.abs(problem.cost.span()).max()))
    digits += 1e-5 * problem.epsilon * moved if plan.mass is None else 0.0
    if not abs(stated - sums.cost) <= 1e-6 * max(abs(stated), abs(sums.cost)) + digits:
        return f"states a cost of {plan.cost!r}, but its plan costs {sums.cost:.12g}"
    return None


def _stated(plan: Plan, answer: object, found: float) -> float:
    """What a plan states, NaN where it is no number; what was found where potentials come without a word."""
    silent = plan.mass is None and isinstance(answer, float) and np.isnan(answer)
    return found if silent else number(answer)


def _sums(
    problem: Transport, mass: scipy.sparse.csr_array | None, f: np.ndarray | None, g: np.ndarray | None
) -> tuple[Sums, Scaled]:
    """The sums of a plan, and how to get those of the plan with its rows and columns scaled."""
    if mass is None:
        assert f is not None
        assert g is not None
        epsilon = problem.epsilon
        return spread(problem, f, g), lambda x, y: spread(problem, f + epsilon * np.log(x), g + epsilon * np.log(y))
    moved = scipy.sparse.coo_array(mass)
    rows, cols = moved.coords

    def scaled(x: np.ndarray, y: np.ndarray) -> Sums:
        data = moved.data * x[rows] * y[cols]
        return gathered(problem.cost, scipy.sparse.coo_array((data, (rows, cols)), shape=moved.shape))

    return gathered(problem.cost, moved), scaled


def _errors(problem: Transport, sums: Sums, f: np.ndarray | None, g: np.ndarray | None) -> tuple[float, float]:
    """L1 errors of rows and columns, relative to the mass; NaN where nothing says what they should be.

    Of the side that has a surplus only what is above its masses counts.
    """
    surplus, least, errors = problem.surplus, min(float(masses.sum()) for masses in masses_of(problem)), []
    for masses, moved, potential, keeps in zip(
        masses_of(problem), (sums.rows, sums.cols), (f, g), (surplus > 0, surplus < 0), strict=True
    ):
        if problem.reach is None:
            over, total = moved - masses, least
        else:
            with np.errstate(over="ignore"):
                asked = np.nan if potential is None else masses * np.exp(-potential / problem.rho)
            over, total = moved - asked, float(np.fmax(masses.sum(), np.sum(asked)))
        errors.append(float((np.maximum(over, 0.0) if keeps else np.abs(over)).sum() / total))
    return errors[0], errors[1]


def _mass_fault(problem: Transport, mass: scipy.sparse.csr_array) -> str:
    if not scipy.sparse.issparse(mass) or mass.shape != problem.shape:
        return f"the plan is no sparse array of shape {problem.shape}"
    moved = scipy.sparse.coo_array(mass)
    bad = ~(np.isfinite(moved.data) & (moved.data >= 0))
    if bad.any():
        k = int(np.argmax(bad))
        return f"moves a mass of {moved.data[k]} at {place(tuple(axis[k] for axis in moved.coords))}"
    return ""
