"""Matrices: what their validation finds out for the solvers."""

from __future__ import annotations

import numpy as np
import pytest

from lapmark import DenseCost
from lapmark.solvers.costs.dense import range_of_matrix


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(400, 400), (350, 501)])
def test_range_of_a_large_matrix_is_that_of_its_entries(shape, dtype):
    matrix = np.random.default_rng(0).normal(size=shape).astype(dtype)
    found = range_of_matrix(matrix)
    assert found.extremes == (matrix.min(), matrix.max())
    assert (found.columns == matrix.min(axis=0)).all()
    matrix[3, 5:] = np.inf
    found = range_of_matrix(matrix)
    assert found.extremes == (matrix.min(), np.inf)
    assert found.forbids
    assert found.high == matrix[np.isfinite(matrix)].max()
    matrix[-1, -1] = np.nan
    assert range_of_matrix(matrix).low == -np.inf


def test_range_of_a_matrix_is_that_of_no_other():
    matrix = np.random.default_rng(0).random((400, 400))
    cost = DenseCost(matrix)
    assert cost.range_of(matrix) is not None
    assert cost.range_of(matrix.copy()) is None
    assert DenseCost(matrix[:10]).range_of(matrix[:10]) is None


@pytest.mark.parametrize("matrix", [np.ones((400, 400), dtype=int), np.ones((400, 400)).T[:399], np.ones((3, 3))])
def test_range_of_a_matrix_that_is_copied_or_small_is_not_kept(matrix):
    assert range_of_matrix(matrix) is None
