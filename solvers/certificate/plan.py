"""The certificate of a transport plan.

Solvers differ in their definitions of ε, cost and error. So everything is computed from the plan, or from the
potentials that stand for one: its marginals, its cost, the cost of a feasible plan near it, and the bound that its
potentials prove. The solver's own statements are only compared with that.

A plan that meets its marginals is proven by complementary slackness, for the marginals that it has. Any other plan is
rounded first, and compared with the bounds of `plan_bounds`.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import scipy.sparse

from lapmark.solvers.costs.exact_sums import sum_down, sum_up
from lapmark.solvers.errors import place
from lapmark.solvers.problem import Transport
from lapmark.solvers.result import Plan

from .certificate import Certificate, invalid, number, relative, vector
from .complementary_slackness import Claim, tightened
from .feasible_duals import Potentials, Terms
from .flow_rounding import rerouted
from .plan_bounds import MET, Rounded, Scaled, convergence, dual_bounds, penalised, rounded
from .plan_marginals import Sums, gathered, spread

#: Solves the problem to find duals.
Search = Callable[[Transport], Plan]


def certify_plan(
    problem: Transport, plan: Plan, known: float, tolerance: float, every_pair: bool, search: Search | None
) -> Certificate:
    """Return the certificate of a plan; parameters as in `certify`, with a solver for `search`."""
    n, m = problem.shape
    f, fault_of_f = vector("potential f", plan.f, n)
    g, fault_of_g = vector("potential g", plan.g, m)
    fault: str | None
    if plan.mass is not None:
        fault = _mass_fault(problem, plan.mass)
    elif problem.epsilon == 0:
        fault = "has only potentials, but without a blur a plan needs its masses"
    else:
        fault = fault_of_f or fault_of_g
    if fault:
        return invalid(fault, known)

    sums, scaled = _sums(problem, plan.mass, f, g)
    errors = _errors(problem, sums, f, g)
    if fault := _misstatement(problem, plan, sums, errors):
        return invalid(fault, known, sums.cost)

    near, above, feasible = None, None, sums.cost
    if problem.reach is not None:
        feasible = penalised(problem, sums)
    elif max(errors) > MET + _imbalance(problem):
        near = rounded(problem, sums, scaled)
        if plan.mass is None and problem.cost.forbids and not np.isfinite(near.cost):
            assert f is not None
            assert g is not None
            cost, above = rerouted(problem, f, g)
            near = replace(near, cost=cost)
        # With forbidden pairs, masses in float64 cannot always be met to the last digit.
        feasible = near.cost if np.isfinite(near.cost) or max(errors) > tolerance else sums.cost
    found = Certificate(
        valid=True,
        cost=sums.cost,
        dual_bound=known,
        gap=np.inf,
        max_violation=np.nan,
        optimal=False,
        feasible_cost=feasible,
        row_error=errors[0],
        column_error=errors[1],
    )
    if plan.mass is not None and problem.reach is None and max(errors) <= tolerance + _imbalance(problem):
        return _proven_by_slackness(found, problem, plan.mass, f, g, tolerance, every_pair, search)
    return _proven_by_bound(found, problem, plan, sums, near, above, f, g, tolerance)


def _imbalance(problem: Transport) -> float:
    """Return the difference of the two sums as a marginal error, which no plan can avoid."""
    a, b = (float(masses.sum()) for masses in problem.masses)
    return 0.0 if problem.surplus else abs(a - b) / min(a, b)


def _proven_by_slackness(
    found: Certificate,
    problem: Transport,
    mass: scipy.sparse.csr_array,
    f: np.ndarray | None,
    g: np.ndarray | None,
    tolerance: float,
    every_pair: bool,
    search: Search | None,
) -> Certificate:
    """Return the certificate of a plan for the marginals that it has."""
    claim, used = claim_of(problem, mass, every_pair)
    excess = sum_up(*claim.paid, np.array([-found.dual_bound]))
    own = None if f is None or g is None else (f[used[0]], g[used[1]])
    given = None if own is None else claim.terms.given(*own)
    for potentials in _potentials(claim, problem, used, own, given, search):
        excess = min(excess, claim.excess(potentials))
        if claim.is_proven(excess, tolerance):
            break
    optimal = claim.is_proven(excess, tolerance)
    # The cost of rounding the plan counts in the gap, but not for the proof.
    price = max(found.feasible_cost - found.cost, 0.0)
    return replace(
        found,
        dual_bound=max(found.dual_bound, sum_down(*claim.paid, np.array([-excess, -claim.lost]))),
        gap=relative(excess + price, found.feasible_cost),
        max_violation=np.nan if own is None or given is None else claim.terms.violation(*own, given),
        optimal=optimal,
        exactly_optimal=optimal and claim.is_exact(excess),
        scope=np.nan if excess <= 0 else claim.scope,
    )


def claim_of(
    problem: Transport, mass: scipy.sparse.csr_array, every_pair: bool = False
) -> tuple[Claim, tuple[np.ndarray, np.ndarray]]:
    """Return the claim of a plan among the rows and columns with mass, and their indices."""
    moved = scipy.sparse.coo_array(mass)
    some = moved.data > 0
    sides = [axis[some] for axis in moved.coords]
    data = moved.data[some].astype(np.float64)
    kept, used = [], []
    for side, masses, keeps in zip(sides, problem.masses, (problem.surplus > 0, problem.surplus < 0), strict=True):
        left = masses - np.bincount(side, data, len(masses))
        kept.append(np.where(left > MET * masses, left, 0.0) if keeps else np.zeros(len(masses)))
        used.append(np.flatnonzero((masses > 0) | (np.bincount(side, minlength=len(masses)) > 0)))
    # Rows and columns without mass put no constraint on the duals.
    rows, columns = (np.searchsorted(each, side) for each, side in zip(used, sides, strict=True))
    kept_rows, kept_columns = (each[some] for each, some in zip(kept, used, strict=True))
    terms = replace(Terms.of(problem, every_pair), cost=problem.cost.part(*used))
    return Claim(terms, rows, columns, data, kept_rows, kept_columns), (used[0], used[1])


def _potentials(
    claim: Claim,
    problem: Transport,
    used: tuple[np.ndarray, np.ndarray],
    own: tuple[np.ndarray, np.ndarray] | None,
    given: Potentials | None,
    search: Search | None,
) -> Iterator[Potentials]:
    """Yield duals that may prove the plan, its own and others, the cheapest to compute first."""
    if own is not None and given is not None:
        yield from _from_both_sides(claim, given, own)
    yield from _from_both_sides(claim, claim.terms.from_minima)
    if search is not None:
        try:
            answer = search(replace(problem, blur=0.0))
        except ValueError:
            return  # no answer, although there is one: the costs have changed
        f, g = answer.duals
        found = f[used[0]], g[used[1]]
        yield from _from_both_sides(claim, claim.terms.given(*found), found)


def _from_both_sides(
    claim: Claim, given: Potentials, duals: tuple[np.ndarray, np.ndarray] | None = None
) -> Iterator[Potentials]:
    """Yield duals that follow from one side, `given`, and from its result; the same for the other side of `duals`.

    Then yield all of them made tight.
    """
    terms = claim.terms
    by_columns = terms.from_which == "columns"

    def left_by(p: Potentials, columns: bool) -> Potentials:
        return terms.given_rows(p.f, p.f_rest) if columns else terms.given_columns(p.g, p.g_rest)

    tried = [given]
    yield given
    tried.append(left_by(given, by_columns))
    yield tried[-1]
    if duals is not None:
        tried.append(terms.given_rows(duals[0]) if by_columns else terms.given_columns(duals[1]))
        yield tried[-1]
        tried.append(left_by(tried[-1], not by_columns))
        yield tried[-1]
    for each in sorted(tried, key=claim.excess):
        yield from tightened(claim, each)


def _proven_by_bound(
    found: Certificate,
    problem: Transport,
    plan: Plan,
    sums: Sums,
    near: Rounded | None,
    above: float | None,
    f: np.ndarray | None,
    g: np.ndarray | None,
    tolerance: float,
) -> Certificate:
    """Return the certificate of potentials, or of a plan that misses its marginals or need not meet any."""
    feasible, bound, entropic = found.feasible_cost, found.dual_bound, np.nan
    if f is not None and g is not None:
        for own in dual_bounds(problem, f, g):
            bound = max(bound, own)
            if feasible - bound <= tolerance * abs(feasible):
                break
        if plan.mass is None:
            entropic = convergence(problem, sums, f, g, near, above)
    excess = feasible - bound
    return replace(
        found,
        dual_bound=bound,
        gap=relative(excess, feasible) if np.isfinite(feasible) else np.inf,
        # A plan that misses its marginals is not optimal.
        optimal=bool(near is None and excess <= tolerance * abs(feasible)),
        entropic_gap=entropic,
    )


def _misstatement(problem: Transport, plan: Plan, sums: Sums, errors: tuple[float, float]) -> str | None:
    """Return which statement of the plan about itself is wrong, or None."""
    if not sums.finite:
        return "moves mass along a forbidden pair, or an infinite mass"
    found = max(errors)
    if not np.isfinite(found) and not np.isnan(found):
        return "its potentials imply an infinite mass"
    stated = _stated(plan, plan.marginal_error, found)
    if not np.isnan(found) and not found <= 2 * stated + 1e-6:
        return f"states a marginal error of {plan.marginal_error!r}, but has {found:.3g}"
    stated = _stated(plan, plan.cost, sums.cost)
    # Costs of both signs may cancel; the cost of an entropic plan has an error of the order of ε.
    digits = 1e-5 * problem.epsilon * float(sums.rows.sum()) if plan.mass is None else 0.0
    if not abs(stated - sums.cost) <= 1e-6 * sums.size + digits:
        return f"states a cost of {plan.cost!r}, but its plan costs {sums.cost:.12g}"
    return None


def _stated(plan: Plan, answer: object, found: float) -> float:
    """Return what a plan states, NaN unless it is a number; potentials may state NaN, which counts as `found`."""
    silent = plan.mass is None and isinstance(answer, float) and np.isnan(answer)
    return found if silent else number(answer)


def _sums(
    problem: Transport, mass: scipy.sparse.csr_array | None, f: np.ndarray | None, g: np.ndarray | None
) -> tuple[Sums, Scaled]:
    """Return the sums of a plan, and a function for those of the plan with scaled rows and columns."""
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
    """Return the L1 errors of rows and columns, relative to the mass; NaN if nothing defines the right sums.

    On a side with a surplus only what exceeds its masses counts.
    """
    surplus, least, errors = problem.surplus, min(float(masses.sum()) for masses in problem.masses), []
    for masses, moved, potential, keeps in zip(
        problem.masses, (sums.rows, sums.cols), (f, g), (surplus > 0, surplus < 0), strict=True
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
        return f"the plan is not a sparse array of shape {problem.shape}"
    moved = scipy.sparse.coo_array(mass)
    bad = ~(np.isfinite(moved.data) & (moved.data >= 0))
    if bad.any():
        k = int(np.argmax(bad))
        return f"moves a mass of {moved.data[k]} at {place(tuple(axis[k] for axis in moved.coords))}"
    return ""
