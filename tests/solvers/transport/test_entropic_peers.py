"""Other people's entropic transport: its conventions are ours once it has passed the adapter."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from lapmark import DenseCost, Plan, PointCost, Transport, Unsupported, certify, solve
from lapmark.solvers import registry

#: Options that make each go on until it has converged.
CONVERGED = {
    "pot-sinkhorn": {"stop": 1e-9, "max_iterations": 100_000},
    "pot-sinkhorn-log": {"stop": 1e-9, "max_iterations": 100_000},
    "pot-sinkhorn-stabilized": {"stop": 1e-9, "max_iterations": 100_000},
    "geomloss-tensorized": {"scaling": 0.998},
    "geomloss-online": {"scaling": 0.998},
    "geomloss-multiscale": {"scaling": 0.998},
    "geomloss-solve": {"steps": 1000},
    "geomloss-solve-sample": {"steps": 1000},
    "ott": {"stop": 1e-6, "max_iterations": 100_000},
}
SAMPLES_LOSS = [name for name, options in CONVERGED.items() if "scaling" in options]


def needs(solver: str) -> str:
    if reason := registry.get(solver).missing:
        pytest.skip(f"{solver}: {reason}")
    return solver


@pytest.fixture(params=CONVERGED)
def peer(request: pytest.FixtureRequest) -> str:
    return needs(request.param)


@pytest.fixture(params=SAMPLES_LOSS)
def geomloss(request: pytest.FixtureRequest) -> str:
    return needs(request.param)


def transport(
    p: float = 2,
    scale: float = 0.5,
    reach: float | None = None,
    dtype: str = "float64",
    mass: float = 1.0,
    dimensions: int = 2,
    blur: float | None = None,
) -> Transport:
    """Unequal clouds with unequal masses; of unequal sum where there is a reach."""
    rng = np.random.default_rng(0)
    x, y = rng.random((40, dimensions)), rng.normal(0.6, 0.2, (50, dimensions))
    a, b = rng.exponential(size=40), rng.exponential(size=50)
    more = 1.0 if reach is None else 1.5
    blur = blur or {1: 0.05, 2: 0.1}[int(p)]
    cost = PointCost(x.astype(dtype), y.astype(dtype), p, scale)
    return Transport(cost, mass * a / a.sum(), more * mass * b / b.sum(), blur, reach)


def spread(problem: Transport, plan: Plan) -> np.ndarray:
    exponent = (plan.f[:, None] + plan.g - problem.cost.dense()) / problem.epsilon
    return problem.a[:, None] * problem.b * np.exp(exponent)


def as_matrix(problem: Transport) -> Transport:
    """The same with its costs as a matrix, whose sums `sinkhorn` takes in float64."""
    reach = None if problem.reach is None else problem.rho
    return Transport(DenseCost(problem.cost.dense()), problem.a, problem.b, problem.epsilon, reach)


def run(problem: Transport, solver: str, **options: float) -> Plan:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # packages warn of their own dependencies, and of zeros that they divide by
        return solve(problem, solver, **options)


def distance(problem: Transport, plan: Plan) -> float:
    """From the plan that ours converges to, relative to its mass (L1)."""
    ours = spread(problem, solve(as_matrix(problem), "sinkhorn", stop=1e-9, max_iterations=100_000))
    return float(np.abs(spread(problem, plan) - ours).sum() / ours.sum())


#: GeomLoss ends with its schedule, however slow that is: about 1 / (number of steps) is left.
ALLOWED = {"geomloss": 0.03, "ott": 3e-5, "pot-sinkhorn": 1e-7}


def allowed(solver: str) -> float:
    return next(value for name, value in ALLOWED.items() if solver.startswith(name))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("reach", [None, 0.3])
@pytest.mark.parametrize(("p", "scale"), [(2, 0.5), (2, 3.0), (1, 1.0), (1, 0.4)])
def test_entropic_peers_find_our_plan(peer: str, p: float, scale: float, reach: float | None, dtype: str) -> None:
    if reach is not None and peer == "pot-sinkhorn-log":
        pytest.skip("the package has no unbalanced form of it")
    if reach is not None and scale == 3 and peer == "pot-sinkhorn-stabilized":
        pytest.xfail("the package's unbalanced stabilised scalings go wrong where they are absorbed")
    if p != 2 and peer == "geomloss-solve-sample":
        pytest.skip("the package's function takes squared distances only")
    problem = transport(p, scale, reach, dtype, mass=7.0)
    plan = run(problem, peer, **CONVERGED[peer])
    assert distance(problem, plan) < allowed(peer)
    assert certify(problem, plan).valid or dtype == "float32"
    np.testing.assert_allclose(spread(problem, plan).sum(), problem.a.sum(), rtol=2e-3 if reach is None else 0.5)


@pytest.mark.parametrize("scaling", [0.5, 0.9])
@pytest.mark.parametrize("reach", [None, 0.3])
def test_our_schedule_is_geomlosss(scaling: float, reach: float | None) -> None:
    problem = transport(reach=reach)
    theirs = run(problem, needs("geomloss-tensorized"), scaling=scaling)
    ours = solve(problem, "sinkhorn", stop="schedule", scaling=scaling)
    # Ours sums points in float32, which ε takes down to this.
    np.testing.assert_allclose(theirs.f, ours.f, atol=1e-6)
    np.testing.assert_allclose(theirs.g, ours.g, atol=1e-6)


def test_scale_and_blur_are_one_choice_of_units(geomloss: str) -> None:
    # (f + g − c) / ε is the same where cost and ε are both four times as large.
    small, large = transport(scale=0.5, blur=0.1), transport(scale=2.0, blur=0.2)
    first, second = (run(problem, geomloss) for problem in (small, large))
    np.testing.assert_allclose(second.f, 4 * first.f, rtol=1e-9, atol=1e-12)


def test_entropic_peers_with_zero_masses_agree_with_ours(peer: str) -> None:
    problem = transport()
    a, b = problem.a.copy(), problem.b.copy()
    a[:6], b[45:] = 0, 0
    problem = Transport(problem.cost, a / a.sum(), b / b.sum(), problem.blur)
    plan = run(problem, peer, **CONVERGED[peer])
    assert distance(problem, plan) < allowed(peer)


@pytest.mark.parametrize("reach", [None, 0.5])
@pytest.mark.parametrize("solver", ["pot-sinkhorn", "pot-sinkhorn-stabilized"])
def test_scalings_that_leave_float64_are_an_error(solver: str, reach: float | None) -> None:
    problem = transport(reach=reach, blur=1e-3)
    with pytest.raises(ValueError, match=f"blur = 0.001 is too small for {needs(solver)} with costs up to"):
        run(problem, solver)


def test_stabilized_scalings_of_many_points() -> None:
    rng = np.random.default_rng(0)
    problem = Transport(PointCost(rng.random((1100, 2)), rng.random((1100, 2))), blur=0.05)
    plan = run(problem, needs("pot-sinkhorn-stabilized"))
    assert certify(problem, plan).marginal_error < 1e-3


@pytest.mark.parametrize("peer", ["ott", "pot-sinkhorn"])
def test_a_far_reach_does_not_creep(peer: str) -> None:
    problem = transport(reach=3.0)
    assert distance(problem, run(problem, needs(peer))) < 1e-2


def test_geomloss_of_one_place(geomloss: str) -> None:
    here = np.full((5, 2), 0.3)
    plan = run(Transport(PointCost(here, here[:3]), blur=0.05), geomloss)
    np.testing.assert_allclose(plan.f[:, None] + plan.g, 0, atol=1e-12)


@pytest.mark.parametrize("dimensions", [1, 3, 5])
def test_points_of_other_dimensions(peer: str, dimensions: int) -> None:
    problem = transport(dimensions=dimensions, blur=0.2)
    if peer == "geomloss-multiscale" and dimensions > 3:
        with pytest.raises(Unsupported, match="points of up to 3 coordinates, not 5"):
            run(problem, peer)
        return
    assert distance(problem, run(problem, peer, **CONVERGED[peer])) < allowed(peer)


@pytest.mark.parametrize("reach", [None, 0.5])
def test_entropic_peers_take_a_matrix(peer: str, reach: float | None) -> None:
    points = transport(reach=reach)
    problem = as_matrix(points)
    if "dense" not in registry.get(peer).capabilities.costs or (reach is not None and peer == "pot-sinkhorn-log"):
        with pytest.raises(Unsupported, match=r"takes points costs, not dense|balanced problems"):
            run(problem, peer)
        return
    assert distance(problem, run(problem, peer, **CONVERGED[peer])) < allowed(peer)


def test_without_blur_it_is_another_solvers_problem(peer: str) -> None:
    problem = transport()
    with pytest.raises(Unsupported, match="blur above 0"):
        run(Transport(problem.cost, problem.a, problem.b, blur=0), peer)


def test_geomloss_takes_two_exponents(geomloss: str) -> None:
    problem = transport()
    cost = PointCost(problem.cost.x, problem.cost.y, p=1.5)
    with pytest.raises(Unsupported, match=r"distances \(p = 1\) and their squares \(p = 2\), not p = 1.5"):
        run(Transport(cost, problem.a, problem.b, blur=0.05), geomloss)


@pytest.mark.parametrize("scaling", [0.0, 1.0, -0.5])
def test_a_scaling_that_ends_nowhere_is_an_error(geomloss: str, scaling: float) -> None:
    with pytest.raises(ValueError, match=f"scaling = {scaling}; it must lie between 0 and 1"):
        run(transport(), geomloss, scaling=scaling)


def test_geomloss_is_not_converged_and_says_nothing(geomloss: str) -> None:
    problem = transport(blur=0.05)
    errors = {}
    for scaling in (0.5, 0.9):
        plan = run(problem, geomloss, scaling=scaling)
        assert np.isnan(plan.marginal_error)
        assert certify(problem, plan).valid  # it is a plan, with the marginals that it has
        moved = spread(problem, plan)
        errors[scaling] = problem.marginal_error(moved.sum(axis=1), moved.sum(axis=0))
    assert errors[0.5] > errors[0.9] > 0.01


def test_keops_without_a_compiler(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for named in ("", "no-such-compiler"):
        monkeypatch.setenv("CXX", named)
        for name in ("geomloss-online", "geomloss-multiscale"):
            assert "finds no C++ compiler: install g++, or name one in CXX" in registry.get(name).missing
    monkeypatch.setenv("CXX", "/bin/sh")
    assert "compiler" not in (registry.get("geomloss-online").missing or "")


@pytest.mark.parametrize("solver", CONVERGED)
def test_what_is_missing_is_named(solver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "version", lambda distribution: None)
    assert registry.get(solver).missing.startswith("package ")
