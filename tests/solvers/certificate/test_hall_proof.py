"""Hall proofs: solvers give them with an infeasible problem, and the checker accepts exactly those that hold."""

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

from lapmark import Assignment, DenseCost, Infeasible, PointCost, SparseCost, Transport, solve
from lapmark.solvers import registry
from lapmark.solvers.certificate.hall_proof import fault_of_proof

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


def test_hall_proof_of_every_small_pattern_holds(solver):
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
def test_hall_proof_of_random_costs_holds(matrix):
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


def test_infeasible_message_names_the_stuck_set(solver):
    matrix = np.ones((5, 5))
    matrix[1:4, 2:] = np.inf
    with pytest.raises(Infeasible, match=r"^rows 1, 2 and 3 cannot all be matched: they allow columns 0 and 1 only$"):
        solve(Assignment(DenseCost(matrix)), solver)
    with pytest.raises(Infeasible, match=r"^columns 1, 2 and 3 cannot all be matched: they allow rows 0 and 1 only$"):
        solve(Assignment(DenseCost(np.vstack([matrix.T, np.full(5, np.inf)]))), solver)
    with pytest.raises(Infeasible, match=r"^row 1 cannot be matched: every pair is forbidden$"):
        solve(Assignment(DenseCost([[1, 2], [np.inf, np.inf]])), solver)


def test_infeasible_message_of_a_long_set_is_cut_short():
    matrix = np.full((30, 40), np.inf)
    matrix[:, :20] = 1.0
    with pytest.raises(Infeasible, match=r"rows (\d+, ){7}\d+ and 13 more cannot .* columns 0, 1, .* and 12 more only"):
        solve(Assignment(DenseCost(matrix)), "jv")


def test_infeasible_sparse_cost_counts_absent_entries_as_forbidden(solver):
    only = csr_array((np.ones(3), ([0, 1, 2], [0, 0, 1])), shape=(3, 3))
    with pytest.raises(Infeasible, match=r"^rows 0 and 1 cannot all be matched: they allow column 0 only$"):
        solve(Assignment(SparseCost(only)), solver)


def test_infeasible_from_a_package_has_no_proof():
    with pytest.raises(Infeasible) as caught:
        solve(Assignment(DenseCost([[np.inf]])), "scipy")
    assert caught.value.rows is None
    assert caught.value.columns is None


def test_infeasible_survives_pickle():
    error = pickle.loads(pickle.dumps(Infeasible.hall([4, 2], [7])))
    assert error.rows.tolist() == [2, 4]
    assert str(error) == "rows 2 and 4 cannot all be matched: they allow column 7 only"


INF = np.inf
#: Rows 0 and 1 allow column 0 only.
STUCK = np.array([[1, INF, INF], [2, INF, INF], [1, 1, 1]])


def proof(rows: object, columns: object) -> Infeasible:
    return Infeasible("", rows, columns)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rows", "columns", "fault"),
    [
        ([0, 1], [0], None),
        ([0, 1], [], "rows 0 and 1 also allow column 0"),
        ([0, 2], [0], "rows 0 and 2 also allow columns 1 and 2"),
        ([0], [0], "no more than those they allow"),
        ([0, 0], [0], "rows and columns must be distinct indices"),
        ([0, 3], [0], "rows and columns must be distinct indices"),
        ([0, -1], [0], "rows and columns must be distinct indices"),
        ([0.0, 1.0], [0], "rows and columns must be distinct indices"),
        ("rows", [0], "rows and columns must be distinct indices"),
        (None, [0], "rows and columns must be distinct indices"),
    ],
)
def test_fault_of_proof_names_what_is_wrong(rows: object, columns: object, fault: str | None) -> None:
    for cost in (DenseCost(STUCK), SparseCost(csr_array(np.where(np.isinf(STUCK), 0, STUCK)))):
        found = fault_of_proof(Assignment(cost), proof(rows, columns))
        assert found is None if fault is None else fault in str(found)


def test_fault_of_proof_longer_side_proves_nothing() -> None:
    tall = np.array([[1, 1], [1, 1], [INF, INF]])
    assert fault_of_proof(Assignment(DenseCost(tall)), proof([2], [])) is not None
    assert fault_of_proof(Assignment(DenseCost(tall.T)), proof([], [2])) is not None
    assert fault_of_proof(Assignment(DenseCost(tall[[0, 2]])), proof([1], [])) is None


def test_fault_of_proof_with_a_limit_or_a_reach_is_found() -> None:
    assert "limit" in str(fault_of_proof(Assignment(DenseCost(STUCK), limit=3), proof([0, 1], [0])))
    assert "reach" in str(fault_of_proof(Transport(DenseCost(STUCK), reach=1.0), proof([0, 1], [0])))


def test_fault_of_proof_in_transport_compares_masses() -> None:
    cost = DenseCost(STUCK)
    assert fault_of_proof(Transport(cost, blur=0), proof([0, 1], [0])) is None
    light = Transport(cost, [0.1, 0.1, 0.8], [0.3, 0.3, 0.4], blur=0)
    assert fault_of_proof(light, proof([0, 1], [0])) is not None
    # The columns keep nothing and the rows may: of these only the columns can be stuck.
    partial = Transport(cost, [3, 3, 3], [1, 1, 1], blur=0, partial=True)
    assert fault_of_proof(partial, proof([0, 1], [0])) is not None
    assert fault_of_proof(Transport(cost, [3, 3, 0.1], [1, 1, 1], blur=0, partial=True), proof([2], [1, 2])) is None


def test_fault_of_proof_of_points_names_the_other_columns() -> None:
    points = np.zeros((4, 2))
    assert "also allow" in str(fault_of_proof(Assignment(PointCost(points, points)), proof([0, 1], [0])))


@given(arrays(np.float64, st.tuples(st.integers(1, 7), st.integers(1, 7)), elements=st.sampled_from([1.0, INF, INF])))
def test_fault_of_proof_accepts_the_proof_of_jv(matrix: np.ndarray) -> None:
    problem = Assignment(DenseCost(matrix))
    matched = (maximum_bipartite_matching(csr_array(np.isfinite(matrix))) >= 0).sum()
    if matched == min(matrix.shape):
        solve(problem, "jv")
        return
    with pytest.raises(Infeasible) as caught:
        solve(problem, "jv")
    assert fault_of_proof(problem, caught.value) is None


@given(
    arrays(np.float64, (5, 5), elements=st.sampled_from([1.0, INF])),
    st.sets(st.integers(0, 4)),
    st.sets(st.integers(0, 4)),
)
def test_fault_of_proof_accepts_only_infeasible_problems(matrix: np.ndarray, rows: set[int], columns: set[int]) -> None:
    if fault_of_proof(Assignment(DenseCost(matrix)), proof(sorted(rows), sorted(columns))) is None:
        assert (maximum_bipartite_matching(csr_array(np.isfinite(matrix))) >= 0).sum() < 5
