"""Assignment by Sinkhorn's algorithm and rounding."""

from __future__ import annotations

import numpy as np
import pytest
from entropic_problems import clouds

from lapmark import (
    Assignment,
    DenseCost,
    Infeasible,
    PointCost,
    certify,
    linear_sum_assignment,
    solve,
)
from lapmark.solvers.certificate.hall_proof import fault_of_proof

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
def test_sinkhorn_assignment_without_a_matching_raises_a_proof(shape):
    matrix = np.ones(shape)
    matrix[:, 1:] = np.inf
    problem = Assignment(DenseCost(matrix if shape[0] <= shape[1] else np.where(np.isinf(matrix.T), np.inf, 1.0).T))
    with pytest.raises(Infeasible) as caught:
        solve(problem, "sinkhorn")
    assert fault_of_proof(problem, caught.value) is None


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0), (1, 1), (1, 7), (7, 1), (60, 60), (40, 70), (70, 40)])
def test_sinkhorn_assignment_of_every_shape_is_valid(shape):
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
def test_sinkhorn_assignment_of_equal_costs_is_optimal(matrix):
    problem = Assignment(DenseCost(matrix))
    assert certify(problem, solve(problem, "sinkhorn")).optimal


@pytest.mark.parametrize("offset", [1e9, -1e9])
def test_an_offset_changes_no_matching(offset):
    matrix = np.round(np.random.default_rng(6).random((40, 50)), 6)
    plain = solve(Assignment(DenseCost(matrix)), "sinkhorn")
    moved = solve(Assignment(DenseCost(matrix + offset)), "sinkhorn")
    np.testing.assert_array_equal(moved.row_to_col, plain.row_to_col)


def test_sinkhorn_assignment_run_twice_gives_equal_answers():
    x, y = clouds(50, 50)
    problem = Assignment(PointCost(x, y))
    first, second = (solve(problem, "sinkhorn") for _ in range(2))
    np.testing.assert_array_equal(first.row_to_col, second.row_to_col)
    assert first.counters == second.counters
