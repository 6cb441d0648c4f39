"""The comparison on grids: its arcs, and solvers that agree on the optimum."""

from __future__ import annotations

import numpy as np
import pytest

from lapmark import certify, solve
from lapmark.bench.asv_benchmarks import grids
from lapmark.bench.problems.random.grid_histograms import build


def test_edges_of_a_grid_join_each_pair_of_neighbours_both_ways():
    tails, heads = grids.edges((2, 3))
    expected = {(0, 1), (1, 2), (3, 4), (4, 5), (0, 3), (1, 4), (2, 5)}
    assert set(zip(tails.tolist(), heads.tolist(), strict=True)) == expected | {(j, i) for i, j in expected}
    assert len(tails) == 2 * len(expected)


@pytest.mark.parametrize("axes", [2, 3])
def test_calls_on_a_small_grid_all_find_the_certified_optimum(axes):
    problem = build(60, image="mixture", axes=axes)
    optimum = certify(problem, solve(problem)).cost
    found = {name: call() for name, call in grids.calls(problem).items()}
    assert "lapmark" in found
    np.testing.assert_allclose(list(found.values()), optimum, rtol=1e-6)


def test_versions_of_all_packages_are_known():
    assert grids.versions().keys() == {"POT", "ortools", "scipy"}
