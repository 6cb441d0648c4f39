"""A time limit stops a solver with what it knows by then."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import scipy.sparse

from lapmark import Assignment, DenseCost, PointCost, SparseCost, TimeLimit, Transport, Unsupported, solve
from lapmark.solvers import registry

STOPPABLE = [
    name
    for name, solver in registry.solvers().items()
    if solver.capabilities.time_limit and solver.capabilities.problem != "transport"
]


@pytest.fixture(params=STOPPABLE)
def solver(request):
    if reason := registry.get(request.param).missing:
        pytest.skip(reason)
    return request.param


def product(n: int, m: int) -> np.ndarray:
    """i·j: every search goes through nearly all rows."""
    return np.multiply.outer(np.arange(1.0, n + 1), np.arange(1.0, m + 1))


def costs(shape):
    n, m = shape
    rng = np.random.default_rng(0)
    yield DenseCost(product(n, m))
    yield DenseCost(rng.integers(0, 100, shape))
    yield PointCost(rng.random((n, 2)), rng.random((m, 2)))
    yield SparseCost(scipy.sparse.csr_array(1 + rng.random(shape).astype(np.float32)))


@pytest.mark.parametrize("shape", [(300, 300), (250, 300), (300, 250)])
def test_time_limit_when_over_tells_a_valid_bound(solver, shape):
    for cost in costs(shape):
        problem = Assignment(cost)
        optimum = solve(problem, solver).cost
        with pytest.raises(TimeLimit, match=rf"{shape[0]}×{shape[1]} problem within 1e-09 s") as caught:
            solve(problem, solver, time_limit=1e-9)
        error = caught.value
        assert isinstance(error, TimeoutError)
        assert (error.seconds, error.shape) == (1e-9, shape)
        assert error.bound <= optimum * (1 + 1e-12)


@pytest.mark.parametrize("shape", [(2000, 2000), (1900, 2000), (2000, 1900)])
@pytest.mark.parametrize("method", ["jv", "jv-avx2", "hungarian"])
def test_time_limit_during_a_search_carries_a_proven_bound(method, shape):
    if reason := registry.get(method).missing:
        pytest.skip(reason)
    solve(Assignment(DenseCost(product(2, 2))), method)  # what is compiled, is compiled now
    n, m = shape
    matrix = product(n, m) if n <= m else product(m, n).T  # so that no time goes into transposing it
    with pytest.raises(TimeLimit) as caught:
        solve(Assignment(DenseCost(matrix)), method, time_limit=0.3)
    # The optimum of products pairs the largest with the smallest; their smallest alone are 1, 2, 3, …
    ascending = np.arange(1.0, min(shape) + 1)
    assert ascending.sum() <= caught.value.bound <= ascending @ ascending[::-1]
    assert (f"proven bound on the optimum: {caught.value.bound:.12g}") in str(caught.value)


def test_time_limit_of_transport_carries_the_bound_of_its_potentials():
    rng = np.random.default_rng(1)
    cost, a, b = PointCost(rng.random((300, 2)), rng.random((400, 2))), rng.random(300), rng.random(400)
    problem = Transport(cost, a / a.sum(), b / b.sum(), blur=0.05)
    plan = solve(problem, "sinkhorn", stop=1e-6)
    for seconds in (1e-9, 0.2):
        with pytest.raises(TimeLimit, match="300×400") as caught:
            solve(problem, "sinkhorn", stop=1e-300, max_iterations=10**9, time_limit=seconds)
        assert caught.value.bound <= plan.cost
    assert caught.value.bound > -np.inf
    unbalanced = Transport(cost, a, b, blur=0.05, reach=0.3)
    with pytest.raises(TimeLimit) as caught:
        solve(unbalanced, "sinkhorn", stop=1e-300, max_iterations=10**9, time_limit=0.2)
    assert caught.value.bound == -np.inf


def test_time_limit_that_is_kept_gives_the_same_answer(solver):
    problem = Assignment(DenseCost(product(40, 50) % 7))
    free, limited = solve(problem, solver), solve(problem, solver, time_limit=60)
    np.testing.assert_array_equal(free.row_to_col, limited.row_to_col)
    assert free.counters == limited.counters


@pytest.mark.parametrize(
    ("limit", "error", "message"),
    [
        (0, ValueError, "time_limit = 0; it must be finite and above 0"),
        (-1.5, ValueError, "time_limit = -1.5"),
        (float("nan"), ValueError, "time_limit = nan"),
        ("1s", TypeError, "time_limit = '1s'; it must be a number"),
    ],
)
def test_time_limit_that_is_no_number_above_0_is_refused(limit, error, message):
    with pytest.raises(error, match=message):
        solve(Assignment(DenseCost([[1.0]])), "jv", time_limit=limit)


def test_a_solver_that_cannot_be_stopped_says_so_and_names_those_that_can():
    with pytest.raises(Unsupported, match=r"solver scipy cannot be stopped .*; give a time_limit to .*auction, .*jv"):
        solve(Assignment(DenseCost([[1.0]])), "scipy", time_limit=1)


def test_time_limit_survives_pickle():
    error = pickle.loads(pickle.dumps(TimeLimit(0.5, (3, 4), 1.25)))
    assert (error.seconds, error.shape, error.bound) == (0.5, (3, 4), 1.25)
    assert str(error) == "no answer to the 3×4 problem within 0.5 s; proven bound on the optimum: 1.25"
    assert "no bound on the optimum yet" in str(TimeLimit(0.5, (3, 4)))
