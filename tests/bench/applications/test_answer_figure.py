"""`lapmark.plot`: a figure of any answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse

import lapmark
from lapmark import Assignment, DenseCost, PointCost, SparseCost, Transport, solve

RANDOM = np.random.default_rng(0)


def points(d: int, n: int = 30) -> PointCost:
    return PointCost(RANDOM.random((n, d)), RANDOM.random((n, d)))


@pytest.mark.parametrize(
    "problem",
    [
        Assignment(points(2)),
        Assignment(points(1)),
        Assignment(points(5)),
        Assignment(DenseCost(RANDOM.random((20, 30)))),
        Assignment(DenseCost(np.where(RANDOM.random((9, 9)) < 0.5, np.inf, 1.0)), limit=0.5),
        Assignment(SparseCost(scipy.sparse.csr_array(np.eye(9)))),
        Transport(points(2)),
        Transport(points(2), blur=0.1),
        Transport(DenseCost(RANDOM.random((20, 30)))),
        Transport(DenseCost(RANDOM.random((20, 30))), blur=0.1),
    ],
    ids=str.split("plane line space matrix limit list transport blur plan entropic"),
)
def test_plot_draws_every_kind_of_answer(problem: Any) -> None:
    answer = solve(problem)
    figure = lapmark.plot(problem, answer)
    figure.canvas.draw()
    ax = figure.axes[0]
    assert ax.get_title(loc="left").startswith("{:,} × {:,}".format(*problem.shape))
    if isinstance(problem.cost, PointCost):
        lines = len(ax.collections[0].get_paths())
        if isinstance(problem, Assignment):
            assert lines == problem.shape[0]
        else:
            assert lines >= problem.shape[0]
    else:
        assert ax.get_xlabel() == "columns"


def test_plot_of_a_plan_too_large_to_draw_is_refused() -> None:
    problem = Transport(points(2, 2001), blur=0.5)
    with pytest.raises(ValueError, match="4,004,001 pairs, and at most 4,000,000 are drawn"):
        lapmark.plot(problem, solve(problem, stop="schedule"))


def test_plot_of_an_answer_to_another_kind_of_problem_is_refused() -> None:
    with pytest.raises(TypeError, match="a Matching is no answer to a problem of type Transport"):
        lapmark.plot(Transport(points(2)), solve(Assignment(points(2))))
