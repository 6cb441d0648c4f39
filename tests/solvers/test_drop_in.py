"""`linear_sum_assignment` in SciPy's place: SciPy's own tests, and what they leave out."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment as referee

from solvers import linear_sum_assignment

SCIPY_TESTS = "scipy.optimize.tests.test_linear_assignment"


def scipy_tests():
    """SciPy's test module, loaded afresh with our function in its place."""
    try:
        spec = importlib.util.find_spec(SCIPY_TESTS)
    except ModuleNotFoundError:
        spec = None
    if spec is None or spec.loader is None:
        return {}
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.linear_sum_assignment = linear_sum_assignment
    return {name: test for name, test in vars(module).items() if name.startswith("test_")}


def cases_of(test) -> list[dict]:
    """The argument sets that a test's parametrize marks stand for."""
    cases = [{}]
    for mark in getattr(test, "pytestmark", []):
        names = [name.strip() for name in mark.args[0].split(",")]
        cases = [{**case, **dict(zip(names, values, strict=True))} for case in cases for values in mark.args[1]]
    return cases


@pytest.mark.parametrize("name", sorted(scipy_tests()) or [None])
def test_passes_scipys_own_tests(name):
    if name is None:
        pytest.skip("this SciPy was installed without its tests")
    test = scipy_tests()[name]
    for case in cases_of(test):
        test(**case)


@pytest.mark.parametrize("shape", [(6, 6), (4, 9), (9, 4), (0, 0), (0, 3), (3, 0), (1, 5), (5, 1)])
@pytest.mark.parametrize("maximize", [False, True])
@pytest.mark.parametrize(
    "dtype", ["bool", "uint8", "int8", "uint16", "int64", "uint64", "float16", "float32", "float64"]
)
def test_costs_what_scipys_costs(shape, maximize, dtype):
    rng = np.random.default_rng(1)
    for _ in range(5):
        matrix = rng.integers(0, 2 if dtype == "bool" else 100, shape).astype(dtype)
        rows, cols = linear_sum_assignment(matrix, maximize)
        expected = referee(matrix, maximize)
        assert (np.diff(rows) > 0).all()
        assert rows.dtype == cols.dtype == np.intp
        assert len(set(cols)) == min(shape)
        assert matrix[rows, cols].sum(dtype=float) == matrix[expected].sum(dtype=float)


def test_maximize_forbids_minus_infinity():
    rows, cols = linear_sum_assignment([[1, -np.inf], [3, 2]], maximize=True)
    assert list(zip(rows, cols, strict=True)) == [(0, 0), (1, 1)]
    with pytest.raises(ValueError, match="infeasible"):
        linear_sum_assignment([[1, -np.inf], [3, -np.inf]], maximize=True)
    with pytest.raises(ValueError, match="invalid numeric entries"):
        linear_sum_assignment([[1, np.inf], [3, 2]], maximize=True)


@pytest.mark.parametrize("maximize", [False, True])
def test_costs_near_the_largest_double(maximize):
    matrix = np.array([[1.652, 1.285], [1.68, 0.919]]) * 1e308
    _, cols = linear_sum_assignment(matrix, maximize)
    assert cols.tolist() == ([0, 1] if not maximize else [1, 0])


def test_integers_that_float64_cannot_tell_apart_are_refused():
    with pytest.raises(ValueError, match=r"\[0, 1\] is 9007199254740993"):
        linear_sum_assignment([[0, 2**53 + 1], [0, 0]])
    with pytest.raises(ValueError, match=r"\[0, 0\] is 18446744073709551615"):
        linear_sum_assignment(np.array([[2**64 - 1]], dtype=np.uint64), maximize=True)


def test_the_matrix_is_left_alone():
    matrix = np.array([[3, 1], [2, 5]], dtype=np.float64)
    matrix.flags.writeable = False
    linear_sum_assignment(matrix)
    linear_sum_assignment(matrix, maximize=True)
    assert matrix.tolist() == [[3, 1], [2, 5]]
