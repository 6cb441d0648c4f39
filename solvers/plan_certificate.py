"""The verdict on a transport plan, the counterpart of what `solvers.certificate` does for a matching."""

from __future__ import annotations

import numpy as np
import scipy.sparse

from .certificate import Certificate, invalid, number, relative, rounding, vector
from .minima import fitted
from .problem import Transport
from .result import Plan
from .validation import place


def certify_plan(problem: Transport, plan: Plan, known: float, tolerance: float) -> Certificate:
    """Judge a plan: its marginals, its cost and, where it is balanced, its dual bound; see `certify`."""
    a, b = problem.a, problem.b
    assert a is not None
    assert b is not None
    f, fault_of_f = vector("potential f", plan.f, len(a))
    g, fault_of_g = vector("potential g", plan.g, len(b))
    if plan.mass is not None:
        fault = _mass_fault(problem, plan.mass)
    elif problem.epsilon == 0:
        fault = "gives potentials only, of a problem without blur"
    else:
        fault = fault_of_f or fault_of_g
    if fault:
        return invalid(fault, known)

    rows, cols, cost = _moved(problem, plan.mass) if plan.mass is not None else _spread(problem, f, g)
    if not np.isfinite(cost):
        return invalid("moves mass between a forbidden pair, or an infinite mass", known, cost)
    error = problem.marginal_error(rows, cols)
    if problem.reach is None and not error <= 2 * number(plan.marginal_error) + 1e-6:
        return invalid(f"states a marginal error of {plan.marginal_error!r}, but has {error:.3g}", known, cost)
    stated = number(plan.cost)
    largest = float(np.abs([*problem.cost.span(), 0.0]).max())
    # Costs of both signs may cancel.
    if not abs(stated - cost) <= 1e-6 * max(abs(stated), abs(cost)) + rounding(float(a.sum()), largest):
        return invalid(f"states a cost of {plan.cost!r}, but its plan costs {cost:.12g}", known, cost)

    bound, allowed = known, tolerance * abs(cost)
    if f is not None and g is not None and problem.reach is None:
        duals = fitted(problem.cost, f, g, problem.surplus)
        bound = max(bound, float(duals[0] @ a + duals[1] @ b))
        allowed += rounding(float(a.sum()), min(largest, float(np.abs(np.concatenate(duals)).max())))
    excess = cost - bound
    # A plan that misses its marginals may cost less than any that meets them, and is no optimum for that.
    optimal = bool(error <= tolerance and excess <= allowed)
    return Certificate(True, cost, bound, relative(excess, cost), np.nan, optimal)


Marginals = tuple[np.ndarray, np.ndarray, float]


def _moved(problem: Transport, mass: scipy.sparse.csr_array) -> Marginals:
    """Sums of rows and columns and the cost of a sparse plan."""
    moved = scipy.sparse.coo_array(mass)
    rows, cols = moved.coords
    some = moved.data > 0
    entries = problem.cost.entries(rows[some], cols[some])
    n, m = problem.shape
    with np.errstate(over="ignore"):
        cost = float(moved.data[some] @ entries)
    return np.bincount(rows, moved.data, n), np.bincount(cols, moved.data, m), cost


def _spread(problem: Transport, f: np.ndarray | None, g: np.ndarray | None) -> Marginals:
    """The same for the plan that potentials stand for."""
    assert f is not None
    assert g is not None
    a, b = problem.a, problem.b
    assert a is not None
    assert b is not None
    rows, cols, cost = np.zeros(len(a)), np.zeros(len(b)), 0.0
    for start, block in problem.cost.blocks():
        stop = start + len(block)
        with np.errstate(over="ignore", invalid="ignore"):
            mass = a[start:stop, None] * b * np.exp((f[start:stop, None] + g - block) / problem.epsilon)
            cost += float(np.where(mass > 0, mass * block, 0.0).sum())
        rows[start:stop] = mass.sum(axis=1)
        cols += mass.sum(axis=0)
    return rows, cols, cost


def _mass_fault(problem: Transport, mass: scipy.sparse.csr_array) -> str:
    if not scipy.sparse.issparse(mass) or mass.shape != problem.shape:
        return f"the plan is no sparse array of shape {problem.shape}"
    moved = scipy.sparse.coo_array(mass)
    bad = ~(np.isfinite(moved.data) & (moved.data >= 0))
    if bad.any():
        k = int(np.argmax(bad))
        return f"moves a mass of {moved.data[k]} at {place(tuple(axis[k] for axis in moved.coords))}"
    return ""
