"""Tables at every width: nothing is cut, no word is broken, and every line fits."""

from __future__ import annotations

import io

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from lapmark.bench.util.text_table import Column, TextTable

COLUMNS = (
    Column("solver"),
    Column("median\nn=1000", right=True),
    Column("idea", prose=True),
    Column("duals", rank=2),
    Column("costs", prose=True, rank=1),
)
ROWS = (
    ("jv", "1,234,567 µs\n1.23 %", "Jonker and Volgenant, in scalar C, approximate", "yes", "dense"),
    (Text("jv-avx2 [x]", "green"), "2 s", "words", "", "points, sparse, dense"),
)
TABLE = TextTable(COLUMNS, ROWS, title="what it shows", note="a legend that needs more than one line")


def printed(table: TextTable, width: int, terminal: bool = True) -> list[str]:
    console = Console(file=io.StringIO(), width=width, force_terminal=terminal, color_system=None)
    console.print(table, crop=False, soft_wrap=not terminal)
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined]


@pytest.mark.parametrize("width", [30, 40, 60, 80, 100, 200])
def test_table_on_a_terminal_fits_and_keeps_numbers_and_words_whole(width: int) -> None:
    lines = printed(TABLE, width)
    assert max(map(cell_len, lines)) <= width
    text = "\n".join(lines)
    for whole in ("1,234,567 µs", "1.23 %", "jv-avx2 [x]", "2 s", "approximate", "Volgenant", "legend"):
        assert whole in text
    assert "…" not in text


def test_table_on_a_wide_terminal_shows_every_column_in_one_grid() -> None:
    title, *head, _, first, second, _, _ = printed(TABLE, 200)
    assert title == "what it shows"
    assert [line.split() for line in head] == [["solver", "median", "idea", "duals", "costs"], ["n=1000"]]
    assert first == "jv           1,234,567 µs  Jonker and Volgenant, in scalar C, approximate  yes    dense"
    assert second == "                   1.23 %"


def test_table_on_a_narrow_terminal_leaves_out_the_least_important_columns_and_names_them() -> None:
    text = "\n".join(printed(TABLE, 80))
    assert "Left out, for lack of width: duals." in text
    assert "points, sparse" in text
    assert "Left out, for lack of width: duals, costs." in "\n".join(printed(TABLE, 60))


def test_table_on_the_narrowest_terminal_shows_a_block_per_row_with_every_cell() -> None:
    lines = printed(TABLE, 40)
    assert lines[1:3] == ["jv", "  median n=1000: 1,234,567 µs"]
    assert "  duals: yes" in lines
    assert "Left out" not in "\n".join(lines)


def test_table_in_a_pipe_has_a_line_per_row_whatever_the_width() -> None:
    title, head, first, second = printed(TABLE, 20, terminal=False)
    assert title == "what it shows"
    assert head.split("  ")[0] == "solver"
    assert "1,234,567 µs; 1.23 %  Jonker and Volgenant, in scalar C, approximate" in first
    assert second.split() == ["jv-avx2", "[x]", "2", "s", "words", "-", "points,", "sparse,", "dense"]
    assert not any(line != line.rstrip() for line in (head, first, second))


def test_word_that_is_wider_than_the_terminal_stays_whole() -> None:
    name = "x" * 50
    assert name in printed(TextTable([Column("name"), Column("n")], [(name, "1")]), 20)


def test_table_without_rows_shows_its_headings() -> None:
    assert printed(TextTable(COLUMNS, []), 80, terminal=False) == ["solver  median n=1000  idea  duals  costs"]
    assert printed(TextTable(COLUMNS, []), 200)[0].split() == ["solver", "median", "idea", "duals", "costs"]
