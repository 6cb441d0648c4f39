"""Checks for every solver of transport problems, the counterpart of `assignment_checks`.

An exact solver gets problems without a blur and must meet the optimum. Any other gets a blur, and must keep what the
certificate proves of its answer, the same for all:

- It meets its marginals to 1e-2 of the mass, and as well as it states.
- With δ the entropic gap of its potentials and H the smaller entropy of the two masses, the cost of its plan, rounded,
  lies between the optimum and (optimum + ε H) / (1 − δ): entropy raises the cost by at most that. This needs costs
  ≥ 0; otherwise only the lower end is checked. A plan that is given by its masses, such as one of a low rank, may be
  any: it does not claim to answer the entropic problem.

The inputs are small: this is no benchmark.
"""

import dataclasses
import functools

import numpy as np

from lapmark.solvers.certificate import Certificate
from lapmark.solvers.certify import certify
from lapmark.solvers.costs import DenseCost, GridCost, PointCost
from lapmark.solvers.problem import Transport
from lapmark.solvers.registry import Solver
from lapmark.solvers.result import Plan

from . import checks
from .checks import Broken, Verdict, answer_of, each_case, fail_on, named, skip
from .transport_cases import TRANSPORT_CASES, TransportCase, masses

_transport = functools.partial(named, kind=Transport)

#: Largest marginal error of an approximate plan, relative to the mass.
MARGINAL_ERROR = 1e-2

#: Largest error of an exact plan, relative to the mass for its marginals and to the optimum for its cost; the cost may
#: also be off by ROUNDING times the largest cost of all the mass.
EXACT, ROUNDING = 1e-9, 1e-12


def _valid(case: TransportCase, plan: Plan) -> Certificate:
    certificate = certify(case.problem, plan)
    if not certificate.valid:
        raise Broken(f"{case}\nthe plan is invalid: {certificate.fault}")
    return certificate


def _judge(solver: Solver, case: TransportCase, plan: Plan) -> None:
    certificate = _valid(case, plan)
    allowed = EXACT * abs(case.optimum) + ROUNDING * case.largest
    if certificate.dual_bound > case.optimum + allowed:
        raise AssertionError(f"{case}\nthe optimum, {case.optimum!r}, is below a bound: the check is wrong")
    promised = EXACT if solver.capabilities.exact else MARGINAL_ERROR
    if not certificate.marginal_error <= promised:
        raise Broken(f"{case}\nthe plan misses its marginals by {certificate.marginal_error:.3g} of the mass")
    cost = certificate.feasible_cost
    if cost < case.optimum - allowed:
        raise AssertionError(f"{case}\na feasible plan is below the optimum, {case.optimum!r}: the check is wrong")
    if solver.capabilities.exact:
        if cost > case.optimum + allowed:
            raise Broken(f"{case}\nthe plan costs {cost:.12g}, the optimum is {case.optimum:.12g}")
    elif plan.mass is None and case.problem.cost.span()[0] >= 0:
        delta = certificate.entropic_gap
        if not delta < 1:
            raise Broken(f"{case}\nits potentials prove nothing for the entropic problem: the gap is {delta:.3g}")
        dearest = (case.optimum + case.problem.epsilon * _entropy(case.problem)) / (1 - delta)
        if cost > dearest + allowed:
            raise Broken(f"{case}\nthe plan costs {cost:.9g}; with this blur that is at most {dearest:.9g}")


def _entropy(problem: Transport) -> float:
    """Return the smaller entropy of the two masses, times the mass: an upper bound on the information of a plan."""
    total = float(problem.masses[0].sum())
    shares = (each[each > 0] / total for each in problem.masses)
    return total * min(float(-(share @ np.log(share))) for share in shares)


def _known(name: str, solver: Solver) -> Verdict:
    """Check that every case of a list is answered with a plan of the right cost."""
    return each_case(solver, TRANSPORT_CASES[name](), lambda case, plan: _judge(solver, case, plan))


for _name in TRANSPORT_CASES:
    _transport(_name)(functools.partial(_known, _name))


@_transport("transport-duals")
def _duals(solver: Solver) -> Verdict:
    """Check that potentials are float64 and finite, and prove an exact plan optimal, or any other nearly converged."""

    def judge(case: TransportCase, plan: Plan) -> None:
        if not solver.capabilities.exact and plan.mass is not None:
            return
        for name, potential in (("f", plan.f), ("g", plan.g)):
            if potential is None or potential.dtype != np.float64:
                raise Broken(f"{case}\nthe potential {name} is {'missing' if potential is None else potential.dtype}")
        certificate = _valid(case, plan)
        if solver.capabilities.exact:
            _prove(case, plan, certificate)
        if not solver.capabilities.exact and not certificate.entropic_gap < 0.5:
            raise Broken(f"{case}\nits potentials leave a gap of {certificate.entropic_gap:.3g} to the blurred problem")

    if solver.capabilities.exact and not solver.capabilities.duals:
        return skip("claims no duals")
    lists = ("transport-line", "transport-grid", "transport-zero-masses")
    cases = [case for name in lists for case in TRANSPORT_CASES[name]()]
    return each_case(solver, cases, judge)


def _prove(case: TransportCase, plan: Plan, certificate: Certificate) -> None:
    """Check that duals are feasible and that their value is the cost of the plan, up to rounding."""
    a, b = case.problem.masses
    assert plan.f is not None
    assert plan.g is not None
    value = float(plan.f @ a + plan.g @ b)
    size = float(np.abs(plan.f) @ a + np.abs(plan.g) @ b)
    if not abs(value - plan.cost) <= 1e-12 * size:
        raise Broken(f"{case}\nthe value of its duals is {value:.12g}, but the plan costs {plan.cost:.12g}")
    if not certificate.max_violation * min(a.sum(), b.sum()) <= 1e-12 * size:
        raise Broken(f"{case}\nits duals exceed a cost by {certificate.max_violation:.3g}")


# Gaussians. The grids are so fine that sums over them equal integrals to many digits.


def _gaussians(d: int, blur: float) -> tuple[TransportCase, float]:
    """Return two Gaussians on grids with their Bures distance, and the cost of the blurred plan.

    H. Janati, B. Muzellec, G. Peyré, M. Cuturi, NeurIPS 2020, theorem 1: with ε = 2σ² and, an axis at a time,
    D = √(4 s² t² + σ⁴), the optimal plan has the covariance (D − σ²) / 2.
    """
    apart, s, t = 0.5, (1.0, 0.6)[:d], (0.5, 1.2)[:d]
    ticks = [np.linspace(-4.5 * max(each), 4.5 * max(each), 41 if d == 1 else 19) for each in zip(s, t, strict=True)]
    grid = np.stack([axis.ravel() for axis in np.meshgrid(*ticks)], axis=1)
    a, b = (np.exp(-np.square(grid / width).sum(axis=1) / 2) for width in (s, t))
    problem = Transport(PointCost(grid, grid + apart), a / a.sum(), b / b.sum(), blur=blur)
    half, exact, blurred = problem.epsilon / 2, 0.0, 0.0
    for u, v in zip(s, t, strict=True):
        exact += apart**2 + (u - v) ** 2
        blurred += apart**2 + u**2 + v**2 - (np.sqrt(4 * u**2 * v**2 + half**2) - half)
    return TransportCase(f"Gaussians in {d} dimensions, blur {blur:g}", problem, exact), blurred


@_transport("transport-gaussians")
def _between_gaussians(solver: Solver) -> Verdict:
    """Check the Bures distance for an exact solver, up to the size of a grid cell, and its blurred form for others."""

    def judge(case: TransportCase, plan: Plan) -> None:
        certificate = _valid(case, plan)
        if not solver.capabilities.exact and plan.mass is not None:
            return
        known = case.optimum if solver.capabilities.exact else blurred[case.label]
        # Half a cell's diagonal on either side; a plan that misses its marginals can be off by that share of the span.
        cost = case.problem.cost
        assert isinstance(cost, PointCost)
        cell = float(np.diff(np.unique(cost.x, axis=0), axis=0).max()) if solver.capabilities.exact else 0.0
        allowed = 2 * cell * known**0.5 + cell**2
        allowed += (certificate.marginal_error + 1e-4) * 10 * known
        if not abs(certificate.cost - known) <= allowed:
            raise Broken(f"{case}\nthe plan costs {certificate.cost:.6g}, the closed form is {known:.6g}")

    cases = [_gaussians(d, blur) for d, blur in ((1, 1.0), (1, 0.7), (2, 1.0))]
    blurred = {case.label: cost for case, cost in cases}
    return each_case(solver, [case for case, _ in cases], judge)


# A reach.


@_transport("transport-reach")
def _one_to_one(solver: Solver) -> Verdict:
    """Check unbalanced transport from one point to another: π^(2ρ + ε) = (ab)^(ρ + ε) exp(−c)."""

    def judge(case: TransportCase, plan: Plan) -> None:
        certificate = _valid(case, plan)
        problem, ((a,), (b,)) = case.problem, case.problem.masses
        (cost,), rho, epsilon = problem.cost.dense()[0], problem.rho, problem.epsilon
        moved = ((rho + epsilon) * np.log(a * b) - cost) / (2 * rho + epsilon)
        if not abs(certificate.cost - cost * np.exp(moved)) <= MARGINAL_ERROR * cost * np.exp(moved):
            raise Broken(f"{case}\nthe plan moves {certificate.cost / cost:.9g}, not {np.exp(moved):.9g}")

    cases = [
        TransportCase(f"reach {reach:g}, masses {a[0]:g} and {b[0]:g}", Transport(cost, a, b, 0.3, reach), np.nan)
        for cost in (PointCost(np.zeros((1, 2)), np.array([[0.6, 0.8]])), DenseCost(np.array([[0.25]])))
        for reach in (0.5, 1.0, 20.0)
        for a, b in np.array([[[1.0], [1.0]], [[0.5], [3.0]]])
    ]
    return each_case(solver, cases, judge)


@_transport("transport-great-reach")
def _great_reach(solver: Solver) -> Verdict:
    """Check that a reach far beyond all points gives the same as no reach."""

    def judge(case: TransportCase, plan: Plan) -> None:
        certificate = _valid(case, plan)
        balanced = certify(case.problem, answer_of(solver, dataclasses.replace(case.problem, reach=None)))
        if not abs(certificate.cost - balanced.cost) <= 2e-2 * balanced.cost:
            raise Broken(f"{case}\nthe plan costs {certificate.cost:.6g}, {balanced.cost:.6g} without a reach")
        if not certificate.marginal_error <= MARGINAL_ERROR:
            raise Broken(f"{case}\nthe potentials are off by {certificate.marginal_error:.3g} of the mass")

    return each_case(solver, [_within(reach) for reach in (100.0, 1e3)], judge)


@_transport("transport-small-reach")
def _small_reach(solver: Solver) -> Verdict:
    """Check that nothing moves where everything is out of reach, and that all of it is paid for."""

    def judge(case: TransportCase, plan: Plan) -> None:
        certificate = _valid(case, plan)
        rho = case.problem.rho
        if not certificate.cost <= 1e-6 * rho:
            raise Broken(f"{case}\nmoves mass at a cost of {certificate.cost:.3g}, but all points are out of reach")
        if not abs(certificate.feasible_cost - 3 * rho) <= 1e-6 * rho:
            raise Broken(
                f"{case}\npays {certificate.feasible_cost:.9g} for the mass that it does not move, not {3 * rho:.9g}"
            )

    return each_case(solver, [_within(reach, apart=50.0) for reach in (0.3, 1.0)], judge)


def _within(reach: float, apart: float = 0.0) -> TransportCase:
    """Return points whose sums of masses differ if they are far apart, and are equal otherwise."""
    rng = np.random.default_rng(12)
    cost = PointCost(rng.random((20, 2)), rng.random((25, 2)) + apart)
    b = masses(rng, 25) * (2 if apart else 1)
    return TransportCase(f"reach {reach:g}", Transport(cost, masses(rng, 20), b, 0.1, reach), np.nan)


# Limits.


@_transport("transport-small-blur")
def _small_blur(solver: Solver) -> Verdict:
    """Check that a solver answers a shrinking blur correctly, or refuses it from some blur on."""
    if solver.capabilities.exact:
        return skip("takes no blur")
    rng = np.random.default_rng(13)
    points = PointCost(rng.random((15, 2)), rng.random((15, 2)))
    costs = (points, PointCost(points.x.astype("f4"), points.y.astype("f4")), DenseCost(points.dense()))
    cases = [
        TransportCase(f"a small blur, cost {number}", Transport(cost, blur=blur), np.nan)
        for number, cost in enumerate(costs)
        for blur in 10.0 ** -np.arange(1, 13, 1.5)
    ]
    refused: dict[str, float] = {}

    def judge(case: TransportCase, plan: Plan) -> None:
        if case.label in refused:
            raise Broken(f"{case}\nis answered, but {refused[case.label]:g} was too small")
        _valid(case, plan)

    def on_error(case: TransportCase, error: Exception) -> bool:
        if not isinstance(error, ValueError):
            return fail_on(case, error)
        if "blur" not in str(error):
            raise Broken(f"{case}\nraises {error!r}, which does not name the blur") from error
        refused[case.label] = case.problem.blur
        return False

    return each_case(solver, cases, judge, on_error)


@_transport("transport-untouched")
def _untouched(solver: Solver) -> Verdict:
    rng = np.random.default_rng(14)
    x, y, a, b = rng.random((12, 2)), rng.random((12, 2)), masses(rng, 12), masses(rng, 12)
    matrix = rng.random((12, 12))
    costs = (PointCost(x, y), DenseCost(matrix), GridCost((3, 4)))
    cases = [TransportCase("untouched", Transport(cost, a, b, 0.2), np.nan) for cost in costs]
    return checks.check_untouched(solver, cases, lambda case: [x, y, a, b, matrix, *case.problem.masses])


@_transport("transport-repeatable")
def _repeatable(solver: Solver) -> Verdict:
    cases = (*TRANSPORT_CASES["transport-points"]()[::3], *TRANSPORT_CASES["transport-grid"]())
    return checks.check_repeatable(solver, cases, ("f", "g", "mass"))


@_transport("transport-time-limit")
def _time_limit(solver: Solver) -> Verdict:
    return checks.check_time_limit(
        solver, (*TRANSPORT_CASES["transport-line"](), *TRANSPORT_CASES["transport-grid"]()), ("f", "g"), EXACT
    )
