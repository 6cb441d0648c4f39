"""Entropic transport: the native pass, known answers, GeomLoss's schedule, unbalanced problems, POT."""

from __future__ import annotations

import numpy as np
import pytest
from entropic_problems import clouds, masses, plan_of
from log_domain import optimal_plan
from scipy.special import logsumexp

from lapmark import (
    DenseCost,
    PointCost,
    Transport,
    certify,
    solve,
)
from lapmark.solvers.native import _matrix
from lapmark.solvers.native._kernels import INSTRUCTION_SETS
from lapmark.solvers.sinkhorn.iteration import descent, tuned

# The native pass


@pytest.mark.parametrize("isa", INSTRUCTION_SETS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n", "m"), [(1, 1), (3, 7), (7, 16), (16, 33), (20, 150)])
@pytest.mark.parametrize("epsilon", [1.0, 0.05, 0.003])
def test_pass_gives_soft_minima(isa, dtype, n, m, epsilon):
    rng = np.random.default_rng(n + m)
    cost = rng.normal(size=(n, m)).astype(dtype)
    a, b, g = masses(n, 1), masses(m, 2), rng.normal(size=m)
    f = (cost - g).min(axis=1).astype(np.float64)
    rows, cols, spent = _matrix.marginals(cost, f, g, a, b, epsilon, isa=isa)
    exponent = (f[:, None] + g - cost.astype(np.float64)) / epsilon
    np.testing.assert_allclose(rows, np.exp(logsumexp(exponent, b=b, axis=1)), rtol=1e-12)
    expected = np.exp(logsumexp(exponent, b=a[:, None], axis=0))
    # Terms below 2**-100 are dropped, which only a column that gets nothing to speak of can feel.
    np.testing.assert_allclose(cols, expected, rtol=1e-11, atol=2e-30)
    assert spent == pytest.approx((a[:, None] * b * np.exp(exponent) * cost).sum(), rel=1e-11)


@pytest.mark.parametrize("isa", INSTRUCTION_SETS[1:])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_native_marginals_of_all_instruction_sets_agree(isa, dtype):
    rng = np.random.default_rng(5)
    cost = rng.random((90, 77)).astype(dtype)
    inputs = (cost, cost.min(axis=1).astype(np.float64), np.zeros(77), masses(90, 1), masses(77, 2), 0.01)
    scalar, vectors = (_matrix.marginals(*inputs, isa=each) for each in ("scalar", isa))
    for ours, other in zip(scalar, vectors, strict=True):
        np.testing.assert_allclose(ours, other, rtol=1e-13)


@pytest.mark.parametrize("isa", INSTRUCTION_SETS)
def test_pass_says_where_exponents_leave_the_range(isa):
    one = np.ones(1)
    for exponent, expected in ((600.0, np.exp(600.0)), (-60.0, np.exp(-60.0)), (-100.0, 0.0), (701.0, np.nan)):
        rows, cols, _ = _matrix.marginals(np.zeros((1, 1)), np.array([exponent]), np.zeros(1), one, one, 1.0, isa=isa)
        np.testing.assert_allclose([rows[0], cols[0]], expected, rtol=1e-12)


# Known answers


def test_one_point_to_many_has_no_choice():
    y = np.random.default_rng(0).random((9, 3))
    b = masses(9, 1)
    plan = solve(Transport(PointCost(np.zeros((1, 3)), y), None, b, blur=0.1), "sinkhorn", stop=1e-10)
    assert plan.cost == pytest.approx(b @ (y**2).sum(axis=1), rel=1e-9)
    assert plan.marginal_error < 1e-10


def test_sinkhorn_of_two_points_equals_the_closed_form():
    # Symmetric 2×2: π_11/π_12 = exp(c/ε) and each row sums to 1/2.
    epsilon = 0.7
    plan = solve(Transport(DenseCost([[0.0, 1.0], [1.0, 0.0]]), blur=epsilon), "sinkhorn", stop=1e-13)
    assert plan.cost == pytest.approx(1 / (1 + np.exp(1 / epsilon)), rel=1e-10)


def test_on_the_line_small_blur_finds_the_sorted_matching():
    rng = np.random.default_rng(1)
    x, y = rng.random(40), rng.random(40)
    exact = ((np.sort(x) - np.sort(y)) ** 2).mean()
    plan = solve(Transport(PointCost(x[:, None], y[:, None]), blur=0.003), "sinkhorn")
    assert plan.cost == pytest.approx(exact, rel=2e-2)


def test_a_translation_costs_its_length_squared():
    x, _ = clouds(80)
    shift = np.array([3.0, -1.0])
    plan = solve(Transport(PointCost(x, x + shift), blur=0.2), "sinkhorn", stop=1e-8)
    # The blur adds what it adds to the transport of x onto itself.
    still = solve(Transport(PointCost(x, x), blur=0.2), "sinkhorn", stop=1e-8)
    assert plan.cost - still.cost == pytest.approx(shift @ shift, rel=1e-5)


def test_far_from_the_origin_the_plan_is_the_same():
    x, y = clouds()
    here = solve(Transport(PointCost(x, y), blur=0.05), "sinkhorn", stop=1e-8)
    there = solve(Transport(PointCost(x + 1e4, y + 1e4), blur=0.05), "sinkhorn", stop=1e-8)
    assert there.cost == pytest.approx(here.cost, rel=1e-6)


@pytest.mark.parametrize("stop", [1e-2, 1e-3, 1e-6])
@pytest.mark.parametrize("blur", [0.3, 0.05, 0.02])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sinkhorn_at_any_stop_has_the_marginals_it_states(stop, blur, dtype):
    x, y = clouds()
    cost = PointCost(x, y, scale=0.5).dense().astype(dtype)
    problem = Transport(DenseCost(cost), masses(60, 1), masses(70, 2), blur=blur**2)
    plan = solve(problem, "sinkhorn", stop=stop)
    pi = plan_of(problem, plan)
    error = max(np.abs(pi.sum(axis=1) - problem.a).sum(), np.abs(pi.sum(axis=0) - problem.b).sum())
    assert error == pytest.approx(plan.marginal_error, rel=1e-4, abs=1e-9)
    assert plan.marginal_error <= stop
    assert plan.cost == pytest.approx((pi * cost).sum(), rel=1e-6)
    assert certify(problem, plan).valid


def test_mass_of_any_size_scales_the_plan():
    x, y = clouds()
    a, b = masses(60, 1), masses(70, 2)
    plan = solve(Transport(PointCost(x, y), a, b, blur=0.05), "sinkhorn")
    for mass in (1e-30, 7.0, 1e30):
        scaled = Transport(PointCost(x, y), mass * a, mass * b, blur=0.05)
        other = solve(scaled, "sinkhorn")
        assert other.cost == pytest.approx(mass * plan.cost, rel=1e-9)
        assert plan_of(scaled, other).sum() == pytest.approx(mass, rel=1e-3)
        assert certify(scaled, other).valid


# GeomLoss's schedule


def reference_schedule(problem, epsilons):
    """Symmetric updates, averaged, straight from log-sum-exp; no average in the last step."""
    cost, rho = problem.cost.dense(), problem.rho

    def updates(f, g, eps):
        damping = 1 / (1 + eps / rho)
        return (
            -damping * eps * logsumexp((g - cost) / eps, b=problem.b, axis=1),
            -damping * eps * logsumexp((f[:, None] - cost) / eps, b=problem.a[:, None], axis=0),
        )

    f, g = updates(np.zeros(cost.shape[0]), np.zeros(cost.shape[1]), epsilons[0])
    for eps in epsilons:
        new_f, new_g = updates(f, g, eps)
        f, g = (f + new_f) / 2, (g + new_g) / 2
    return updates(f, g, epsilons[-1])


@pytest.mark.parametrize("solver", ["sinkhorn", "sinkhorn-multilevel"])
@pytest.mark.parametrize("reach", [None, 0.3])
@pytest.mark.parametrize("scaling", [0.9, 0.5, 0.05])
def test_sinkhorn_by_schedule_equals_geomloss(solver, reach, scaling):
    x, y = clouds()
    blur = 0.05
    problem = Transport(PointCost(x, y, scale=0.5), masses(60, 1), masses(70, 2), blur, reach)
    plan = solve(problem, solver, scaling=scaling, stop="schedule")
    both = np.vstack([x, y])
    diameter = np.linalg.norm(both.max(axis=0) - both.min(axis=0))
    lengths = [diameter, diameter]
    while lengths[-1] * scaling > blur:
        lengths.append(lengths[-1] * scaling)
    epsilons = np.array([*lengths, blur]) ** 2
    f, g = reference_schedule(problem, epsilons)
    # Sums of points are in float32, which ε takes down to this.
    np.testing.assert_allclose(plan.f, f, atol=1e-6)
    np.testing.assert_allclose(plan.g, g, atol=1e-6)
    # One pass to start, one an ε, one without averaging, one to measure.
    assert plan.counters["passes"] == len(epsilons) + 3
    assert certify(problem, plan).valid


@pytest.mark.parametrize("scaling", [0.9, 0.05])
def test_schedule_of_a_matrix_is_exact(scaling):
    x, y = clouds()
    cost = DenseCost(PointCost(x, y).dense())
    problem = Transport(cost, masses(60, 1), masses(70, 2), blur=0.0025)
    plan = solve(problem, "sinkhorn", scaling=scaling, stop="schedule")
    high, low = cost.matrix.max(), cost.matrix.min()
    epsilons = [high - low, *descent(high - low, 0.0025, scaling)]
    f, g = reference_schedule(problem, epsilons)
    np.testing.assert_allclose(plan.f, f, atol=1e-11)
    np.testing.assert_allclose(plan.g, g, atol=1e-11)


def test_schedule_is_not_converged_and_says_so():
    x, y = clouds()
    plan = solve(Transport(PointCost(x, y), blur=0.02), "sinkhorn", stop="schedule")
    assert plan.marginal_error > 0.01


def test_descent_ends_at_the_blur():
    assert descent(1.0, 0.1, 0.5) == [1.0, 0.5, 0.25, 0.125, 0.1]
    assert descent(0.1, 0.1, 0.5) == [0.1]
    assert descent(0.01, 0.1, 0.5) == [0.1]


def test_tuning_finds_youngs_relaxation():
    plain = 0.99  # what an update of both sides leaves of the error
    best = 2 / (1 + np.sqrt(1 - plain))
    assert tuned(1.0, plain) == pytest.approx(best)
    assert tuned(1.98, 0.98) == 1.98
    assert tuned(1.8, 1.3) == tuned(1.8, float("nan")) == 1.8


def test_sinkhorn_with_relaxation_takes_fewer_passes():
    x, y = clouds(150, 150)
    plan = solve(Transport(PointCost(x, y), blur=0.03), "sinkhorn")
    assert plan.counters["passes"] < 300  # the plain iteration takes more than 1000


# A cloud with itself


@pytest.mark.parametrize("solver", ["sinkhorn", "sinkhorn-multilevel"])
@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("blur", [0.005, 0.05, 0.5, 50.0])
@pytest.mark.parametrize("reach", [None, 0.3])
def test_cloud_to_itself_takes_few_passes(solver, p, blur, reach):
    x, _ = clouds(500)
    a = masses(500, 1)
    problem = Transport(PointCost(x, x, p=p), a, a, blur, reach)
    plan = solve(problem, solver)
    assert plan.counters["passes"] <= 10
    assert plan.marginal_error <= 1e-3
    np.testing.assert_array_equal(plan.f, plan.g)
    assert certify(problem, plan).valid


def test_cloud_to_itself_is_the_plan_of_updates_by_turns():
    x, _ = clouds(50)
    a = masses(50, 1)
    problem = Transport(PointCost(x, x), a, a, 0.3)
    plan = solve(problem, "sinkhorn", stop=1e-9)
    np.testing.assert_allclose(plan_of(problem, plan), optimal_plan(problem), atol=1e-9)
    # Another order of the columns hides that they are the rows.
    turns = solve(Transport(PointCost(x, x[::-1]), a, a[::-1], 0.3), "sinkhorn", stop=1e-9)
    assert turns.cost == pytest.approx(plan.cost, rel=1e-7)
    assert turns.counters["passes"] > plan.counters["passes"]


# Unbalanced


def test_sinkhorn_with_a_reach_is_a_fixed_point():
    x, y = clouds()
    problem = Transport(PointCost(x, y), masses(60, 1), 3 * masses(70, 2), blur=0.1, reach=0.3)
    plan = solve(problem, "sinkhorn", stop=1e-8)
    pi = plan_of(problem, plan)
    np.testing.assert_allclose(pi.sum(axis=1), problem.a * np.exp(-plan.f / problem.rho), atol=1e-9)
    np.testing.assert_allclose(pi.sum(axis=0), problem.b * np.exp(-plan.g / problem.rho), atol=1e-9)


def test_sinkhorn_with_a_great_reach_agrees_with_balanced():
    x, y = clouds()
    balanced = solve(Transport(PointCost(x, y), blur=0.1), "sinkhorn", stop=1e-7)
    nearly = solve(Transport(PointCost(x, y), blur=0.1, reach=1e3), "sinkhorn", stop=1e-7)
    assert nearly.cost == pytest.approx(balanced.cost, rel=1e-4)
    # The shift between the potentials makes the number of passes independent of the reach.
    assert nearly.counters["passes"] < 2 * balanced.counters["passes"]


def test_sinkhorn_with_a_small_reach_moves_nothing():
    x, _ = clouds()
    plan = solve(Transport(PointCost(x, x + 50.0), blur=0.1, reach=0.5), "sinkhorn")
    assert plan.cost < 1e-6
    assert np.isfinite(plan.f).all()
    assert np.isfinite(plan.g).all()


# POT


def test_sinkhorn_of_a_balanced_problem_agrees_with_pot():
    ot = pytest.importorskip("ot", reason="POT is not installed")
    x, y = clouds()
    a, b = masses(60, 1), masses(70, 2)
    problem = Transport(PointCost(x, y), a, b, blur=0.15)
    theirs = ot.sinkhorn(a, b, problem.cost.dense(), problem.epsilon, method="sinkhorn_log", stopThr=1e-10)
    ours = plan_of(problem, solve(problem, "sinkhorn", stop=1e-10))
    np.testing.assert_allclose(ours, theirs, atol=1e-9)


def test_sinkhorn_of_an_unbalanced_problem_agrees_with_pot():
    ot = pytest.importorskip("ot", reason="POT is not installed")
    x, y = clouds()
    a, b = masses(60, 1), 2 * masses(70, 2)
    problem = Transport(PointCost(x, y), a, b, blur=0.2, reach=0.4)
    # POT's entropy is taken relative to a ⊗ b as ours where it is told so.
    theirs = ot.unbalanced.sinkhorn_unbalanced(
        a, b, problem.cost.dense(), problem.epsilon, problem.rho, reg_type="kl", stopThr=1e-12, numItermax=10_000
    )
    ours = plan_of(problem, solve(problem, "sinkhorn", stop=1e-10))
    np.testing.assert_allclose(ours, theirs, atol=1e-8)
