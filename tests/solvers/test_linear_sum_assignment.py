"""`linear_sum_assignment` in SciPy's place: SciPy's own tests, and what they leave out."""

from __future__ import annotations

import importlib.util
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import scipy.sparse as sp
from scipy.optimize import linear_sum_assignment as referee

from lapmark import Assignment, SparseCost, linear_sum_assignment, solve

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
def test_linear_sum_assignment_in_scipys_place_passes_scipys_tests(name):
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
def test_linear_sum_assignment_of_any_shape_costs_what_scipys_costs(shape, maximize, dtype):
    rng = np.random.default_rng(1)
    for _ in range(5):
        matrix = rng.integers(0, 2 if dtype == "bool" else 100, shape).astype(dtype)
        rows, cols = linear_sum_assignment(matrix, maximize)
        expected = referee(matrix, maximize)
        assert (np.diff(rows) > 0).all()
        assert rows.dtype == cols.dtype == np.intp
        assert len(set(cols)) == min(shape)
        assert matrix[rows, cols].sum(dtype=float) == matrix[expected].sum(dtype=float)


#: Large matrices (n, n) that start in different ways: ties, rows that seldom compete, bids, levels.
LARGE = {
    "ties": lambda rng, n: rng.integers(0, 100, (n, n)).astype(float),
    "few ties": lambda rng, n: rng.integers(0, n, (n, n)).astype(float),
    "seldom competing": lambda rng, n: 5 * rng.random((n, n)) * (1 - np.eye(n)),
    "normal": lambda rng, n: rng.normal(size=(n, n)),
    "rank 3": lambda rng, n: rng.random((n, 3)) @ rng.random((3, n)),
    "on a line": lambda rng, n: np.abs(rng.normal(size=(n, 1)) - rng.normal(size=n)),
    "near ties": lambda rng, n: 1 + 1e-6 * rng.random((n, n)),
    "forbidden": lambda rng, n: np.where(rng.random((n, n)) < 0.9, np.inf, rng.random((n, n))),
}


@pytest.mark.parametrize("kind", LARGE)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("maximize", [False, True])
def test_linear_sum_assignment_of_a_large_matrix_costs_what_scipys_costs(kind, dtype, maximize):
    matrix = LARGE[kind](np.random.default_rng(2), 701).astype(dtype)
    if maximize:
        matrix = -matrix
    pairs = linear_sum_assignment(matrix, maximize)
    assert (np.sort(pairs[1]) == np.arange(701)).all()
    expected = matrix[referee(matrix, maximize)].sum(dtype=float)
    assert matrix[pairs].sum(dtype=float) == pytest.approx(expected, rel=1e-13, abs=1e-13)


def test_maximize_forbids_minus_infinity():
    rows, cols = linear_sum_assignment([[1, -np.inf], [3, 2]], maximize=True)
    assert list(zip(rows, cols, strict=True)) == [(0, 0), (1, 1)]
    with pytest.raises(ValueError, match="infeasible"):
        linear_sum_assignment([[1, -np.inf], [3, -np.inf]], maximize=True)


@pytest.mark.parametrize("size", [2, 600])
@pytest.mark.parametrize("kind", [np.asarray, np.ndarray.tolist, pd.DataFrame])
def test_error_of_a_bad_entry_shows_it_as_given(size, kind):
    costs = np.arange(1.0, size**2 + 1).reshape(size, size)
    for value, maximize in ((np.inf, True), (-np.inf, False), (np.nan, True), (np.nan, False)):
        costs[0, 1] = value
        with pytest.raises(ValueError, match=rf"invalid numeric entries: {value} at \[0, 1\]"):
            linear_sum_assignment(kind(costs), maximize)


@pytest.mark.parametrize("maximize", [False, True])
def test_linear_sum_assignment_of_costs_near_the_largest_double_is_optimal(maximize):
    matrix = np.array([[1.652, 1.285], [1.68, 0.919]]) * 1e308
    _, cols = linear_sum_assignment(matrix, maximize)
    assert cols.tolist() == ([0, 1] if not maximize else [1, 0])


A = np.array([[4, 1, 3], [2, 0, 5], [3, 2, 2]])
FRAME = pd.DataFrame(A)

#: What SciPy takes: frames and lists of numbers of any kind.
TAKEN = {
    "nullable": FRAME.astype("Int64"),
    "convert_dtypes": (FRAME / 2).convert_dtypes(),
    "arrow": (FRAME / 2).astype("double[pyarrow]"),
    "arrow decimals": FRAME.astype(pd.ArrowDtype(pa.decimal128(30, 2))),
    "bool and int": pd.DataFrame({"a": [True, False], "b": [1, 2]}),
    "objects": FRAME.astype(object),
    "sparse columns": FRAME.astype(pd.SparseDtype(float)),
    "texts": FRAME.astype(str),
    "fractions": [[Fraction(1, 3), Fraction(2)], [Fraction(3), Fraction(1)]],
    "decimals": [[Decimal("0.1"), Decimal("Infinity")], [Decimal(3), Decimal(1)]],
    "kinds in turn": [[Fraction(1, 3), 2**70, True], [Decimal(4), 0.5, np.float32(2)]],
    "large integers": [[2**70, 1], [1, 2**70]],
    "int64 beyond 2**53": np.array([[2**62, 2**60], [1, -(2**61)]]),
    "uint64 beyond 2**53": np.array([[2**64 - 1, 1], [1, 0]], dtype=np.uint64),
    "int64 beyond 2**53, many": np.random.default_rng(0).integers(-(2**62), 2**62, (600, 20)),
}


@pytest.mark.parametrize("maximize", [False, True])
@pytest.mark.parametrize("name", TAKEN)
def test_frames_and_lists_are_taken_as_by_scipy(name, maximize):
    costs = TAKEN[name]
    if name == "decimals" and maximize:
        costs = [[-value for value in row] for row in costs]
    found, expected = linear_sum_assignment(costs, maximize), referee(costs, maximize)
    np.testing.assert_array_equal(found, expected)


#: What SciPy refuses, too, and what ours says of it.
REFUSED = {
    "NA": (FRAME.astype("Int64").mask(FRAME == 5), r"must hold numbers; entry \[1, 2\] is <NA>"),
    "None in a frame": (
        FRAME.astype(object).mask(FRAME == 5, None),
        r"invalid numeric entries: (None|nan) at \[1, 2\]",
    ),
    "None in a list": ([[1, None], [2, 3]], r"invalid numeric entries: None at \[0, 1\]"),
    "NaN among decimals": ([[Decimal(1), Decimal("NaN")]], r"invalid numeric entries: NaN at \[0, 1\]"),
    "text": ([["1", "two"]], r"must hold numbers; entry \[0, 1\] is .*'two'"),
    "complex": ([[Fraction(1), 1j]], r"must hold numbers; entry \[0, 1\] is 1j"),
    "too large": ([[1, 10**400]], r"must hold numbers; entry \[0, 1\] is 1000"),
    "an array of objects": (FRAME.to_numpy(object), r"Cannot cast array data .* from object .*; cast it to float64"),
    "a mapping": ({1: 2}, r"must hold numbers; it is \{1: 2\}"),
    "nothing": (None, "expected a matrix"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_error_of_refused_costs_has_scipys_type_and_names_the_entry(name):
    costs, message = REFUSED[name]
    with pytest.raises((TypeError, ValueError, OverflowError)) as theirs:
        referee(costs)
    with pytest.raises(theirs.type, match=message):
        linear_sum_assignment(costs)


@pytest.mark.parametrize("costs", [FRAME.astype("M8[ns]"), FRAME.astype("m8[ns]")])
def test_linear_sum_assignment_of_times_is_refused(costs):
    with pytest.raises(TypeError, match=r"Cannot cast array data .*; give numbers"):
        linear_sum_assignment(costs)


def test_error_of_masked_or_sparse_arrays_names_a_cure_that_works():
    masked = np.ma.array(A, mask=A > 4)
    with pytest.raises(TypeError, match=r"masked array; fill it first: \.astype\(float\)\.filled\(np\.inf\)"):
        linear_sum_assignment(masked)
    assert linear_sum_assignment(masked.astype(float).filled(np.inf))[1].tolist() == [1, 0, 2]
    with pytest.raises(TypeError, match=r"masked array; fill it first: \.astype\(float\)\.filled\(-np\.inf\)"):
        linear_sum_assignment(masked, maximize=True)
    assert linear_sum_assignment(masked.astype(float).filled(-np.inf), maximize=True)[1].tolist() == [2, 0, 1]
    with pytest.raises(TypeError, match=r"solve\(Assignment\(SparseCost\(…\)\)\); .* call \.toarray\(\)"):
        linear_sum_assignment(sp.csr_array(A))
    assert solve(Assignment(SparseCost(sp.csr_array(A)))).cost == 5
    assert linear_sum_assignment(sp.csr_array(A).toarray())[1].tolist() == [1, 0, 2]


def test_linear_sum_assignment_of_a_read_only_matrix_leaves_it_alone():
    matrix = np.array([[3, 1], [2, 5]], dtype=np.float64)
    matrix.flags.writeable = False
    linear_sum_assignment(matrix)
    linear_sum_assignment(matrix, maximize=True)
    assert matrix.tolist() == [[3, 1], [2, 5]]
