"""Lists of pairs: every format of SciPy reads as the same cost, and what is no cost is refused by its place."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from lapmark import Assignment, Infeasible, SparseCost, certify, solve

RNG = np.random.default_rng(0)
MATRIX = np.where(RNG.random((7, 9)) < 0.4, RNG.random((7, 9)), 0.0)


@pytest.mark.parametrize("format", ["csr", "csc", "coo", "lil", "dok", "bsr", "dia"])
@pytest.mark.parametrize("dtype", ["f4", "f8", "i4", "u1", "?"])
def test_every_format_and_type_is_the_same_cost(format, dtype):
    matrix = (10 * MATRIX).astype(dtype)
    cost = SparseCost(sp.csr_array(matrix).asformat(format))
    assert cost.csr.has_canonical_format
    assert (cost.dense() == np.where(matrix == 0, np.inf, matrix)).all()
    rows, cols = np.indices(matrix.shape).reshape(2, -1)
    assert (cost.entries(rows, cols) == cost.dense().ravel()).all()


def test_indices_are_sorted_and_copied():
    given = sp.csr_array((np.array([3.0, 1.0, 2.0]), np.array([2, 0, 1]), np.array([0, 2, 3])), shape=(2, 3))
    cost = SparseCost(given)
    given.indices[:], given.data[:] = 0, -1.0
    assert cost.dense().tolist() == [[1.0, np.inf, 3.0], [np.inf, 2.0, np.inf]]


def test_zeros_that_are_stored_are_costs_and_infinities_are_not():
    given = sp.csr_array((np.array([0.0, np.inf, 5.0]), np.array([0, 1, 1]), np.array([0, 2, 3])), shape=(2, 2))
    assert SparseCost(given).csr.nnz == 2
    assert SparseCost(given).dense().tolist() == [[0.0, np.inf], [np.inf, 5.0]]


@pytest.mark.parametrize("format", ["csr", "csc", "coo"])
@pytest.mark.parametrize("says_canonical", [False, True])
def test_duplicates_are_refused_by_their_place(format, says_canonical):
    twice = sp.coo_array((np.ones(3), ([0, 1, 1], [0, 2, 2])), shape=(2, 3))
    if format == "csr":
        twice = sp.csr_array((np.ones(3), np.array([0, 2, 2]), np.array([0, 1, 3])), shape=(2, 3))
    elif format == "csc":
        twice = sp.csc_array((np.ones(3), np.array([0, 1, 1]), np.array([0, 1, 1, 3])), shape=(2, 3))
    twice.has_canonical_format = says_canonical
    with pytest.raises(ValueError, match=r"entry \(1, 2\) is stored twice"):
        SparseCost(twice)


@pytest.mark.parametrize("format", ["csr", "csc", "coo"])
@pytest.mark.parametrize("wrong", [-1, 99, 10**8])
def test_damaged_indices_are_refused(format, wrong):
    for part in ("row", "col") if format == "coo" else ("indices", "indptr"):
        damaged = sp.csr_array(MATRIX).asformat(format)
        getattr(damaged, part)[1] = wrong
        with pytest.raises(ValueError, match="ind"):
            SparseCost(damaged)


def test_bad_entries_are_refused():
    bad = sp.csr_array((np.array([1.0, np.nan]), np.array([0, 1]), np.array([0, 1, 2])), shape=(2, 2))
    with pytest.raises(ValueError, match=r"sparse cost contains invalid numeric entries: nan at \[1, 1\]"):
        SparseCost(bad)
    with pytest.raises(IndexError):
        SparseCost(sp.csr_array(MATRIX)).entries(np.array([7]), np.array([0]))


@pytest.mark.parametrize("shape", [(1, 1), (30, 30), (40, 70), (70, 40), (300, 300), (1280, 1280), (2561, 2561)])
@pytest.mark.parametrize("share", [0.02, 0.09, 0.11, 0.6])
@pytest.mark.parametrize("ties", [False, True])
def test_lists_of_every_density_are_solved_to_the_optimum(shape, share, ties):
    rng = np.random.default_rng(shape[0])
    matrix = sp.random_array(shape, density=share, rng=rng, data_sampler=lambda size: 1 - rng.random(size))
    k = np.arange(min(shape))
    matrix = sp.csr_array(matrix + sp.coo_array((2 + rng.random(len(k)), (k, rng.permutation(k))), shape=shape))
    if ties:
        matrix.data = np.ceil(3 * matrix.data)
    problem = Assignment(SparseCost(matrix))
    matching = solve(problem)
    assert certify(problem, matching).optimal
    rows, cols = min_weight_full_bipartite_matching(matrix)
    assert matching.cost == pytest.approx(matrix[rows, cols].sum())


def test_small_list_without_an_answer_is_infeasible_with_a_proof():
    star = sp.csr_array(([1.0] * 5, ([0, 1, 2, 2, 2], [0, 0, 0, 1, 2])), shape=(3, 3))
    with pytest.raises(Infeasible, match="rows 0 and 1"):
        solve(Assignment(SparseCost(star)))
