"""The layered graph: its one matching, and the paths that make SciPy's search exponential."""

import numpy as np
import pytest

from lapmark import Matching, SparseCost, certify, solve
from lapmark.bench.problems import Case
from lapmark.bench.worker import isolated_run
from lapmark.bench.worker.resource_limits import Limits


def graph(n: int) -> np.ndarray:
    cost = Case("layered", n).build().cost
    assert isinstance(cost, SparseCost)
    return cost.csr.toarray() > 0


@pytest.mark.parametrize("n", [1, 2, 3, 4, 7, 24, 25, 301])
def test_layered_is_solved_at_its_known_optimum(n: int) -> None:
    for seed in range(3):
        case = Case("layered", n, seed)
        problem = case.build()
        certificate = certify(problem, solve(problem))
        assert certificate.exactly_optimal
        assert certificate.cost == case.known_optimum


def test_layered_paths_double_with_each_layer() -> None:
    allowed, layers = graph(31), 10
    paths = np.zeros((layers, 2), dtype=int)
    rows = np.arange(3 * layers).reshape(layers, 3)[:, [0, 2]]
    paths[0] = allowed[30, rows[0]]  # the row from which the augmenting path starts reaches both columns
    for layer in range(1, layers):
        paths[layer] = paths[layer - 1] @ allowed[np.ix_(rows[layer - 1], rows[layer])]
    assert paths.sum(axis=1).tolist() == [2**layer for layer in range(1, layers + 1)]


def test_layered_of_many_layers_is_answered_by_lapmark_within_seconds() -> None:
    problem = Case("layered", 1024).build()
    for solver in ("cascade", "jv"):
        outcome = isolated_run.run(solver, problem, Limits(timeout=20.0, memory=2**30), budget=0)
        assert isinstance(outcome.result, Matching), outcome
