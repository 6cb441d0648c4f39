"""A limit on the cost of a pair: rows and columns stay out where they would be dearer, and that is proven optimal."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import linear_sum_assignment as referee
from scipy.sparse import csr_array

from lapmark import Assignment, DenseCost, Matching, PointCost, SparseCost, TimeLimit, certify, names, solve
from lapmark.solvers import registry

LIMITING = [
    name
    for name, solver in registry.solvers().items()
    if solver.capabilities.limit and solver.capabilities.duals and not solver.missing
]

SHAPES = st.tuples(st.integers(0, 9), st.integers(0, 9))
FEW_VALUES = st.sampled_from([-2.0, 0.0, 0.5, 1.0, 3.0, np.inf])
#: A proof has 32 digits, so no number but 0 is smaller than 1e-12.
ANY_VALUES = st.floats(-1e3, 1e3).filter(lambda x: x == 0 or abs(x) > 1e-12) | st.just(np.inf)


@pytest.fixture(params=LIMITING)
def solver(request):
    return request.param


def objective(problem, matching):
    rows = np.flatnonzero(matching.row_to_col >= 0)
    return math.fsum(problem.cost.entries(rows, matching.row_to_col[rows]) - problem.limit)


def padded_optimum(matrix, limit):
    """SciPy's, of the square problem in which every row and column may have a partner that costs nothing."""
    n, m = matrix.shape
    padded = np.zeros((n + m, n + m))
    padded[:n, :m] = matrix - limit
    rows, cols = referee(padded)
    return math.fsum(padded[rows, cols])


def assert_optimal(problem, matching, optimum):
    rows = np.flatnonzero(matching.row_to_col >= 0)
    cols = matching.row_to_col[rows]
    assert len(set(cols)) == len(cols)
    scale = max(np.abs(problem.cost.entries(rows, cols)).max(initial=0.0), abs(problem.limit))
    assert objective(problem, matching) == pytest.approx(optimum, rel=0, abs=1e-13 * len(rows) * scale)
    certificate = certify(problem, matching)
    assert certificate.optimal, certificate
    assert certificate.cost == pytest.approx(optimum, rel=0, abs=1e-13 * len(rows) * scale)
    # What is left out has no price, and nothing is worth more than it costs.
    assert (matching.u <= 0).all()
    assert (matching.v <= 0).all()
    assert (np.delete(matching.u, rows) == 0).all()
    assert (np.delete(matching.v, cols) == 0).all()
    assert certificate.max_violation <= 1e-13 * scale


@pytest.mark.parametrize(("n", "m"), [(1, 1), (2, 3), (3, 2), (3, 3)])
def test_limit_agrees_with_brute_force(solver, n, m):
    rng = np.random.default_rng(n + 10 * m)
    for _ in range(60):
        matrix = rng.choice([-1.0, 0.0, 1.0, 2.0, np.inf], (n, m))
        problem = Assignment(DenseCost(matrix), limit=rng.choice([-1.5, 0.0, 1.0, 1.5]))
        optimum = min(
            sum(matrix[i, j] - problem.limit for i, j in enumerate(choice) if j >= 0)
            for choice in itertools.product(range(-1, m), repeat=n)
            if len({j for j in choice if j >= 0}) == sum(j >= 0 for j in choice)
        )
        assert_optimal(problem, solve(problem, solver), optimum)


@given(
    SHAPES.flatmap(lambda shape: arrays(np.float64, shape, elements=FEW_VALUES)), st.sampled_from([-3, 0, 0.5, 1, 9])
)
def test_limit_agrees_with_a_padded_problem_with_ties(matrix, limit):
    problem = Assignment(DenseCost(matrix), limit)
    for name in LIMITING:
        assert_optimal(problem, solve(problem, name), padded_optimum(matrix, problem.limit))


@given(SHAPES.flatmap(lambda shape: arrays(np.float64, shape, elements=ANY_VALUES)), st.floats(-2e3, 2e3))
def test_limit_agrees_with_a_padded_problem(matrix, limit):
    problem = Assignment(DenseCost(matrix), limit)
    for name in LIMITING:
        assert_optimal(problem, solve(problem, name), padded_optimum(matrix, problem.limit))


@given(st.data())
def test_limit_with_every_kind_of_cost_is_optimal(data):
    n, m = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 6))
    x, y = (data.draw(arrays(np.float64, (k, 2), elements=st.integers(0, 9))) for k in (n, m))
    matrix = data.draw(arrays(np.float32, (n, m), elements=st.integers(0, 9)))
    kept = data.draw(arrays(np.bool_, (n, m)))
    stored = csr_array((matrix[kept], np.nonzero(kept)), shape=(n, m))
    for cost in (PointCost(x, y), SparseCost(stored), DenseCost(matrix), DenseCost(matrix.astype(np.int16))):
        problem = Assignment(cost, limit=data.draw(st.integers(-1, 60)))
        for name in LIMITING:
            assert_optimal(problem, solve(problem, name), padded_optimum(cost.dense(), problem.limit))


@pytest.mark.parametrize("shape", [(150, 150), (100, 160), (160, 100)])
@pytest.mark.parametrize("limit", [0.0, 0.02, 0.3, 5.0])
def test_limit_on_larger_problems_is_optimal(solver, shape, limit):
    rng = np.random.default_rng(3)
    matrix = rng.random(shape)
    matrix[rng.random(shape) < 0.3] = np.inf
    problem = Assignment(DenseCost(matrix), limit)
    assert_optimal(problem, solve(problem, solver), padded_optimum(matrix, limit))


def test_limit_beyond_all_costs_matches_nothing_or_everything(solver):
    matrix = np.random.default_rng(0).random((7, 5))
    nothing = Assignment(DenseCost(matrix), limit=-0.5)
    assert (solve(nothing, solver).row_to_col == -1).all()
    assert certify(nothing, solve(nothing, solver)).gap == 0
    everything = solve(Assignment(DenseCost(matrix), limit=1e300), solver)
    unlimited = solve(Assignment(DenseCost(matrix)), solver)
    assert everything.cost == pytest.approx(unlimited.cost, rel=1e-12)


def test_limit_on_a_forbidding_matrix_is_never_infeasible(solver):
    matrix = np.full((4, 4), np.inf)
    assert (solve(Assignment(DenseCost(matrix), limit=1), solver).row_to_col == -1).all()
    matrix[1:, 0] = [3.0, 1.0, 2.0]
    assert solve(Assignment(DenseCost(matrix), limit=5), solver).row_to_col.tolist() == [-1, -1, 0, -1]


@given(arrays(np.float64, (6, 7), elements=st.sampled_from([np.inf, np.inf, 1.0, 2.0, 7.0, 30.0])))
def test_limit_that_is_huge_costs_no_digits(matrix):
    """As many pairs as can be, then the least cost; 1e300 − 30 is 1e300, but nobody has to compute that."""
    assume(np.isfinite(matrix).any())
    for name in LIMITING:
        answers = [solve(Assignment(DenseCost(matrix), limit), name) for limit in (1e4, 1e300)]
        count = [(answer.row_to_col >= 0).sum() for answer in answers]
        assert count[0] == count[1]
        assert count[1] * 1e4 - answers[1].cost == -padded_optimum(matrix, 1e4)
        assert certify(Assignment(DenseCost(matrix), 1e300), answers[1]).optimal


def test_limit_beyond_the_effective_one_is_lowered_to_it():
    cost = DenseCost([[1.0, 3.0], [np.inf, 2.0]])
    assert Assignment(cost, 8.0).limit == 8.0
    assert Assignment(cost, 1e9).limit == Assignment(cost, 1e300).limit == 3 + 3 * (3 - 1)
    assert Assignment(cost, -1e9).limit == -1e9
    assert Assignment(cost, -1e9, maximize=True).limit == 1 - 3 * (3 - 1)
    assert Assignment(DenseCost([[0.0]]), 5).limit == 5


def test_certify_limited_answer_that_is_not_optimal_finds_it_out():
    problem = Assignment(DenseCost([[1.0, 9.0], [2.0, 9.0]]), limit=3.0)
    best = solve(problem, "jv")
    assert best.row_to_col.tolist() == [0, -1]
    for row_to_col in ([-1, 0], [-1, -1], [0, 1], [1, 0]):
        worse = Matching.of(problem, row_to_col, best.u, best.v)
        certificate = certify(problem, worse)
        assert certificate.valid
        assert not certificate.optimal
        assert certificate.dual_bound == -2.0
    cheating = dataclasses.replace(best, u=best.u + 1)
    assert certify(problem, cheating).max_violation == pytest.approx(1)
    assert (
        "forbidden pair" in certify(Assignment(DenseCost([[np.inf]]), limit=1), Matching(np.array([0]), np.inf)).fault
    )


@pytest.mark.parametrize(
    ("limit", "error", "message"),
    [
        (np.inf, ValueError, "limit = inf; it must be finite"),
        (np.nan, ValueError, "limit = nan"),
        (-1e301, ValueError, "within ±1e\\+300"),
        ("3", TypeError, "limit = '3'; it must be a number"),
    ],
)
def test_limit_that_is_not_a_finite_number_is_refused(limit, error, message):
    with pytest.raises(error, match=message):
        Assignment(DenseCost([[1.0]]), limit)


def test_limit_is_refused_by_solvers_without_it():
    problem = Assignment(DenseCost([[1.0, 2.0]]), limit=1.0)
    assert {"jv", "scipy"} & set(names(problem)) == {"jv"}
    with pytest.raises(ValueError, match="solver scipy takes no limit on the cost of a pair"):
        solve(problem, "scipy")


def stopped(problem, solver, seconds=0.2):
    """The error of a solver that gets less and less time until that is too little."""
    try:
        while solve(problem, solver, time_limit=seconds):
            seconds /= 2
    except TimeLimit as late:
        return late


def test_limit_when_the_time_is_over_leaves_a_valid_bound(solver):
    x, y = np.random.default_rng(4).random((2, 3000, 2))
    square = PointCost(x, y, p=1).dense()
    for matrix in (square, square[:-9], square[:-9].T):
        problem = Assignment(DenseCost(matrix), limit=0.8)
        late = stopped(problem, solver)
        diagonal = Matching.of(problem, np.where(np.arange(len(matrix)) < matrix.shape[1], np.arange(len(matrix)), -1))
        assert -np.inf < late.bound <= certify(problem, diagonal).cost


@pytest.mark.parametrize(("n", "m"), [(400, 400), (300, 400), (400, 300)])
@pytest.mark.parametrize("limit", [-1.0, 1e-4, 0.003, 0.3, 5.0])
def test_limit_on_points_agrees_with_that_on_their_matrix(n, m, limit):
    """Few pairs are listed; many but cheap enough are left to the search without a limit; others become a matrix."""
    rng = np.random.default_rng(6)
    cost = PointCost(rng.random((n, 2)), rng.random((m, 2)) + 0.2)
    problem = Assignment(cost, limit)
    matching = solve(problem, "cascade")
    assert_optimal(problem, matching, padded_optimum(cost.dense(), limit))
    assert_optimal(Assignment(DenseCost(cost.dense()), limit), matching, padded_optimum(cost.dense(), limit))


def test_limit_on_many_points_needs_no_matrix():
    rng = np.random.default_rng(7)
    n = 60_000
    seen = rng.random((n, 2)).astype(np.float32)
    moved = seen + rng.normal(0, 1e-3, (n, 2))
    for limit in (1e-5, 10.0):
        problem = Assignment(PointCost(seen, moved[::-1].copy()), limit)
        matching = solve(problem)
        assert certify(problem, matching).optimal
        assert ((matching.row_to_col == -1).sum() == 0) == (limit == 10.0)
