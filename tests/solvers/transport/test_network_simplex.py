"""Exact transport: against linear programming, closed forms, its own certificate, and on degenerate inputs."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from clouds import CLOUDS
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import linprog
from scipy.sparse import coo_array, csr_array

from lapmark import (
    Assignment,
    DenseCost,
    Infeasible,
    Plan,
    PointCost,
    SparseCost,
    TimeLimit,
    Transport,
    certify,
    names,
    solve,
)
from lapmark.solvers.auto import automatic
from lapmark.solvers.costs.c_transform import column_minima, row_minima
from lapmark.solvers.errors import Unsupported
from lapmark.solvers.native._kernels import INSTRUCTION_SETS

MASSES = {
    "uniform": lambda rng, n: None,
    "exponential": lambda rng, n: rng.exponential(1, n),
    "whole": lambda rng, n: rng.integers(0, 4, n) + (np.arange(n) == 0),
    "of many sizes": lambda rng, n: np.exp(8 * rng.standard_normal(n)),
}


def balanced(cost, a, b):
    """A problem whose masses are rescaled to the same sum."""
    n, m = cost.shape
    a, b = (np.full(k, 1 / k) if masses is None else masses / masses.sum() for masses, k in ((a, n), (b, m)))
    return Transport(cost, a, b, blur=0)


def optimum(problem):
    matrix = problem.cost.dense().astype(np.float64)
    n, m = matrix.shape
    marginals = np.vstack([np.kron(np.eye(n), np.ones(m)), np.kron(np.ones(n), np.eye(m))])
    return linprog(matrix.ravel(), A_eq=marginals, b_eq=np.concatenate([problem.a, problem.b])).fun


def assert_optimal(problem, plan, rounding=0.0):
    """By its certificate, and by duals that hold for every pair and are tight where mass moves."""
    proof = certify(problem, plan)
    assert proof.optimal or proof.gap <= rounding, proof
    assert plan.marginal_error < 1e-12
    n, m = problem.shape
    assert plan.mass.nnz <= n + m - 1
    matrix = problem.cost.dense().astype(np.float64)
    slack = matrix - plan.f[:, None] - plan.g
    scale = np.abs(matrix).max()
    assert slack.min() >= -1e-12 * scale
    moved = plan.mass.tocoo()
    assert slack[moved.coords].max(initial=0) <= 1e-12 * scale


@given(st.data())
@settings(deadline=None)
def test_transport_agrees_with_linear_programming(data):
    n, m = data.draw(st.integers(1, 7)), data.draw(st.integers(1, 7))
    dtype = data.draw(st.sampled_from([np.float32, np.float64, np.int16]))
    matrix = data.draw(arrays(dtype, (n, m), elements=st.integers(-3, 9)))
    a, b = (data.draw(arrays(np.float64, k, elements=st.integers(0, 4))) for k in (n, m))
    a[0], b[0] = a[0] + 1, b[0] + 1
    problem = balanced(DenseCost(matrix), a, b)
    plan = solve(problem, "transport")
    assert_optimal(problem, plan)
    assert plan.cost == pytest.approx(optimum(problem), abs=1e-9)


@pytest.mark.parametrize("masses", MASSES)
@pytest.mark.parametrize("targets", CLOUDS)
@pytest.mark.parametrize("points", CLOUDS)
def test_transport_of_points_of_any_shape_and_mass_is_optimal(points, targets, masses):
    rng = np.random.default_rng(0)
    for n, m, d, p in (
        (60, 60, 2, 1),
        (200, 170, 2, 2),
        (70, 260, 3, 1),
        (70, 260, 3, 2),
        (1, 5, 2, 2),
        (130, 1, 1, 1),
        (260, 257, 2, 1),
    ):
        cost = PointCost(CLOUDS[points](rng, n, d), CLOUDS[targets](rng, m, d), p, scale=3.0)
        problem = balanced(cost, MASSES[masses](rng, n), MASSES[masses](rng, m))
        plan = solve(problem, "transport")
        if points == targets == "tiny" and p == 2:
            # Masses times costs of 1e-320 are nothing that float64 holds, and nothing is said about them.
            assert certify(problem, plan).valid
            continue
        # All that the points of such a cloud differ by is rounded away beside the distance to the others.
        assert_optimal(problem, plan, 1e-14 if {points, targets} & {"tiny", "far away"} else 0.0)
        as_matrix = solve(balanced(DenseCost(cost.dense()), problem.a, problem.b), "transport")
        assert plan.cost == pytest.approx(as_matrix.cost, rel=1e-11, abs=1e-13 * cost.dense().max() + 1e-300)


@pytest.mark.parametrize("n", [30, 500])
def test_transport_of_equal_masses_is_an_assignment(n):
    rng = np.random.default_rng(1)
    for cost in (PointCost(*rng.random((2, n, 2))), DenseCost(rng.random((n, n)))):
        plan, matching = solve(Transport(cost, blur=0)), solve(Assignment(cost))
        assert plan.cost * n == pytest.approx(matching.cost, rel=1e-13)
        assert (plan.mass.toarray() > 0).sum() == n
        np.testing.assert_array_equal(plan.mass.tocoo().coords[1], matching.row_to_col)


def test_transport_on_a_line_keeps_the_order_of_masses():
    rng = np.random.default_rng(2)
    x, y, a, b = np.sort(rng.random(150)), np.sort(rng.random(90)), rng.random(150), rng.random(90)
    for p in (2, 1):
        problem = balanced(PointCost(x[:, None], y[:, None], p=p), a, b)
        cuts = np.sort(np.concatenate([[0], np.cumsum(problem.a), np.cumsum(problem.b)]))
        middle = (cuts[1:] + cuts[:-1]) / 2
        i = np.searchsorted(np.cumsum(problem.a), middle).clip(0, 149)
        j = np.searchsorted(np.cumsum(problem.b), middle).clip(0, 89)
        expected = np.diff(cuts) @ np.abs(x[i] - y[j]) ** p
        plan = solve(problem)
        assert_optimal(problem, plan)
        assert plan.cost == pytest.approx(expected, rel=1e-12)


def test_transport_of_a_translation_costs_its_square():
    rng = np.random.default_rng(3)
    x, a = rng.random((400, 3)), rng.exponential(1, 400)
    problem = balanced(PointCost(x, x + np.array([0.1, -0.2, 0.3])), a, a)
    plan = solve(problem)
    assert plan.cost == pytest.approx(0.14, rel=1e-12)
    np.testing.assert_allclose(plan.mass.diagonal(), problem.a)


def test_transport_with_idle_points_has_duals_that_fit():
    rng = np.random.default_rng(4)
    for cost in (PointCost(*rng.random((2, 80, 2))), DenseCost(rng.random((80, 80)))):
        a, b = rng.random(80), rng.random(80)
        a[::3], b[1::2] = 0, 0
        problem = balanced(cost, a, b)
        assert_optimal(problem, solve(problem))


@pytest.mark.parametrize("isa", INSTRUCTION_SETS[1:])
@pytest.mark.parametrize("cloud", CLOUDS)
def test_transport_of_all_instruction_sets_does_the_same_work(isa, cloud):
    rng = np.random.default_rng(5)
    x, y = CLOUDS[cloud](rng, 300, 2), CLOUDS[cloud](rng, 280, 2)
    for each in (PointCost(x, y), PointCost(x, y, p=1), DenseCost(PointCost(x, y).dense())):
        problem = balanced(each, rng.random(300), rng.random(280))
        plain, wide = (solve(problem, "transport", isa=each) for each in ("scalar", isa))
        assert plain.counters == wide.counters
        np.testing.assert_array_equal(plain.g, wide.g)
        assert (plain.mass != wide.mass).nnz == 0


def test_a_hundred_thousand_pairs_are_proven_without_a_look_at_each():
    rng = np.random.default_rng(6)
    problem = balanced(PointCost(rng.random((6000, 2)), rng.random((5000, 2))), rng.random(6000), rng.random(5000))
    plan = solve(problem)
    assert certify(problem, plan).optimal
    assert plan.counters["arcs"] < 20 * 11_000


def test_transport_past_its_time_limit_carries_a_bound():
    rng = np.random.default_rng(7)
    for cost in (PointCost(*rng.random((2, 30_000, 2))), DenseCost(rng.random((1500, 1500)))):
        with pytest.raises(TimeLimit) as caught:
            solve(balanced(cost, rng.random(cost.shape[0]), rng.random(cost.shape[1])), time_limit=0.03)
        assert np.isfinite(caught.value.bound)


def test_transport_with_a_blur_or_a_reach_is_refused():
    cost = DenseCost(np.ones((2, 2)))
    for problem in (Transport(cost, blur=0.1), Transport(cost, blur=0, reach=1.0)):
        with pytest.raises(Unsupported, match="give blur=0 and no reach"):
            solve(problem, "transport")
    assert automatic(Transport(cost, blur=0)) == "transport"
    assert automatic(Transport(cost, blur=0.1)) == "sinkhorn"


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("cloud", CLOUDS)
def test_minima_that_leave_pairs_out(cloud, p):
    rng = np.random.default_rng(8)
    for d in (1, 2, 3):
        cost = PointCost(CLOUDS[cloud](rng, 400, d), CLOUDS["even"](rng, 350, d), p, scale=2.0)
        for size in (0.0, 0.3, 1e3):
            f, g = size * rng.standard_normal(400), size * rng.standard_normal(350)
            scale = max(size, cost.dense().max())
            for minima, duals in ((row_minima, g), (column_minima, f)):
                np.testing.assert_allclose(
                    minima(cost, duals), minima(cost, duals, every_pair=True), rtol=0, atol=1e-13 * scale
                )


def partial_optimum(problem):
    """By linear programming: at most what the longer side has, exactly what the shorter has."""
    matrix = problem.cost.dense().astype(np.float64)
    n, m = matrix.shape
    rows, columns = np.kron(np.eye(n), np.ones(m)), np.kron(np.ones(n), np.eye(m))
    less, more = (rows, columns) if problem.surplus < 0 else (columns, rows)
    exact, most = (problem.a, problem.b) if problem.surplus < 0 else (problem.b, problem.a)
    return linprog(matrix.ravel(), A_ub=more, b_ub=most, A_eq=less, b_eq=exact).fun


@given(st.data())
@settings(deadline=None)
def test_partial_transport_moves_the_smaller_sum(data):
    n, m = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 6))
    matrix = data.draw(arrays(np.float64, (n, m), elements=st.integers(-3, 9)))
    a, b = (data.draw(arrays(np.float64, k, elements=st.integers(0, 4))) for k in (n, m))
    a[0], b[0] = a[0] + 1, b[0] + 1
    problem = Transport(DenseCost(matrix), a, b, blur=0, partial=True)
    plan = solve(problem)
    assert_optimal(problem, plan)
    assert plan.cost == pytest.approx(optimum(problem) if not problem.surplus else partial_optimum(problem), abs=1e-9)
    assert plan.mass.sum() == pytest.approx(min(a.sum(), b.sum()))


@pytest.mark.parametrize("factor", [0.3, 3.0])
def test_partial_transport_of_every_kind_and_size_is_optimal(factor):
    """Small and large matrices, points, idle bins: certified, with duals of the right sign on the longer side."""
    rng = np.random.default_rng(9)
    for n, m in ((30, 40), (600, 500)):
        x, y, a, b = rng.random((n, 2)), rng.random((m, 2)), rng.random(n), rng.random(m)
        a[::5], b[::4] = 0, 0
        a, b = a / a.sum() * factor, b / b.sum()
        for cost in (PointCost(x, y), PointCost(x, y, p=1), DenseCost(rng.random((n, m), dtype=np.float32))):
            problem = Transport(cost, a, b, blur=0, partial=True)
            plan = solve(problem)
            assert_optimal(problem, plan)
            longer, kept = (plan.f, a - plan.mass.sum(axis=1)) if factor > 1 else (plan.g, b - plan.mass.sum(axis=0))
            assert longer.max() <= 0
            assert np.abs(longer[kept > 1e-9]).max() < 1e-12
            if n < 100:
                assert plan.cost == pytest.approx(partial_optimum(problem), rel=1e-9)


def test_certify_a_wrong_partial_plan_is_not_optimal():
    rng = np.random.default_rng(10)
    problem = Transport(DenseCost(rng.random((6, 5))), 2 * np.ones(6), np.ones(5), blur=0, partial=True)
    plan = solve(problem)
    worse = np.roll(plan.mass.toarray(), 1, axis=0)
    moved = Plan.of(problem, csr_array(worse), plan.f, plan.g)
    assert certify(problem, moved).valid
    assert not certify(problem, moved).optimal
    # Duals above 0 on the side that keeps a surplus would prove too much.
    lifted = dataclasses.replace(moved, f=plan.f + 1, g=plan.g - 1)
    assert certify(problem, lifted).dual_bound <= plan.cost * (1 + 1e-12)
    too_much = Plan.of(problem, csr_array(np.full((6, 5), 0.4)), plan.f, plan.g)
    assert not certify(problem, too_much).optimal


def test_transport_of_different_sums_needs_partial():
    cost = DenseCost(np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"a sums to 2, b to 3; rescale one, or give partial=True"):
        Transport(cost, np.ones(2), np.ones(3), blur=0)
    with pytest.raises(ValueError, match="give one of them"):
        Transport(cost, np.ones(2), np.ones(3), reach=1.0, partial=True)
    with pytest.raises(TypeError, match="partial = 1"):
        Transport(cost, np.ones(2), np.ones(3), blur=0, partial=1)
    with pytest.raises(Unsupported, match="sinkhorn moves all mass, but the sums differ"):
        solve(Transport(cost, np.ones(2), np.ones(3), blur=0.05, partial=True))
    # Without a difference it is the balanced problem, for anybody.
    assert "sinkhorn" in names(Transport(cost, np.ones(2), 2 * np.ones(3) / 3, blur=0.05, partial=True))


def feasible(rng, n, m, allowed):
    """Masses that some plan along allowed pairs moves, every row and column having one."""
    moved = np.where(allowed, rng.integers(0, 4, (n, m)), 0).astype(float)
    return moved.sum(axis=1), moved.sum(axis=0)


def forbid(rng, matrix, share):
    """Allowed pairs as a matrix with inf and as a list; a row of the list for each."""
    allowed = rng.random(matrix.shape) >= share
    rows, cols = np.nonzero(allowed)
    listed = coo_array((matrix[allowed], (rows, cols)), shape=matrix.shape)
    return allowed, (DenseCost(np.where(allowed, matrix, np.inf)), SparseCost(listed))


def optimum_of_allowed(problem):
    """By linear programming over the allowed pairs; None where there is no plan."""
    matrix = problem.cost.dense().astype(np.float64)
    n, m = matrix.shape
    marginals = np.vstack([np.kron(np.eye(n), np.ones(m)), np.kron(np.ones(n), np.eye(m))])
    masses, less = np.concatenate([problem.a, problem.b]), np.zeros(n + m, dtype=bool)
    less[:n] = problem.surplus > 0
    less[n:] = problem.surplus < 0
    some = np.isfinite(matrix).ravel()
    if not some.any():
        return None
    kwargs = {"A_eq": marginals[~less][:, some], "b_eq": masses[~less]}
    if less.any():
        kwargs |= {"A_ub": marginals[less][:, some], "b_ub": masses[less]}
    answer = linprog(matrix.ravel()[some], **kwargs)
    return answer.fun if answer.status == 0 else None


@pytest.mark.parametrize("partial", [False, True])
def test_transport_with_forbidden_pairs_agrees_with_linear_programming(partial):
    rng = np.random.default_rng(11)
    stuck = 0
    for _ in range(300):
        n, m = rng.integers(1, 8, 2)
        matrix = rng.integers(-3, 9, (n, m)).astype(float)
        allowed, costs = forbid(rng, matrix, rng.choice([0.1, 0.5, 0.8]))
        a, b = rng.integers(0, 4, n) + 0.0, rng.integers(0, 4, m) + 0.0
        if rng.random() < 0.5:
            a, b = feasible(rng, n, m, allowed)
        if partial:
            a = a + rng.integers(0, 3, n) * (rng.random() < 0.5)
        a[0] += not a.any()
        b[0] += not b.any()
        if not partial:
            b = b * (a.sum() / b.sum())
        for cost in costs:
            problem = Transport(cost, a, b, blur=0, partial=partial)
            expected = optimum_of_allowed(problem)
            if expected is None:
                stuck += 1
                with pytest.raises(Infeasible) as caught:
                    solve(problem, "transport")
                assert_blocked(problem, caught.value)
                continue
            plan = solve(problem, "transport")
            proof = certify(problem, plan)
            assert proof.optimal, proof
            assert plan.cost == pytest.approx(expected, abs=1e-8)
            slack = problem.cost.dense() - plan.f[:, None] - plan.g
            assert slack.min() >= -1e-10
    assert 30 < stuck < 570


def assert_blocked(problem, error):
    """One side's indices have more mass than everything that they allow."""
    allowed = np.isfinite(problem.cost.dense())
    rows, columns = error.rows, error.columns
    if problem.a[rows].sum() > problem.b[columns].sum() + 1e-9 and problem.surplus <= 0:
        assert set(np.flatnonzero(allowed[rows].any(axis=0))) <= set(columns)
    else:
        assert problem.surplus >= 0
        assert problem.b[columns].sum() > problem.a[rows].sum() + 1e-9
        assert set(np.flatnonzero(allowed[:, columns].any(axis=1))) <= set(rows)


def test_infeasible_message_of_transport_names_masses_and_rows():
    cost = DenseCost([[1.0, np.inf, np.inf], [2.0, np.inf, np.inf], [0.0, 1.0, 1.0], [0.0, 1.0, 1.0]])
    with pytest.raises(Infeasible, match=r"rows 0 and 1 hold 0.7, but allow column 0 only, which takes 0.5$") as caught:
        solve(Transport(cost, [0.3, 0.4, 0.2, 0.1], [0.5, 0.25, 0.25], blur=0))
    assert caught.value.rows.tolist() == [0, 1]
    assert caught.value.columns.tolist() == [0]
    with pytest.raises(Infeasible, match=r"column 1 takes 2, but every pair is forbidden$"):
        solve(Transport(SparseCost(coo_array(([1.0], ([0], [0])), shape=(1, 2))), [9], [1, 2], blur=0, partial=True))
    with pytest.raises(Infeasible, match=r"column 1 takes 3, but allows rows 0 and 1 only, which hold 2$"):
        solve(Transport(DenseCost([[1, 1], [1, 1], [1, np.inf]]), [1, 1, 3], [1.0, 3.0], blur=0, partial=True))


def test_transport_of_large_problems_with_forbidden_pairs_is_optimal():
    """Chains and blocks, in which hardly any choice is left; sums of blocks that fit but for rounding; idle rows."""
    rng = np.random.default_rng(12)
    n = 700
    matrix = rng.random((n, n))
    near = np.abs(np.arange(n) - np.arange(n)[:, None]) < 4
    blocks = np.arange(n) // 70 == (np.arange(n) // 70)[:, None]
    for allowed in (near, blocks, near | (rng.random((n, n)) < 0.05)):
        moved = np.where(allowed, rng.random((n, n)), 0)
        moved[::9], moved[:, ::7] = 0, 0
        a, b = moved.sum(axis=1) / moved.sum(), moved.sum(axis=0) / moved.sum()
        rows, cols = np.nonzero(allowed)
        for cost in (
            DenseCost(np.where(allowed, matrix, np.inf)),
            SparseCost(coo_array((matrix[allowed], (rows, cols)))),
        ):
            problem = Transport(cost, a, b, blur=0)
            plan = solve(problem)
            proof = certify(problem, plan)
            assert proof.optimal, proof
            assert plan.marginal_error < 1e-12
            assert plan.mass.nnz <= 2 * n - 1
    with pytest.raises(TimeLimit) as caught:
        solve(problem, time_limit=0.005)
    assert caught.value.bound <= proof.cost
