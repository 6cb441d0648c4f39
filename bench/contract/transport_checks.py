"""What every solver of transport must do, the counterpart of `lapmark.bench.contract.assignment_checks`.

A solver that is exact is given problems without a blur, and must meet the optimum. Any other is given a blur, and held
to what the certificate proves of its answer, on one scale for all:

- It meets its marginals to 1e-2 of the mass, and as well as it says.
- With δ the entropic gap of its potentials and H the smaller entropy of the two masses, the cost of its plan, rounded,
  lies between the optimum and (optimum + ε H) / (1 − δ): entropy makes a plan dearer by at most that. Costs are ≥ 0
  for this; where they are not, only the lower end is held to.

The inputs are small: a benchmark this is not.
"""

from __future__ import annotations

import dataclasses
import functools
import warnings
from collections import Counter
from collections.abc import Callable, Iterable

import numpy as np

from lapmark.solvers.certificate import Certificate
from lapmark.solvers.certify import certify
from lapmark.solvers.costs import DenseCost, PointCost
from lapmark.solvers.errors import TimeLimit, Unsupported
from lapmark.solvers.problem import Transport
from lapmark.solvers.registry import Solver
from lapmark.solvers.result import Plan
from lapmark.solvers.solve import solve

from .core import Broken, Verdict, named
from .transport_cases import TRANSPORT_CASES, PlanCase, masses

_transport = functools.partial(named, kind=Transport)

#: Marginal error that an approximate plan may have unless it is told otherwise.
MARGINAL_ERROR = 1e-2

#: An exact plan may miss its marginals and the optimum by this much, relative to the mass and to the optimum; the
#: latter also by ROUNDING of the largest cost for all of the mass.
EXACT, ROUNDING = 1e-9, 1e-12


def _posed(solver: Solver, case: PlanCase) -> PlanCase:
    return case.without_blur() if solver.capabilities.exact else case


def _solved(solver: Solver, problem: Transport) -> Plan:
    """The answer; that an iteration ended early is for its stated error to say."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return solve(problem, solver.name)


def _each(solver: Solver, cases: Iterable[PlanCase], judge: Callable[[PlanCase, Plan], None]) -> Verdict:
    """Put the cases that the solver takes before it, and its answers before the judge."""
    ran, refused = 0, Counter[str]()
    for case in cases:
        posed = _posed(solver, case)
        try:
            plan = _solved(solver, posed.problem)
        except Unsupported as refusal:
            refused[str(refusal)] += 1
            continue
        except Exception as error:
            raise Broken(f"{posed}\nraises {type(error).__name__}: {error}") from error
        judge(posed, plan)
        ran += 1
    return Verdict(ran, refused)


def _valid(case: PlanCase, plan: Plan) -> Certificate:
    certificate = certify(case.problem, plan)
    if not certificate.valid:
        raise Broken(f"{case}\nthe plan is invalid: {certificate.fault}")
    return certificate


def _judge(solver: Solver, case: PlanCase, plan: Plan) -> None:
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
    elif case.problem.cost.span()[0] >= 0:
        delta = certificate.entropic_gap
        if not delta < 1:
            raise Broken(f"{case}\nits potentials prove nothing of the entropic problem: the gap is {delta:.3g}")
        dearest = (case.optimum + case.problem.epsilon * _entropy(case.problem)) / (1 - delta)
        if cost > dearest + allowed:
            raise Broken(f"{case}\nthe plan costs {cost:.9g}; with this blur that is at most {dearest:.9g}")


def _entropy(problem: Transport) -> float:
    """The smaller entropy of the two masses, times the mass: no plan of them holds more information."""
    total = float(problem.masses[0].sum())
    shares = (each[each > 0] / total for each in problem.masses)
    return total * min(float(-(share @ np.log(share))) for share in shares)


def _known(name: str, solver: Solver) -> Verdict:
    """Every case of a list is answered with a plan that costs what it should."""
    return _each(solver, TRANSPORT_CASES[name](), lambda case, plan: _judge(solver, case, plan))


for _name in TRANSPORT_CASES:
    _transport(_name)(functools.partial(_known, _name))


@_transport("transport-duals")
def _duals(solver: Solver) -> Verdict:
    """Potentials are float64 and finite, and prove what they should: an exact plan optimal by themselves, and any other
    to have all but converged."""

    def judge(case: PlanCase, plan: Plan) -> None:
        if solver.capabilities.exact and not solver.capabilities.duals:
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
        return Verdict(0, Counter({"claims no duals": 1}))
    cases = (*TRANSPORT_CASES["transport-line"](), *TRANSPORT_CASES["transport-zero-masses"]())
    return _each(solver, cases, judge)


def _prove(case: PlanCase, plan: Plan, certificate: Certificate) -> None:
    """Duals prove a plan where they are feasible and worth what it costs, but for rounding."""
    a, b = case.problem.masses
    assert plan.f is not None
    assert plan.g is not None
    worth = float(plan.f @ a + plan.g @ b)
    size = float(np.abs(plan.f) @ a + np.abs(plan.g) @ b)
    if not abs(worth - plan.cost) <= 1e-12 * size:
        raise Broken(f"{case}\nits duals are worth {worth:.12g}, and the plan costs {plan.cost:.12g}")
    if not certificate.max_violation * min(a.sum(), b.sum()) <= 1e-12 * size:
        raise Broken(f"{case}\nits duals exceed a cost by {certificate.max_violation:.3g}")


# Between Gaussians. The grids are fine, so that sums over them are integrals to many digits.


def _gaussians(d: int, blur: float) -> tuple[PlanCase, float]:
    """Two Gaussians on grids, the distance of A. Bures between them, and what the blurred plan costs.

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
    return PlanCase(f"Gaussians in {d} dimensions", problem, exact), blurred


@_transport("transport-gaussians")
def _between_gaussians(solver: Solver) -> Verdict:
    """The distance of Bures for an exact solver, up to what the cells of a grid add, and for others the blurred one."""

    def judge(case: PlanCase, plan: Plan) -> None:
        certificate = _valid(case, plan)
        known = case.optimum if solver.capabilities.exact else blurred
        # Half a cell's diagonal on either side; a plan that misses its marginals can be off by their share of the span.
        cost = case.problem.cost
        assert isinstance(cost, PointCost)
        cell = float(np.diff(np.unique(cost.x, axis=0), axis=0).max()) if solver.capabilities.exact else 0.0
        allowed = 2 * cell * known**0.5 + cell**2
        allowed += (certificate.marginal_error + 1e-4) * 10 * known
        if not abs(certificate.cost - known) <= allowed:
            raise Broken(f"{case}\nthe plan costs {certificate.cost:.6g}, the closed form is {known:.6g}")

    ran, refused = 0, Counter[str]()
    for d, blur in ((1, 1.0), (1, 0.7), (2, 1.0)):
        case, blurred = _gaussians(d, blur)
        verdict = _each(solver, [case], judge)
        ran, refused = ran + verdict.ran, refused + verdict.refused
    return Verdict(ran, refused)


# A reach.


@_transport("transport-reach")
def _one_to_one(solver: Solver) -> Verdict:
    """From one point to one other, unbalanced: π^(2ρ + ε) = (ab)^(ρ + ε) exp(−c), in closed form."""

    def judge(case: PlanCase, plan: Plan) -> None:
        certificate = _valid(case, plan)
        problem, ((a,), (b,)) = case.problem, case.problem.masses
        (cost,), rho, epsilon = problem.cost.dense()[0], problem.rho, problem.epsilon
        moved = ((rho + epsilon) * np.log(a * b) - cost) / (2 * rho + epsilon)
        if not abs(certificate.cost - cost * np.exp(moved)) <= MARGINAL_ERROR * cost * np.exp(moved):
            raise Broken(f"{case}\nthe plan moves {certificate.cost / cost:.9g}, not {np.exp(moved):.9g}")

    cases = [
        PlanCase(
            f"reach {reach:g}, masses {a:g} and {b:g}",
            Transport(cost, np.array([a]), np.array([b]), 0.3, reach),
            np.nan,
        )
        for cost in (PointCost(np.zeros((1, 2)), np.array([[0.6, 0.8]])), DenseCost(np.array([[0.25]])))
        for reach in (0.5, 1.0, 20.0)
        for a, b in ((1.0, 1.0), (0.5, 3.0))
    ]
    return _each(solver, cases, judge)


@_transport("transport-great-reach")
def _great_reach(solver: Solver) -> Verdict:
    """A reach far beyond all points asks for what no reach does."""

    def judge(case: PlanCase, plan: Plan) -> None:
        certificate = _valid(case, plan)
        balanced = certify(case.problem, _solved(solver, dataclasses.replace(case.problem, reach=None)))
        if not abs(certificate.cost - balanced.cost) <= 2e-2 * balanced.cost:
            raise Broken(f"{case}\nthe plan costs {certificate.cost:.6g}, {balanced.cost:.6g} without a reach")
        if not certificate.marginal_error <= MARGINAL_ERROR:
            raise Broken(f"{case}\nthe potentials are off by {certificate.marginal_error:.3g} of the mass")

    return _each(solver, [_within(reach) for reach in (100.0, 1e3)], judge)


@_transport("transport-small-reach")
def _small_reach(solver: Solver) -> Verdict:
    """Where everything is out of reach nothing moves, and all of it is paid for."""

    def judge(case: PlanCase, plan: Plan) -> None:
        certificate = _valid(case, plan)
        rho = case.problem.rho
        if not certificate.cost <= 1e-6 * rho:
            raise Broken(f"{case}\nmoves mass at a cost of {certificate.cost:.3g}, though all points are out of reach")
        if not abs(certificate.feasible_cost - 3 * rho) <= 1e-6 * rho:
            raise Broken(f"{case}\npays {certificate.feasible_cost:.9g} for what it does not move, not {3 * rho:.9g}")

    return _each(solver, [_within(reach, apart=50.0) for reach in (0.3, 1.0)], judge)


def _within(reach: float, apart: float = 0.0) -> PlanCase:
    """Points whose masses differ, except for a balanced twin: there is none of a problem whose points are far apart."""
    rng = np.random.default_rng(12)
    cost = PointCost(rng.random((20, 2)), rng.random((25, 2)) + apart)
    b = masses(rng, 25) * (2 if apart else 1)
    return PlanCase(f"reach {reach:g}", Transport(cost, masses(rng, 20), b, 0.1, reach), np.nan)


# Limits.


@_transport("transport-small-blur")
def _small_blur(solver: Solver) -> Verdict:
    """As the blur shrinks, a solver answers rightly or says that it cannot: no NaN, and no answer beyond an error."""
    if solver.capabilities.exact:
        return Verdict(0, Counter({"takes no blur": 1}))
    rng = np.random.default_rng(13)
    ran, refused = 0, Counter[str]()
    points = PointCost(rng.random((15, 2)), rng.random((15, 2)))
    for cost in (points, PointCost(points.x.astype("f4"), points.y.astype("f4")), DenseCost(points.dense())):
        gave_up = None
        for blur in 10.0 ** -np.arange(1, 13, 1.5):
            case = PlanCase("a small blur", Transport(cost, blur=blur), np.nan)
            try:
                plan = _solved(solver, case.problem)
            except Unsupported as refusal:
                refused[str(refusal)] += 1
                continue
            except ValueError as error:
                if "blur" not in str(error):
                    raise Broken(f"{case}\nraises {error!r}, which does not name the blur") from error
                gave_up = blur
                continue
            except Exception as error:
                raise Broken(f"{case}\nraises {type(error).__name__}: {error}") from error
            if gave_up is not None:
                raise Broken(f"{case}\nis answered, but {gave_up:g} was too small")
            _valid(case, plan)
            ran += 1
    return Verdict(ran, refused)


@_transport("transport-untouched")
def _untouched(solver: Solver) -> Verdict:
    """The input is as it was, even where it could be written to."""
    rng = np.random.default_rng(14)
    arrays = [rng.random((12, 2)), rng.random((12, 2)), masses(rng, 12), masses(rng, 12), rng.random((12, 12))]
    before = [array.copy() for array in arrays]
    x, y, a, b, matrix = arrays

    def judge(case: PlanCase, plan: Plan) -> None:
        held = (*arrays, *case.problem.masses)
        if not all(np.array_equal(array, copy) for array, copy in zip(held, (*before, *before[2:4]), strict=True)):
            raise Broken(f"{case}\nthe solver wrote to its input")

    costs = (PointCost(x, y), DenseCost(matrix))
    return _each(solver, [PlanCase("untouched", Transport(cost, a, b, 0.2), np.nan) for cost in costs], judge)


@_transport("transport-repeatable")
def _repeatable(solver: Solver) -> Verdict:
    """The same plan, potentials and counters from run to run, and no counter that is not declared."""

    def judge(case: PlanCase, plan: Plan) -> None:
        again = _solved(solver, case.problem)
        for name in ("f", "g"):
            if not _equal(getattr(plan, name), getattr(again, name)):
                raise Broken(f"{case}\n{name} differs from run to run")
        if plan.mass is not None and (again.mass is None or (plan.mass != again.mass).nnz):
            raise Broken(f"{case}\nthe plan differs from run to run")
        if plan.counters != again.counters:
            raise Broken(f"{case}\ncounters differ from run to run: {plan.counters}, {again.counters}")
        if undeclared := set(plan.counters) - set(solver.capabilities.counters):
            raise Broken(f"{case}\ncounters not among its capabilities: {', '.join(sorted(undeclared))}")

    return _each(solver, TRANSPORT_CASES["transport-points"]()[::3], judge)


def _equal(one: np.ndarray | None, other: np.ndarray | None) -> bool:
    return one is other is None or (one is not None and other is not None and np.array_equal(one, other))


@_transport("transport-time-limit")
def _time_limit(solver: Solver) -> Verdict:
    """Time that is over ends in TimeLimit, with a bound that holds; time enough changes nothing."""

    def judge(case: PlanCase, plan: Plan) -> None:
        patient = solve(case.problem, solver.name, time_limit=600)
        if not (_equal(plan.f, patient.f) and _equal(plan.g, patient.g)):
            raise Broken(f"{case}\nis answered otherwise under a time limit of 600 s")
        try:
            solve(case.problem, solver.name, time_limit=1e-9)
        except TimeLimit as late:
            if not late.bound <= case.optimum * (1 + EXACT):
                raise Broken(f"{case}\nstates a bound of {late.bound!r}, the optimum is {case.optimum!r}") from None
        except Exception as error:
            raise Broken(f"{case}\nhas no time, but raises {type(error).__name__}: {error}") from error
        else:
            raise Broken(f"{case}\nis answered, though the time was over before it began")

    if not solver.capabilities.time_limit:
        return Verdict(0, Counter({"cannot be stopped": 1}))
    return _each(solver, TRANSPORT_CASES["transport-line"](), judge)
