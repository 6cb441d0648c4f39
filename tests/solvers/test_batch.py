"""Many problems in one call: the answers of one by one, whatever they are made of, and errors that name the problem."""

from __future__ import annotations

import os
import threading
import time
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from interrupting import interrupted

from lapmark import linear_sum_assignment, solve_batch
from lapmark.solvers.native import _small
from lapmark.solvers.validation import check_threads

SIDE = _small.LARGEST_SIDE


def one_by_one(costs, maximize=False):
    """row_to_col and cost of each problem by itself."""
    for matrix in costs:
        rows, cols = linear_sum_assignment(matrix, maximize)
        matrix = np.asarray(matrix)
        row_to_col = np.full(len(matrix), -1, dtype=np.intp)
        row_to_col[rows] = cols
        yield row_to_col, matrix[rows, cols].astype(float).sum()


def check(costs, maximize=False, threads=None):
    answer = solve_batch(costs, maximize=maximize, threads=threads)
    assert len(answer.row_to_col) == len(answer.cost) == len(costs)
    assert answer.cost.dtype == np.float64
    for found, cost, (expected, total) in zip(answer.row_to_col, answer.cost, one_by_one(costs, maximize), strict=True):
        assert found.dtype == np.intp
        assert found.tolist() == expected.tolist()
        assert cost == pytest.approx(total, rel=1e-12)
    return answer


@given(
    st.tuples(st.integers(0, 30), st.integers(0, 12), st.integers(0, 12)),
    st.sampled_from(["float64", "float32", "int64", "uint8", "bool", "float16"]),
    st.booleans(),
    st.integers(1, 3),
    st.integers(0, 2**32),
)
@settings(max_examples=100, deadline=None)
def test_solve_batch_of_a_stack_agrees_with_one_by_one(shape, dtype, maximize, threads, seed):
    rng = np.random.default_rng(seed)
    costs = (rng.integers(0, 2 if dtype == "bool" else 50, shape)).astype(dtype)
    answer = check(costs, maximize, threads)
    assert isinstance(answer.row_to_col, np.ndarray)
    assert answer.row_to_col.shape == shape[:2]


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=20), st.booleans(), st.integers(0, 2**32))
@settings(max_examples=100, deadline=None)
def test_solve_batch_of_a_ragged_list_agrees_with_one_by_one(shapes, maximize, seed):
    rng = np.random.default_rng(seed)
    dtypes = ["float64", "float32", "int16"]
    costs = [(1000 * rng.random(shape)).astype(dtypes[k % 3]) for k, shape in enumerate(shapes)]
    answer = check(costs, maximize)
    assert isinstance(answer.row_to_col, list)


def test_solve_batch_of_any_iterable_of_matrices_agrees_with_one_by_one():
    costs = [[[4, 1], [2, 8]], ((1.5,), (0.5,)), np.array([[3, 1, 2]], dtype=">i4"), np.matrix([[1.0, 0.0]])]
    check(costs)
    generated = solve_batch(matrix for matrix in costs)
    assert [found.tolist() for found in generated.row_to_col] == [[1, 0], [-1, 0], [1], [1]]
    assert generated.cost.tolist() == [3, 0.5, 1, 0]


@pytest.mark.parametrize("layout", ["Fortran", "backwards", "broadcast", "read-only"])
def test_solve_batch_of_any_layout_of_a_stack_agrees_with_one_by_one(layout):
    costs = np.random.default_rng(2).random((20, 9, 7))
    if layout == "Fortran":
        costs = np.asfortranarray(costs)
    elif layout == "backwards":
        costs = costs[::-1, ::-1, ::-1]
    elif layout == "broadcast":
        costs = np.broadcast_to(costs[0], costs.shape)
    else:
        costs.flags.writeable = False
    check(costs)


def test_solve_batch_of_large_among_small_problems_agrees_with_one_by_one():
    rng = np.random.default_rng(3)
    check([rng.random(shape) for shape in ((5, 5), (SIDE + 1, 30), (6, 7), (30, SIDE + 1))])
    check(rng.random((3, 4, SIDE + 1)))


def test_solve_batch_of_costs_near_the_largest_double_agrees_with_one_by_one():
    costs = np.random.default_rng(4).random((3, 4, 4))
    costs[1] *= 1e308
    check(costs)


def test_solve_batch_with_any_threads_gives_the_same_answers():
    rng = np.random.default_rng(5)
    costs = rng.integers(0, 9, (3000, 15, 15)).astype(np.float32)
    alone = solve_batch(costs, threads=1)
    for threads in (2, 3, 8, 1000):
        answer = solve_batch(costs, threads=threads)
        np.testing.assert_array_equal(answer.row_to_col, alone.row_to_col)
        np.testing.assert_array_equal(answer.cost, alone.cost)


@pytest.mark.parametrize("given_as", [np.array, list])
def test_solve_batch_with_faults_names_the_first_problem(given_as):
    costs = np.ones((9, 3, 3))
    costs[4, 1, 2] = np.nan
    costs[7, 0, 0] = -np.inf
    with pytest.raises(ValueError, match=r"^problem 4: cost matrix contains invalid numeric entries: nan at \[1, 2\]"):
        solve_batch(given_as(costs))
    costs[2, 1] = np.inf
    with pytest.raises(ValueError, match=r"^problem 2: cost matrix is infeasible"):
        solve_batch(given_as(costs))


def test_solve_batch_with_what_is_no_matrix_names_its_index():
    with pytest.raises(TypeError, match=r"^problem 1: .* masked array"):
        solve_batch([np.ones((2, 2)), np.ma.masked_array(np.ones((2, 2)))])
    with pytest.raises(TypeError, match=r"^problem 0: Cannot cast .* complex"):
        solve_batch(np.ones((2, 2, 2), dtype=complex))
    with pytest.raises(ValueError, match=r"^problem 1: expected a matrix"):
        solve_batch([np.ones((2, 2)), np.ones(3)])
    with pytest.raises(TypeError, match=r"^problem 1: cost matrix must hold numbers; entry \[0, 1\] is 1j"):
        solve_batch([np.ones((1, 2)), [[Fraction(1, 3), 1j]]])
    with pytest.raises(OverflowError, match=r"^problem 0: cost matrix must hold numbers; entry \[0, 0\] is 1000"):
        solve_batch([[[10**400]]])


@pytest.mark.parametrize("given_as", [np.array, list])
def test_solve_batch_maximizing_a_bad_entry_shows_it_as_given(given_as):
    costs = np.ones((2, 3, 3))
    costs[1, 0, 2] = np.inf
    with pytest.raises(ValueError, match=r"^problem 1: .* invalid numeric entries: inf at \[0, 2\]"):
        solve_batch(given_as(costs), maximize=True)


def test_solve_batch_of_numbers_of_any_kind_takes_them_as_scipy():
    frame = pd.DataFrame([[4, 1], [2, 8]])
    costs = [frame.astype("Int64"), frame.astype(object), [[Fraction(1, 3), Decimal(1)]], np.array([[2**60, 1]])]
    check(costs)
    check(np.array([[[2**62, 5], [3, 2**62]]]), maximize=True)


@pytest.mark.parametrize("shape", [(), (3,), (3, 3), (2, 2, 2, 2)])
def test_solve_batch_of_a_stack_not_in_three_dimensions_is_refused(shape):
    with pytest.raises(ValueError, match="array or a list of matrices"):
        solve_batch(np.ones(shape))


@pytest.mark.parametrize("threads", [0, -2, 1.5, "2", True])
def test_solve_batch_with_bad_threads_is_refused(threads):
    with pytest.raises(ValueError, match=r"threads = .*; it must be a whole number of at least 1, or -1 for all cores"):
        solve_batch(np.ones((1, 2, 2)), threads=threads)


def test_solve_batch_with_minus_one_thread_takes_every_core():
    costs = np.random.default_rng(6).random((50, 9, 9))
    np.testing.assert_array_equal(solve_batch(costs, threads=-1).cost, solve_batch(costs).cost)
    assert check_threads(-1) == check_threads(np.int64(-1)) == check_threads(None) == len(os.sched_getaffinity(0))


def product(n: int = SIDE) -> np.ndarray:
    """i·j keeps a shortest augmenting path method busy."""
    return np.multiply.outer(np.arange(1.0, n + 1), np.arange(1.0, n + 1))


def test_solve_batch_in_a_thread_releases_the_gil():
    done = threading.Event()

    def work() -> None:
        solve_batch([product()] * 600, threads=1)
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    turns = 0
    while not done.is_set():
        turns += 1
        time.sleep(0.001)
    thread.join()
    assert turns > 20


@pytest.mark.parametrize("threads", [1, 2])
def test_solve_batch_at_ctrl_c_is_interrupted(threads):
    setting = (
        "import numpy as np\n"
        "from lapmark import solve_batch\n"
        f"k = np.arange(1.0, {SIDE + 1})\n"
        "matrix = np.multiply.outer(k, k)"
    )
    solving = f"solve_batch([matrix] * 100_000, threads={threads})"
    # Unanswered it would take minutes and end without a word.
    assert interrupted(setting, solving, 0.5) == "interrupted\n"
