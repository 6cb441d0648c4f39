"""The figures of a plan's certificate, held against the same taken from the whole matrix, and against lies."""

from __future__ import annotations

import dataclasses

import log_domain
import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import linprog

from lapmark import DenseCost, Plan, PointCost, SparseCost, Transport, certify, solve
from lapmark.solvers.certificate.plan_bounds import divergence, dual_bounds
from lapmark.solvers.certificate.plan_marginals import product, spread


def random_masses(rng, n, mass=1.0):
    masses = rng.exponential(1, n)
    masses[:: max(n // 5, 2)] = 0
    return masses * (mass / masses.sum())


def posed(kind="squared", mass=1.0, n=40, m=50, blur=0.1, reach=None, seed=0):
    rng = np.random.default_rng(seed)
    x, y = rng.random((n, 2)), rng.normal(0.6, 0.2, (m, 2))
    cost = {
        "squared": PointCost(x, y),
        "plain": PointCost(x, y, p=1, scale=2.0),
        "matrix": DenseCost(rng.normal(size=(n, m)).astype(np.float32)),
    }[kind]
    return Transport(cost, random_masses(rng, n, mass), random_masses(rng, m, mass), blur=blur, reach=reach)


def rough(problem, seed=1, size=1.0):
    """Potentials near nothing in particular, whose plan moves about all the mass."""
    rng = np.random.default_rng(seed)
    n, m = problem.shape
    f, g = size * problem.epsilon * rng.normal(size=n), size * problem.epsilon * rng.normal(size=m)
    moved = plan_of(problem, f, g).sum()
    return stated(problem, f - problem.epsilon * np.log(moved / problem.a.sum()), g)


def plan_of(problem, f, g):
    cost = problem.cost.dense().astype(np.float64)
    return problem.a[:, None] * problem.b * np.exp((f[:, None] + g - cost) / problem.epsilon)


def stated(problem, f, g):
    pi = plan_of(problem, f, g)
    asked = [problem.a, problem.b]
    if problem.reach is not None:
        asked = [masses * np.exp(-z / problem.rho) for masses, z in zip(asked, (f, g), strict=True)]
    errors = [np.abs(pi.sum(axis=1 - k) - asked[k]).sum() / (problem.a, problem.b)[k].sum() for k in range(2)]
    return Plan(float((pi * problem.cost.dense()).sum()), max(errors), f, g)


def altschuler(problem, pi):
    """Rounding, written as in the paper but for the two scalings at once; each sum over the whole matrix."""
    with np.errstate(invalid="ignore"):
        x, y = (np.nan_to_num(np.minimum(w / s, 1)) for w, s in ((problem.a, pi.sum(1)), (problem.b, pi.sum(0))))
    kept = pi * x[:, None] * y
    e, d = problem.a - kept.sum(axis=1), problem.b - kept.sum(axis=0)
    return kept + np.outer(e, d) / e.sum()


def relative_entropy(p, q):
    some = p > 0
    return float((p[some] * np.log(p[some] / q[some])).sum() - p.sum() + q.sum())


# The sums


@pytest.mark.parametrize("kind", ["squared", "plain", "matrix"])
def test_spread_in_blocks_sums_as_the_matrix(kind, monkeypatch):
    monkeypatch.setattr("lapmark.solvers.costs.cost.BLOCK_ENTRIES", 170)  # several blocks, the last one short
    problem = posed(kind)
    plan = rough(problem)
    pi, sums = plan_of(problem, plan.f, plan.g), spread(problem, plan.f, plan.g)
    np.testing.assert_allclose(sums.rows, pi.sum(axis=1), rtol=1e-12)
    np.testing.assert_allclose(sums.cols, pi.sum(axis=0), rtol=1e-12)
    assert sums.cost == pytest.approx((pi * problem.cost.dense()).sum(), rel=1e-12)


@pytest.mark.parametrize("kind", ["squared", "plain", "matrix"])
def test_product_in_blocks_costs_what_its_matrix_does(kind, monkeypatch):
    monkeypatch.setattr("lapmark.solvers.costs.cost.BLOCK_ENTRIES", 170)
    problem = posed(kind)
    expected = (np.outer(problem.a, problem.b) * problem.cost.dense()).sum()
    assert product(problem.cost, problem.a, problem.b) == pytest.approx(expected, rel=1e-12)
    assert product(problem.cost, 0 * problem.a, problem.b) == 0


def test_product_of_far_points_keeps_its_digits():
    rng = np.random.default_rng(0)
    x, y, e, d = rng.random((20, 3)), rng.random((30, 3)), rng.random(20), rng.random(30)
    expected = product(PointCost(x, y), e, d)
    assert product(PointCost(x + 1e6, y + 1e6), e, d) == pytest.approx(expected, rel=1e-9)


def test_certify_plan_of_points_makes_no_matrix(monkeypatch):
    problem = posed(n=300, m=280)
    plan = solve(problem, "sinkhorn")
    monkeypatch.setattr("lapmark.solvers.costs.cost.BLOCK_ENTRIES", 1000)
    largest = []
    block = PointCost.block
    monkeypatch.setattr(PointCost, "block", lambda self, i, j: largest.append(j - i) or block(self, i, j))
    assert certify(problem, plan).valid
    assert max(largest) <= 3


# Figures


@pytest.mark.parametrize("mass", [1.0, 7.0, 1e-30, 1e30])
@pytest.mark.parametrize("kind", ["squared", "plain", "matrix"])
def test_certify_balanced_plan_gives_the_figures_of_its_matrix(kind, mass):
    problem = posed(kind, mass)
    plan = rough(problem)
    certificate = certify(problem, plan)
    assert certificate.valid, certificate.fault
    pi, cost = plan_of(problem, plan.f, plan.g), problem.cost.dense().astype(np.float64)
    assert certificate.row_error == pytest.approx(np.abs(pi.sum(axis=1) - problem.a).sum() / mass)
    assert certificate.column_error == pytest.approx(np.abs(pi.sum(axis=0) - problem.b).sum() / mass)
    feasible = altschuler(problem, pi)
    np.testing.assert_allclose(feasible.sum(axis=0), problem.b, atol=1e-12 * mass)
    assert certificate.feasible_cost == pytest.approx((feasible * cost).sum(), rel=1e-9)
    # The bound is below the optimum, and so is the gap's numerator above the true one.
    optimum = solve(Transport(problem.cost, problem.a, problem.b, blur=0), "transport").cost
    assert certificate.dual_bound <= optimum + 1e-9 * abs(optimum)
    assert optimum <= certificate.feasible_cost
    assert certificate.gap == pytest.approx(
        (certificate.feasible_cost - certificate.dual_bound) / abs(certificate.feasible_cost)
    )
    # What entropy and its dual say of the rounded plan, summed over the whole matrix.
    product_mass = np.outer(problem.a, problem.b)
    primal = (feasible * cost).sum() + problem.epsilon * (
        relative_entropy(feasible / mass, product_mass / mass**2) * mass
    )
    dual = problem.a @ plan.f + problem.b @ plan.g
    dual += problem.epsilon * (mass * np.log(mass) - pi.sum() + mass)
    exact = (primal - dual) / abs(primal)
    assert exact <= certificate.entropic_gap <= 1.5 * exact


@pytest.mark.parametrize("stop", ["schedule", 1e-2, 1e-4, 1e-8])
def test_entropic_gap_of_a_blurred_plan_closes_where_the_linear_does_not(stop):
    problem = posed(blur=0.2)
    certificate = certify(problem, solve(problem, "sinkhorn", stop=stop))
    assert certificate.valid
    assert certificate.gap > 0.1
    error = certificate.marginal_error
    assert 0 < certificate.entropic_gap < 20 * error


@pytest.mark.parametrize("reach", [0.05, 0.3, 10.0, 1e4])
def test_certify_unbalanced_plan_gives_the_figures_of_its_matrix(reach):
    problem = posed(reach=reach)
    problem = dataclasses.replace(problem, b=3 * problem.b)
    for plan in (rough(problem, size=0.1), solve(problem, "sinkhorn", stop=1e-4)):
        certificate = certify(problem, plan)
        assert certificate.valid, certificate.fault
        pi, cost = plan_of(problem, plan.f, plan.g), problem.cost.dense()
        linear = (pi * cost).sum() + problem.rho * (
            relative_entropy(pi.sum(axis=1), problem.a) + relative_entropy(pi.sum(axis=0), problem.b)
        )
        assert certificate.feasible_cost == pytest.approx(linear, rel=1e-6)
        product_mass = np.outer(problem.a, problem.b)
        primal = linear + problem.epsilon * relative_entropy(pi, product_mass)
        dual = -problem.rho * (
            problem.a @ np.expm1(-plan.f / problem.rho) + problem.b @ np.expm1(-plan.g / problem.rho)
        )
        dual -= problem.epsilon * (pi.sum() - product_mass.sum())
        assert certificate.entropic_gap == pytest.approx((primal - dual) / primal, rel=1e-5, abs=1e-9)
        # Penalties of the plan that moves nothing bound the optimum from above.
        assert certificate.dual_bound <= min(linear, problem.rho * (problem.a.sum() + problem.b.sum()))


def test_unbalanced_bound_where_little_is_moved_is_met():
    """All costs are far above what a penalty may come to: nothing moves, and that is nearly proven."""
    rng = np.random.default_rng(0)
    problem = Transport(PointCost(rng.random((9, 2)), rng.random((8, 2)) + 50), blur=0.1, reach=1.0)
    certificate = certify(problem, solve(problem, "sinkhorn"))
    assert certificate.feasible_cost == pytest.approx(2, rel=1e-6)
    assert certificate.gap < 1e-2


def test_certify_sparse_plan_that_misses_its_marginals_rounds_it():
    problem = posed(blur=0)
    best = solve(problem, "transport")
    mass = best.mass.copy()
    mass.data *= np.random.default_rng(0).uniform(0.8, 1.2, len(mass.data))
    plan = Plan.of(problem, mass, best.f, best.g)
    certificate = certify(problem, plan)
    assert certificate.valid
    assert certificate.marginal_error == pytest.approx(plan.marginal_error)
    feasible = altschuler(problem, mass.toarray())
    assert certificate.feasible_cost == pytest.approx((feasible * problem.cost.dense()).sum(), rel=1e-9)
    assert 0 < certificate.gap < 1
    assert not certificate.optimal


def test_certify_plan_with_mass_left_nowhere_has_no_feasible_cost():
    cost = SparseCost(sp.csr_array(np.array([[1.0, 0.0], [0.0, 1.0]])))
    problem = Transport(cost, blur=0)
    half = Plan.of(problem, sp.csr_array(np.diag([0.5, 0.25])), np.ones(2), np.zeros(2))
    whole = Plan.of(problem, sp.csr_array(np.diag([0.5, 0.5])), np.ones(2), np.zeros(2))
    assert certify(problem, whole).optimal
    assert certify(problem, half).gap == pytest.approx(0)  # the other half fits where it is missing
    uneven = Plan.of(problem, sp.csr_array(np.diag([0.25, 0.25])), np.ones(2), np.zeros(2))
    assert certify(problem, uneven).gap == np.inf


@pytest.mark.parametrize("stop", [0.3, 1e-2, 1e-4])
@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_certify_blurred_plan_with_forbidden_pairs_rounds_around_them(kind, stop):
    rng = np.random.default_rng(5)
    allowed = rng.random((20, 24)) < 0.3
    allowed[np.arange(24) % 20, np.arange(24)] = True
    carried = allowed * rng.exponential(size=allowed.shape)
    a, b = carried.sum(axis=1) / carried.sum(), carried.sum(axis=0) / carried.sum()
    matrix = np.where(allowed, rng.random(allowed.shape), np.inf)
    cost = DenseCost(matrix)
    if kind == "sparse":
        cost = SparseCost(sp.csr_array((matrix[allowed], np.nonzero(allowed)), allowed.shape))
    problem = Transport(cost, a, b, blur=0.1)
    plan = solve(problem, "sinkhorn", stop=stop)
    certificate = certify(problem, plan)
    best = solve(dataclasses.replace(problem, blur=0)).cost
    assert certificate.valid
    assert best * (1 - 1e-9) <= certificate.feasible_cost <= certificate.cost + stop
    assert certificate.dual_bound <= best * (1 + 1e-9)
    # The gap is that of the rounded plan, which is no better than the best one.
    moved = log_domain.plan_of(problem, plan.f, plan.g)
    dual = a @ plan.f + b @ plan.g - problem.epsilon * (moved.sum() - 1)
    optimum = float(log_domain.value(problem))
    assert 1 - dual / optimum <= certificate.entropic_gap + 1e-12
    assert certificate.entropic_gap < 2 * stop


def test_potentials_of_a_problem_without_a_plan_have_no_feasible_cost():
    problem = Transport(DenseCost([[1.0, np.inf], [1.0, np.inf]]), blur=0.1)
    certificate = certify(problem, Plan(np.nan, np.nan, np.zeros(2), np.zeros(2)))
    assert certificate.valid
    assert certificate.feasible_cost == certificate.gap == np.inf
    assert not certificate.entropic_gap < 1


# Bounds


@pytest.mark.parametrize("reach", [None, 0.3])
@pytest.mark.parametrize("kind", ["squared", "plain", "matrix"])
def test_dual_bounds_of_any_potentials_are_at_most_the_optimum(kind, reach):
    problem = posed(kind, n=12, m=15, blur=0.0, reach=reach)
    upper = optimum(problem) if reach is None else small_penalised(problem)
    rng = np.random.default_rng(3)
    for size in (0.0, 0.1, 1.0, 100.0):
        for bound in dual_bounds(problem, size * rng.normal(size=12), size * rng.normal(size=15)):
            assert bound <= upper + 1e-9


def optimum(problem):
    matrix = problem.cost.dense().astype(np.float64)
    n, m = matrix.shape
    marginals = np.vstack([np.kron(np.eye(n), np.ones(m)), np.kron(np.ones(n), np.eye(m))])
    return linprog(matrix.ravel(), A_eq=marginals, b_eq=np.concatenate([problem.a, problem.b])).fun


def small_penalised(problem):
    """The cost of a good unbalanced plan: that of a very small blur."""
    blurred = dataclasses.replace(problem, blur=0.01)
    plan = solve(blurred, "sinkhorn", stop=1e-6)
    return certify(blurred, plan).feasible_cost


@pytest.mark.parametrize("kind", ["squared", "plain", "matrix"])
def test_dual_bound_with_spoilt_potentials_of_idle_points_is_the_same(kind):
    problem = posed(kind, blur=0.02)
    plan = solve(problem, "sinkhorn", stop=1e-6)
    spoilt = dataclasses.replace(plan, f=np.where(problem.a > 0, plan.f, 1e3), g=np.where(problem.b > 0, plan.g, 1e3))
    assert certify(problem, spoilt).dual_bound == pytest.approx(certify(problem, plan).dual_bound)


def test_certify_plan_with_a_better_bound_uses_it():
    problem = posed(blur=0.3)
    plan = solve(problem, "sinkhorn")
    best = solve(dataclasses.replace(problem, blur=0.0)).cost
    alone, helped = certify(problem, plan), certify(problem, plan, bound=best)
    assert helped.dual_bound == best > alone.dual_bound
    assert helped.gap < alone.gap
    assert helped.feasible_cost == alone.feasible_cost


def test_certify_plan_with_huge_duals_proves_nothing():
    problem = posed("matrix", blur=0)
    best = solve(problem, "transport")
    worse = Plan.of(problem, sp.csr_array(np.outer(problem.a, problem.b)))
    for size in (1e17, 1e300):
        liar = dataclasses.replace(worse, f=np.full(40, -size), g=np.full(50, size))
        certificate = certify(problem, liar)
        assert certificate.valid
        assert not certificate.optimal
        assert certificate.dual_bound <= best.cost + 1e-9


def test_dual_bounds_ignore_points_without_mass_and_pairs():
    matrix = np.array([[1.0, 2.0, np.inf], [np.inf, np.inf, np.inf], [3.0, 1.0, np.inf]])
    for each in (matrix, matrix.T):
        problem = Transport(DenseCost(each), np.array([0.5, 0, 0.5]), np.array([0.5, 0.5, 0]), blur=0)
        if each is not matrix:
            problem = dataclasses.replace(problem, a=problem.b, b=problem.a)
        rows, cols = np.flatnonzero(problem.a), np.flatnonzero(problem.b)
        plan = Plan.of(problem, sp.csr_array(([0.5, 0.5], (rows, cols)), shape=(3, 3)), np.zeros(3), np.zeros(3))
        assert certify(problem, plan).optimal


# Lies


LIES = {
    "a cost that is less": (lambda plan: {"cost": plan.cost * (1 - 1e-5)}, "states a cost"),
    "an error that is less": (lambda plan: {"marginal_error": plan.marginal_error / 10}, "states a marginal error"),
    "no error at all": (lambda plan: {"marginal_error": None}, "states a marginal error of None"),
    "an error that is below 0": (lambda plan: {"marginal_error": -1.0}, "states a marginal error of -1"),
    "potentials moved": (lambda plan: {"f": plan.f + 0.01}, "states a"),
    "one potential moved": (lambda plan: {"g": plan.g + 0.05 * (np.arange(len(plan.g)) == 3)}, "states a"),
    "potentials of the other sign": (lambda plan: {"f": -plan.f, "g": -plan.g}, "states a"),
    "potentials in single digits": (lambda plan: {"f": plan.f.astype(np.float16)}, "states a"),
    "NaN in a potential": (lambda plan: {"f": np.where(np.arange(len(plan.f)) == 2, np.nan, plan.f)}, r"nan at \[2\]"),
    "inf in a potential": (lambda plan: {"g": np.where(np.arange(len(plan.g)) == 2, np.inf, plan.g)}, r"inf at \[2\]"),
    "potentials beyond exp": (lambda plan: {"f": plan.f + 1e6}, "infinite mass"),
    "a column of potentials": (lambda plan: {"f": plan.f[:, None]}, "potential f has shape"),
    "text for a cost": (lambda plan: {"cost": "0.1"}, "states a cost of '0.1'"),
}


@pytest.mark.parametrize("reach", [None, 0.5])
@pytest.mark.parametrize("lie", LIES)
def test_certify_plan_with_a_false_statement_is_invalid(lie, reach):
    changes, fault = LIES[lie]
    problem = posed(reach=reach)
    plan = solve(problem, "sinkhorn", stop=1e-5)
    assert certify(problem, plan).valid
    certificate = certify(problem, dataclasses.replace(plan, **changes(plan)))
    assert not certificate.valid
    assert not certificate.optimal
    assert certificate.gap == np.inf
    with pytest.raises(ValueError, match=fault):
        raise ValueError(certificate.fault)


def test_certify_potentials_without_stated_cost_are_valid():
    problem = posed()
    plan = solve(problem, "sinkhorn")
    silent = dataclasses.replace(plan, cost=np.nan, marginal_error=np.nan)
    one, other = (dataclasses.asdict(certify(problem, each)) for each in (silent, plan))
    np.testing.assert_equal(one, other)


def test_certify_unbalanced_plan_of_other_masses_is_refuted():
    problem = posed(reach=0.5)
    plan = solve(dataclasses.replace(problem, a=2 * problem.a), "sinkhorn", stop=1e-5)
    assert "states a" in certify(problem, plan).fault


def test_divergence_of_measures_is_accurate():
    p, q = np.array([0.5, 0.0, 2.0]), np.array([0.25, 1.0, 2.0])
    assert divergence(p, q) == pytest.approx(0.5 * np.log(2) - 0.25 + 1.0)
    assert divergence(q, p) == np.inf
    for little in (0.0, 1e-300, 1e-192, 1e-30, 1e-17, 1e-3, 0.49, 0.51):
        expected = little * np.log(little / 2) - little + 2 if little else 2
        assert divergence(np.array([little]), np.array([2.0])) == pytest.approx(expected, rel=1e-14)
    near = q * (1 + 1e-9)
    assert divergence(near, q) == pytest.approx(q.sum() * 0.5e-18, rel=1e-6)
