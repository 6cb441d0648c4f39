"""Entropic transport of hard inputs: zero and tiny masses, outliers, extreme scales, forbidden pairs."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
from entropic_problems import clouds, masses, plan_of
from log_domain import optimal_plan
from scipy.special import logsumexp

from lapmark import (
    DenseCost,
    Infeasible,
    PointCost,
    SparseCost,
    Transport,
    Unsupported,
    certify,
    names,
    solve,
)
from lapmark.solvers.certificate.hall_proof import fault_of_proof

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


def test_sinkhorn_of_one_full_bin_on_either_side_fits_the_empty_ones():
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
def test_sinkhorn_of_all_points_in_one_place_costs_nothing(stop):
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


def test_sinkhorn_without_blur_is_refused():
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
def test_sinkhorn_with_bad_options_names_them(options, fault):
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
def test_sinkhorn_with_forbidden_pairs_carries_nothing_on_them(kind, reach, blur, unit):
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
