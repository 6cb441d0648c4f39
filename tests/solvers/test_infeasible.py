"""A problem without a matching is refused with a proof: rows (or columns) that are more than everything they allow."""

from __future__ import annotations

import itertools
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from lapmark import Assignment, DenseCost, Infeasible, SparseCost, solve
from lapmark.solvers import registry

PROVING = ["jv", "jv-avx2", "auction", "hungarian"]


@pytest.fixture(params=PROVING)
def solver(request):
    if reason := registry.get(request.param).missing:
        pytest.skip(reason)
    return request.param


def assert_proof(matrix, error):
    """Hall's theorem, from the matrix alone."""
    allowed = np.isfinite(matrix)
    many, few = error.rows, error.columns
    if matrix.shape[0] > matrix.shape[1]:
        allowed, many, few = allowed.T, few, many
    assert many.dtype == few.dtype == np.intp
    assert (np.diff(many) > 0).all()
    assert len(many) > len(few)
    np.testing.assert_array_equal(np.flatnonzero(allowed[many].any(axis=0)), few)


def test_sets_of_hall_by_brute_force(solver):
    """Every pattern of forbidden pairs with 3 rows and 2 to 4 columns: refused exactly where no matching exists."""
    for n, m in ((3, 2), (3, 3), (3, 4)):
        for bits in itertools.product([1.0, np.inf], repeat=n * m):
            matrix = np.reshape(bits, (n, m))
            wide = matrix if n <= m else matrix.T
            exists = any(
                np.isfinite(wide[range(len(wide)), cols]).all()
                for cols in itertools.permutations(range(wide.shape[1]), len(wide))
            )
            try:
                solve(Assignment(DenseCost(matrix)), solver)
            except Infeasible as error:
                assert not exists
                assert_proof(matrix, error)
            else:
                assert exists


@given(
    arrays(
        np.float64,
        st.tuples(st.integers(1, 12), st.integers(1, 12)),
        elements=st.sampled_from([0.0, 1.0, 2.5, np.inf, np.inf]),
    )
)
def test_sets_of_hall_among_costs(matrix):
    matched = (maximum_bipartite_matching(csr_array(np.isfinite(matrix))) >= 0).sum()
    for name in PROVING:
        if registry.get(name).missing:
            continue
        try:
            solve(Assignment(DenseCost(matrix)), name)
        except Infeasible as error:
            assert matched < min(matrix.shape)
            assert_proof(matrix, error)
        else:
            assert matched == min(matrix.shape)


def test_the_message_names_the_set(solver):
    matrix = np.ones((5, 5))
    matrix[1:4, 2:] = np.inf
    with pytest.raises(Infeasible, match=r"^rows 1, 2 and 3 cannot all be matched: they allow columns 0 and 1 only$"):
        solve(Assignment(DenseCost(matrix)), solver)
    with pytest.raises(Infeasible, match=r"^columns 1, 2 and 3 cannot all be matched: they allow rows 0 and 1 only$"):
        solve(Assignment(DenseCost(np.vstack([matrix.T, np.full(5, np.inf)]))), solver)
    with pytest.raises(Infeasible, match=r"^row 1 cannot be matched: every pair is forbidden$"):
        solve(Assignment(DenseCost([[1, 2], [np.inf, np.inf]])), solver)


def test_a_long_set_is_named_by_its_first():
    matrix = np.full((30, 40), np.inf)
    matrix[:, :20] = 1.0
    with pytest.raises(Infeasible, match=r"rows (\d+, ){7}\d+ and 13 more cannot .* columns 0, 1, .* and 12 more only"):
        solve(Assignment(DenseCost(matrix)), "jv")


def test_absent_entries_are_forbidden(solver):
    only = csr_array((np.ones(3), ([0, 1, 2], [0, 0, 1])), shape=(3, 3))
    with pytest.raises(Infeasible, match=r"^rows 0 and 1 cannot all be matched: they allow column 0 only$"):
        solve(Assignment(SparseCost(only)), solver)


def test_a_package_that_gives_no_proof():
    with pytest.raises(Infeasible) as caught:
        solve(Assignment(DenseCost([[np.inf]])), "scipy")
    assert caught.value.rows is None
    assert caught.value.columns is None


def test_it_goes_through_pickle():
    error = pickle.loads(pickle.dumps(Infeasible.hall([4, 2], [7])))
    assert error.rows.tolist() == [2, 4]
    assert str(error) == "rows 2 and 4 cannot all be matched: they allow column 7 only"
