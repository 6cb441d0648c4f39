"""Checks of transport solvers: each of these solvers breaks a promise, and the named checks find it."""

from __future__ import annotations

import dataclasses
import itertools
import warnings

import numpy as np
import pytest

from lapmark import Capabilities, DenseCost, Plan, PointCost, TimeLimit, Transport, solve
from lapmark.bench.contract import CHECKS, Broken, check
from lapmark.bench.contract.transport_cases import TRANSPORT_CASES
from lapmark.solvers import registry
from lapmark.solvers.errors import Unsupported
from lapmark.solvers.registry import Solver

NAMES = [name for name, each in CHECKS.items() if each.kind is Transport]

EXACT = Capabilities(
    exact=True,
    problem="transport",
    costs={"dense", "points"},
    rectangular=True,
    forbidden=True,
    partial=True,
    duals=True,
    time_limit=True,
    counters={"pivots", "arcs", "rounds"},
)
ENTROPIC = dataclasses.replace(EXACT, exact=False, forbidden=False, partial=False, counters={"passes"})


def exact(problem, **options):
    return solve(problem, "transport", **options)


def entropic(problem, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return solve(problem, "sinkhorn", **options)


def with_cost(problem, cost):
    return dataclasses.replace(problem, cost=cost)


# Exact ones


def north_west_corner(problem):
    """Return a feasible plan that is not optimal."""
    import scipy.sparse

    mass = np.zeros(problem.shape)
    left, right, i, j = problem.a.copy(), problem.b.copy(), 0, 0
    while i < len(left) and j < len(right):
        moved = min(left[i], right[j])
        mass[i, j] = moved
        left[i], right[j] = left[i] - moved, right[j] - moved
        i, j = (i + 1, j) if left[i] <= right[j] else (i, j + 1)
    return Plan.of(problem, scipy.sparse.csr_array(mass))


def moves_all(problem):
    """Solve a partial problem as a full one: scale the larger side down."""
    least = min(problem.a.sum(), problem.b.sum())
    scaled = (masses * (least / masses.sum()) for masses in (problem.a, problem.b))
    plan = exact(Transport(problem.cost, *scaled, blur=0))
    return Plan.of(problem, plan.mass, plan.f, plan.g)


def ignores_forbidden(problem):
    matrix = problem.cost.dense()
    plan = exact(with_cost(problem, DenseCost(np.where(np.isfinite(matrix), matrix, 0.5))))
    return dataclasses.replace(plan, cost=np.inf)


def half_of_it(problem):
    plan = exact(problem)
    return Plan.of(problem, plan.mass / 2, plan.f, plan.g)


def in_single_precision(problem):
    matrix = problem.cost.dense().astype(np.float32)
    plan = exact(with_cost(problem, DenseCost(matrix)))
    return Plan.of(problem, plan.mass, plan.f, plan.g)


def uniform_masses(problem):
    plan = exact(dataclasses.replace(problem, a=None, b=None))
    return Plan.of(problem, plan.mass, plan.f, plan.g)


def swapped_potentials(problem):
    plan = exact(problem)
    return dataclasses.replace(plan, f=-plan.f, g=-plan.g)


def no_potentials(problem):
    return dataclasses.replace(exact(problem), f=None, g=None)


# Entropic ones


def too_lazy(problem, **options):
    return entropic(problem, stop=0.2, **options)


def boasts(problem):
    return dataclasses.replace(too_lazy(problem), marginal_error=1e-4)


def half_the_regularisation(problem):
    """Use another convention of ε, so that the potentials belong to another problem."""
    return entropic(dataclasses.replace(problem, blur=problem.blur / 2 ** (1 / problem.p)))


def wider(problem):
    """Solve with twice the blur: everything is stated correctly but the plan is too far from the optimum."""
    plan = entropic(dataclasses.replace(problem, blur=2 * problem.blur))
    pi = (
        problem.a[:, None]
        * problem.b
        * np.exp((plan.f[:, None] + plan.g - problem.cost.dense()) / (2**problem.p * problem.epsilon))
    )
    cost = float((pi * problem.cost.dense()).sum())
    return Plan(cost, problem.marginal_error(pi.sum(axis=1), pi.sum(axis=0)), plan.f, plan.g)


def nan_where_it_is_hard(problem):
    try:
        return entropic(problem)
    except ValueError as error:
        if isinstance(error, Unsupported):
            raise
        return Plan(np.nan, np.nan, np.full(problem.shape[0], np.nan), np.full(problem.shape[1], np.nan))


def without_a_reach(problem):
    return entropic(dataclasses.replace(problem, reach=None, b=problem.b * (problem.a.sum() / problem.b.sum())))


def not_centred(problem):
    """Compute distances of float32 coordinates as |x|² + |y|² − 2 x·y."""
    if not isinstance(problem.cost, PointCost) or problem.cost.p != 2:
        return entropic(problem)
    x, y = problem.cost.x.astype(np.float32), problem.cost.y.astype(np.float32)
    squared = (x * x).sum(axis=1)[:, None] + (y * y).sum(axis=1) - 2 * x @ y.T
    cost = DenseCost(np.maximum(problem.cost.scale * squared, 0))
    plan = entropic(Transport(cost, problem.a, problem.b, problem.epsilon))
    return dataclasses.replace(plan)


# Any


def scribbles(problem):
    problem.a[0] *= 1
    cost = problem.cost
    (cost.x if isinstance(cost, PointCost) else cost.matrix)[0, 0] = 0.5
    return entropic(problem)


calls = itertools.count()


def counts_calls(problem):
    return dataclasses.replace(entropic(problem), counters={"passes": next(calls)})


def counts_more(problem):
    return dataclasses.replace(entropic(problem), counters={"undeclared": 1})


def shaky(problem):
    plan = entropic(problem)
    return dataclasses.replace(plan, f=plan.f * (1 + 1e-12 * next(calls)))


def never_late(problem, time_limit=None):
    return entropic(problem)


def optimistic(problem, time_limit=None):
    try:
        return entropic(problem, time_limit=time_limit)
    except TimeLimit as late:
        raise TimeLimit(late.seconds, late.shape, bound=1e9) from None


def raises(problem):
    raise RuntimeError("out of ideas")


CAUGHT = [
    (north_west_corner, EXACT, ("transport-programme", "transport-line", "transport-equal-weights", "transport-duals")),
    (half_of_it, EXACT, ("transport-programme", "transport-points", "transport-translation")),
    (in_single_precision, EXACT, ("transport-cost-scale", "transport-duals")),
    (uniform_masses, EXACT, ("transport-programme", "transport-line", "transport-mass-scale")),
    (moves_all, EXACT, ("transport-partial",)),
    (ignores_forbidden, EXACT, ("transport-forbidden",)),
    (swapped_potentials, EXACT, ("transport-duals",)),
    (no_potentials, EXACT, ("transport-duals",)),
    (too_lazy, ENTROPIC, ("transport-points", "transport-line", "transport-outliers")),
    (boasts, ENTROPIC, ("transport-points", "transport-small-blur")),
    (half_the_regularisation, ENTROPIC, ("transport-programme", "transport-points", "transport-gaussians")),
    (wider, ENTROPIC, ("transport-points", "transport-gaussians")),
    (nan_where_it_is_hard, ENTROPIC, ("transport-small-blur",)),
    (without_a_reach, ENTROPIC, ("transport-reach", "transport-small-reach")),
    (not_centred, ENTROPIC, ("transport-far-from-the-origin",)),
    (scribbles, ENTROPIC, ("transport-untouched",)),
    (counts_calls, ENTROPIC, ("transport-repeatable",)),
    (counts_more, ENTROPIC, ("transport-repeatable",)),
    (shaky, ENTROPIC, ("transport-repeatable",)),
    (never_late, ENTROPIC, ("transport-time-limit",)),
    (optimistic, ENTROPIC, ("transport-time-limit",)),
    (raises, ENTROPIC, ("transport-programme", "transport-reach", "transport-small-blur")),
]


@pytest.mark.parametrize(
    ("solver", "capabilities", "name"),
    [
        pytest.param(solver, able, name, id=f"{solver.__name__}-{name}")
        for solver, able, names in CAUGHT
        for name in names
    ],
)
def test_check_of_a_solver_that_breaks_a_promise_fails(solver, capabilities, name, monkeypatch):
    put_in(monkeypatch, solver, capabilities)
    with pytest.raises(Broken):
        check("under-test", name)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("solver", "capabilities"), [(exact, EXACT), (entropic, ENTROPIC)])
def test_check_of_a_right_solver_passes_or_is_skipped_with_a_reason(name, solver, capabilities, monkeypatch):
    put_in(monkeypatch, solver, capabilities)
    verdict = check("under-test", name)
    assert bool(verdict.ran) != bool(verdict.skipped)


def test_transport_lists_contain_what_they_name():
    cases = {name: build() for name, build in TRANSPORT_CASES.items()}
    assert all(cases.values())
    assert any((case.problem.a == 0).any() for case in cases["transport-zero-masses"])
    kinds = {case.problem.cost.x.dtype.name for case in cases["transport-far-from-the-origin"]}
    assert kinds == {"float32", "float64"}
    for listed in cases.values():
        assert all(np.isfinite(case.optimum) for case in listed)


def test_failed_check_shows_its_input(monkeypatch):
    put_in(monkeypatch, north_west_corner, EXACT)
    with pytest.raises(Broken, match=r"(?s)5×5 float64, a matrix, blur 0.*the plan costs .*, the optimum is"):
        check("under-test", "transport-programme")


def put_in(monkeypatch, function, capabilities):
    registry.solvers()
    monkeypatch.setitem(registry._solvers, "under-test", Solver("under-test", capabilities, function))
