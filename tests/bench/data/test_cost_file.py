"""Cost files of every format, in what state users save them."""

from __future__ import annotations

import contextlib
import gzip
import pickle
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.io
import scipy.sparse

from lapmark import Assignment, DenseCost, PointCost, SparseCost, Transport
from lapmark.bench.data import cost_file, problem_text

COSTS = np.random.default_rng(0).random((4, 5))
FRAME = pd.DataFrame(COSTS, columns=list("abcde"))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def matrix(name: str) -> np.ndarray:
    """Return the matrix of a file that holds an assignment of one."""
    problem = cost_file.read(name)
    assert isinstance(problem, Assignment)
    assert isinstance(problem.cost, DenseCost)
    return problem.cost.matrix


def fault(name: str) -> str:
    """Return the error of a file that cannot be read, which names it."""
    with pytest.raises(ValueError) as error:
        cost_file.read(name)
    assert str(error.value).startswith(f"{name}: ")
    return str(error.value)


@pytest.mark.parametrize(
    ("given", "name"), [("costs.npy", "costs.npz"), ("costs.npz", "costs.npy"), ("costs.npy", "c")]
)
def test_read_goes_by_the_content_not_the_name(given: str, name: str) -> None:
    (np.save if given.endswith(".npy") else np.savez)(given, COSTS)
    shutil.move(given, name)
    np.testing.assert_array_equal(matrix(name), COSTS)


@pytest.mark.parametrize("content", [{"weights": COSTS}, {"arr_0": COSTS}, {"cost": COSTS}])
def test_read_archive_of_one_matrix_needs_no_known_name(content: dict[str, np.ndarray]) -> None:
    np.savez("costs.npz", **content)
    np.testing.assert_array_equal(matrix("costs.npz"), COSTS)


def test_read_archive_of_a_matrix_and_masses_is_a_transport_problem() -> None:
    np.savez("costs.npz", C=COSTS, a=np.full(4, 0.25), b=np.full(5, 0.4), partial=True)
    problem = cost_file.read("costs.npz")
    assert isinstance(problem, Transport)
    assert problem.partial
    assert [float(each.sum()) for each in problem.masses] == [1, 2]


@pytest.mark.parametrize(
    "content",
    [{"foo": COSTS, "bar": COSTS}, {"x": COSTS}, {"cost": COSTS, "C": COSTS}],
)
def test_read_archive_with_unclear_arrays_lists_them_and_the_names_that_are_read(
    content: dict[str, np.ndarray],
) -> None:
    np.savez("costs.npz", **content)
    message = fault("costs.npz")
    assert all(f"{name} ({'×'.join(map(str, array.shape))})" in message for name, array in content.items())
    assert "call the matrix of costs cost, C, M, D, costMatrix or distance, or give points x and y" in message


def test_read_archive_with_an_array_that_belongs_to_nothing_names_it() -> None:
    np.savez("costs.npz", cost=COSTS, A=np.ones(4), unit="km", names=["a", "b"])
    message = fault("costs.npz")
    assert "cost (4×5), A (4), unit (a text), names (2 texts); A, unit, names belong to nothing: leave them" in message
    assert "beside cost there may be p, scale, a, b" in message
    assert "call the matrix" not in message


@pytest.mark.parametrize(
    ("names", "settings"),
    [
        ({"costMatrix": COSTS, "n": 3}, {}),
        ({"anything": COSTS}, {"do_compression": True}),
        ({"C": COSTS, "other": COSTS.T}, {"format": "4"}),
    ],
)
def test_read_matlab_file_takes_the_only_matrix_or_a_known_name(
    names: dict[str, Any], settings: dict[str, Any]
) -> None:
    scipy.io.savemat("costs.mat", names, **settings)
    np.testing.assert_array_equal(matrix("costs.mat"), COSTS)
    layout = cost_file.read_with_layout("costs.mat")[1]
    assert all(name in layout for name in names) == (len(names) > 1)


def test_read_matlab_file_of_points_and_of_a_sparse_matrix() -> None:
    scipy.io.savemat("points.mat", {"X": np.ones((3, 2)), "Y": np.zeros((4, 2))})
    points = cost_file.read("points.mat").cost
    assert isinstance(points, PointCost)
    assert points.shape == (3, 4)
    scipy.io.savemat("sparse.mat", {"S": scipy.sparse.csc_array(np.eye(3))})
    sparse = cost_file.read("sparse.mat").cost
    assert isinstance(sparse, SparseCost)
    assert sparse.csr.nnz == 3
    scipy.io.savemat("masses.mat", {"C": COSTS, "a": np.full((4, 1), 0.25), "b": np.full(5, 0.2), "reach": 2})
    problem = cost_file.read("masses.mat")
    assert isinstance(problem, Transport)
    assert problem.reach == 2


def matlab(**variables: Any) -> bytearray:
    scipy.io.savemat("made.mat", variables)
    return bytearray(Path("made.mat").read_bytes())


def test_read_matlab_file_with_a_fault_names_it() -> None:
    whole = matlab(foo=COSTS)
    shape = whole.find(np.array([5, 8, 4, 5], "<i4").tobytes()) + 8
    terabytes = bytearray(whole)
    terabytes[shape : shape + 8] = np.array([2**30, 2**30], "<i4").tobytes()
    crashing = bytearray(whole)
    crashing[176] = 255  # the type of the numbers, which SciPy does not check
    for content, message in (
        (crashing, "it is damaged, or no file of MATLAB: its reader ended with exit status -"),
        (terabytes, "declares foo as 1073741824×1073741824, more than"),
        (whole[:200], "it is damaged, or no file of MATLAB"),
        (b"MATLAB 7.3 MAT-file, Platform".ljust(512), "write it with save -v7"),
        (b"\x89HDF\r\n\x1a\n".ljust(512), "write it with save -v7"),
        (matlab(word="abc"), "it holds no numeric matrix; has word (char)"),
        (matlab(foo=COSTS, bar=COSTS), "it holds foo (4×5), bar (4×5); call the matrix of costs cost"),
    ):
        Path("costs.mat").write_bytes(content)
        assert message in fault("costs.mat")


@pytest.mark.parametrize("write", [pd.DataFrame.to_parquet, pd.DataFrame.to_feather], ids=["parquet", "feather"])
@pytest.mark.parametrize(
    "frame",
    [
        FRAME,
        FRAME.astype("float32"),
        FRAME.round(1).convert_dtypes(),
        FRAME.round().astype("Int64"),
        FRAME.astype("double[pyarrow]"),
        FRAME.assign(c=[Decimal("0.5"), Decimal(2), Decimal(3), Decimal(4)]),
        FRAME.assign(c=pd.Categorical([1.5, 2.5, 1.5, 2.5])),
        FRAME.assign(c=[True, False, True, True]),
    ],
    ids=["float64", "float32", "nullable", "nullable integers", "Arrow", "decimal", "categories", "bool"],
)
def test_read_columnar_file_takes_every_kind_of_number(frame: pd.DataFrame, write: Any) -> None:
    write(frame, "costs.table")
    found = matrix("costs.table")
    np.testing.assert_array_equal(found, frame.astype(object).to_numpy(float))
    if frame is FRAME or frame.dtypes.eq("float32").all():
        assert found.dtype == frame.dtypes.iloc[0]


def test_read_columnar_file_with_an_empty_first_column_names_it() -> None:
    FRAME.assign(a=np.nan).to_parquet("costs.parquet")
    assert "row 1 of column 'a' is missing" in fault("costs.parquet")


def test_read_columnar_file_drops_names_of_rows() -> None:
    FRAME.set_index(pd.Index(list("wxyz"))).to_parquet("index.parquet")
    FRAME.assign(who=list("wxyz"))[["who", *FRAME]].to_parquet("names.parquet")
    for name in ("index.parquet", "names.parquet"):
        np.testing.assert_array_equal(matrix(name), COSTS)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pd.array([1, 2, None, 4], dtype="Int64"), "row 3 of column 'c' is missing; write inf for a forbidden pair"),
        ([1.0, np.nan, 2.0, 3.0], "row 2 of column 'c' is missing"),
        (list("wxyz"), "row 1 of column 'c' is 'w', not a number"),
        (pd.to_datetime(["2030-01-01"] * 4), "row 1 of column 'c' is Timestamp('2030-01-01 00:00:00'), not a number"),
    ],
)
def test_read_columnar_file_names_an_entry_that_is_no_number(column: Any, message: str) -> None:
    FRAME.assign(c=column).to_parquet("costs.parquet")
    assert message in fault("costs.parquet")


@pytest.mark.parametrize("suffix", ["parquet", "feather"])
def test_read_columnar_file_that_is_cut_short_names_it(suffix: str) -> None:
    getattr(FRAME, f"to_{suffix}")("whole")
    Path(f"costs.{suffix}").write_bytes(Path("whole").read_bytes()[:300])
    fault(f"costs.{suffix}")


@pytest.mark.parametrize("comment", ["# by hand\n", "# a\n# b, c, d\n", "#a,b\n"])
def test_read_table_below_comments(comment: str) -> None:
    Path("costs.csv").write_text(f"{comment}1,2\n3,4\n")
    assert matrix("costs.csv").tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize("word", ["NaN", "NA", "null", ""])
def test_read_table_takes_no_missing_cost_for_a_heading(word: str) -> None:
    Path("costs.csv").write_text(f"1,{word}\n2,3\n")
    assert "row 1 of column '2' is missing" in fault("costs.csv")


@pytest.mark.parametrize("suffix", ["npy", "npz", "parquet", "feather"])
def test_read_of_damaged_bytes_gives_a_problem_or_names_the_file(suffix: str) -> None:
    write = {"npy": np.save, "npz": lambda name, costs: np.savez(name, cost=costs, a=np.ones(4), b=np.full(5, 0.8))}
    name = f"costs.{suffix}"
    if suffix in write:
        write[suffix](name, COSTS)
    else:
        getattr(FRAME.assign(who="me"), f"to_{suffix}")(name)
    whole = Path(name).read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(60):
        damaged = bytearray(whole[: rng.integers(1, len(whole) + 1)] if rng.random() < 0.2 else whole)
        damaged[rng.integers(len(damaged))] = rng.integers(256)
        Path(name).write_bytes(damaged)
        with contextlib.suppress(ValueError):
            cost_file.read(name)


@pytest.mark.parametrize("packed", [False, True])
def test_read_orlib_text(packed: bool) -> None:
    text = " 3\n 1 2 3 4\n 5 6 7\n 8 9\n"
    name = "assign3.txt" + ".gz" * packed
    Path(name).write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    assert matrix(name).tolist() == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]


@pytest.mark.parametrize("text", ["3\n1 2 3\n4 5 6\n7 8\n", "1000000000\n1 2 3\n"])
def test_read_orlib_text_of_another_size_names_it(text: str) -> None:
    Path("assign.txt").write_text(text)
    assert "expected n and then n·n costs" in fault("assign.txt")


def test_read_text_table_without_the_suffix_of_one() -> None:
    Path("costs.txt").write_text("1 2 3\n4 5 6\n")
    assert matrix("costs.txt").tolist() == [[1, 2, 3], [4, 5, 6]]
    assert cost_file.read("costs.txt", header=True).shape == (1, 3)
    Path("costs").write_text("1;2,5\n4;5\n")
    assert matrix("costs").tolist() == [[1, 2.5], [4, 5]]


def test_read_dimacs_assignment() -> None:
    arcs = "a 1 3 5\na 1 4 6\na 2 3 7\n"
    Path("some.asn").write_text(f"c made by hand\np asn 4 3\nn 1\nn 2\n{arcs}")
    cost = cost_file.read("some.asn").cost
    assert isinstance(cost, SparseCost)
    assert cost.csr.nnz == 3
    assert cost.csr.toarray().tolist() == [[5, 6], [7, 0]]
    Path("all.txt").write_text(f"p asn 4 5\nn 1\nn 2\n{arcs}a 2 4 0\na 2 4 9\n")
    assert matrix("all.txt").tolist() == [[5, 6], [7, 0]]  # of parallel arcs the cheaper


def test_read_dimacs_flow_is_a_transport_problem_or_an_assignment() -> None:
    arcs = "a 1 3 0 10 5\na 1 4 0 10 6\na 2 3 0 10 7\na 2 4 0 2 1\n"
    Path("flow.min").write_text(f"p min 4 4\nn 1 3\nn 2 2\nn 3 -4\nn 4 -1\n{arcs}")
    problem = cost_file.read("flow.min")
    assert isinstance(problem, Transport)
    assert [each.tolist() for each in problem.masses] == [[3, 2], [4, 1]]
    assert problem.cost.dense().tolist() == [[5, 6], [7, 1]]
    Path("unit.min").write_text(f"p min 4 4\nn 1 1\nn 2 1\nn 3 -1\nn 4 -1\n{arcs}")
    assert matrix("unit.min").tolist() == [[5, 6], [7, 1]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("p asn 1000000000 1\nn 1\na 1 2 3\n", "declares 1,000,000,000 nodes, but its 1 arcs reach fewer"),
        ("p asn 4 2\nn 1\na 1 2 3\n", "declares 2 arcs, but it has 1"),
        ("p asn 4 3\nn 1\na 3 1 5\na 1 4 6\na 1 3 7\n", "arc 3 1 does not lead from the left side to the right"),
        ("p asn 2 1\nn 1\na 1 2 x\n", "line 3 is 'a 1 2 x'; expected numbers: a NODE NODE COST"),
        ("p asn 2 1\nn 1\na 1 2\n", "line 3 is 'a 1 2'; expected a NODE NODE COST"),
        ("p asn 2 1\na 1 2 3\n", "no nodes on one side"),
        ("p asn 2 1\nn 1\na 1 9 3\n", "node 9 is not one of the 2 nodes"),
        ("p sp 2 1\n", "line 1 is 'p sp 2 1'; expected p asn NODES ARCS or p min NODES ARCS"),
        ("words\n", "line 1 begins with 'words'; expected c or p"),
        ("c empty\n", "it has no line p asn NODES ARCS"),
        ("p asn 2 1\np asn 2 1\n", "line 2 is a second line p"),
        ("p min 3 3\nn 1 3\nn 3 -3\na 1 2 0 9 5\na 2 3 0 9 6\na 1 3 0 9 7\n", "arc 1 2 does not lead from a supply"),
        ("p min 2 1\nn 1 3\nn 2 -3\na 1 2 0 1 5\n", "arc 1 2 has bounds 0 to 1; bounds are not solved here"),
    ],
)
def test_read_dimacs_text_with_a_fault_names_it(text: str, message: str) -> None:
    Path("costs.asn").write_text(text)
    assert message in fault("costs.asn")


def test_orlib_keeps_whole_costs_exact() -> None:
    assert problem_text.orlib("1\n2147483647").dtype == np.int32
    assert problem_text.orlib(f"1\n{2**40}").dense().tolist() == [[2**40]]
    assert problem_text.orlib("1\n0.5").dense().tolist() == [[0.5]]


def test_read_orlib_text_of_pairs_is_sparse() -> None:
    Path("assignp.txt").write_text(" 3\n 1 2 75\n 1 3 11\n 2 1 8\n 3 3 40\n")
    cost = cost_file.read("assignp.txt").cost
    assert isinstance(cost, SparseCost)
    assert cost.csr.dtype == np.int32
    assert cost.csr.toarray().tolist() == [[0, 75, 11], [8, 0, 0], [0, 0, 40]]


@pytest.mark.parametrize(
    "pairs",
    [
        pytest.param("1 2 5\n1 3 6\n2 1 7\n4 3 8\n", id="a row beyond n"),
        pytest.param("1 2 5\n1 3 6\n2 1 7\n2 2 8\n", id="a row without a pair"),
        pytest.param("1 2 5\n1 2 6\n2 1 7\n3 3 8\n", id="a pair twice"),
        pytest.param("1 2.5 5\n1 3 6\n2 1 7\n3 3 8\n", id="a column that is not whole"),
    ],
)
def test_read_orlib_text_of_wrong_pairs_names_the_format(pairs: str) -> None:
    Path("assignp.txt").write_text(f"3\n{pairs}")
    assert "the row, the column and the cost of each pair" in fault("assignp.txt")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("costs.pkl", pickle.dumps(COSTS), "it is a pickle, which runs code as it is read; write it with np.save"),
        ("costs.npz", b"no archive", "its first bytes are not those of a .npz file"),
        ("costs.bin", b"ab\0\1", "it is neither text nor of another known format; known are .npy"),
        ("costs.csv", b"", "it is empty"),
        ("costs.csv", b" \n\n", "it is empty"),
        ("costs.json", b"[[1, 2], [3, 4]]", "it is JSON, which is not read; write the matrix with np.save, or as CSV"),
        ("costs.csv", b'{"cost": [[1, 2]]}', "it is JSON, which is not read"),
        ("costs.csv", "1,2\n".encode("utf-16"), "save the table as UTF-8"),
        ("costs.csv", b"a,b,c\n1,,3\n1,2,3\n", "row 1 of column 'b' is missing; write inf for a forbidden pair"),
    ],
)
def test_read_of_what_is_no_cost_file_names_the_cure(name: str, content: bytes, message: str) -> None:
    Path(name).write_bytes(content)
    assert message in fault(name)


def test_read_table_is_unpacked_by_its_content() -> None:
    Path("packed.csv").write_bytes(gzip.compress(b"1,2\n3,4\n"))
    Path("plain.csv.gz").write_bytes(b"1,2\n3,4\n")
    for name in ("packed.csv", "plain.csv.gz"):
        assert matrix(name).tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("costs.npy", b"", True),
        ("assign.txt", b" 3\n1 2", True),
        ("costs.TXT", b"1,2\n", True),
        ("graph.txt", b"c a comment\np asn 2 1\n", True),
        ("README.txt", b"Costs of 2030\n", False),
        ("README.md", b"1 2 3\n", False),
        ("empty.txt", b"", False),
    ],
)
def test_is_cost_file_looks_into_texts(name: str, content: bytes, expected: bool) -> None:
    Path(name).write_bytes(content)
    assert cost_file.is_cost_file(Path(name)) is expected


@pytest.mark.parametrize(
    ("text", "costs", "layout"),
    [
        ("worker,a,b\n1,5,6\n2,7,8\n", [[5, 6], [7, 8]], "rows named by column 1, worker (FILE:names=false reads it"),
        ("Job #,a,b\n0,5,6\n1,7,8\n", [[5, 6], [7, 8]], "rows named by column 1, Job #"),
        ("employee_id,a,b\n17,5,6\n4,7,8\n", [[5, 6], [7, 8]], "rows named by column 1, employee_id"),
        ("workerId,a,b\n17,5,6\n4,7,8\n", [[5, 6], [7, 8]], "rows named by column 1, workerId"),
        ("index,a,b\n1,5,6\n2,7,8\n", [[5, 6], [7, 8]], "rows named by column 1, index"),
        ("Unnamed: 0,a,b\n1,5,6\n2,7,8\n", [[5, 6], [7, 8]], "rows named by column 1"),
        ("crew,1,2\n101,5,6\n102,7,8\n", [[5, 6], [7, 8]], "rows named by column 1, crew"),
        ("worker,a\n9,5\n4,7\n", [[9, 5], [4, 7]], "column 1, worker, is read as costs (FILE:names=true takes it"),
        ("a,b\n1,5\n2,7\n3,1\n", [[1, 5], [2, 7], [3, 1]], "column 1 counts but is read as costs (FILE:names=true"),
        ("a_id,b_id\n1,5\n2,7\n", [[1, 5], [2, 7]], "heading a_id, b_id"),
        ("paid,b\n1,5\n2,7\n", [[1, 5], [2, 7]], "heading paid, b"),
    ],
)
def test_read_table_with_names_of_rows_in_numbers_says_what_it_drops(
    text: str, costs: list[list[int]], layout: str
) -> None:
    Path("costs.csv").write_text(text)
    assert matrix("costs.csv").tolist() == costs
    assert layout in cost_file.read_with_layout("costs.csv")[1]
    assert cost_file.read("costs.csv", names=False).shape == (len(costs), text.partition("\n")[0].count(",") + 1)
    assert cost_file.read("costs.csv", names=True).shape == (len(costs), text.partition("\n")[0].count(","))


def test_read_columnar_file_with_numbers_for_names_drops_them_unless_they_are_costs() -> None:
    FRAME.assign(worker_id=[7, 3, 9, 1])[["worker_id", *FRAME]].to_parquet("costs.parquet")
    np.testing.assert_array_equal(matrix("costs.parquet"), COSTS)
    assert cost_file.read("costs.parquet", names=False).shape == (4, 6)
    np.save("costs.npy", COSTS)
    with pytest.raises(ValueError, match="it has no column of names; the setting names is for tables"):
        cost_file.read("costs.npy", names=True)


@pytest.mark.parametrize("heading", ["row,col,cost", "i,j,cost", "From,To,Cost", "source_id,target_id,weight"])
def test_read_long_table_is_a_sparse_matrix(heading: str) -> None:
    Path("costs.csv").write_text(f"{heading}\n7,0,1.5\n7,1,0\n9,0,3\n")
    problem, layout = cost_file.read_with_layout("costs.csv")
    assert isinstance(problem.cost, SparseCost)
    assert problem.cost.dense().tolist() == [[1.5, 0], [3, np.inf]]
    row, column, _ = heading.split(",")
    assert f"a long table: 3 costs for 2 values of {row} and 2 of {column}, other pairs forbidden" in layout


def test_read_long_table_of_all_pairs_in_any_order_is_a_matrix() -> None:
    frame = pd.DataFrame({"cost": [4, 3, 2, 1], "job": list("qpqp"), "worker": list("yyxx")})
    frame.to_parquet("costs.parquet")
    assert matrix("costs.parquet").tolist() == [[1, 2], [3, 4]]
    frame.to_csv("costs.csv")  # with the index of pandas
    assert matrix("costs.csv").tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("i,j,cost\n0,0,1\n0,0,2\n", "row 2 has the pair 0, 0 for the second time; keep one cost"),
        ("i,j,cost\n0,0,1\n0,1,\n", "row 2 of column 'cost' is missing"),
        ("i,j,cost\n0,0,1\n,1,2\n", "row 2 of column 'i' is missing"),
        ("row,col,time\n0,0,1\n", "keep one more column and call it cost, or rename these if each line is a row"),
        ("from,to,cost,time\n0,0,1,2\n", "it looks like a long table, with from and to for the sides of each pair"),
    ],
)
def test_read_long_table_with_a_fault_names_it(text: str, message: str) -> None:
    Path("costs.csv").write_text(text)
    assert message in fault("costs.csv")


def test_read_matrix_of_letters_is_no_long_table() -> None:
    Path("costs.csv").write_text("i,j,k\n5,0,1\n2,1,3\n")
    assert matrix("costs.csv").tolist() == [[5, 0, 1], [2, 1, 3]]


def test_read_table_with_a_hole_names_its_row_and_column() -> None:
    Path("costs.csv").write_text("1,\n,4\n")
    assert "row 1 of column '2' is missing; write inf for a forbidden pair" in fault("costs.csv")


def test_read_number_beyond_float64_in_any_text_names_it() -> None:
    for name, text in (
        ("costs.csv", "1,2\n3,1e400\n"),
        ("costs.txt", "2\n1e400 1\n2 3\n"),
        ("costs.asn", "p asn 2 1\nn 1\na 1 2 1e400\n"),
        ("costs.mtx", "%%MatrixMarket matrix coordinate real general\n1 1 1\n1 1 1e400\n"),
    ):
        Path(name).write_text(text)
        assert "too large for" in fault(name)
    pd.DataFrame({"a": ["1", "1e400"], "b": ["inf", "2"]}).to_parquet("costs.parquet")
    assert "row 2 of column 'a' is 1e400, too large" in fault("costs.parquet")


@pytest.mark.parametrize(
    ("name", "text", "costs"),
    [
        ("costs.npy", "1,2\n3,4\n", [[1, 2], [3, 4]]),
        ("costs.parquet", "a,b\n1,2\n3,4\n", [[1, 2], [3, 4]]),
        ("costs.mtx", "1 2\n3 4\n", [[1, 2], [3, 4]]),
        ("costs.csv", "3\n1 2 3\n4 5 6\n7 8 9\n", [[1, 2, 3], [4, 5, 6], [7, 8, 9]]),
        ("costs.csv", "c by hand\np asn 2 1\nn 1\na 1 2 5\n", [[5]]),
        ("costs.csv", "c\n1\n2\n", [[1], [2]]),
        ("costs.csv", "2\n1\n2\n3\n4\n", [[2], [1], [2], [3], [4]]),
    ],
)
def test_read_text_goes_by_the_content_not_the_name(name: str, text: str, costs: list[list[int]]) -> None:
    Path(name).write_text(text)
    assert matrix(name).tolist() == costs


@pytest.mark.parametrize("symmetry", ["general", "symmetric"])
@pytest.mark.parametrize("content", [np.array([[1.0, 2], [2, 3]]), scipy.sparse.coo_array([[1.0, 2], [2, 3]])])
def test_read_matrix_market_of_a_symmetric_matrix(content: Any, symmetry: str) -> None:
    scipy.io.mmwrite("costs.mtx", content, comment="by hand", symmetry=symmetry)
    assert cost_file.read("costs.mtx").cost.dense().tolist() == [[1, 2], [2, 3]]


@pytest.mark.parametrize("packed", [False, True])
def test_read_matrix_market(packed: bool) -> None:
    sparse = scipy.sparse.coo_array(([5.0, 0.0, 1.5], ([0, 0, 1], [0, 1, 1])), shape=(2, 2))
    for name, content, expected in (
        ("sparse.mtx", sparse, [[5, 0], [np.inf, 1.5]]),
        ("dense.mtx", COSTS, COSTS.tolist()),
    ):
        scipy.io.mmwrite(name, content, precision=17, symmetry="general")
        if packed:
            Path(name).write_bytes(gzip.compress(Path(name).read_bytes()))
        cost = cost_file.read(name).cost
        assert isinstance(cost, DenseCost if name == "dense.mtx" else SparseCost)
        assert cost.dense().tolist() == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("coordinate pattern general\n2 2 1\n1 1\n", "only matrices of real or integer costs, general or symmetric"),
        ("coordinate real general\n2 2 1\n9 1 5\n", "entry (9, 1) is none of a matrix of 2×2"),
        ("coordinate real general\n2 2 1\n0 1 5\n", "entry (0, 1) is none of a matrix of 2×2; the first is (1, 1)"),
        ("coordinate real general\n2 2 9\n1 1 5\n", "it declares 9 entries, but has 1"),
        ("coordinate real general\n2 2 2\n1 1 5\n1 1 6\n", "entry (0, 0) is stored twice"),
        ("coordinate real general\n1e15 2 1\n1 1 5\n", "it declares a matrix of 1,000,000,000,000,000×2; is that"),
        ("coordinate real general\n2 2 1\n1 1 x\n", "'x' is not a number"),
        ("coordinate real general\n", "it declares no entries, but has 0"),
        ("array real general\n1000000 1000000\n1\n", "a matrix of 1,000,000×1,000,000 with 1,000,000,000,000 numbers"),
        ("array real general\n", "it does not declare its size"),
        ("array real general\ninf inf\n1\n", "it declares a matrix of inf×inf"),
    ],
)
def test_read_matrix_market_with_a_fault_names_it(text: str, message: str) -> None:
    Path("costs.mtx").write_text(f"%%MatrixMarket matrix {text}")
    assert message in fault("costs.mtx")


def test_read_archive_of_diagonals_takes_no_zero() -> None:
    scipy.sparse.save_npz("costs.npz", scipy.sparse.diags_array([[1.0, 2, 3], [4.0, 5]], offsets=[0, 1]))
    cost = cost_file.read("costs.npz").cost
    assert cost.dense().tolist() == [[1, 4, np.inf], [np.inf, 2, 5], [np.inf, np.inf, 3]]
    scipy.sparse.save_npz("costs.npz", scipy.sparse.diags_array([[1.0, 0, 3]], offsets=[0]))
    assert "entry (1, 1) of the matrix in format dia is 0, a cost or a forbidden pair; save matrix.tocsr()" in fault(
        "costs.npz"
    )
