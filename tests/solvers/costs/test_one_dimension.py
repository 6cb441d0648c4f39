"""Costs on a line are solved by order: with duals, a proof, and work that grows no faster than the input."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.optimize
import scipy.stats

from lapmark import Assignment, DenseCost, PointCost, Transport, certify, solve

SHAPES = [(60, 60), (50, 70), (70, 50), (1, 5), (5, 1), (40, 400)]

#: Numbers on a line, (k,), from (generator, k).
NUMBERS = {
    "normal": lambda rng, k: rng.normal(size=k),
    "whole": lambda rng, k: rng.integers(0, k, k).astype(float),
    "equal": lambda rng, k: np.full(k, 2.0),
    "heavy": lambda rng, k: rng.standard_cauchy(k),
    "far away": lambda rng, k: 1e9 + rng.random(k),
}


def drawn(kind: str, shape: tuple[int, int], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return NUMBERS[kind](rng, shape[0]), NUMBERS[kind](rng, shape[1])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", NUMBERS)
@pytest.mark.parametrize("p", [1, 1.5, 2, 3])
def test_matching_of_points_on_a_line_equals_scipy(kind, shape, p):
    x, y = drawn(kind, shape)
    problem = Assignment(PointCost(x[:, None], y[:, None], p))
    matching = solve(problem)
    assert certify(problem, matching, every_pair=True).optimal
    matrix = problem.cost.dense()
    rows, columns = scipy.optimize.linear_sum_assignment(matrix)
    assert matching.cost == pytest.approx(matrix[rows, columns].sum(), rel=1e-9)


@pytest.mark.parametrize("dimensions", [2, 3, 7])
def test_matching_of_points_on_a_line_in_space_takes_no_search(dimensions):
    rng = np.random.default_rng(1)
    way = rng.normal(size=dimensions)
    x, y = np.outer(rng.random(80), way), np.outer(rng.random(100), way)
    problem = Assignment(PointCost(x, y, 1))
    matching = solve(problem)
    assert certify(problem, matching).optimal
    assert not matching.counters  # nobody has bid, and nothing was searched


@pytest.mark.parametrize("shape", [(300, 300), (250, 300), (300, 250)])
@pytest.mark.parametrize("power", [1, 1.5, 2])
@pytest.mark.parametrize("noise", [0.0, 1e-15])
def test_matching_of_a_matrix_of_differences_takes_few_scans(shape, power, noise):
    x, y = drawn("normal", shape, seed=2)
    order = np.random.default_rng(3).permutation(len(x))
    matrix = np.abs(x[order, None] - y) ** power * (1 + noise * np.random.default_rng(4).random(shape))
    problem = Assignment(DenseCost(matrix))
    matching = solve(problem)
    assert certify(problem, matching).optimal
    # A few looks at every row, where Jonker and Volgenant's method takes a hundred; up to eight are its own first turn.
    assert matching.counters.get("row_scans", 0) <= 16 * min(shape)


@pytest.mark.parametrize("p", [1, 2])
def test_matching_of_many_points_on_a_line_follows_their_order(p):
    """A matrix of so many pairs would take 80 GB."""
    x, y = drawn("normal", (100_000, 100_000))
    problem = Assignment(PointCost(x[:, None], y[:, None], p))
    matching = solve(problem)
    assert certify(problem, matching).optimal
    assert (matching.row_to_col[np.argsort(x)] == np.argsort(y)).all()


def test_matching_of_whole_numbers_against_fewer_is_optimal():
    rng = np.random.default_rng(5)
    x, y = np.arange(2000.0), 2000 * rng.random(1860)
    problem = Assignment(PointCost(x[:, None], y[:, None], 1))
    assert certify(problem, solve(problem)).optimal


@pytest.mark.parametrize("kind", NUMBERS)
@pytest.mark.parametrize("shape", [(60, 60), (50, 70), (1, 5), (40, 400)])
def test_transport_of_masses_on_a_line_equals_scipy(kind, shape):
    x, y = drawn(kind, shape, seed=6)
    rng = np.random.default_rng(7)
    a, b = rng.random(shape[0]), rng.random(shape[1])
    a, b = a / a.sum(), b / b.sum()
    problem = Transport(PointCost(x[:, None], y[:, None], 1), a, b, blur=0)
    plan = solve(problem)
    assert certify(problem, plan).optimal
    assert plan.cost == pytest.approx(scipy.stats.wasserstein_distance(x, y, a, b), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("p", [1, 1.5, 2])
def test_transport_of_many_masses_on_a_line_is_optimal(p):
    x, y = drawn("normal", (30_000, 20_000), seed=8)
    problem = Transport(PointCost(x[:, None], y[:, None], p), blur=0)
    assert certify(problem, solve(problem)).optimal


@pytest.mark.parametrize("p", [0.3, 0.5, 0.8])
@pytest.mark.parametrize("shape", [(60, 60), (50, 70)])
def test_matching_on_a_line_of_a_concave_power_is_optimal(p, shape):
    x, y = drawn("normal", shape, seed=9)
    problem = Assignment(PointCost(x[:, None], y[:, None], p))
    assert certify(problem, solve(problem)).optimal


@pytest.mark.parametrize("power", [0.5, 1, 2])
def test_matching_of_numbers_on_a_circle_is_optimal(power):
    rng = np.random.default_rng(10)
    apart = np.abs(rng.random(200)[:, None] - rng.random(200))
    problem = Assignment(DenseCost(np.minimum(apart, 1 - apart) ** power))
    assert certify(problem, solve(problem)).optimal
