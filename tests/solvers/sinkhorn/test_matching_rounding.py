"""From plans to matchings."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment as referee

from lapmark import Assignment, DenseCost, Infeasible, Matching, certify
from lapmark.solvers.certificate.hall_proof import fault_of_proof
from lapmark.solvers.deadline import Deadline
from lapmark.solvers.sinkhorn.matching_rounding import round_blocks, round_plan


def judged(cost, row_to_col):
    problem = Assignment(DenseCost(cost))
    return certify(problem, Matching.of(problem, row_to_col))


@pytest.mark.parametrize("shape", [(0, 0), (0, 4), (4, 0), (1, 1), (1, 5), (5, 1), (30, 30), (20, 45), (45, 20)])
def test_round_plan_of_any_plan_is_a_complete_matching(shape):
    rng = np.random.default_rng(sum(shape))
    assert judged(rng.random(shape), round_plan(rng.random(shape), rng.random(shape))).valid


def test_round_plan_of_a_matching_returns_it():
    permutation = np.random.default_rng(0).permutation(40)
    plan = np.zeros((40, 40))
    plan[np.arange(40), permutation] = 1 / 40
    # The costs would have it otherwise: they count only where the plan is silent.
    np.testing.assert_array_equal(round_plan(plan, plan), permutation)


def test_round_plan_of_a_silent_plan_matches_the_rest_at_least_cost():
    cost = np.random.default_rng(1).random((12, 12))
    plan = np.zeros((12, 12))
    plan[:, 0] = np.arange(1.0, 13)  # all rows want column 0, the last one most; the other columns are told nothing
    row_to_col = round_plan(plan, cost)
    assert row_to_col[11] == 0
    granted = {11: 0}
    granted.update({0: row_to_col[0]})  # ties of the silent columns all go to row 0
    rows = [i for i in range(12) if i not in granted]
    cols = [j for j in range(12) if j not in granted.values()]
    rest = cost[np.ix_(rows, cols)]
    assert cost[rows, row_to_col[rows]].sum() == pytest.approx(rest[referee(rest)].sum(), rel=1e-12)


def test_round_blocks_of_a_plan_equals_round_plan():
    rng = np.random.default_rng(2)
    plan = rng.integers(0, 9, (33, 40)).astype(float)
    cost = rng.random((33, 40))
    blocks = ((start, plan[start : start + 7]) for start in range(0, 33, 7))
    np.testing.assert_array_equal(round_blocks(blocks, cost, Deadline(None)), round_plan(plan, cost))


@pytest.mark.parametrize("shape", [(30, 30), (20, 45), (45, 20)])
@pytest.mark.parametrize("share", [0.5, 0.95])
def test_round_plan_with_forbidden_pairs_avoids_them(shape, share):
    rng = np.random.default_rng(shape)
    cost = np.where(rng.random(shape) < share, np.inf, rng.random(shape))
    least = min(shape)
    cost[rng.permutation(shape[0])[:least], rng.permutation(shape[1])[:least]] = 2.0
    for plan in (rng.random(shape), np.zeros(shape), np.where(np.isinf(cost), -np.inf, -cost)):
        assert judged(cost, round_plan(plan, cost)).valid


def test_round_plan_of_a_stuck_row_undoes_as_few_pairs_as_can_be():
    # Row 0 gets column 0, which is all that row 1 allows.
    cost = np.array([[1.0, 5.0, 4.0], [1.0, np.inf, np.inf], [9.0, 2.0, 9.0]])
    plan = np.array([[9.0, 0, 0], [1.0, 0, 0], [0, 5.0, 0]])
    np.testing.assert_array_equal(round_plan(plan, cost), [2, 0, 1])


@pytest.mark.parametrize("shape", [(2, 2), (2, 3), (3, 2)])
def test_round_plan_without_a_matching_raises_a_proof(shape):
    cost = np.full(shape, np.inf)
    cost[0] = 1.0
    with pytest.raises(Infeasible) as caught:
        round_plan(np.ones(shape), cost)
    assert fault_of_proof(Assignment(DenseCost(cost)), caught.value) is None
