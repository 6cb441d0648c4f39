"""Text tables that never cut a number or break a word, for terminals of any width and for pipes.

Where a terminal is too narrow, prose is wrapped between words, then columns are left out, the least important first.
If that is not enough, every row becomes a block of lines, `heading: value`. In a pipe a row is one line, with two
blanks or more between columns and "-" for an empty cell, so that `grep`, `awk` and `sort` work.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

#: Blanks between two columns, and before the lines of a block.
GAP = "  "

#: A column of prose is left out rather than made narrower than this.
NARROWEST_PROSE = 24


@dataclass(frozen=True)
class Column:
    """A column of a table. Columns with a `rank` may be left out, the largest rank first; prose may be wrapped."""

    heading: str
    right: bool = False
    prose: bool = False
    rank: int = 0


@dataclass(frozen=True)
class TextTable:
    """A table to print with Rich. Cells are plain text, without markup, or styled; they may have several lines.

    The title is shown above the table, and the note below it on a terminal only.
    """

    columns: Sequence[Column]
    rows: Sequence[Sequence[str | Text]]
    title: str = ""
    note: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        lines = _Layout(self).lines(options.max_width) if console.is_terminal else self._whole_lines()
        for line in lines:
            line.rstrip()
            line.no_wrap, line.overflow = True, "ignore"
            yield line

    def _whole_lines(self) -> Iterator[Text]:
        """Yield a line per row, as wide as it is."""
        if self.title:
            yield Text(self.title)
        heads = [Text(" ".join(column.heading.split("\n"))) for column in self.columns]
        cells = [[_joined(cell) for cell in row] for row in self.rows]
        widths = [max(_width(row[k]) for row in [heads, *cells]) for k in range(len(self.columns))]
        for row in [heads, *cells]:
            yield _line(self.columns, row, widths)


class _Layout:
    """The layout of a table on a terminal."""

    def __init__(self, table: TextTable) -> None:
        self._table = table
        self._cells = [[_text(cell) for cell in row] for row in table.rows]
        self._heads = [Text(column.heading, "bold") for column in table.columns]
        by_column = [[head, *(row[k] for row in self._cells)] for k, head in enumerate(self._heads)]
        self._natural = [max(map(_width, cells)) for cells in by_column]
        self._least = [
            max(_longest_word(cells), min(natural, NARROWEST_PROSE)) if column.prose else natural
            for column, cells, natural in zip(table.columns, by_column, self._natural, strict=True)
        ]

    def lines(self, room: int) -> Iterator[Text]:
        """Yield the lines of the table in a terminal of so many columns."""
        if self._table.title:
            yield from wrapped(Text(self._table.title, "italic"), room)
        shown = list(range(len(self._table.columns)))
        while (widths := self._widths(shown, room)) is None:
            if not any(self._table.columns[k].rank for k in shown):
                yield from self._blocks(room)
                break
            shown.remove(max(shown, key=lambda k: self._table.columns[k].rank))
        else:
            yield from self._grid(shown, widths)
        left_out = [column.heading for k, column in enumerate(self._table.columns) if k not in shown]
        if widths is not None and left_out:
            note = f"Left out, for lack of width: {', '.join(left_out)}."
            yield from wrapped(Text(note, "dim"), room)
        if self._table.note:
            yield from wrapped(Text(self._table.note, "dim"), room)

    def _widths(self, shown: Sequence[int], room: int) -> list[int] | None:
        """Return the widths of columns that fit, None if there are none."""
        room -= len(GAP) * (len(shown) - 1)
        least, natural = ([widths[k] for k in shown] for widths in (self._least, self._natural))
        spare, wanted = room - sum(least), sum(natural) - sum(least)
        if spare < 0:
            return None
        share = min(1.0, spare / wanted) if wanted else 0.0
        return [low + int(share * (high - low)) for low, high in zip(least, natural, strict=True)]

    def _grid(self, shown: Sequence[int], widths: Sequence[int]) -> Iterator[Text]:
        """Yield the lines of rows and columns."""
        columns = [self._table.columns[k] for k in shown]
        rule = [Text("─" * width, "dim") for width in widths]
        for row in (self._heads, None, *self._cells):
            if row is None:
                yield _line(columns, rule, widths)
                continue
            parts = [wrapped(row[k], width) for k, width in zip(shown, widths, strict=True)]
            for number in range(max(map(len, parts))):
                cells = [part[number] if number < len(part) else Text() for part in parts]
                yield _line(columns, cells, widths, empty="")

    def _blocks(self, room: int) -> Iterator[Text]:
        """Yield the lines of a block per row, with its first cell as the heading."""
        for number, (first, *others) in enumerate(self._cells):
            if number:
                yield Text()
            yield from wrapped(Text.assemble(first, style="bold"), room)
            for column, cell in zip(self._table.columns[1:], others, strict=True):
                if cell:
                    yield from _entry(column, cell, room)


def _entry(column: Column, cell: Text, room: int) -> Iterator[Text]:
    """Yield the lines `heading: value`, with the further lines of the value indented."""
    heading = " ".join(column.heading.split("\n"))
    start = Text(f"{heading}: " if heading else "", "dim")
    room -= 2 * len(GAP)
    if column.prose:
        lines = wrapped(Text.assemble(start, cell), room)
    else:
        first, *others = cell.split("\n")
        fits = _width(start) + _width(first) <= room
        lines = [Text.assemble(start, first), *others] if fits else [start, first, *others]
    for number, line in enumerate(lines):
        yield Text.assemble(GAP * (2 if number else 1), line)


@dataclass(frozen=True)
class FactPage:
    """A page of facts to print with Rich: names, and values of any length beside them. Empty values are left out."""

    facts: Mapping[str, str]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        facts = {name: Text(value) for name, value in self.facts.items() if value}
        beside = max(map(cell_len, facts), default=0) + len(GAP)
        is_narrow = console.is_terminal and options.max_width - beside < NARROWEST_PROSE
        indent = len(GAP) if is_narrow else beside
        for name, value in facts.items():
            lines = wrapped(value, options.max_width - indent) if console.is_terminal else value.split("\n")
            if is_narrow:
                yield Text(name, "bold")
            for number, line in enumerate(lines):
                start = Text("" if number or is_narrow else name, "bold")
                start.pad_right(indent - len(start))
                shown = Text.assemble(start, line, no_wrap=True, overflow="ignore")
                shown.rstrip()
                yield shown


def wrapped(text: Text, width: int) -> list[Text]:
    """Return the lines of a text, broken between words; a word that is wider stays whole.

    The parts of a line that begins with blanks all begin with them.
    """
    lines: list[Text] = []
    for line in text.split("\n", allow_blank=True):
        indent = len(line.plain) - len(line.plain.lstrip())
        breaks, used = [], indent
        for word in re.finditer(r"\S+\s*", line.plain):
            if used > indent and used + cell_len(word[0].rstrip()) > width:
                breaks.append(word.start())
                used = indent
            used += cell_len(word[0])
        for number, part in enumerate(line.divide(breaks)):
            part.rstrip()
            lines.append(Text.assemble(" " * indent, part) if number else part)
    return lines


def _line(columns: Sequence[Column], cells: Sequence[Text], widths: Sequence[int], empty: str = "-") -> Text:
    """Return a line of cells, each padded to the width of its column."""
    line = Text()
    for number, (column, cell, width) in enumerate(zip(columns, cells, widths, strict=True)):
        shown = cell if cell else Text(empty)
        blanks = " " * (width - _width(shown))
        line.append(GAP if number else "")
        line.append_text(Text.assemble(blanks, shown) if column.right else Text.assemble(shown, blanks))
    return line


def _text(cell: str | Text) -> Text:
    return Text(cell) if isinstance(cell, str) else cell


def _joined(cell: str | Text) -> Text:
    """Return a cell in one line."""
    return Text("; ").join(_text(cell).split("\n"))


def _width(text: Text) -> int:
    return max(map(cell_len, text.plain.split("\n")))


def _longest_word(cells: Sequence[Text]) -> int:
    return max((cell_len(word) for cell in cells for word in cell.plain.split()), default=0)
