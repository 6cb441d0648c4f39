"""Tables in text files: separators, decimal marks, headings and names of rows, and what is said of them."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lapmark.bench.data import csv_file

RNG = np.random.default_rng(0)
FRACTIONS = pd.DataFrame(RNG.random((12, 5)).round(4))
WHOLE = pd.DataFrame(RNG.integers(0, 60, (12, 5)))
YEARS = range(2019, 2024)
DISTANCES = pd.DataFrame(np.abs(np.subtract.outer(range(12), range(12))))
LETTERS = list("abcdefghijkl")


def put(folder: Path, text: str, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8", newline="")
    return path


def csv(frame: pd.DataFrame, **settings: Any) -> str:
    return frame.to_csv(None, **{"index": False, **settings})


#: How pandas, and a European spreadsheet, write the same table.
WRITTEN = {
    "comma": {},
    "semicolon": {"sep": ";"},
    "tab": {"sep": "\t"},
    "bar": {"sep": "|"},
    "decimal comma": {"sep": ";", "decimal": ","},
    "decimal comma, tab": {"sep": "\t", "decimal": ","},
    "decimal comma, quoted": {"decimal": ","},
    "carriage returns": {"lineterminator": "\r\n"},
}


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("index", [True, False])
@pytest.mark.parametrize("frame", [FRACTIONS, FRACTIONS.iloc[:, :2], FRACTIONS.set_axis(YEARS, axis=1)])
@pytest.mark.parametrize("way", WRITTEN)
def test_read_fractions_in_every_dialect_returns_the_table(
    tmp_path: Path, way: str, frame: pd.DataFrame, index: bool, header: bool
) -> None:
    if index and not header and frame.shape[1] < 3:
        frame = FRACTIONS  # beside a single column, or two, row numbers may be a coordinate
    text = csv_file.read(put(tmp_path, csv(frame, index=index, header=header, **WRITTEN[way])))
    np.testing.assert_array_equal(text.frame, frame)
    assert ("rows named by column 1" in text.layout) == index
    assert ("no heading" in text.layout) == (not header)
    assert ("decimal comma" in text.layout) == ("decimal" in WRITTEN[way])


@pytest.mark.parametrize("columns", [range(5), YEARS, list("vwxyz")])
@pytest.mark.parametrize("index", [range(12), LETTERS])
def test_read_integers_returns_the_table(tmp_path: Path, columns: Any, index: Any) -> None:
    frame = WHOLE.set_axis(columns, axis=1).set_axis(index)
    for with_index in (True, False):
        read = csv_file.read(put(tmp_path, csv(frame, index=with_index))).frame
        np.testing.assert_array_equal(read, frame)
        assert list(read) == [str(name) for name in columns]
        assert list(read.index) == list(frame.index if with_index else range(12))
    for with_index in (True, False)[index is LETTERS :]:
        read = csv_file.read(put(tmp_path, csv(frame, header=False, index=with_index))).frame
        np.testing.assert_array_equal(read, frame)


#: First lines of numbers: whether they are a heading, for all that can be known.
FIRST_LINES: Mapping[str, tuple[str, bool]] = {
    "distances": (csv(DISTANCES, header=False), False),
    "distances, titled": (csv(DISTANCES), True),
    "distances, fractions": (csv(DISTANCES.astype(float), header=False), False),
    "square with its heading": (csv(FRACTIONS[:4]), True),
    "counted through": ("0,1,2\n3,4,5\n6,7,8\n9,10,11\n", False),
    "a row": ("1,2,3\n4,5,6\n7,8,9.5\n", False),
    "a single line": ("1,2,3\n", False),
    "a name and numbers": ("Rome;1;2,5\n", False),
    "large numbers below years": ("2019,2020,2021\n1200,3,5\n7,900,8\n1100,4,2\n", True),
    "multiples": ("1,2,3\n2,4,6\n3,6,9\n4,8,12\n", False),
    "zeros": ("0,0\n0.5,0.25\n0.5,0.75\n", False),
    "a column of numbers": ("0\n1\n2\n3\n", False),
    "a series": ("0\n0.5\n1.5\n", True),
    "wavelengths": (csv(FRACTIONS.set_axis([400.5, 401, 401.5, 402, 402.5], axis=1)), True),
    "a label": (csv(FRACTIONS.assign(label=LETTERS)), True),
    "words, and a row": ("Rome,1,2\nOslo,3,4\nBern,5,6\n", False),
    "words above words": ("image,label\na.png,cat\n", True),
    "a number that is missing": (",2.5,3.5\n1.5,2.25,3\n1.25,2,3\n", False),
    "all numbers missing": (",,\n1.5,2.25,3\n1.25,2,3\n", False),
}


@pytest.mark.parametrize("name", FIRST_LINES)
def test_read_with_a_first_line_of_numbers_detects_a_heading(tmp_path: Path, name: str) -> None:
    text, heading = FIRST_LINES[name]
    path = put(tmp_path, text)
    read = csv_file.read(path)
    assert len(read.frame) == len(text.splitlines()) - heading
    # What the words name does what they say.
    other = "--no-header reads it as data" if heading else "--header reads the first line as one"
    if "words above" not in name:
        assert other in read.layout
    if not heading:
        assert len(csv_file.read(path, header=True).frame) == len(read.frame) - 1
    elif "label" not in text:
        np.testing.assert_array_equal(csv_file.read(path, header=False).frame[1:], read.frame)


LAYOUTS = {
    "named": ("x;y;label\n0,5;1;a\n1,5;2;b\n", "separator ;, decimal comma, heading x, y, label"),
    "one column": ("x\n0,5\n1,5\n", "decimal comma, heading x"),
    "blanks": (" 1   2.5 \n 3   4.5 \n", "separator blank, no heading (--header reads the first line as one)"),
    "like a comment": ("# x,y\n1,2\n", "separator ,, heading x, y"),
    "blanks in words": (",c 0\nrow 0,482\nrow 1,499\n", "separator ,, heading c 0, rows named by column 1"),
    "byte-order mark": ("\ufeffx,y\n1,2\n", "separator ,, heading x, y"),
    "a corner": (",x,y\n7,1,2\n9,3,4\n", "separator ,, heading x, y, rows named by column 1"),
    "index that became a column": ("index,x,y\n0,1,2\n1,3,4\n", "separator ,, heading x, y, rows named by column 1"),
    "index twice": (",Unnamed: 0,x\n0,0,2\n1,1,4\n", "separator ,, heading x, rows named by column 1"),
    "last separators": ("x,y,\n1,2,\n3,4,\n", "separator ,, heading x, y"),
    "breaks of lines": ('x,y,label\n1,2,"New\nYork"\n3,4,b\n', "separator ,, heading x, y, label"),
    "semicolons in texts": ("x,y,tags\n1,2,a;b\n3,4,c;d\n", "separator ,, heading x, y, tags"),
    "commas in texts": ("x;y;place\n1;2;Rome, Italy\n3;4;Oslo, Norway\n", "separator ;, heading x, y, place"),
    "blanks in texts": (
        "image file,label of it\na.png,cat\nb.png,dog\n",
        "separator ,, heading image file, label of it",
    ),
    "separator declared": ("\ufeffsep=;\r\nx;y\r\n1,5;2\r\n", "separator ;, decimal comma, heading x, y"),
    "thousands in quotes": ('x,y\n"1,234",2\n', "separator ,, heading x, y"),
    "texts": ("image;label\na, b.png;cat\nc.png;dog\n", "separator ;, heading image, label"),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_read_describes_the_layout(tmp_path: Path, name: str) -> None:
    text, layout = LAYOUTS[name]
    read = csv_file.read(put(tmp_path, text))
    assert read.layout == layout
    assert not read.frame.isna().any().any()


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("a;b\n1.234,5;2\n12;3\n", [[1234.5, 2], [12, 3]]),
        ('a,b\n"1,234.5",2\n"1,234,567",3\n', [[1234.5, 2], [1234567, 3]]),
        ("a;b\n1 234,5;2\n12;3\n", [[1234.5, 2], [12, 3]]),
        ("1,234;5,678\n2,345;6,789\n", [[1.234, 5.678], [2.345, 6.789]]),
        ("1.234;5.678\n2.345;6.789\n", [[1.234, 5.678], [2.345, 6.789]]),
        ("a;b\n1,5e3;-inf\n+2;,5\n", [[1500, -np.inf], [2, 0.5]]),
        (f"{2**70},1\n5,6\n", [[2**70, 1], [5, 6]]),
        ('"1,234","12"\n"900","1,100"\n', [[1234, 12], [900, 1100]]),
        ('"1,234","0.5"\n"1,234,567","1"\n', [[1234, 0.5], [1234567, 1]]),
        ('"1,234","0,500"\n"1,5","2"\n', [[1.234, 0.5], [1.5, 2]]),
        ("1,234\t5\n6\t7\n", [[1.234, 5], [6, 7]]),
        ("1,234;0.500\n6;7\n", [[1234, 0.5], [6, 7]]),
        ("1,234|0,5\n6|7\n", [[1.234, 0.5], [6, 7]]),
        ("a,b\n∞,1\nInfinity,2\n", [[np.inf, 1], [np.inf, 2]]),
        ("1,\n,4\n", [[1, np.nan], [np.nan, 4]]),
        ("1,,3\n4,,6\n", [[1, np.nan, 3], [4, np.nan, 6]]),
        ("sep=;\n1,5;2\n3;4\n", [[1.5, 2], [3, 4]]),
        ("sep=,\n1,5\n3,4\n", [[1, 5], [3, 4]]),
    ],
)
def test_read_numbers_in_every_notation(tmp_path: Path, text: str, numbers: Any) -> None:
    np.testing.assert_array_equal(csv_file.read(put(tmp_path, text)).frame.astype(float), numbers)


def test_read_a_word_among_numbers_keeps_it(tmp_path: Path) -> None:
    read = csv_file.read(put(tmp_path, "a;b\n0,5;1,5\n0,7;four\n0,8;1,9\n"))
    assert read.frame["b"].tolist() == ["1.5", "four", "1.9"]


def test_read_a_long_square_table_counts_all_lines(tmp_path: Path) -> None:
    n = csv_file.LINES + 20
    distances = pd.DataFrame(np.abs(np.subtract.outer(range(n), range(n))))
    assert len(csv_file.read(put(tmp_path, csv(distances, header=False))).frame) == n
    assert len(csv_file.read(put(tmp_path, csv(distances))).frame) == n


def test_read_gzipped_files(tmp_path: Path) -> None:
    path = tmp_path / "T.TSV.GZ"
    path.write_bytes(gzip.compress(b"x\ty\n1\t2\n"))
    assert csv_file.read(path).layout == "separator tab, heading x, y"


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("t.csv", b"x,label\n1,M\xfcnchen\n", "byte 0xfc is not UTF-8; save the table as UTF-8"),
        ("t.csv", "x\ty\n1\t2\n".encode("utf-16"), "byte 0xff is not UTF-8; save the table as UTF-8"),
        ("t.csv", b"x,y\n" + b"1,2\n" * 10_000 + b"\xe9,2\n", "byte 0xe9 is not UTF-8; save the table as UTF-8"),
        ("t.csv", b"x,y\n1,2,3\n4,5,6\n", "lines have more fields than the heading, which has 2; name every column"),
        ("t.csv", b"x ,x\n1,2\n", "two columns have the name 'x'; rename one"),
        ("t.csv", b"x,y\n1,2\n3,4,5\n6,7\n", "Expected 2 fields in line 3, saw 3"),
        ("t.csv", b"", "it is empty; write one line for each row of the table"),
        ("t.csv", b"\n\n", "it is empty; write one line for each row of the table"),
        ("t.csv", b"a,b\n1,2\n3,1e400\n", "row 2 of column 'b' is 1e400, too large for a number of 64 bits; write inf"),
        ("t.csv", b"a;b\n1;2,5\n3;-1e400\n", "row 2 of column 'b' is -1e400, too large"),
        ("t.csv", b'a,b\n"1,000",2\n3e999,3\n', "row 2 of column 'a' is 3e999, too large"),
        ("t.csv", b"1,234|5\n6|7\n", "1,234 may be 1.234 or 1234; write one of these, without a comma"),
        ("t.csv", b"1,234;1.500\n6;7\n", "1,234 may be 1.234 or 1234"),
        ("t.csv", b"x\n1,234\n2,345\n", "1,234 may be 1.234 or 1234"),
        ("t.csv", b"x;y\n" + b"1;2\n" * csv_file.LINES + b"1,234;5\n", "1,234 may be 1.234 or 1234"),
        ("t.csv", b"sep=:\n1:2\n", "its first line declares the separator ':'; use one of"),
        ("t.csv.gz", gzip.compress(b"x,y\n" * 99, mtime=0)[:-9], "it is damaged"),
        ("t.csv.gz", b"\x1f\x8bx,y\n", "it is damaged"),
    ],
)
def test_read_a_bad_file_names_the_fault(tmp_path: Path, name: str, content: bytes, fault: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ValueError, match=fault):
        csv_file.read(path)
