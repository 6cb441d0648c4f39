"""Entropic transport coarse to fine: the same answers as on all pairs, whatever the points."""

from __future__ import annotations

import numpy as np
import pytest

from lapmark import DenseCost, PointCost, Transport, Unsupported, certify, solve


def cloud(kind, n, d, seed):
    rng = np.random.default_rng(seed)
    match kind:
        case "even":
            return rng.random((n, d))
        case "clusters":
            return 4 * rng.random((5, d))[rng.integers(0, 5, n)] + 0.03 * rng.standard_normal((n, d))
        case "outliers":
            return np.concatenate([rng.random((n - 3, d)), 40 + 10 * rng.random((3, d))])
        case "line":
            return np.outer(np.linspace(0, 1, n), np.ones(d))
        case _:
            return rng.random((n // 50, d))[rng.integers(0, n // 50, n)]


def problem_of(kind, n, d=2, reach=None, p=2, blur=0.05):
    rng = np.random.default_rng(n)
    a, b = rng.exponential(size=n), rng.exponential(size=n + 50)
    a[::17] = 0
    a /= a.sum()
    b /= b.sum()
    if kind == "outliers":  # mass that has to come from afar takes Sinkhorn's algorithm thousands of passes
        a[-3:], b[-3:] = b[-3:].sum() / 3, b[-3:].sum() / 3
        a[:-3] *= b[:-3].sum() / a[:-3].sum()
    cost = PointCost(cloud(kind, n, d, 0), 0.1 + cloud(kind, n + 50, d, 1), p=p, scale=1 / p)
    return Transport(cost, a, b, blur, reach)


def apart(problem, plan, other):
    """Largest difference of potentials, up to the constant that a balanced problem leaves free."""
    f, g = plan.f - other.f, plan.g - other.g
    constant = f[problem.a > 0].mean() if problem.reach is None else 0.0
    return max(np.abs(f - constant).max(), np.abs(g + constant).max())


@pytest.mark.parametrize("kind", ["even", "clusters", "outliers", "line", "duplicates"])
@pytest.mark.parametrize("reach", [None, 0.3])
def test_schedule_ends_where_that_of_all_pairs_does(kind, reach):
    problem = problem_of(kind, 1500, reach=reach)
    plan = solve(problem, "sinkhorn-multilevel", stop="schedule")
    reference = solve(problem, "sinkhorn", stop="schedule")
    assert apart(problem, plan, reference) < {"clusters": 1e-3, "outliers": 3e-2}.get(kind, 3e-4)
    assert plan.counters["passes"] < reference.counters["passes"] / 2
    assert certify(problem, plan).valid


@pytest.mark.parametrize("kind", ["even", "clusters", "outliers", "line", "duplicates"])
@pytest.mark.parametrize(("d", "p", "reach"), [(2, 2, None), (2, 2, 0.3), (3, 2, None), (2, 1, None), (3, 1, 0.5)])
@pytest.mark.parametrize("stop", [1e-3, 1e-5])
def test_multilevel_at_any_stop_has_the_marginals_asked_for(kind, d, p, reach, stop):
    problem = problem_of(kind, 900, d, reach, p, blur=0.1)
    plan = solve(problem, "sinkhorn-multilevel", stop=stop)
    assert plan.marginal_error <= stop
    certificate = certify(problem, plan)
    assert certificate.valid
    assert certificate.marginal_error <= 1.2 * stop
    assert np.isfinite(plan.f).all()
    assert np.isfinite(plan.g).all()


def test_time_falls_on_few_passes_over_the_points():
    problem = problem_of("even", 4000, blur=0.1)
    plan = solve(problem, "sinkhorn-multilevel")
    assert plan.counters["passes"] <= 5
    assert solve(problem, "sinkhorn").counters["passes"] > 30


def test_threads_and_order_change_nothing():
    problem = problem_of("clusters", 1200)
    plan = solve(problem, "sinkhorn-multilevel", stop=1e-4)
    other = solve(problem, "sinkhorn-multilevel", stop=1e-4, threads=2)
    assert apart(problem, plan, other) < 1e-6
    order = np.random.default_rng(0).permutation(1200)
    cost = PointCost(problem.cost.x[order], problem.cost.y, scale=0.5)
    moved = solve(Transport(cost, problem.a[order], problem.b, blur=0.05), "sinkhorn-multilevel", stop=1e-4)
    assert moved.cost == pytest.approx(plan.cost, rel=1e-3)


@pytest.mark.parametrize("n", [1, 2, 9])
def test_multilevel_with_few_points_is_valid(n):
    rng = np.random.default_rng(n)
    problem = Transport(PointCost(rng.random((n, 2)), rng.random((n, 2))), blur=0.1)
    plan = solve(problem, "sinkhorn-multilevel", stop=1e-6)
    assert plan.marginal_error <= 1e-6
    assert plan.cost == pytest.approx(solve(problem, "sinkhorn", stop=1e-6).cost, rel=1e-4)


@pytest.mark.parametrize(
    "cost", [DenseCost(np.ones((3, 3))), PointCost(np.eye(4), np.eye(4)), PointCost(np.eye(3), np.eye(3), p=1.5)]
)
def test_multilevel_refuses_other_costs(cost):
    with pytest.raises(Unsupported):
        solve(Transport(cost, blur=0.05), "sinkhorn-multilevel")


def test_multilevel_without_blur_is_refused():
    with pytest.raises(Unsupported, match="blur"):
        solve(Transport(PointCost(np.eye(2), np.eye(2)), blur=0), "sinkhorn-multilevel")
