"""Problems refuse what no solver could answer rightly, and take every layout of everything else."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from lapmark import Assignment, DenseCost, PointCost, SparseCost, Transport, certify, emd, names, solve
from lapmark.solvers.errors import OutOfRange
from lapmark.solvers.registry import get

inf, nan = np.inf, np.nan


def as_float(values):
    return np.asarray(values, dtype=float)


def masses(a):
    return Transport(DenseCost(np.ones((2, 1))), a, partial=True)


def points(x):
    return PointCost(x, [[1]])


def summed(coo):
    coo = coo.copy()
    coo.sum_duplicates()
    return coo


BAD_MATRICES = {
    "0-d": (5, ValueError, r"2-D array\), got 0 dim"),
    "1-d": ([1, 2], ValueError, r"got 1 dimension\(s\), shape \(2,\)"),
    "3-d": (np.ones((2, 2, 2)), ValueError, "got 3 dim"),
    "empty list": ([], ValueError, r"shape \(0,\)"),
    "ragged": ([[1, 2], [3]], ValueError, "row 1 has 1 entries, row 0 has 2"),
    "ragged, a number for a row": ([[1, 2], 3], ValueError, "row 1 is a single number"),
    "NaN": ([[0, 1], [nan, 1]], ValueError, r"invalid numeric entries: nan at \[1, 0\]"),
    "−inf": ([[0, -inf]], ValueError, r"invalid numeric entries: -inf at \[0, 1\]"),
    "NaN in float32": (np.array([[nan]], np.float32), ValueError, r"nan at \[0, 0\]"),
    "too large": ([[0, 1e301, inf]], OutOfRange, r"\[0, 1\] is 1e\+301, beyond 1e\+300"),
    "too large, negative": ([[-1e301]], OutOfRange, r"\[0, 0\] is -1e\+301"),
    "uint64 beyond 2**53": (np.array([[1, 2**63]], np.uint64), ValueError, r"\[0, 1\] is 9223372036854775808"),
    "int64 beyond −2**53": (np.array([[-(2**53) - 1]]), ValueError, r"\[0, 0\] is -9007199254740993"),
    "None": (None, TypeError, "it is None"),
    "object": ([[1, None]], TypeError, r"entry \[0, 1\] is None"),
    "huge Python integers": ([[1, 2**70]], TypeError, "from object"),
    "text": ([["1", "2"]], TypeError, "<U1"),
    "complex": ([[1j]], TypeError, "complex128.*real part"),
    "long double": (np.ones((2, 2), np.longdouble), TypeError, "cast it to float64"),
    "dates": (np.array([["2020-01-01"]], "M8[D]"), TypeError, "give numbers"),
    "masked": (np.ma.array([[1, 2]], mask=[[0, 1]]), TypeError, r"masked array.*filled\(np.inf\)"),
    "sparse": (sp.csr_array((2, 2)), TypeError, "SparseCost"),
}


@pytest.mark.parametrize("name", BAD_MATRICES)
def test_bad_matrix_is_refused_with_its_place(name):
    matrix, error, message = BAD_MATRICES[name]
    with pytest.raises(error, match=message):
        Assignment(DenseCost(matrix))


def test_assignment_of_a_bare_matrix_is_refused():
    with pytest.raises(TypeError, match=r"got list; wrap a matrix: DenseCost\(matrix\)"):
        Assignment([[1, 2]])


@pytest.mark.parametrize("dtype", ["?", "i1", "u1", ">i2", "u4", "i8", "f2", ">f4", "<f4", ">f8", "f8"])
@pytest.mark.parametrize("layout", ["C", "F", "strided", "negative", "read-only", "memory-mapped"])
def test_every_type_and_layout_holds_the_same_costs(dtype, layout, tmp_path):
    expected = np.random.default_rng(0).integers(0, 2 if dtype == "?" else 100, (4, 5))
    base = expected.astype(dtype)
    if layout == "F":
        base = np.asfortranarray(base)
    elif layout == "strided":
        base = np.repeat(np.repeat(base, 2, axis=0), 3, axis=1)[::2, ::3]
    elif layout == "negative":
        base = base[::-1, ::-1].copy()[::-1, ::-1]
    elif layout == "read-only":
        base.flags.writeable = False
    elif layout == "memory-mapped":
        base.tofile(tmp_path / "costs")
        base = np.memmap(tmp_path / "costs", dtype=dtype, mode="r", shape=base.shape)
    cost = DenseCost(base)
    assert np.array_equal(cost.dense(), expected)
    assert cost.dtype.isnative
    assert cost.dtype.kind in "fiu"
    assert not cost.forbids
    assert solve(Assignment(cost)).cost == solve(Assignment(DenseCost(expected))).cost


def test_dense_cost_of_float64_makes_no_copy():
    matrix = np.ones((3, 3))
    assert DenseCost(matrix).dense() is matrix


def costs_of(matrix: np.ndarray) -> list:
    """The same table of squared distances (7 forbidden pairs where sparse) in each kind of cost."""
    x, y = np.arange(4.0)[:, None], np.arange(6.0)[:, None] / 2
    points = PointCost(x, y, p=3, scale=2)
    pairs = np.nonzero(np.isfinite(matrix))
    return [points, DenseCost(points.dense()), SparseCost(sp.coo_array((matrix[pairs], pairs), shape=matrix.shape))]


@pytest.mark.parametrize("which", range(3))
def test_cost_of_every_kind_answers_the_same_questions(which):
    matrix = 2 * np.abs(np.arange(4.0)[:, None] - np.arange(6.0) / 2) ** 3
    if which == 2:
        matrix[np.arange(7) % 4, np.arange(7) % 6] = inf
    cost = costs_of(matrix)[which]
    rows, cols = np.indices(matrix.shape).reshape(2, -1)
    assert cost.shape == (4, 6)
    assert cost.forbids == (which == 2)
    assert np.allclose(cost.dense(), matrix)
    assert np.allclose(cost.row(2), matrix[2])
    assert np.allclose(cost.entries(rows, cols), matrix.ravel())
    assert np.allclose(np.concatenate([block for _, block in cost.blocks()]), matrix)


def test_blocks_of_a_large_matrix_are_bounded(monkeypatch):
    monkeypatch.setattr("lapmark.solvers.costs.cost.BLOCK_ENTRIES", 10)
    starts = [(start, len(block)) for start, block in DenseCost(np.ones((7, 4))).blocks()]
    assert starts == [(0, 2), (2, 2), (4, 2), (6, 1)]


BAD_POINTS = {
    "numbers": (([1, 2], [[1]]), {}, ValueError, r"x: expected points.*reshape\(-1, 1\)"),
    "dimensions": (([[1, 2]], [[1]]), {}, ValueError, "x has 2 coordinates a point, y has 1"),
    "inf": (([[1]], [[inf]]), {}, ValueError, r"y\[0, 0\] is inf"),
    "NaN": (([[1], [nan]], [[1]]), {}, ValueError, r"x contains invalid numeric entries: nan at \[1, 0\]"),
    "p": (([[1]], [[1]]), {"p": 0}, ValueError, "p = 0; it must be finite and above 0"),
    "p as text": (([[1]], [[1]]), {"p": "2"}, TypeError, "p = '2'; it must be a number"),
    "scale": (([[1]], [[1]]), {"scale": nan}, ValueError, "scale = nan"),
    "far apart": (([[1e160]], [[1]]), {}, OutOfRange, r"coordinates up to 1e\+160"),
    "far apart, small p": (([[1e200]], [[1]]), {"p": 0.5}, OutOfRange, "rescale the points"),
}


@pytest.mark.parametrize("name", BAD_POINTS)
def test_bad_points_are_refused(name):
    points, options, error, message = BAD_POINTS[name]
    with pytest.raises(error, match=message):
        PointCost(*points, **options)


BAD_SPARSE = {
    "dense": ([[1]], TypeError, "use DenseCost"),
    "NaN": (sp.csr_array([[1, 2], [0, nan]]), ValueError, r"nan at \[1, 1\]"),
    "duplicate": (sp.coo_array(([1, 2], ([0, 0], [1, 1])), shape=(2, 2)), ValueError, r"\(0, 1\) is stored twice"),
    "complex": (sp.csr_array([[1j]]), TypeError, "real part"),
    "1-d": (sp.coo_array([1.0, 2.0]), ValueError, r"shape \(2,\)"),
}


@pytest.mark.parametrize("name", BAD_SPARSE)
def test_bad_sparse_costs_are_refused(name):
    csr, error, message = BAD_SPARSE[name]
    with pytest.raises(error, match=message):
        SparseCost(csr)


def test_sparse_keeps_zeros_and_drops_infinities():
    cost = SparseCost(sp.coo_array(([0, inf, 2], ([0, 0, 1], [0, 1, 1])), shape=(2, 2)))
    assert cost.csr.nnz == 2
    assert cost.dense().tolist() == [[0, inf], [inf, 2]]


BAD_TRANSPORT = {
    "sums differ": ({"a": [1, 1]}, ValueError, "a sums to 2, b to 1"),
    "wrong length": ({"b": [1, 1]}, ValueError, r"b has shape \(2,\); the cost needs \(3,\)"),
    "negative": ({"a": [-1, 2]}, ValueError, r"a\[0\] is -1"),
    "NaN": ({"a": [1, nan]}, ValueError, r"a\[1\] is nan"),
    "infinite": ({"a": [inf, 1]}, ValueError, r"a\[0\] is inf"),
    "no mass": ({"a": [0, 0]}, ValueError, "a has no mass"),
    "overflow": ({"a": [1e308, 1e308]}, ValueError, "sums beyond the largest float64"),
    "text": ({"a": ["x", "y"]}, TypeError, "array data of a from <U1"),
    "masked": ({"a": np.ma.array([0.5, 0.5])}, TypeError, "a is a masked array"),
    "negative blur": ({"blur": -1}, ValueError, "blur = -1; it must be finite and at least 0"),
    "blur as text": ({"blur": "x"}, TypeError, "blur = 'x'"),
    "no reach": ({"reach": 0}, ValueError, "reach = 0; it must be finite and above 0"),
}


@pytest.mark.parametrize("name", BAD_TRANSPORT)
def test_bad_transport_is_refused(name):
    options, error, message = BAD_TRANSPORT[name]
    with pytest.raises(error, match=message):
        Transport(DenseCost(np.ones((2, 3))), **options)


def test_pydatas_sparse_arrays_are_taken():
    sparse = pytest.importorskip("sparse", reason="pip install sparse")
    matrix = np.array([[1.0, inf], [2.0, 3.0]])
    for fill in (0, inf):
        coo = sparse.COO.from_numpy(np.where(np.isinf(matrix), fill, matrix), fill_value=fill)
        for array in (coo, sparse.GCXS.from_coo(coo), sparse.DOK.from_coo(coo)):
            assert SparseCost(array).dense().tolist() == matrix.tolist()
            with pytest.raises(TypeError, match=r"sparse \w+; .*SparseCost\(…\)\)\); .* call \.todense\(\)"):
                DenseCost(array)
            assert DenseCost(array.todense()).dense()[0, 1] == fill
            with pytest.raises(TypeError, match=r"wrap a matrix: SparseCost\(matrix\)"):
                Assignment(array)
    fives = sparse.COO.from_numpy(np.ones((2, 2)), fill_value=5)
    with pytest.raises(TypeError, match=r"not COO; DenseCost\(matrix\.todense\(\)\) takes it"):
        SparseCost(fives)
    assert not DenseCost(fives.todense()).forbids


#: What a message tells to do with a matrix, or with points or masses, and the same after it was done.
CURES = {
    "round": (DenseCost, np.array([[2**60, 0]]), r"round: \.astype\(float\)", lambda c: c.astype(float)),
    "subtract": (DenseCost, np.array([[2**60, 2**60 + 1]]), "subtract a constant", lambda c: c - c.min()),
    "divide": (DenseCost, np.array([[1e308, 1]]), r"divide by 2\*\*64", lambda c: c / 2**64),
    "real part": (DenseCost, np.array([[1j]]), "take the real part", np.real),
    "absolute value": (DenseCost, np.array([[1j]]), "or the absolute value", np.abs),
    "cast a long double": (DenseCost, np.ones((1, 1), np.longdouble), r"np\.asarray\(…, dtype=float\)", as_float),
    "cast fractions": (DenseCost, [[Fraction(1, 3)]], r"np\.asarray\(…, dtype=float\)", as_float),
    "cast decimals": (DenseCost, [[Decimal("0.1")]], r"np\.asarray\(…, dtype=float\)", as_float),
    "cast objects": (DenseCost, np.array([[1]], dtype=object), r"np\.asarray\(…, dtype=float\)", as_float),
    "mask": (
        DenseCost,
        np.ma.array([[1, 2]], mask=[[0, 1]]),
        r"\.filled\(np\.inf\)",
        lambda c: c.astype(float).filled(inf),
    ),
    "masked masses": (masses, np.ma.array([1, 2], mask=[0, 1]), r"fill it first: \.filled\(0\)", lambda a: a.filled(0)),
    "masked points": (points, np.ma.array([[1], [2]], mask=[[0], [1]]), r"np\.ma\.compress_rows", np.ma.compress_rows),
    "sparse masses": (masses, sp.coo_array([1.0, 2.0]), r"call \.toarray\(\)", lambda a: a.toarray()),
    "sparse points": (points, sp.csr_array([[1.0]]), r"call \.toarray\(\)", lambda x: x.toarray()),
    "points on a line": (points, np.ones(3), r"reshape\(-1, 1\)", lambda x: x.reshape(-1, 1)),
    "far points": (points, np.full((2, 1), 1e200), "rescale the points", lambda x: x / 1e100),
    "large masses": (masses, np.array([1e308, 1e308]), "rescale the masses", lambda a: a / 1e308),
    "small masses": (masses, np.array([1e-290, 0]), "rescale the masses", lambda a: a * 1e290),
    "twice": (SparseCost, sp.coo_array(([1, 2], ([0, 0], [1, 1]))), r"call sum_duplicates\(\)", summed),
    "a matrix": (Assignment, [[1]], r"DenseCost\(matrix\)", DenseCost),
    "a sparse matrix": (Assignment, sp.csr_array([[1]]), r"SparseCost\(matrix\)", SparseCost),
}


@pytest.mark.parametrize("name", CURES)
def test_the_cure_that_a_message_names_works(name):
    make, given, message, cure = CURES[name]
    with pytest.raises((TypeError, ValueError), match=message):
        make(given)
    make(cure(given))


def test_each_cure_for_sums_that_differ_works():
    cost, a, b = DenseCost(np.ones((2, 2))), np.ones(2), np.full(2, 3.0)
    with pytest.raises(ValueError, match="a sums to 2, b to 6; rescale one, or give partial=True"):
        Transport(cost, a, b, blur=0)
    with pytest.raises(ValueError, match="rescale one, or give a reach, or partial=True and blur=0"):
        Transport(cost, a, b, blur=0.05)
    assert solve(Transport(cost, a, b, blur=0, partial=True)).cost == pytest.approx(2)
    for problem in (Transport(cost, a, b / 3), Transport(cost, a, b, blur=0.05, reach=1)):
        assert np.isfinite(solve(problem).cost)


def test_transport_is_uniform_by_default_and_never_empty():
    problem = Transport(PointCost(np.ones((2, 1)), np.ones((4, 1)), p=2), blur=0.5, reach=3)
    assert problem.a.tolist() == [0.5, 0.5]
    assert problem.b.tolist() == [0.25] * 4
    assert (problem.epsilon, problem.rho) == (0.25, 9)
    with pytest.raises(ValueError, match="nothing to transport"):
        Transport(DenseCost(np.empty((0, 3))))


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0), (1, 1), (1, 4), (4, 1)])
def test_solve_of_edge_shapes_is_valid(shape):
    problem = Assignment(DenseCost(np.arange(shape[0] * shape[1], dtype=float).reshape(shape) + 1))
    for name in names(problem):
        if get(name).requires or not get(name).is_built_in:
            continue  # another package; the contract tests those
        matching = solve(problem, name)
        assert (matching.row_to_col >= 0).sum() == min(shape)
        assert matching.cost == (1 if min(shape) else 0)
        assert certify(problem, matching).valid


@pytest.mark.parametrize(("name", "length"), [("blur", 1e200), ("reach", 1e200), ("reach", 1e-200)])
def test_lengths_whose_power_float64_cannot_hold_are_named(name, length):
    with pytest.raises(
        ValueError, match=rf"{name} = {length:g}: {name}\*\*2 is beyond float64; rescale".replace("+", r"\+")
    ):
        Transport(PointCost(np.zeros((2, 2)), np.ones((2, 2))), **{name: length})
    assert Transport(DenseCost(np.ones((2, 2))), **{name: length})  # of a matrix it is in units of cost


#: Frames and lists of numbers that NumPy makes objects of, each of which float64 holds.
EXACT: dict[str, Any] = {
    "nullable integers": pd.DataFrame([[4, 1], [2, 0]]).astype("Int64"),
    "nullable floats": pd.DataFrame([[4.5, 1], [2, 0]]).convert_dtypes(),
    "Arrow": pd.DataFrame([[4.5, 1], [2, 0]]).astype("double[pyarrow]"),
    "decimals of Arrow": pd.DataFrame([[Decimal("4.5"), Decimal(1)], [Decimal(2), Decimal(0)]]).convert_dtypes(
        dtype_backend="pyarrow"
    ),
    "objects": pd.DataFrame([[4, 1.5], [2, True]]).astype(object),
    "kinds in turn": pd.DataFrame({"a": [True, False], "b": [1.5, 2]}),
    "decimals": [[Decimal("0.5"), Decimal(2)], [Decimal(3), Decimal(1)]],
    "fractions": [[Fraction(1, 4), Fraction(2)], [Fraction(3), Fraction(1)]],
}


@pytest.mark.parametrize("name", EXACT)
def test_costs_points_and_masses_take_frames_of_exact_numbers(name: str) -> None:
    given = EXACT[name]
    expected = np.asarray(given, dtype=float)
    np.testing.assert_array_equal(DenseCost(given).matrix, expected)
    np.testing.assert_array_equal(PointCost(given, given).x, expected)
    row = given.iloc[0] if isinstance(given, pd.DataFrame) else given[0]
    problem = Transport(DenseCost(np.ones((2, 2))), row, expected[0])
    np.testing.assert_array_equal(problem.masses[0], expected[0])
    assert emd(DenseCost(np.ones((2, 2))), given, expected).shape == (2,)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([[Decimal("0.1")]], r"entry \[0, 0\] is Decimal\('0.1'\), which is no float64 number; cast it"),
        ([[0.5, Decimal(2**53 + 1)]], r"entry \[0, 1\] is Decimal\('9007199254740993'\), which is no float64 number"),
        (pd.DataFrame([[1, pd.NA]], dtype="Int64"), r"entry \[0, 1\] is <NA>"),
        (pd.DataFrame([[1, None]]).astype(object), r"entry \[0, 1\] is None"),
    ],
)
def test_costs_and_points_with_an_entry_that_is_no_float_name_it(given: Any, message: str) -> None:
    for take in (DenseCost, lambda points: PointCost(points, points)):
        with pytest.raises(TypeError, match=f"without loss; {message}"):
            take(given)
