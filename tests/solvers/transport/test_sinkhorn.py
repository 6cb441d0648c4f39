"""Entropic transport: the native pass, known answers, limits, hostile inputs."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
from log_domain import optimal_plan
from scipy.special import logsumexp

from lapmark import (
    Assignment,
    DenseCost,
    Infeasible,
    PointCost,
    SparseCost,
    Transport,
    Unsupported,
    certify,
    linear_sum_assignment,
    names,
    solve,
)
from lapmark.solvers.certificate.hall_proof import fault_of_proof
from lapmark.solvers.native import _native
from lapmark.solvers.sinkhorn.iteration import descent, tuned

needs_avx2 = pytest.mark.skipif(not _native.HAS_AVX2, reason="this processor has no AVX2")


def clouds(n=60, m=70, d=2, seed=0):
    rng = np.random.default_rng(seed)
    return rng.random((n, d)), rng.normal(0.6, 0.2, (m, d))


def masses(size, seed):
    weights = np.random.default_rng(seed).exponential(size=size)
    return weights / weights.sum()


def plan_of(problem, plan):
    with np.errstate(over="ignore"):  # where there is no mass
        e = np.exp((plan.f[:, None] + plan.g - problem.cost.dense()) / problem.epsilon)
    return np.where((problem.a > 0)[:, None] & (problem.b > 0), problem.a[:, None] * problem.b * e, 0.0)


# The native pass


@pytest.mark.parametrize("avx2", [False, pytest.param(True, marks=needs_avx2)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n", "m"), [(1, 1), (3, 7), (7, 16), (16, 33), (20, 150)])
@pytest.mark.parametrize("epsilon", [1.0, 0.05, 0.003])
def test_pass_gives_soft_minima(avx2, dtype, n, m, epsilon):
    rng = np.random.default_rng(n + m)
    cost = rng.normal(size=(n, m)).astype(dtype)
    a, b, g = masses(n, 1), masses(m, 2), rng.normal(size=m)
    f = (cost - g).min(axis=1).astype(np.float64)
    rows, cols, spent = _native.marginals(cost, f, g, a, b, epsilon, avx2)
    exponent = (f[:, None] + g - cost.astype(np.float64)) / epsilon
    np.testing.assert_allclose(rows, np.exp(logsumexp(exponent, b=b, axis=1)), rtol=1e-12)
    expected = np.exp(logsumexp(exponent, b=a[:, None], axis=0))
    # Terms below 2**-100 are dropped, which only a column that gets nothing to speak of can feel.
    np.testing.assert_allclose(cols, expected, rtol=1e-11, atol=2e-30)
    assert spent == pytest.approx((a[:, None] * b * np.exp(exponent) * cost).sum(), rel=1e-11)


@needs_avx2
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_native_marginals_builds_agree(dtype):
    rng = np.random.default_rng(5)
    cost = rng.random((90, 77)).astype(dtype)
    inputs = (cost, cost.min(axis=1).astype(np.float64), np.zeros(77), masses(90, 1), masses(77, 2), 0.01)
    for scalar, avx2 in zip(_native.marginals(*inputs, False), _native.marginals(*inputs, True), strict=True):
        np.testing.assert_allclose(scalar, avx2, rtol=1e-13)


@pytest.mark.parametrize("avx2", [False, pytest.param(True, marks=needs_avx2)])
def test_pass_says_where_exponents_leave_the_range(avx2):
    one = np.ones(1)
    for exponent, expected in ((600.0, np.exp(600.0)), (-60.0, np.exp(-60.0)), (-100.0, 0.0), (701.0, np.nan)):
        rows, cols, _ = _native.marginals(np.zeros((1, 1)), np.array([exponent]), np.zeros(1), one, one, 1.0, avx2)
        np.testing.assert_allclose([rows[0], cols[0]], expected, rtol=1e-12)


# Known answers


def test_one_point_to_many_has_no_choice():
    y = np.random.default_rng(0).random((9, 3))
    b = masses(9, 1)
    plan = solve(Transport(PointCost(np.zeros((1, 3)), y), None, b, blur=0.1), "sinkhorn", stop=1e-10)
    assert plan.cost == pytest.approx(b @ (y**2).sum(axis=1), rel=1e-9)
    assert plan.marginal_error < 1e-10


def test_two_points_in_closed_form():
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
def test_marginals_are_as_stated(stop, blur, dtype):
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
def test_schedule_is_geomloss(solver, reach, scaling):
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


def test_relaxation_takes_fewer_passes():
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


def test_unbalanced_fixed_point():
    x, y = clouds()
    problem = Transport(PointCost(x, y), masses(60, 1), 3 * masses(70, 2), blur=0.1, reach=0.3)
    plan = solve(problem, "sinkhorn", stop=1e-8)
    pi = plan_of(problem, plan)
    np.testing.assert_allclose(pi.sum(axis=1), problem.a * np.exp(-plan.f / problem.rho), atol=1e-9)
    np.testing.assert_allclose(pi.sum(axis=0), problem.b * np.exp(-plan.g / problem.rho), atol=1e-9)


def test_great_reach_is_balanced():
    x, y = clouds()
    balanced = solve(Transport(PointCost(x, y), blur=0.1), "sinkhorn", stop=1e-7)
    nearly = solve(Transport(PointCost(x, y), blur=0.1, reach=1e3), "sinkhorn", stop=1e-7)
    assert nearly.cost == pytest.approx(balanced.cost, rel=1e-4)
    # The shift between the potentials makes the number of passes independent of the reach.
    assert nearly.counters["passes"] < 2 * balanced.counters["passes"]


def test_small_reach_moves_nothing():
    x, _ = clouds()
    plan = solve(Transport(PointCost(x, x + 50.0), blur=0.1, reach=0.5), "sinkhorn")
    assert plan.cost < 1e-6
    assert np.isfinite(plan.f).all()
    assert np.isfinite(plan.g).all()


# Hostile inputs


def test_zero_masses_get_potentials_and_no_mass():
    x, y = clouds()
    a, b = masses(60, 1), masses(70, 2)
    a[:20], b[30:] = 0, 0
    problem = Transport(PointCost(x, y), a / a.sum(), b / b.sum(), blur=0.05)
    plan = solve(problem, "sinkhorn", stop=1e-6)
    without = Transport(PointCost(x[20:], y[:30]), problem.a[20:], problem.b[:30], blur=0.05)
    assert plan.cost == pytest.approx(solve(without, "sinkhorn", stop=1e-6).cost, rel=1e-5)
    assert np.isfinite(plan.f).all()
    assert np.isfinite(plan.g).all()


@pytest.mark.parametrize("solver", ["sinkhorn", "sinkhorn-multilevel"])
@pytest.mark.parametrize("kind", ["points", "far", "matrix"])
@pytest.mark.parametrize("stop", [1e-6, "schedule"])
@pytest.mark.parametrize("reach", [None, 1.0])
def test_empty_bins_at_a_small_blur_get_what_the_others_leave(solver, kind, stop, reach):
    if solver == "sinkhorn-multilevel" and kind != "points":
        pytest.skip("takes points in up to 3 dimensions")
    x, y = clouds(d=4 if kind == "far" else 2)
    a, b = masses(60, 1), masses(70, 2)
    a[5:], b[:-4] = 0, 0
    cost = PointCost(x, y, p=1)
    cost = DenseCost(cost.dense()) if kind == "matrix" else cost
    problem = Transport(cost, a / a.sum(), b / b.sum(), 0.002, reach)
    plan = solve(problem, solver, stop=stop)
    damping = 1 / (1 + problem.epsilon / problem.rho)
    for own, other, masses_, matrix in (
        (plan.f, plan.g, problem.b, problem.cost.dense()),
        (plan.g, plan.f, problem.a, problem.cost.dense().T),
    ):
        heavy = masses_ > 0
        exponent = (other[heavy] - matrix[:, heavy]) / problem.epsilon
        soft = -problem.epsilon * damping * logsumexp(exponent, b=masses_[heavy], axis=1)
        empty = (problem.a if own is plan.f else problem.b) == 0
        np.testing.assert_allclose(own[empty], soft[empty], rtol=1e-9)
    assert certify(problem, plan).valid


def test_one_full_bin_on_either_side():
    problem = Transport(DenseCost([[0, 1], [1, 0]]), [1, 0], [0, 1], blur=0.001)
    plan = solve(problem, "sinkhorn")
    assert plan.cost == pytest.approx(1)
    # The empty row gets what column 1 leaves it, the empty column what row 0 leaves it.
    np.testing.assert_allclose(plan.f[:, None] + plan.g, [[0, 1], [-1, 0]], atol=1e-9)


@pytest.mark.parametrize("solver", ["sinkhorn", "sinkhorn-multilevel"])
@pytest.mark.parametrize("reach", [None, 0.5])
def test_masses_of_all_sizes_move_in_full(solver, reach):
    rng = np.random.default_rng(3)
    x, y = clouds()
    a, b = 10.0 ** rng.uniform(-18, 0, 60), 10.0 ** rng.uniform(-18, 0, 70)
    a[:3] = 1e-300, 5e-324, 0
    problem = Transport(PointCost(x, y), a / a.sum(), b / b.sum(), 0.1, reach)
    plan = solve(problem, solver)
    e = np.exp((plan.f[:, None] + plan.g - problem.cost.dense()) / problem.epsilon)
    np.testing.assert_allclose(e @ problem.b, np.exp(-plan.f / problem.rho), rtol=0.02)


@pytest.mark.parametrize("seed", range(120))
def test_stated_cost_is_that_of_the_plan(seed):
    rng = np.random.default_rng(seed)
    n, m, d, p = *rng.integers(1, 60, 2), int(rng.integers(1, 5)), float(rng.choice([1, 1.5, 2, 3]))
    scale, offset = 10.0 ** rng.integers(-12, 13), rng.choice([0.0, 1e6])
    a, b = 10.0 ** rng.uniform(-18, 0, n), rng.exponential(size=m) * (rng.random(m) < 0.7) + 1e-12
    blur = scale * 10.0 ** rng.uniform(-1.5, 3)
    cost = PointCost(scale * (rng.random((n, d)) + offset), scale * (rng.random((m, d)) + offset), p)
    if seed % 3 == 0:
        cost, blur = DenseCost(cost.dense()), blur**p
    problem = Transport(cost, a / a.sum(), b / b.sum(), blur, rng.choice([None, 3 * blur]))
    plan = solve(problem, "sinkhorn", stop=1e-2)
    assert plan.marginal_error <= 1e-2
    moved = plan_of(problem, plan)
    assert plan.cost == pytest.approx((moved * cost.dense()).sum(), rel=1e-6, abs=1e-9 * problem.epsilon * moved.sum())


@pytest.mark.parametrize("kind", ["even", "line", "places"])
@pytest.mark.parametrize("p", [1, 2])
def test_stated_cost_of_many_points_is_that_of_the_plan(kind, p):
    rng = np.random.default_rng(0)
    x, y = rng.random((2, 1200, 2))
    if kind == "line":
        x[:, 1], y[:, 1] = 2 * x[:, 0], 2 * y[:, 0]
    elif kind == "places":
        x, y = x[rng.integers(0, 9, 1200)], x[rng.integers(0, 9, 1200)]
    problem = Transport(PointCost(x, y, p), masses(1200, 1), masses(1200, 2), blur=0.05)
    plan = solve(problem, "sinkhorn", stop="schedule")
    assert plan.cost == pytest.approx((plan_of(problem, plan) * problem.cost.dense()).sum(), rel=1e-6)


@pytest.mark.parametrize("stop", [1e-3, "schedule"])
def test_all_points_in_one_place(stop):
    plan = solve(Transport(PointCost(np.ones((5, 2)), np.ones((8, 2))), blur=0.05), "sinkhorn", stop=stop)
    assert plan.cost == pytest.approx(0, abs=1e-15)
    assert plan.marginal_error < 1e-6


@pytest.mark.parametrize("scaling", [0.5, 1e-3])
def test_sinkhorn_with_outliers_meets_its_marginals(scaling):
    x, y = clouds()
    x[0], y[3] = 5.0, -5.0
    problem = Transport(PointCost(x, y), blur=0.1)
    plan = solve(problem, "sinkhorn", scaling=scaling)
    assert plan.marginal_error <= 1e-3
    assert certify(problem, plan).valid


@pytest.mark.parametrize("reach", [None, 0.5])
@pytest.mark.parametrize("stop", [0.2, "schedule"])
@pytest.mark.parametrize("scaling", [0.5, 1e-3])
def test_very_far_outliers_keep_everything_finite(reach, stop, scaling):
    x, y = clouds()
    x[0], y[3] = 1e3, -1e3
    problem = Transport(PointCost(x, y), blur=0.1, reach=reach)
    plan = solve(problem, "sinkhorn", stop=stop, scaling=scaling)
    assert np.isfinite([plan.cost, plan.marginal_error, *plan.f, *plan.g]).all()
    assert certify(problem, plan).valid


@pytest.mark.parametrize("scale", [1e-200, 1e-20, 1e20, 1e200])
def test_sinkhorn_with_costs_of_any_scale_is_valid(scale):
    x, y = clouds()
    cost = PointCost(x, y).dense()
    plain = solve(Transport(DenseCost(cost), blur=0.01), "sinkhorn")
    scaled = solve(Transport(DenseCost(scale * cost), blur=0.01 * scale), "sinkhorn")
    assert scaled.cost == pytest.approx(scale * plain.cost, rel=1e-6)


def test_blur_too_small_for_float64_is_an_error_with_a_cure():
    x, y = clouds()
    with pytest.raises(ValueError, match=r"blur = 1e-09 is too small for float64 .* give at least (.*)") as caught:
        solve(Transport(PointCost(x, y), blur=1e-9), "sinkhorn")
    enough = float(str(caught.value).rsplit(" ", 1)[1]) * 1.01
    with pytest.warns(RuntimeWarning, match="marginal error"):
        plan = solve(Transport(PointCost(x, y), blur=enough), "sinkhorn", max_iterations=50)
    assert np.isfinite(plan.cost)


def test_without_blur_it_is_another_solvers_problem():
    x, y = clouds()
    with pytest.raises(Unsupported, match="blur above 0"):
        solve(Transport(PointCost(x, y), blur=0), "sinkhorn")


def test_sinkhorn_without_convergence_warns_and_states_its_error():
    x, y = clouds()
    problem = Transport(PointCost(x, y), blur=0.005)
    with pytest.warns(RuntimeWarning, match=r"marginal error is 0\..* raise max_iterations"):
        plan = solve(problem, "sinkhorn", max_iterations=40)
    assert plan.marginal_error > 1e-3
    assert certify(problem, plan).valid


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"stop": "soon"}, "stop = 'soon'"),
        ({"stop": 0}, "stop = 0"),
        ({"scaling": 1.0}, "scaling = 1.0"),
        ({"max_iterations": 0}, "max_iterations = 0"),
        ({"blur": 0.1}, "blur belongs to the problem"),
    ],
)
def test_bad_options_are_named(options, fault):
    with pytest.raises(ValueError, match=fault):
        solve(Transport(DenseCost([[1.0]]), blur=0.05), "sinkhorn", **options)


# Forbidden pairs


def restricted(seed, n=30, m=25, share=0.4):
    """A matrix with forbidden pairs, and masses that some plan carries along all others."""
    rng = np.random.default_rng(seed)
    allowed = rng.random((n, m)) > share
    allowed[np.arange(n), np.arange(n) % m] = True
    carried = allowed * rng.exponential(size=(n, m))
    return np.where(allowed, rng.random((n, m)), np.inf), carried.sum(axis=1), carried.sum(axis=0)


@pytest.mark.parametrize("kind", ["dense", "single", "sparse"])
@pytest.mark.parametrize("reach", [None, 0.5])
@pytest.mark.parametrize("blur", [0.02, 0.3, 30.0])
@pytest.mark.parametrize("unit", [1e-12, 1.0, 1e12])
def test_forbidden_pairs_carry_nothing(kind, reach, blur, unit):
    matrix, a, b = restricted(1)
    matrix = matrix.astype(np.float32 if kind == "single" else np.float64) * np.float32(unit)
    rows, cols = np.nonzero(np.isfinite(matrix))
    csr = scipy.sparse.csr_array((matrix[rows, cols], (rows, cols)), matrix.shape)
    cost = SparseCost(csr) if kind == "sparse" else DenseCost(matrix)
    problem = Transport(cost, a, b, blur * unit, reach and reach * unit)
    assert "sinkhorn" in names(problem)
    plan = solve(problem, stop=1e-7)
    assert np.isfinite([*plan.f, *plan.g]).all()
    np.testing.assert_allclose(plan_of(problem, plan), optimal_plan(problem), atol=1e-6 * a.sum())
    certificate = certify(problem, plan)
    assert certificate.valid
    assert certificate.entropic_gap < 1e-6


@pytest.mark.parametrize("stop", [1e-3, "schedule"])
@pytest.mark.parametrize("share", [0.2, 0.7])
def test_a_support_without_a_plan_is_proven_infeasible(stop, share):
    matrix, a, b = restricted(2, share=share)
    a[[3, 4]], matrix[3:5] = b[:2].sum(), np.inf
    matrix[[3, 4, 4], [0, 0, 1]] = 1.0
    problem = Transport(DenseCost(matrix), a / a.sum(), b / b.sum(), blur=0.05)
    with pytest.raises(Infeasible, match=r"rows 3 and 4 hold .* but allow columns 0 and 1 only") as caught:
        solve(problem, "sinkhorn", stop=stop)
    assert fault_of_proof(problem, caught.value) is None


@pytest.mark.parametrize("n", [2, 9, 30])
@pytest.mark.parametrize("blur", [0.05, 1.0])
def test_pairs_that_no_plan_uses_end_up_empty(n, blur):
    # Only the diagonal of a triangle meets its marginals, so that the potentials of the rest have to drift apart.
    cost = np.where(np.tri(n) > 0, np.random.default_rng(n).random((n, n)), np.inf)
    problem = Transport(DenseCost(cost), blur=blur)
    plan = solve(problem, "sinkhorn")
    assert plan.marginal_error <= 1e-3
    assert plan.cost == pytest.approx(np.trace(cost) / n, rel=0.01 * n)
    assert certify(problem, plan).valid


@pytest.mark.parametrize("forbidden", [np.ones((3, 4), bool), np.arange(12).reshape(3, 4) // 4 == 1])
def test_under_a_reach_what_allows_no_pair_stays(forbidden):
    problem = Transport(DenseCost(np.where(forbidden, np.inf, 1.0)), blur=0.1, reach=2.0)
    plan = solve(problem, "sinkhorn", stop=1e-8)
    certificate = certify(problem, plan)
    assert certificate.valid
    moved = plan_of(problem, plan).sum(axis=1)
    assert (moved[forbidden.all(axis=1)] == 0).all()
    if forbidden.all():
        assert certificate.feasible_cost == pytest.approx(2 * problem.rho)  # all of a and all of b stays
    else:
        allowed = Transport(DenseCost(np.ones((2, 4))), np.full(2, 1 / 3), None, 0.1, 2.0)
        np.testing.assert_allclose(plan_of(problem, plan)[[0, 2]], optimal_plan(allowed), rtol=1e-6)


def test_a_bin_without_mass_may_forbid_everything():
    cost = [[np.inf, np.inf, np.inf], [0.5, 1, np.inf], [1, 0.5, 2]]
    for reach, expected in ((None, 0.0), (1.0, 1.0)):
        problem = Transport(DenseCost(cost), [0, 1, 1], [1, 1, 0], blur=0.1, reach=reach)
        plan = solve(problem, "sinkhorn")
        assert np.isfinite([*plan.f, *plan.g]).all()
        if reach is not None:
            assert -np.expm1(-plan.f[0] / problem.rho) == expected  # a mass put there would have to stay


# Assignment


@pytest.mark.parametrize("shape", [(60, 60), (40, 70), (70, 40), (300, 280)])
@pytest.mark.parametrize("share", [0.1, 0.9, 0.98])
def test_matchings_avoid_forbidden_pairs(shape, share):
    rng = np.random.default_rng(shape)
    matrix = np.where(rng.random(shape) < share, np.inf, rng.random(shape))
    least = min(shape)
    matrix[rng.permutation(shape[0])[:least], rng.permutation(shape[1])[:least]] = 1.0
    problem = Assignment(DenseCost(matrix))
    matching = solve(problem, "sinkhorn", blur=0.02)
    assert certify(problem, matching).valid
    rows, cols = linear_sum_assignment(matrix)
    assert matching.cost <= 1.1 * matrix[rows, cols].sum() + 1


@pytest.mark.parametrize("shape", [(5, 5), (4, 6), (6, 4)])
def test_no_matching_is_proven(shape):
    matrix = np.ones(shape)
    matrix[:, 1:] = np.inf
    problem = Assignment(DenseCost(matrix if shape[0] <= shape[1] else np.where(np.isinf(matrix.T), np.inf, 1.0).T))
    with pytest.raises(Infeasible) as caught:
        solve(problem, "sinkhorn")
    assert fault_of_proof(problem, caught.value) is None


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0), (1, 1), (1, 7), (7, 1), (60, 60), (40, 70), (70, 40)])
def test_matchings_of_every_shape(shape):
    x, y = clouds(*shape)
    problem = Assignment(PointCost(x, y))
    certificate = certify(problem, solve(problem, "sinkhorn", blur=0.02))
    assert certificate.valid
    assert certificate.gap < 0.1
    assert certificate.max_violation < 1e-12


def test_smaller_blur_buys_a_smaller_gap():
    rng = np.random.default_rng(4)
    line = np.linspace(0, 1, 15)
    grid = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    problem = Assignment(PointCost(grid, rng.random((225, 2)) ** 2))
    best = solve(problem).cost
    gaps, bounds = [], []
    for blur in (0.3, 0.1, 0.03, 0.01):
        answer = solve(problem, "sinkhorn", blur=blur)
        gaps.append(answer.cost / best - 1)
        bounds.append(1 - certify(problem, answer).dual_bound / best)
    assert gaps[0] > gaps[1] > max(gaps[2:])
    assert max(gaps[2:]) < 2e-2
    assert bounds == sorted(bounds, reverse=True)
    assert bounds[-1] < 2e-3


@pytest.mark.parametrize("matrix", [np.zeros((6, 6)), np.full((5, 8), -3.5), np.full((3, 3), 1e300)])
def test_equal_costs_are_any_matching(matrix):
    problem = Assignment(DenseCost(matrix))
    assert certify(problem, solve(problem, "sinkhorn")).optimal


@pytest.mark.parametrize("offset", [1e9, -1e9])
def test_an_offset_changes_no_matching(offset):
    matrix = np.round(np.random.default_rng(6).random((40, 50)), 6)
    plain = solve(Assignment(DenseCost(matrix)), "sinkhorn")
    moved = solve(Assignment(DenseCost(matrix + offset)), "sinkhorn")
    np.testing.assert_array_equal(moved.row_to_col, plain.row_to_col)


def test_equal_runs_give_equal_answers():
    x, y = clouds(50, 50)
    problem = Assignment(PointCost(x, y))
    first, second = (solve(problem, "sinkhorn") for _ in range(2))
    np.testing.assert_array_equal(first.row_to_col, second.row_to_col)
    assert first.counters == second.counters


# POT


def test_agrees_with_pot():
    ot = pytest.importorskip("ot", reason="POT is not installed")
    x, y = clouds()
    a, b = masses(60, 1), masses(70, 2)
    problem = Transport(PointCost(x, y), a, b, blur=0.15)
    theirs = ot.sinkhorn(a, b, problem.cost.dense(), problem.epsilon, method="sinkhorn_log", stopThr=1e-10)
    ours = plan_of(problem, solve(problem, "sinkhorn", stop=1e-10))
    np.testing.assert_allclose(ours, theirs, atol=1e-9)


def test_agrees_with_pot_unbalanced():
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
