"""The native solvers from Python: all instruction sets agree, the GIL is free, Ctrl-C is answered."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from interrupting import interrupted

from lapmark import Assignment, DenseCost, certify, solve
from lapmark.solvers.native import _matrix
from lapmark.solvers.native._kernels import INSTRUCTION_SETS


def matrices():
    rng = np.random.default_rng(7)
    yield "even", rng.random((150, 150), dtype=np.float32)
    yield "ties", rng.integers(0, 5, (129, 129)).astype(np.float64)
    yield "wide", 10 ** rng.uniform(-8, 8, (90, 300))
    yield "product", np.multiply.outer(np.arange(1.0, 131), np.arange(1.0, 131))
    yield "twin columns", np.repeat(rng.random((64, 32)), 2, axis=1) + 1e-14 * rng.random((64, 64))


MATRICES = dict(matrices())


@pytest.mark.parametrize("isa", INSTRUCTION_SETS[1:])
@pytest.mark.parametrize("method", ["jv", "auction"])
@pytest.mark.parametrize(
    ("name", "matrix"), list(matrices()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_native_assign_of_all_instruction_sets_agrees_to_the_bit(isa, method, name, matrix):
    scalar, vectors = (_matrix.assign(method, matrix, isa=each) for each in ("scalar", isa))
    for ours, other in zip(scalar[:3], vectors[:3], strict=True):
        np.testing.assert_array_equal(ours, other)
    assert scalar[3] == vectors[3]


@pytest.mark.parametrize("isa", INSTRUCTION_SETS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n", "m"), [(1, 1), (3, 127), (128, 5), (17, 260)])
def test_minima_of_reduced_costs_equal_numpys(isa, dtype, n, m):
    rng = np.random.default_rng(n * m)
    matrix, u, v = rng.random((n, m)).astype(dtype), rng.random(n), rng.random(m)
    matrix[rng.random((n, m)) < 0.1] = np.inf
    wide = matrix.astype(np.float64)
    np.testing.assert_array_equal(_matrix.row_minima(matrix, v, isa=isa), (wide - v).min(axis=1))
    np.testing.assert_array_equal(_matrix.column_minima(matrix, u, isa=isa), (wide - u[:, None]).min(axis=0))


@pytest.mark.parametrize("isa", INSTRUCTION_SETS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("m", [1, 2, 5, 127, 128, 129, 400])
def test_two_minima_of_a_row_with_ties_take_the_lower_column(isa, dtype, m):
    rng = np.random.default_rng(m)
    # Few distinct values: the lower column must win every tie.
    matrix, v = rng.integers(0, 6, (50, m)).astype(dtype), rng.integers(0, 3, m).astype(float)
    matrix[rng.random(matrix.shape) < 0.2] = np.inf
    values, columns = _matrix.two_minima(matrix, v, isa=isa)
    reduced = matrix.astype(np.float64) - v
    order = np.argsort(reduced, axis=1, kind="stable")[:, :2]
    expected = np.full((50, 2), np.inf)
    expected[:, : order.shape[1]] = np.take_along_axis(reduced, order, axis=1)
    np.testing.assert_array_equal(values, expected)
    finite = np.isfinite(expected)
    padded = np.pad(order, ((0, 0), (0, 2 - order.shape[1])), constant_values=-1)
    np.testing.assert_array_equal(columns, np.where(finite, padded, -1))


def test_jv_of_float32_solves_the_numbers_it_holds():
    # In float32 arithmetic the three sums below are equal; as exact numbers they are not.
    rng = np.random.default_rng(3)
    matrix = (1e6 + rng.random((60, 60))).astype(np.float32)
    matching = solve(Assignment(DenseCost(matrix)), solver="jv")
    wide = solve(Assignment(DenseCost(matrix.astype(np.float64))), solver="jv")
    assert matching.cost == wide.cost
    assert certify(Assignment(DenseCost(matrix)), matching).optimal


@pytest.mark.parametrize("solver", ["jv", "auction"])
def test_solve_of_near_equal_costs_ends(solver):
    """Leads of one rounding unit: the textbook row reduction would step down by it for ever."""
    rng = np.random.default_rng(0)
    matrix = 1 + np.finfo(float).eps * rng.integers(0, 3, (200, 200))
    matching = solve(Assignment(DenseCost(matrix)), solver=solver)
    assert matching.counters["row_scans"] < 200 * 200
    assert certify(Assignment(DenseCost(matrix)), matching).optimal


def slow_matrix(n: int = 1500) -> np.ndarray:
    """i·j keeps a shortest augmenting path method busy for seconds."""
    return np.multiply.outer(np.arange(1.0, n + 1), np.arange(1.0, n + 1))


def test_native_assign_in_a_thread_releases_the_gil():
    started, done = threading.Event(), threading.Event()

    def work() -> None:
        started.set()
        _matrix.assign("jv", slow_matrix(), isa="scalar")
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    started.wait()
    turns = 0
    while not done.is_set():
        turns += 1
        time.sleep(0.001)
    thread.join()
    assert turns > 20


@pytest.mark.parametrize(
    ("method", "matrix"),
    [
        ("jv", "np.multiply.outer(k, k)"),
        ("auction", "np.add.outer(np.sqrt(k), np.cbrt(k))"),  # any matching will do: all is left to the exact end
    ],
)
def test_native_assign_at_ctrl_c_is_interrupted(method, matrix):
    setting = (
        f"import numpy as np\nfrom lapmark.solvers.native import _matrix\nk = np.arange(1.0, 6001)\nmatrix = {matrix}"
    )
    solving = f"_matrix.assign('{method}', matrix, isa='scalar')"
    # Unanswered it would take minutes and end without a word.
    assert interrupted(setting, solving, 0.3) == "interrupted\n"
