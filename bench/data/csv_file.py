"""CSV files with any separator, decimal mark and heading, detected from the first lines and read by pandas.

The separator and the decimal mark are those that make most fields numbers. A first line of numbers is a heading where
it can hardly be data. `CsvTable.layout` says what was detected, since it may be wrong.
"""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO, cast

import numpy as np

from . import bounded_reading, csv_dialect
from .csv_dialect import SEPARATORS, Dialect

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".csv", ".csv.gz", ".tsv", ".tsv.gz")

#: Number of lines from which the separator, the decimal mark and the heading are detected.
LINES = 100

#: The pattern of an integer.
INTEGER = re.compile(r"[+-]?\d+")

#: Fields without a value, in lower case, which are no heading.
MISSING = ("nan", "na", "n/a", "null", "none", "-")

#: Headings of a column with the names of rows.
NAMES = ("name", "names", "id")

#: Prefix of the name that pandas gives a column without one.
UNNAMED = "Unnamed: "


@dataclass(frozen=True, eq=False)
class CsvTable:
    """The content of a file, and the detected layout as text for people.

    Columns are named by the heading, or else 1, 2, …; the index has the names of rows if a column has them.
    """

    frame: pd.DataFrame
    layout: str


def read(path: Path, header: bool | None = None, names: bool | None = None) -> CsvTable:
    """Read a table in UTF-8 from a file whose name ends in one of `SUFFIXES`.

    `header` is whether the first line is a heading, and `names` whether the first column names the rows, both detected
    by default. Raise a ValueError if the file is damaged, empty or not UTF-8, if it has lines with more fields than the
    heading, or a number that float64 does not hold or that has two meanings.
    """
    try:
        with open_text(path) as file:
            lines = _first_lines(file)
        declared = csv_dialect.declared_separator(lines[0]) if lines else None
        lines = lines[declared is not None :]
        comments = _count_comments(lines)
        dialect = csv_dialect.detect(lines[comments:] or lines, declared)
        rows = dialect.rows(lines[comments:])
        # NumPy's savetxt writes the heading as a comment.
        above = dialect.rows([lines[comments - 1].lstrip("# ")]) if comments else []
        if above and (not rows or len(above[0]) == len(rows[0])):
            comments, rows = comments - 1, [*above, *rows]
        heading = _is_heading(rows, dialect, path) if header is None else header
        skipped = comments + (declared is not None)
        frame = _with_numbers(_parsed(path, dialect, heading, len(rows[0]) if rows else 0, skipped), dialect)
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.object[error.start]:#04x} is not UTF-8; save the table as UTF-8") from None
    except (*bounded_reading.DAMAGED, csv.Error) as error:
        raise ValueError(f"it is damaged: {error}") from None
    frame, named = _with_row_names(frame, heading, names)
    layout = [
        f"separator {SEPARATORS[dialect.separator]}" if len(rows[0]) > 1 else "",
        "decimal comma" if dialect.decimal == "," else "",
        _describe_heading(frame, dialect, heading),
        named,
    ]
    return CsvTable(frame, ", ".join(filter(None, layout)))


@contextlib.contextmanager
def errors_with_layout(layout: str) -> Iterator[None]:
    """Add the detected layout to errors, since it may be their cause."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{error}; detected layout: {layout}" if layout else str(error)) from None


def check_header(path: Path, header: bool | None) -> None:
    """Raise a ValueError if `header` is set for a file that is not a text table."""
    if header is not None and not path.name.lower().endswith(SUFFIXES):
        raise ValueError(f"{path} has no first line; --header and --no-header are for {', '.join(SUFFIXES)}")


def check_names(frame: pd.DataFrame) -> None:
    """Raise a ValueError if two columns have the same name."""
    if not frame.columns.is_unique:
        raise ValueError(f"two columns have the name {frame.columns[frame.columns.duplicated()][0]!r}; rename one")


def describe(rows: int, columns: int, layout: str) -> str:
    """Return the size and the layout of a table as text."""
    size = f"{rows:,} row{'s' * (rows != 1)}, {columns:,} numeric column{'s' * (columns != 1)}"
    return ", ".join(filter(None, [size, layout]))


def _open_bytes(path: Path) -> BinaryIO:
    is_packed = bounded_reading.is_gzip(path)
    return cast(BinaryIO, bounded_reading.open_gzip(path) if is_packed else path.open("rb"))


def open_text(path: Path) -> TextIO:
    """Open a text in UTF-8, gzipped or not."""
    return io.TextIOWrapper(_open_bytes(path), encoding="utf-8-sig", newline="")


def _first_lines(file: TextIO) -> list[str]:
    """Return the first `LINES` lines, or fewer where they are very long."""
    lines: list[str] = []
    left = bounded_reading.MOST_LINE
    while len(lines) < LINES and left > 0 and (line := file.readline(bounded_reading.MOST_LINE + 1)):
        if len(line) > bounded_reading.MOST_LINE:
            raise ValueError(
                f"line {len(lines) + 1} has more than {bounded_reading.MOST_LINE:,} characters; is it a table?"
            )
        lines.append(line)
        left -= len(line)
    return lines


def _count_comments(lines: Sequence[str]) -> int:
    """Return the number of lines at the beginning that NumPy skips."""
    return sum(1 for _ in itertools.takewhile(lambda line: line.startswith("#"), lines))


def _is_heading(rows: Sequence[Sequence[str]], dialect: Dialect, path: Path) -> bool:
    """Return whether the first line is a heading: words above numbers, an empty corner above names, or `_are_names`."""
    if not rows:
        return False
    first, *below = rows
    columns = [[row[j] for row in below if j < len(row) and row[j]] for j in range(len(first))]
    numeric = [j for j, column in enumerate(columns) if 2 * sum(map(dialect.is_number, column)) > len(column)]
    present = [j for j in range(len(first)) if first[j] and first[j].lower() not in MISSING]
    words = [first[j] for j in present if j in (numeric or present) and not dialect.is_number(first[j])]
    if not numeric:
        return 2 * len(words) > len(first)
    if words or (not first[0] and (0 not in numeric or _count_up(columns[0]))):
        return True
    named = [j for j in numeric if j in present]
    return _are_names([first[j] for j in named], [columns[j] for j in named], dialect, path)


def _are_names(numbers: Sequence[str], columns: Sequence[Sequence[str]], dialect: Dialect, path: Path) -> bool:
    """Return whether the numbers of the first line are names of columns. They are if they are

    - distinct integers, and no number below is an integer;
    - 0, 1, 2, …, unless the table is square including them, like a distance matrix, or the next line continues them;
    - evenly spaced, like years, and far from all numbers below.
    """
    if numbers and all(map(INTEGER.fullmatch, numbers)) and len(set(numbers)) == len(numbers):
        if not any(map(INTEGER.fullmatch, itertools.chain(*columns))):
            return True
        if len(numbers) > 1 and _count_up(numbers):
            return _count_lines(path) != len(numbers) and not _count_up([*numbers, *(column[0] for column in columns)])
    return _stand_apart(
        [float(dialect.plain(number)) for number in numbers],
        [[float(dialect.plain(field)) for field in filter(dialect.is_number, column)] for column in columns],
    )


def _count_up(fields: Sequence[str]) -> bool:
    """Return whether fields are 0, 1, 2, …."""
    return list(fields) == [str(k) for k in range(len(fields))]


def _counts(column: pd.Series) -> bool:
    """Return whether a column is 0, 1, 2, …."""
    return column.dtype.kind == "i" and bool((column == np.arange(len(column))).all())


def _count_lines(path: Path) -> int:
    with open_text(path) as file:
        return sum(not line.isspace() and not line.startswith(("#", "sep=", '"sep=')) for line in file)


def _stand_apart(numbers: Sequence[float], columns: Sequence[Sequence[float]]) -> bool:
    """Return whether numbers are evenly spaced, each farther from its column than half the range of that."""
    steps = np.diff(numbers)
    if len(steps) == 0 or min(map(len, columns)) < 3 or steps[0] == 0 or not np.allclose(steps, steps[0]):
        return False
    low, high = (np.array([pick(column) for column in columns]) for pick in (min, max))
    return bool((np.maximum(low - numbers, numbers - high) > (high - low) / 2).all())


def _parsed(path: Path, dialect: Dialect, heading: bool, fields: int, skipped: int) -> pd.DataFrame:
    import pandas as pd

    def parse(**settings: Any) -> pd.DataFrame:
        with _open_bytes(path) as file:
            return pd.read_csv(
                file,
                sep=r"\s+" if dialect.separator == " " else dialect.separator,
                header=0 if heading else None,
                skiprows=skipped,
                index_col=False,
                skipinitialspace=True,
                encoding="utf-8-sig",
                low_memory=False,
                **settings,
            )

    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            frame = parse(decimal=dialect.decimal)
        except pd.errors.ParserWarning:
            raise ValueError(
                f"lines have more fields than the heading, which has {fields}; name every column"
            ) from None
        except pd.errors.EmptyDataError:
            raise ValueError("it is empty; write one line for each row of the table") from None
        except pd.errors.ParserError as error:
            raise ValueError(str(error).removeprefix("Error tokenizing data. C error: ").strip()) from None
    infinite = [place for place in range(frame.shape[1]) if _has_infinity(frame.iloc[:, place])]
    texts = parse(usecols=infinite, dtype=str) if infinite else frame.iloc[:, :0]
    frame = frame.rename(columns=lambda name: str(name).removeprefix("#").strip() if heading else str(name + 1))
    check_names(frame)
    for place, name in zip(infinite, texts, strict=True):
        csv_dialect.check_infinities(frame.iloc[:, place], texts[name])
    return frame


def _has_infinity(column: pd.Series) -> bool:
    return column.dtype.kind == "f" and bool(np.isinf(column).any())


def _with_numbers(frame: pd.DataFrame, dialect: Dialect) -> pd.DataFrame:
    """Return the table with numbers that pandas read as text: those with thousands separators, and those among text."""
    for name in frame.select_dtypes(["object", "string"]):
        texts = frame[name].dropna().astype(str).str.strip()
        numbers = texts.map(dialect.is_number).astype(bool)
        if 2 * numbers.sum() > len(texts):
            csv_dialect.check_marks(dialect, texts[numbers])
            plain = texts.where(~numbers, texts.map(dialect.plain))
            if numbers.all():
                values = plain.astype(float)
                csv_dialect.check_infinities(values, texts)
                frame[name] = values
            else:
                frame[name] = plain
    return frame


def _with_row_names(frame: pd.DataFrame, heading: bool, names: bool | None) -> tuple[pd.DataFrame, str]:
    """Return the table with its column of names as the index and a text about it, without empty last columns.

    Names are below an empty corner. Without a heading they are 0, 1, 2, …, unless the table is square including them.
    """
    while frame.shape[1] and (not heading or frame.columns[-1].startswith(UNNAMED)) and frame.iloc[:, -1].isna().all():
        frame = frame.iloc[:, :-1]
    if frame.shape[1] < 2 or names is False:
        return frame, ""
    first, *others = frame
    if heading and (first.startswith(UNNAMED) or (first == "index" and _counts(frame[first]))):
        # Further unnamed columns are indices that were written again.
        old = list(itertools.takewhile(lambda name: name.startswith(UNNAMED), others))
        return frame.set_index(first).drop(columns=old), "rows named by column 1"
    if not heading and len(others) > 1 and len(frame) not in (1, 2, frame.shape[1]) and _counts(frame[first]):
        return frame.set_index(first), "rows named by column 1 (with a heading it would be data)"
    return frame, ""


def _describe_heading(frame: pd.DataFrame, dialect: Dialect, heading: bool) -> str:
    if not heading:
        return "no heading (--header reads the first line as one)"
    names = [str(name) for name in frame]
    shown = f"heading {', '.join(names[:3])}{', …' if len(names) > 3 else ''}"
    return shown + " (--no-header reads it as data)" * any(map(dialect.is_number, names))
