"""Other people's solvers of exact transport: the same optimum as ours, whatever the problem asks for."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from lapmark import Assignment, DenseCost, Infeasible, PointCost, TimeLimit, Transport, Unsupported, certify, solve
from lapmark.solvers import registry

PEERS = ("highs", "ortools-flow", "pot-emd", "pot-emd-lazy")


#: What they are known to get wrong, and why: POT compares with absolute numbers.
FAULTS = {("pot-emd", "small costs"): "takes differences below an absolute 1e-15 or so for zero"}


def peer(name, problem):
    """The solver where it is installed and takes the problem."""
    solver = registry.get(name)
    if reason := solver.missing or solver.capabilities.refuses(problem):
        pytest.skip(reason)
    return name


def problems():
    rng = np.random.default_rng(0)
    a, b = rng.random(30), rng.random(25)
    even = a / a.sum(), b / b.sum()
    matrix = rng.random((30, 25)) - 0.3
    some = np.where(rng.random((30, 25)) < 0.5, matrix, np.inf)
    yield "matrix", Transport(DenseCost(matrix), *even, blur=0)
    yield "points", Transport(PointCost(rng.random((30, 2)), rng.random((25, 2))), *even, blur=0)
    yield "small costs", Transport(DenseCost(1e-12 * matrix), *even, blur=0)
    yield "large costs and masses", Transport(DenseCost(1e12 * matrix), 1e9 * even[0], 1e9 * even[1], blur=0)
    yield "idle rows", Transport(DenseCost(matrix), np.repeat([0, 1], 15), 0.6 * np.ones(25), blur=0)
    yield "more in rows", Transport(DenseCost(matrix), 3 * even[0], even[1], blur=0, partial=True)
    yield "more in columns", Transport(DenseCost(matrix), even[0], 3 * even[1], blur=0, partial=True)
    yield "forbidden pairs", Transport(DenseCost(some), *even, blur=0)
    yield "forbidden pairs and a surplus", Transport(DenseCost(some), 2 * even[0], even[1], blur=0, partial=True)


@pytest.mark.parametrize("kind", [kind for kind, _ in problems()])
@pytest.mark.parametrize("name", PEERS)
def test_peers_of_exact_transport_find_the_same_optimum(name, kind):
    if reason := FAULTS.get((name, kind)):
        pytest.skip(f"{name} {reason}")
    problem = dict(problems())[kind]
    plan, ours = solve(problem, peer(name, problem)), solve(problem, "transport")
    bound = certify(problem, ours).dual_bound
    proof = certify(problem, plan, bound=bound)
    assert proof.valid, proof
    size = np.abs(ours.mass.tocoo().data) @ np.abs(problem.cost.entries(*ours.mass.tocoo().coords))
    assert plan.cost == pytest.approx(ours.cost, abs=1e-9 * size)
    assert plan.marginal_error < 1e-9
    if plan.f is not None:
        assert certify(problem, plan).dual_bound == pytest.approx(bound, abs=1e-8 * size)


@pytest.mark.parametrize("name", PEERS)
def test_peers_of_exact_transport_prove_or_report_infeasibility(name):
    cost = DenseCost([[1.0, np.inf], [1.0, np.inf]])
    problem = Transport(cost, blur=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # POT's, beside its code for the same
        with pytest.raises(Infeasible):
            solve(problem, peer(name, problem))
        with pytest.raises(Infeasible):
            solve(Transport(DenseCost([[np.inf]]), blur=0), name)


@pytest.mark.parametrize("name", PEERS)
def test_peers_of_exact_transport_refuse_a_blur(name):
    kind = registry.get(name).capabilities.costs
    cost = DenseCost(np.ones((2, 2))) if "dense" in kind else PointCost(np.ones((2, 2)), np.zeros((2, 2)))
    problem = Transport(cost, blur=0.1)
    with pytest.raises(Unsupported, match="blur=0"):
        solve(problem, peer(name, problem))


@pytest.mark.parametrize("p", [1, 2, 2.5])
@pytest.mark.parametrize(("n", "m"), [(40, 40), (40, 25), (1, 30)])
def test_pot_on_a_line_finds_the_optimum_of_sorted_masses(n, m, p):
    rng = np.random.default_rng(n + m)
    a, b = rng.random(n), rng.random(m)
    a[::3] = 0 if n > 1 else a[0]
    cost = PointCost(rng.random((n, 1)), rng.normal(size=(m, 1)), p, scale=3.0)
    problem = Transport(cost, a / a.sum(), b / b.sum())
    plan = solve(problem, peer("pot-emd-1d", problem))
    assert certify(problem, plan).optimal
    if n == m:
        assignment = Assignment(cost)
        assert certify(assignment, solve(assignment, "pot-emd-1d")).optimal


def test_pot_on_a_line_refuses_the_plane_and_concave_costs():
    for cost, reason in (
        (PointCost(np.ones((2, 2)), np.ones((2, 2))), "points of one coordinate, not 2"),
        (PointCost(np.ones((2, 1)), np.ones((2, 1)), p=0.5), "where masses keep their order, not p = 0.5"),
    ):
        problem = Transport(cost)
        with pytest.raises(Unsupported, match=reason):
            solve(problem, peer("pot-emd-1d", problem))


def test_pot_lazy_refuses_other_powers():
    problem = Transport(PointCost(np.ones((2, 1)), np.ones((2, 1)), p=3))
    with pytest.raises(Unsupported, match="not p = 3"):
        solve(problem, peer("pot-emd-lazy", problem))


@pytest.mark.parametrize("name", ["pot-emd", "pot-emd-lazy"])
def test_pot_out_of_pivots_is_no_optimum(name):
    rng = np.random.default_rng(2)
    problem = Transport(PointCost(rng.random((60, 2)), rng.random((60, 2))), rng.dirichlet(np.ones(60)))
    with pytest.warns(UserWarning, match="numItermax"):
        plan = solve(problem, peer(name, problem), max_pivots=5)
    assert not certify(problem, plan).optimal


def test_highs_stops_in_time():
    # Large enough for any machine: HiGHS looks at its clock now and then only, and answers a small problem late.
    cost = np.random.default_rng(1).random((600, 600))
    with pytest.raises(TimeLimit):
        solve(Transport(DenseCost(cost), blur=0), "highs", time_limit=0.1)
