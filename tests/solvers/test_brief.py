"""What `print` and notebooks show of an answer and its certificate."""

from __future__ import annotations

import numpy as np
import pytest

from lapmark import Assignment, DenseCost, Matching, PointCost, Transport, certify, loss, solve, solve_batch
from lapmark.solvers.brief import Brief

rng = np.random.default_rng(0)
COSTS, X, Y = rng.random((500, 500)), rng.random((90, 2)), rng.random((80, 2))


def shown_values() -> dict[str, Brief]:
    assignment, transport = Assignment(DenseCost(COSTS)), Transport(PointCost(X, Y))
    matching, plan = solve(assignment), solve(transport)
    return {
        "matching": matching,
        "plan": plan,
        "certificate of a matching": certify(assignment, matching),
        "certificate of a plan": certify(transport, plan),
        "loss": loss(Transport(PointCost(X, Y), blur=0.1)),
        "batch": solve_batch(rng.random((1000, 5, 5))),
    }


@pytest.mark.parametrize("what", shown_values())
def test_repr_takes_few_lines_that_fit_a_terminal(what: str) -> None:
    lines = repr(shown_values()[what]).splitlines()
    assert len(lines) <= 12
    assert max(map(len, lines)) <= 110


def test_repr_has_cost_counters_and_ends_of_arrays() -> None:
    shown = repr(Matching(np.arange(10), 12.5, np.zeros(10), None, {"bids": 3, "scans": 4}))
    assert shown.splitlines() == [
        "Matching",
        "  row_to_col  10 int64: [0 1 2 ... 7 8 9]",
        "  cost        12.5",
        "  u           10 float64: [0. 0. 0. ... 0. 0. 0.]",
        "  counters    bids 3, scans 4",
    ]


def test_html_of_a_notebook_has_the_same_lines_escaped() -> None:
    html = Matching(np.arange(2), 1.0, counters={"a<b": 1})._repr_html_()
    assert "<th>cost</th><td>1</td>" in html
    assert "a&lt;b 1" in html


@pytest.mark.parametrize("row_to_col", [[0, 1], "no array", None, np.array({}), np.array(["x"] * 9)])
def test_repr_of_a_bad_answer_shows_what_is_there(row_to_col: object) -> None:
    assert repr(Matching(row_to_col, "x", 3, np.nan)).startswith("Matching")  # type: ignore[arg-type]
