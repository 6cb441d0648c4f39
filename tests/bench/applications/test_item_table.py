"""Tables of one's own: which columns are features, which are labels, names and images, and what is said of others."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from lapmark.bench.applications.grid_map import collection

RNG = np.random.default_rng(0)


def roles(read: collection.Collection) -> dict[str, dict[str, str]]:
    """The columns of each role, with the reasons."""
    found: dict[str, dict[str, str]] = {role: {} for role in ("feature", "label", "name", "image", "ignored")}
    for column in read.columns:
        found[column.role][column.name] = column.reason
    return found


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".parquet"])
def test_read_splits_numbers_labels_and_names(tmp_path: Path, suffix: str) -> None:
    frame = pd.DataFrame({"name": ["a", "b", "ü"], "x": [1, 2, 3], "y": [0.5, 2, 1], "label": [3, 3, None]})
    path = tmp_path / f"t{suffix}"
    frame.to_parquet(path) if suffix == ".parquet" else frame.to_csv(path, index=False)
    read = collection.read(path)
    np.testing.assert_array_equal(read.vectors, frame[["x", "y"]])
    assert read.are_points
    assert (read.names, read.labels, read.ignored) == (("a", "b", "ü"), ("3", "3", ""), "")


def test_read_treats_a_first_line_of_numbers_as_data(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("1,2,3\n4,5,6\n7,8,9.5\n")
    np.testing.assert_array_equal(collection.read(tmp_path / "t.csv").vectors, [[1, 2, 3], [4, 5, 6], [7, 8, 9.5]])


def test_read_treats_row_numbers_as_names(tmp_path: Path) -> None:
    pd.DataFrame({"x": [0.1, 0.2], "y": [1, 2]}, index=[7, 9]).to_csv(tmp_path / "t.csv")
    read = collection.read(tmp_path / "t.csv")
    assert (read.names, read.vectors.shape) == (("7", "9"), (2, 2))


def test_read_never_treats_name_columns_as_features(tmp_path: Path) -> None:
    (tmp_path / "T.CSV").write_text("id,name,x,y,label,class\n1,a,2,3,p,4\n2,b,4,5,q,5\n")
    read = collection.read(tmp_path / "T.CSV")
    assert (read.names, read.labels, read.vectors.shape) == (("a", "b"), ("p", "q"), (2, 2))


def test_read_leaves_out_times(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": [1.5, 2], "y": [3, 4], "when": pd.to_datetime(["2020-01-01", "2021-01-01"])})
    frame.to_parquet(tmp_path / "t.parquet")
    read = collection.read(tmp_path / "t.parquet")
    assert (roles(read)["ignored"], read.vectors.shape) == ({"when": "dates or times"}, (2, 2))


def test_read_leaves_out_durations(tmp_path: Path) -> None:
    seconds = pa.array([60, 120], pa.duration("s"))
    pq.write_table(pa.table({"x": [1.5, 2], "y": [3, 4], "took": seconds}), tmp_path / "t.parquet")
    read = collection.read(tmp_path / "t.parquet")
    assert (roles(read)["ignored"], read.vectors.tolist()) == ({"took": "dates or times"}, [[1.5, 3], [2, 4]])


@pytest.mark.parametrize(
    "columns",
    [
        {"v": pa.array([[1.5, 2.0], [3.0, 4.0]])},
        {"v": pa.array([[1.5, 2.0], [3.0, 4.0]], pa.list_(pa.float32(), 2))},
        {"x": [Decimal("1.5"), Decimal(3)], "y": [2, 4]},
        {"x": [1.5, 3], "y": pa.array([2, 4]).dictionary_encode()},
        {"x": [1.5, 3], "y": [2, 4], "tags": [["a"], ["b", "c"]], "of": [{"a": 1}, {"a": 2}], "raw": [b"a", b"b"]},
    ],
)
def test_read_takes_lists_and_decimals_as_numbers(tmp_path: Path, columns: dict[str, Any]) -> None:
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    read = collection.read(tmp_path / "t.parquet")
    assert read.vectors.tolist() == [[1.5, 2], [3, 4]]
    assert read.layout == "2 rows, 2 numeric columns"


@pytest.mark.parametrize("dtype", ["Int64", "Float64", "double[pyarrow]", pd.ArrowDtype(pa.decimal128(30, 2))])
def test_read_takes_every_type_of_number(tmp_path: Path, dtype: Any) -> None:
    frame = pd.DataFrame({"x": [1, 2], "y": [3, 4]}, index=["a", "b"]).astype(dtype)
    frame["v"] = pd.Series([[5.0, 6.0], [7.0, 8.0]], frame.index, pd.ArrowDtype(pa.list_(pa.float64())))
    frame.to_parquet(tmp_path / "t.parquet")
    read = collection.read(tmp_path / "t.parquet")
    assert read.vectors.tolist() == [[1, 3, 5, 6], [2, 4, 7, 8]]
    assert read.names == ("a", "b")


@pytest.mark.parametrize("between", [", ", "  "])
def test_read_takes_lists_written_as_text(tmp_path: Path, between: str) -> None:
    (tmp_path / "t.csv").write_text(f'v,label\n"[1.5{between}2]",a\n"[3{between}4e0]",b\n')
    read = collection.read(tmp_path / "t.csv")
    assert (read.vectors.tolist(), read.labels) == ([[1.5, 2], [3, 4]], ("a", "b"))


@pytest.mark.parametrize(
    ("lists", "fault"),
    [
        ([[1.0, 2.0], [3.0]], "row 2 of column 'v' is .*3.*; each must be a list of 2 numbers"),
        ([None, [1.0, 2.0]], "row 1 of column 'v' is None; each must be a list of 2 numbers"),
        ([[1.0, 2.0], [None, 1.0]], "row 2 of column 'v' is missing"),
        ([Decimal(1), None], "row 2 of column 'v' is missing"),
    ],
)
def test_read_of_a_faulty_list_names_it(tmp_path: Path, lists: list[Any], fault: str) -> None:
    pq.write_table(pa.table({"v": lists}), tmp_path / "t.parquet")
    with pytest.raises(ValueError, match=fault):
        collection.read(tmp_path / "t.parquet")


def test_read_with_header_follows_the_request(tmp_path: Path) -> None:
    pd.DataFrame(RNG.random((5, 3))).to_csv(tmp_path / "t.csv", index=False)
    assert [len(collection.read(tmp_path / "t.csv", header=header)) for header in (None, True, False)] == [5, 5, 6]
    np.save(tmp_path / "t.npy", RNG.random((5, 3)))
    for path in (tmp_path / "t.npy", tmp_path):
        with pytest.raises(ValueError, match="has no first line; --header and --no-header are for"):
            collection.read(path, header=True)


def test_read_leaves_out_texts_and_names_them(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b,city,when\n1,2,Rome,x\n3,4,Rome,2020\n5,6,Bern,y\n")
    read = collection.read(tmp_path / "t.csv")
    assert roles(read)["ignored"] == {"city": "text"}
    assert (roles(read)["name"], read.names) == ({"when": "texts that all differ"}, ("x", "2020", "y"))
    assert read.vectors.shape == (3, 2)


def test_read_takes_images_by_their_paths(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    for name in ("a", "b", "c"):
        Image.fromarray(RNG.integers(0, 256, (9, 9), np.uint8)).save(tmp_path / "pictures" / f"{name}.png")
    paths = ["pictures/a.png", "pictures/none.png", "pictures/b.png", "pictures/c.png"]
    frame = pd.DataFrame({"image": paths, "x": range(4), "y": range(4), "label": list("pqrs")})
    frame.to_csv(tmp_path / "t.csv", index=False)
    read = collection.read(tmp_path / "t.csv")
    np.testing.assert_array_equal(read.vectors, [[0, 0], [2, 2], [3, 3]])
    assert len(read.images or ()) == 3
    assert (read.names, read.labels) == ((paths[0], *paths[2:]), ("p", "r", "s"))
    assert [name for name, _ in read.skipped] == [paths[1]]
    frame[["image"]].to_parquet(tmp_path / "t.parquet")
    assert collection.read(tmp_path / "t.parquet").vectors.shape == (3, 81)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("x,y\n1,2\n3,\n", "row 2 of column 'y' is missing"),
        ("x,y\n1,inf\n3,4\n", "row 1 of column 'y' is inf"),
        ("x,y\n1,2\n3,four\n5,6\n", "row 2 of column 'y' is 'four', not a number"),
        ("x,y\n1,2\n3,4,5\n6,7\n", "Expected 2 fields in line 3, saw 3"),
        ("x,y\n1,2,3\n4,5,6\n", "more fields than the heading"),
        ("x,y\n1,2\n", "holds 1 item; a map needs at least two; detected layout: 1 row, 2 numeric columns"),
        ("x,y\n", "holds nothing"),
        ("\n\n", "t.csv"),
        ("a,b\np,q\nr,s\n", "no numeric column"),
        ("label\n1\n2\n", "no numeric column"),
        ("x,y\n\xff,2\n", "t.csv"),
    ],
)
def test_read_of_an_invalid_table_names_the_fault(tmp_path: Path, text: str, fault: str) -> None:
    (tmp_path / "t.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError, match=fault):
        collection.read(tmp_path / "t.csv")
