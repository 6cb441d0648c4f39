"""CSV of which a spreadsheet program runs nothing."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from report_records import make_record

from lapmark.bench.problems import Case
from lapmark.reports import tables
from lapmark.reports.csv_text import to_csv
from lapmark.reports.map import assignment_table


@pytest.mark.parametrize("text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\tx", "\rx"])
def test_to_csv_of_a_formula_adds_an_apostrophe(text: str) -> None:
    for dtype in (object, "string", "category"):
        table = pd.DataFrame({"name": pd.Series([text, "plain"], dtype=dtype), "x": [0, 1]})
        found = pd.read_csv(io.StringIO(to_csv(table)), lineterminator="\n")
        assert found["name"].tolist() == [f"'{text}", "plain"]


def test_to_csv_keeps_numbers_and_missing_values() -> None:
    table = pd.DataFrame(
        {
            "float": [-1.5, np.nan, -np.inf],
            "int": pd.array([-1, 2, None], dtype="Int64"),
            "bool": [True, False, True],
            "mixed": pd.Series([-1, "jv", None], dtype=object),
            "label": ["-1", "+2.5e3", "7"],
            "time": pd.to_datetime(["2026-01-01"] * 3),
        }
    )
    assert to_csv(table) == table.to_csv(index=False)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("x;=1+1", "x;'=1+1"),
        ("x;=1;@A1;y", "x;'=1;'@A1;y"),
        ("x\t+1", "x\t'+1"),
        ("x\n-1", '"x\n\'-1"'),
        ('x;"=1"', '"x;\'""=1"""'),
        ("a=1;b=-2", "a=1;b=-2"),
    ],
)
def test_to_csv_of_a_formula_within_a_text_adds_an_apostrophe(text: str, written: str) -> None:
    assert to_csv(pd.DataFrame({"name": [text], "x": [0]})) == f"name,x\n{written},0\n"


def test_to_csv_of_a_formula_in_a_heading_adds_an_apostrophe() -> None:
    assert to_csv(pd.DataFrame({"=a": [1]})) == "'=a\n1\n"


def test_to_csv_keeps_headings_that_are_not_texts() -> None:
    assert to_csv(pd.DataFrame({0: ["=1"], (1, 2): ["b"], None: [3]})) == '0,"(1, 2)",\n\'=1,b,3\n'


def test_csv_of_cells_has_no_formula() -> None:
    record = make_record("jv", Case("uniform", 100), message="=HYPERLINK(1)", status="error", samples=())
    cells = tables.frame([record])
    assert pd.read_csv(io.StringIO(tables.csv(cells)))["message"].tolist() == ["'=HYPERLINK(1)"]


def test_csv_of_a_map_has_no_formula() -> None:
    table = pd.DataFrame({"name": ["=1+1.png"], "row": [0], "x": [-1.5]})
    assert assignment_table.encode(table, ".csv") == b"name,row,x\n'=1+1.png,0,-1.5\n"
    assert b'"=1+1.png"' in assignment_table.encode(table, ".json")
