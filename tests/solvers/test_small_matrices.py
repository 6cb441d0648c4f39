"""Small matrices, which go straight to native code: right whatever they hold, and handed over where they must be."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment as referee

from lapmark import Assignment, DenseCost, Matching, certify, linear_sum_assignment, solve
from lapmark.solvers.native import _small

SIDE = _small.LARGEST_SIDE

KINDS = {
    "even": lambda rng, shape: rng.random(shape),
    "few values": lambda rng, shape: rng.integers(0, 4, shape).astype(np.float64),
    "near ties": lambda rng, shape: 1 + np.finfo(float).eps * rng.integers(0, 3, shape),
    "many magnitudes": lambda rng, shape: 10 ** rng.uniform(-9, 9, shape),
    "product": lambda rng, shape: np.multiply.outer(np.arange(1.0, shape[0] + 1), np.arange(1.0, shape[1] + 1)),
    "shuffled product": lambda rng, shape: np.multiply.outer(rng.integers(0, 30, shape[0]), rng.normal(size=shape[1])),
    "rough product": lambda rng, shape: (
        np.multiply.outer(*map(rng.normal, (0, 0), (1, 1), shape)) + 1e-3 * rng.random(shape)
    ),
    "mostly ones": lambda rng, shape: (rng.random(shape) * max(shape) > 3).astype(np.float64),
    "distances": lambda rng, shape: np.hypot(*(rng.random((2, shape[0], 1)) - rng.random((2, 1, shape[1])))),
    "twin columns": lambda rng, shape: rng.random((shape[0], 1)) + 1e-14 * rng.random(shape),
}


@st.composite
def matrices(draw) -> np.ndarray:
    """Any shape, kind, scale, offset and share of forbidden pairs."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    shape = draw(st.tuples(st.integers(1, 40), st.integers(1, 40)))
    matrix = KINDS[draw(st.sampled_from(sorted(KINDS)))](rng, shape)
    matrix = matrix * draw(st.sampled_from([1e-9, 1.0, -1.0, 1e200])) + draw(st.sampled_from([0.0, -1.0, 1e9]))
    matrix[rng.random(shape) < draw(st.sampled_from([0.0, 0.0, 0.3, 0.9]))] = np.inf
    return matrix


def prove(matrix: np.ndarray, rows: np.ndarray, cols: np.ndarray, maximize: bool = False) -> None:
    """The pairs are a best matching, by the dual bound of a solver that has nothing to do with them."""
    assert rows.dtype == cols.dtype == np.intp
    assert (np.diff(rows) > 0).all()
    wide = matrix.astype(np.float64)
    problem = Assignment(DenseCost(-wide if maximize else wide))
    bound = certify(problem, solve(problem, "jv")).dual_bound
    certificate = certify(problem, Matching.from_pairs(problem, rows, cols), bound)
    # Twin columns differ by 1e-14, of which sums of such costs keep two digits.
    assert certificate.optimal or certificate.gap < 1e-15, certificate


def as_scipy(matrix: np.ndarray, maximize: bool) -> tuple[np.ndarray, np.ndarray] | None:
    try:
        return referee(matrix, maximize)
    except ValueError:
        return None


@given(matrices(), st.sampled_from(["float64", "float32"]), st.booleans())
@settings(max_examples=400, deadline=None)
def test_small_assign_of_any_matrix_is_optimal(matrix, dtype, maximize):
    with np.errstate(over="ignore"):
        matrix = (-matrix if maximize else matrix).astype(dtype)
    if not np.isfinite(matrix).any() or (matrix == (-np.inf if not maximize else np.inf)).any():
        return  # 1e200 is no float32
    answer = _small.assign(matrix, maximize)
    expected = as_scipy(matrix, maximize)
    if expected is None:
        assert answer is None
        with pytest.raises(ValueError, match="infeasible"):
            linear_sum_assignment(matrix, maximize)
    else:
        assert answer is not None
        prove(matrix, *answer, maximize)


#: Costs that take many scans, from some dozen rows on: other methods are faster, and may get them.
LABORIOUS = {"product", "shuffled product", "rough product", "twin columns"}


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("side", [1, 7, 8, 9, 63, 64, 65, 129, SIDE - 1, SIDE])
def test_small_matrices_of_every_width_are_optimal(kind, side):
    rng = np.random.default_rng(side)
    for shape in ((side, side), (1 + side // 3, side), (side, 1 + side // 3)):
        matrix = KINDS[kind](rng, shape)
        answer = _small.assign(matrix, False)
        assert answer is not None or (kind in LABORIOUS and side > 60)
        prove(matrix, *(answer or linear_sum_assignment(matrix)))


@pytest.mark.parametrize(
    "dtype", ["?", "i1", "u1", "i2", ">i2", "i4", "u4", "i8", "u8", "f2", "f4", ">f4", "f8", ">f8"]
)
@pytest.mark.parametrize("maximize", [False, True])
@pytest.mark.parametrize("layout", ["C", "Fortran", "every second", "backwards", "misaligned", "read-only"])
def test_small_matrices_of_every_type_and_layout_are_optimal(dtype, maximize, layout):
    rng = np.random.default_rng(5)
    matrix = rng.integers(0, 2 if dtype == "?" else 100, (12, 17)).astype(dtype)
    if layout == "Fortran":
        matrix = np.asfortranarray(matrix)
    elif layout == "every second":
        matrix = np.repeat(np.repeat(matrix, 2, axis=0), 2, axis=1)[::2, ::2]
    elif layout == "backwards":
        matrix = matrix[::-1, ::-1]
    elif layout == "misaligned":
        matrix = np.frombuffer(b"x" + matrix.tobytes(), dtype=dtype, offset=1).reshape(matrix.shape)
    elif layout == "read-only":
        matrix.flags.writeable = False
    before = matrix.copy()
    answer = _small.assign(matrix, maximize)
    assert answer is not None
    prove(matrix, *answer, maximize)
    np.testing.assert_array_equal(matrix, before)


@pytest.mark.parametrize(
    "costs",
    [
        [[1.0, 2.0], [3.0, 4.0]],
        np.ma.masked_array([[1.0]]),
        np.matrix([[1.0]]),
        np.ones(3),
        np.ones((2, 2, 2)),
        np.ones((0, 3)),
        np.ones((3, 0)),
        np.ones((SIDE + 1, SIDE + 1)),
        np.ones((2, 2), dtype=complex),
        np.ones((2, 2), dtype=np.longdouble),
        np.array([["a"]]),
        np.array([[None]]),
        np.array([[np.timedelta64(1)]]),
        np.array([[2**53]]),
        np.array([[-(2**53) - 1]]),
        np.array([[2**64 - 1]], dtype=np.uint64),
        np.array([[1e301, 1.0]]),
        np.array([[-1e301, 1.0]]),
        None,
    ],
    ids=repr,
)
def test_small_assign_of_unsuitable_costs_hands_them_back(costs):
    assert _small.assign(costs, False) is None


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (3, 2), (8, 8), (9, 13), (13, 9)])
def test_small_assign_with_a_faulty_entry_hands_it_back(shape, dtype):
    for at in np.ndindex(shape):
        for fault, maximize in ((np.nan, False), (np.nan, True), (-np.inf, False), (np.inf, True)):
            matrix = np.ones(shape, dtype=dtype)
            matrix[at] = fault
            assert _small.assign(matrix, maximize) is None
            with pytest.raises(ValueError, match="invalid numeric entries"):
                linear_sum_assignment(matrix, maximize)


def test_linear_sum_assignment_of_larger_matrices_is_optimal():
    rng = np.random.default_rng(0)
    for shape in ((SIDE + 1, 20), (20, SIDE + 1)):
        matrix = rng.random(shape)
        prove(matrix, *linear_sum_assignment(matrix))


@pytest.mark.parametrize("shape", [(1, 1), (5, 5), (70, 70), (3, 9), (9, 3), (80, 130), (130, 80)])
@pytest.mark.parametrize("value", [0.0, -0.0, 7.0, -7.0])
def test_linear_sum_assignment_of_equal_costs_is_the_diagonal(shape, value):
    rows, cols = linear_sum_assignment(np.full(shape, value))
    assert rows.tolist() == cols.tolist() == list(range(min(shape)))


def test_linear_sum_assignment_in_many_threads_equals_one_thread():
    rng = np.random.default_rng(1)
    costs = [rng.random((n, n)) for n in rng.integers(2, 120, 200)]
    alone = [linear_sum_assignment(c)[1].tolist() for c in costs]
    with ThreadPoolExecutor(8) as pool:
        together = [cols.tolist() for _, cols in pool.map(linear_sum_assignment, costs)]
    assert together == alone


@pytest.mark.parametrize("shape", [(40, SIDE + 9), (SIDE + 9, 40), (SIDE + 9, SIDE + 200)])
def test_small_assign_of_large_rectangles_in_any_order_is_optimal(shape):
    for maximize in (False, True):
        matrix = np.random.default_rng(7).random(shape)
        rows, cols = _small.assign(matrix, maximize)
        assert (np.diff(rows) > 0).all()
        expected = matrix[referee(matrix, maximize)].sum()
        assert matrix[rows, cols].sum() == pytest.approx(expected, rel=1e-13)
        turned = _small.assign(np.asfortranarray(matrix), maximize)
        assert [part.tolist() for part in turned] == [rows.tolist(), cols.tolist()]


def test_small_assign_of_a_wide_range_of_costs_leaves_it_to_refinement():
    matrix = 1e3 + 1e-9 * np.random.default_rng(3).random((30, SIDE + 50))
    assert _small.assign(matrix, False) is None
