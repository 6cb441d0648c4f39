"""No proof of what is not so, in exact arithmetic, whatever the magnitudes of costs and masses."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse
from fuzz.checks import check_seed

from lapmark import Assignment, DenseCost, Matching, Plan, PointCost, SparseCost, Transport, certify, emd, solve

#: Seeds that one test goes through.
SEEDS = 60

NEVER = [1e6, 1e14, 1e17, 1e20, 1e32, 1e100, 1e300]


@pytest.mark.parametrize("first", range(0, 20 * SEEDS, SEEDS))
def test_certify_random_problems_agrees_with_exact_referees(first):
    for seed in range(first, first + SEEDS):
        check_seed(seed)


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_certify_two_hundred_thousand_times_agrees_with_exact_referees():
    certificates, seed = 0, 10**6
    while certificates < 200_000:
        certificates += check_seed(seed)
        seed += 1


def cheapest(matrix: np.ndarray) -> Fraction:
    """Of all complete matchings of a square matrix, without any rounding."""
    n = len(matrix)
    exact = [[Fraction(c) for c in row] for row in matrix.tolist()]
    return min(sum(exact[i][j] for i, j in enumerate(order)) for order in itertools.permutations(range(n)))


def costs_of(matrix: np.ndarray) -> list:
    allowed = np.nonzero(np.isfinite(matrix))
    return [DenseCost(matrix), SparseCost(scipy.sparse.csr_array((matrix[allowed], allowed), shape=matrix.shape))]


@pytest.mark.parametrize("never", NEVER)
def test_certify_with_a_cost_that_dwarfs_the_rest_proves_only_optima(never):
    matrix = np.array([[9.0, 4, never], [never, 6, 8], [5, never, 3]])
    best = solve(Assignment(DenseCost(matrix)))
    assert best.cost == cheapest(matrix)
    for order in itertools.permutations(range(3)):
        paid = float(sum(matrix[i, j] for i, j in enumerate(order)))
        found = certify(Assignment(DenseCost(matrix)), Matching(np.array(order), paid, best.u, best.v))
        assert found.optimal == (paid == best.cost)
        assert found.dual_bound <= best.cost


@pytest.mark.parametrize("never", NEVER)
@pytest.mark.parametrize("solver", ["auto", "cascade", "jv", "auction", "transport"])
def test_a_cost_that_dwarfs_the_rest_is_used_only_where_nothing_else_is_feasible(never, solver):
    rng = np.random.default_rng(int(np.log10(never)))
    for _ in range(20):
        matrix = rng.integers(1, 10, (5, 5)).astype(float)
        matrix[rng.random((5, 5)) < 0.4] = never
        for cost in costs_of(matrix):
            if solver == "transport":
                answer = solve(Transport(cost, np.ones(5), np.ones(5), blur=0))
                assert certify(Transport(cost, np.ones(5), np.ones(5), blur=0), answer).optimal
                rows, columns = answer.mass.nonzero()
                paid = sum(
                    Fraction(matrix[i, j]) * Fraction(answer.mass[i, j]) for i, j in zip(rows, columns, strict=True)
                )
            elif solver == "auction" and cost.kind == "sparse":
                continue
            else:
                answer = solve(Assignment(cost), solver)
                assert certify(Assignment(cost), answer).optimal
                paid = sum(Fraction(matrix[i, j]) for i, j in enumerate(answer.row_to_col))
            assert paid == cheapest(matrix)


def test_solve_with_rows_of_one_cheap_entry_uses_them():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        matrix = rng.random((34, 34))
        for row in rng.choice(34, 3, replace=False):
            matrix[row, np.arange(34) != rng.integers(34)] = 1e14
        rows, columns = scipy.optimize.linear_sum_assignment(matrix)
        plan = solve(Transport(DenseCost(matrix), np.ones(34), np.ones(34), blur=0))
        # Costs of 1e14 that cannot be avoided hide the rest in a sum, so that pairs are compared.
        kept = matrix[rows, columns] < 1
        moved = scipy.sparse.coo_array(plan.mass)
        paid = matrix[moved.coords]
        assert (paid > 1).sum() == (~kept).sum()
        assert paid[paid < 1].sum() == pytest.approx(matrix[rows, columns][kept].sum(), rel=1e-12)


def test_certify_beside_a_constant_in_all_costs_stays_exact():
    """A constant in all costs of a row, or of all rows, is no scale."""
    rng = np.random.default_rng(0)
    matrix = 2.0**50 + rng.integers(0, 1000, (30, 30))
    problem = Assignment(DenseCost(matrix))
    answer = solve(problem)
    assert certify(problem, answer).exactly_optimal
    worse = answer.row_to_col.copy()
    worse[:2] = worse[1::-1]
    paid = matrix[np.arange(30), worse].sum()
    found = certify(problem, Matching(worse, paid, answer.u, answer.v))
    assert found.optimal == (paid == answer.cost)
    assert found.gap < 1e-9  # beside the cost it is nothing


@pytest.mark.parametrize("shift", [1e3, 1e10, 1e17, 1e30])
def test_certify_with_shifted_duals_proves_only_optima(shift):
    rng = np.random.default_rng(1)
    matrix = rng.random((20, 20))
    problem = Assignment(DenseCost(matrix))
    best = solve(problem)
    worse = np.roll(best.row_to_col, 1)
    bad = Matching(worse, matrix[np.arange(20), worse].sum(), best.u + shift, best.v - shift)
    for search in (False, True):
        found = certify(problem, bad, search=search)
        assert not found.optimal
        assert found.dual_bound <= best.cost
    assert certify(problem, Matching(best.row_to_col, best.cost, best.u + shift, best.v - shift)).optimal


@pytest.mark.parametrize("shape", [(40, 40), (30, 50), (50, 30)])
def test_certify_an_answer_of_scipy_proves_it(shape):
    rng = np.random.default_rng(2)
    matrix = rng.random(shape)
    for maximize in (False, True):
        rows, columns = scipy.optimize.linear_sum_assignment(matrix, maximize)
        problem = Assignment(DenseCost(matrix), maximize=maximize)
        answer = Matching.from_pairs(problem, rows, columns)
        assert certify(problem, answer).optimal
        assert certify(problem, answer, search=False).optimal in (False, True)  # as far as minima go


def test_certify_beside_a_far_outlier_proves_the_optimum():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        x, y = rng.random((12, 2)), rng.random((12, 2))
        x[0] *= 10.0 ** rng.integers(3, 11)
        problem = Assignment(PointCost(x, y))
        answer = solve(problem)
        assert certify(problem, answer).optimal


def test_certify_integers_beside_a_large_offset_is_exact():
    start = 1_700_000_000_000_000
    rng = np.random.default_rng(3)
    x, y = start + rng.integers(0, 10**6, 40), start + rng.integers(0, 10**6, 50)
    problem = Assignment(DenseCost(np.abs(x[:, None] - y)))
    assert certify(problem, solve(problem)).exactly_optimal
    times = Assignment(DenseCost(x[:, None] + rng.integers(0, 1000, (40, 50))))
    assert certify(times, solve(times)).exactly_optimal


@pytest.mark.parametrize("scale", [1e-18, 1e-15, 1e-10, 1e-6])
def test_transport_of_tiny_masses_moves_them(scale):
    rng = np.random.default_rng(4)
    a = np.concatenate([np.full(5, scale), np.ones(5)])
    b = rng.permutation(a)
    problem = Transport(PointCost(rng.random((10, 2)), rng.random((10, 2))), a, b, blur=0)
    plan = solve(problem)
    assert plan.mass.sum(axis=1) == pytest.approx(a, rel=1e-12, abs=0)
    assert plan.mass.sum(axis=0) == pytest.approx(b, rel=1e-12, abs=0)
    assert certify(problem, plan).optimal


def test_transport_beside_a_pair_that_costs_too_much_leaves_no_dust_on_it():
    rng = np.random.default_rng(5)
    for _ in range(20):
        a, b, cost = rng.random(8), rng.random(8), rng.random((8, 8))
        cost[0, 1:] = cost[1:, 0] = 1e12
        a[0] = b[0] = 0.1  # to be moved between the two, and nowhere else
        b[1:] *= (a.sum() - 0.1) / b[1:].sum()
        rest = emd(DenseCost(cost[1:, 1:]), a[1:], b[1:])
        assert emd(DenseCost(cost), a, b) == pytest.approx(0.1 * cost[0, 0] + rest, rel=1e-9)
        plan = solve(Transport(DenseCost(cost), a, b, blur=0))
        assert plan.cost == pytest.approx(0.1 * cost[0, 0] + rest, rel=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_transport_of_masses_that_differ_by_rounding_is_optimal(dtype):
    rng = np.random.default_rng(6)
    a, b = rng.random(30).astype(dtype), rng.random(40).astype(dtype)
    problem = Transport(DenseCost(rng.random((30, 40))), a / a.sum(), b / b.sum(), blur=0)
    assert certify(problem, solve(problem)).optimal


def test_certify_a_plan_of_another_solver_proves_it():
    ot = pytest.importorskip("ot")
    rng = np.random.default_rng(7)
    a, b, cost = np.full(30, 1 / 30), np.full(40, 1 / 40), rng.random((30, 40))
    moved = scipy.sparse.csr_array(ot.emd(a, b, cost))
    problem = Transport(DenseCost(cost), a, b, blur=0)
    plan = Plan.of(problem, moved)
    assert certify(problem, plan).optimal


@pytest.mark.parametrize("never", [1e32, 1e100, 1e300])
@pytest.mark.parametrize("partial", [False, True])
def test_certify_a_plan_that_needs_a_dwarfing_pair_proves_it(never, partial):
    """With rows and columns that have no mass, and some of the mass left over."""
    rng = np.random.default_rng(8)
    for _ in range(20):
        n, m = rng.integers(3, 7, 2)
        cost = rng.integers(1, 10, (n, m)).astype(float)
        cost[0, :] = never  # whoever serves the first row
        a, b = rng.integers(0, 3, n), rng.integers(0, 3, m)
        a[0], b[-1] = 1, 0
        b[0] += max(0, a.sum() - b.sum())
        a[1] += 0 if partial else max(0, b.sum() - a.sum())
        problem = Transport(DenseCost(cost), a, b, blur=0, partial=partial)
        plan = solve(problem)
        assert certify(problem, plan).optimal
        assert certify(problem, plan).max_violation <= 1e-15 * never
