"""Whatever structure costs have, the default solver does a bounded multiple of the work of the others; in counters."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
from fuzz.structures import BASES, draw_dense, draw_sparse

from lapmark import Assignment, DenseCost, Matching, SparseCost, certify, solve

#: A bid looks at a list, not at a row: so many of them cost as much as to scan a row of some hundred entries.
BIDS_PER_SCAN = 4


def work(matching: Matching) -> float:
    """Scans of rows, and what else was done in the same unit."""
    of = matching.counters.get
    return of("row_scans", 0) + (of("bids", 0) + of("path_rows", 0)) / BIDS_PER_SCAN


@pytest.mark.parametrize("name", BASES)
@pytest.mark.parametrize("shape", [(300, 300), (250, 350), (600, 600)])
def test_cascade_work_on_a_structure_is_bounded_by_that_of_others(name, shape):
    rng = np.random.default_rng(0)
    problem = Assignment(DenseCost(np.ascontiguousarray(BASES[name](rng, *shape), dtype=np.float64)))
    matching = solve(problem, "cascade")
    proof = certify(problem, matching)
    # What is left of sums a_i + b_j is their rounding, of which any matching has its share.
    assert proof.optimal or (name == "sum" and proof.gap < 1e-15)
    others = [solve(problem, solver) for solver in ("jv", "auction")]
    assert work(matching) <= 4 * min(map(work, others)) + 32 * min(shape)


@pytest.mark.parametrize("seed", range(40))
def test_cascade_work_on_what_an_attacker_composes_is_bounded(seed):
    rng = np.random.default_rng(1000 + seed)
    _, cost = draw_dense(rng, int(rng.integers(100, 400)), int(rng.integers(100, 400)))
    problem = Assignment(cost)
    matching = solve(problem, "cascade")
    assert certify(problem, matching).optimal
    others = [solve(problem, solver) for solver in ("jv", "auction")]
    assert work(matching) <= 5 * min(map(work, others)) + 64 * min(problem.shape)


@pytest.mark.parametrize("seed", range(40))
def test_solve_of_sparse_structures_is_optimal(seed):
    rng = np.random.default_rng(2000 + seed)
    _, cost = draw_sparse(rng, int(rng.integers(50, 2000)), int(rng.integers(50, 2000)))
    problem = Assignment(cost)
    assert certify(problem, solve(problem)).optimal


@pytest.mark.parametrize("width", [1, 2, 5])
def test_solve_of_a_chain_takes_steps_in_proportion_to_its_length(width):
    """As SciPy's csgraph does; bids would go to and fro along it."""
    rng = np.random.default_rng(3)
    steps = {}
    for n in (4000, 16000):
        bands = [rng.random(n) for _ in range(2 * width + 1)]
        csr = scipy.sparse.csr_array(scipy.sparse.dia_array((bands, range(-width, width + 1)), shape=(n, n)))
        problem = Assignment(SparseCost(csr))
        matching = solve(problem)
        assert certify(problem, matching).optimal
        steps[n] = matching.counters.get("path_rows", 0) + matching.counters.get("bids", 0)
    assert steps[16000] <= 8 * steps[4000] + 1000
