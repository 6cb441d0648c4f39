"""Answers in their canonical form."""

from __future__ import annotations

import numpy as np
import pytest

from lapmark import Assignment, DenseCost, Matching


@pytest.fixture
def problem() -> Assignment:
    return Assignment(DenseCost([[1, 2], [3, 5], [8, 13]]))


def test_matching_of_rows_sums_its_cost_from_the_problem(problem):
    matching = Matching.of(problem, [1, -1, 0])
    assert matching.cost == 10
    assert matching.row_to_col.dtype == np.intp
    assert matching.u is None
    assert matching.counters == {}


def test_matching_from_pairs_has_their_rows(problem):
    matching = Matching.from_pairs(problem, np.array([2, 0]), np.array([1, 0]))
    assert matching.row_to_col.tolist() == [0, -1, 1]
    assert matching.cost == 14


def test_empty_matching_costs_nothing(problem):
    assert Matching.of(problem, [-1, -1, -1]).cost == 0


@pytest.mark.parametrize("answer", [[0, 2, -1], [0, 1], [[0, 1, -1]]])
def test_matching_of_a_wrong_answer_has_no_cost(problem, answer):
    assert np.isnan(Matching.of(problem, answer).cost)
