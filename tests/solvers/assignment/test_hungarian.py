"""The Hungarian baseline: what the contract suite does not ask of every solver."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment as referee

from lapmark import Assignment, DenseCost, certify, solve

pytest.importorskip("numba", reason="Numba is not installed")


def problem(matrix):
    return Assignment(DenseCost(matrix))


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0), (1, 1), (1, 6), (6, 1), (25, 25), (20, 33), (33, 20)])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
def test_hungarian_of_any_shape_agrees_with_scipy_and_proves_it(shape, dtype):
    matrix = np.random.default_rng(sum(shape)).integers(-50, 50, shape).astype(dtype)
    answer = solve(problem(matrix), "hungarian")
    rows, cols = referee(matrix)
    certificate = certify(problem(matrix), answer)
    assert answer.cost == matrix[rows, cols].sum()
    assert certificate.optimal
    assert certificate.max_violation < 1e-9


@pytest.mark.parametrize("shape", [(20, 33), (33, 20)])
def test_hungarian_duals_of_the_longer_side_are_at_most_0(shape):
    answer = solve(problem(np.random.default_rng(1).normal(size=shape)), "hungarian")
    long_side = answer.v if shape[0] < shape[1] else answer.u
    matched = answer.row_to_col if shape[0] < shape[1] else np.flatnonzero(answer.row_to_col >= 0)
    assert (long_side <= 0).all()
    assert (np.delete(long_side, matched) == 0).all()
    assert long_side.min() < 0


def test_hungarian_counters_count_a_scan_for_every_row_of_every_tree():
    # Row i prefers column i, and nobody is in its way: one scan each.
    easy = solve(problem(1.0 - np.eye(9)), "hungarian")
    assert easy.counters == {"row_scans": 9, "augmentations": 9}
    # Every row prefers the columns in the same order: row i has to scan all rows before it.
    hard = solve(problem(np.multiply.outer(np.arange(1.0, 10), np.arange(1.0, 10))), "hungarian")
    assert hard.counters["row_scans"] > 9


def test_hungarian_with_forbidden_pairs_avoids_them():
    rng = np.random.default_rng(3)
    matrix = np.where(rng.random((30, 30)) < 0.7, np.inf, rng.random((30, 30)))
    np.fill_diagonal(matrix, 5.0)
    assert certify(problem(matrix), solve(problem(matrix), "hungarian")).optimal


def test_numba_before_hungarian_is_needed_is_not_imported():
    script = (
        "import sys, numpy, lapmark; lapmark.names(); assert 'numba' not in sys.modules\n"
        "lapmark.solve(lapmark.Assignment(lapmark.DenseCost(numpy.eye(2))), 'hungarian'); assert 'numba' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_hungarian_where_compiled_code_cannot_be_kept_runs():
    script = (
        "import numba.core.caching as caching, numpy, lapmark\n"
        "caching.CacheImpl._locator_classes.clear()\n"
        "print(lapmark.solve(lapmark.Assignment(lapmark.DenseCost(numpy.eye(2))), 'hungarian').cost)"
    )
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, env=os.environ)
    assert done.stdout.strip() == "0.0"
