"""What `solve` takes for a problem."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

from lapmark import Assignment, DenseCost, PointCost, certify, solve


@pytest.mark.parametrize(
    "matrix", [[[4, 1], [2, 3]], ((4.0, 1.0), (2.0, 3.0)), np.array([[4, 1], [2, 3]], np.int8)], ids=str
)
def test_solve_of_a_matrix_is_the_assignment_of_its_entries(matrix: object) -> None:
    matching = solve(matrix, "jv")
    assert matching.cost == 3
    assert matching.row_to_col.tolist() == [1, 0]
    assert certify(Assignment(DenseCost(np.asarray(matrix))), matching).optimal


@pytest.mark.parametrize(
    ("thing", "error", "words"),
    [
        (DenseCost(np.eye(2)), TypeError, r"Assignment\(DenseCost\(…\)\)"),
        (PointCost(np.eye(2), np.eye(2)), TypeError, r"Transport\(…\)"),
        (scipy.sparse.eye_array(2), TypeError, "SparseCost"),
        (None, TypeError, "None"),
        ([1.0, 2.0], ValueError, "2-D"),
        ([[1.0, np.nan]], ValueError, r"nan at \[0, 1\]"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_solve_of_anything_else_names_what_is_wrong(thing: object, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        solve(thing)
