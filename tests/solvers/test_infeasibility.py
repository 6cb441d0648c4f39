"""A proof that there is no answer is checked on the problem: what proves it passes, and nothing else does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from lapmark import Assignment, DenseCost, Infeasible, PointCost, SparseCost, Transport, solve
from lapmark.solvers.certificate.hall_proof import fault_of_proof

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
def test_faults(rows: object, columns: object, fault: str | None) -> None:
    for cost in (DenseCost(STUCK), SparseCost(csr_array(np.where(np.isinf(STUCK), 0, STUCK)))):
        found = fault_of_proof(Assignment(cost), proof(rows, columns))
        assert found is None if fault is None else fault in str(found)


def test_only_the_shorter_side_has_to_be_matched() -> None:
    tall = np.array([[1, 1], [1, 1], [INF, INF]])
    assert fault_of_proof(Assignment(DenseCost(tall)), proof([2], [])) is not None
    assert fault_of_proof(Assignment(DenseCost(tall.T)), proof([], [2])) is not None
    assert fault_of_proof(Assignment(DenseCost(tall[[0, 2]])), proof([1], [])) is None


def test_who_may_stay_out_cannot_be_stuck() -> None:
    assert "limit" in str(fault_of_proof(Assignment(DenseCost(STUCK), limit=3), proof([0, 1], [0])))
    assert "reach" in str(fault_of_proof(Transport(DenseCost(STUCK), reach=1.0), proof([0, 1], [0])))


def test_in_transport_masses_count() -> None:
    cost = DenseCost(STUCK)
    assert fault_of_proof(Transport(cost, blur=0), proof([0, 1], [0])) is None
    light = Transport(cost, [0.1, 0.1, 0.8], [0.3, 0.3, 0.4], blur=0)
    assert fault_of_proof(light, proof([0, 1], [0])) is not None
    # The columns keep nothing and the rows may: of these only the columns can be stuck.
    partial = Transport(cost, [3, 3, 3], [1, 1, 1], blur=0, partial=True)
    assert fault_of_proof(partial, proof([0, 1], [0])) is not None
    assert fault_of_proof(Transport(cost, [3, 3, 0.1], [1, 1, 1], blur=0, partial=True), proof([2], [1, 2])) is None


def test_points_allow_all_pairs() -> None:
    points = np.zeros((4, 2))
    assert "also allow" in str(fault_of_proof(Assignment(PointCost(points, points)), proof([0, 1], [0])))


@given(arrays(np.float64, st.tuples(st.integers(1, 7), st.integers(1, 7)), elements=st.sampled_from([1.0, INF, INF])))
def test_solvers_prove_it_where_it_is_so(matrix: np.ndarray) -> None:
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
def test_what_passes_is_a_proof(matrix: np.ndarray, rows: set[int], columns: set[int]) -> None:
    if fault_of_proof(Assignment(DenseCost(matrix)), proof(sorted(rows), sorted(columns))) is None:
        assert (maximum_bipartite_matching(csr_array(np.isfinite(matrix))) >= 0).sum() < 5
