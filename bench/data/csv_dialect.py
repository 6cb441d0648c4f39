"""Dialect of a table in text: the separator of its fields and the decimal mark of its numbers.

A comma before exactly three digits has two meanings. In a table whose fields are separated by commas it divides
thousands, as spreadsheets of the United States write them, in quotes; in one separated by semicolons or tabs it is a
decimal mark. A number that has only one of both meanings, such as 0,5 or 1,234.5, decides for the whole table.
"""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

#: Separators and their names; of several that fit equally well, the first is taken.
SEPARATORS = {";": ";", "\t": "tab", "|": "|", ",": ",", " ": "blank"}

#: Separators of tables that may have decimal commas without a number that proves it.
EUROPEAN = (";", "\t")

#: Thousands separators, by decimal mark.
THOUSANDS = {".": "[,'’ \u00a0\u202f]", ",": "[.'’ \u00a0\u202f]"}

#: The pattern of an infinite number.
INFINITY = re.compile(r"[+-]?(inf(inity)?|∞)", re.I)

#: The pattern of a number, by decimal mark. Thousands follow a number without a leading zero.
NUMBERS = {
    mark: re.compile(
        rf"[+-]?(?=\d|\{mark}\d)([1-9]\d{{0,2}}({thousands}\d{{3}})+|\d*)(\{mark}\d*)?(e[+-]?\d+)?|{INFINITY.pattern}",
        re.I,
    )
    for mark, thousands in THOUSANDS.items()
}

#: The pattern of a number whose comma divides either thousands or decimals.
AMBIGUOUS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")

#: The first line with which Excel declares the separator.
DECLARED = re.compile(r'"?sep=(.)"?\s*', re.I | re.S)


@dataclass(frozen=True)
class Dialect:
    """The separator of fields, the decimal mark of numbers, and whether some number proves that mark."""

    separator: str
    decimal: str
    is_proved: bool = False

    def rows(self, lines: Sequence[str]) -> list[list[str]]:
        """Return the fields of each line that is not blank."""
        stripped = (line.strip() for line in lines) if self.separator == " " else lines
        read = csv.reader(stripped, delimiter=self.separator, skipinitialspace=True)
        return [[field.strip() for field in row] for row in read if len(row) > 1 or any(map(str.strip, row))]

    def is_number(self, field: str) -> bool:
        return NUMBERS[self.decimal].fullmatch(field) is not None

    def plain(self, number: str) -> str:
        """Return a number in Python's notation."""
        return re.sub(THOUSANDS[self.decimal], "", number).replace(self.decimal, ".").replace("∞", "inf")


def declared_separator(line: str) -> str | None:
    """Return the separator that a line `sep=;` declares, None for another line; a ValueError for an unknown one."""
    match = DECLARED.fullmatch(line)
    if match is None:
        return None
    if match[1] not in SEPARATORS:
        raise ValueError(f"its first line declares the separator {match[1]!r}; use one of ; | , tab or blank")
    return match[1]


def detect(lines: Sequence[str], declared: str | None = None) -> Dialect:
    """Return the dialect that makes most fields numbers or, without numbers, that divides most lines.

    The separator may be `declared`. Raise a ValueError for a number that may be one with thousands or with decimals.
    """
    # `csv.Sniffer` would take the commas of 0,5;1,5 for separators.
    text = "".join(lines)
    separators = [declared] if declared else [each for each in SEPARATORS if each in text or each in ",;"]

    def merit(dialect: Dialect) -> tuple[float, ...]:
        rows = dialect.rows(lines)
        even = [row for row in rows if len(row) == len(rows[0])]
        if dialect.separator == " " and not (even == rows and all(map(dialect.is_number, itertools.chain(*rows[1:])))):
            even = []  # blanks also divide words
        fields = list(itertools.chain(*even))
        numbers = list(filter(dialect.is_number, fields))
        if dialect.separator == " " or dialect.separator not in text:
            # In such a table 1, is rather a number beside a missing one.
            numbers = [number for number in numbers if number.strip(",") == number]
        plain = sum(not _has_thousands(dialect, number) for number in numbers)
        divided = len(even) if even and len(even[0]) > 1 else 0
        return len(numbers), plain, len(numbers) / max(len(fields), 1), divided

    best = max(itertools.starmap(Dialect, itertools.product(separators, THOUSANDS)), key=merit)
    fields = list(itertools.chain(*best.rows(lines)))
    counts = {sum(map(Dialect(best.separator, mark).is_number, fields)) for mark in THOUSANDS}
    has_one_meaning = len(counts) > 1 or best.separator == ","
    is_european = best.separator in EUROPEAN and best.separator in text and best.decimal == ","
    has_points = any("." in field and best.is_number(field) for field in fields)
    dialect = Dialect(best.separator, best.decimal, has_one_meaning or (is_european and not has_points))
    check_marks(dialect, fields)
    return dialect


def check_marks(dialect: Dialect, fields: Iterable[str]) -> None:
    """Raise a ValueError for a field whose comma divides thousands or decimals, unless the dialect is proved."""
    if dialect.is_proved:
        return
    for field in fields:
        if AMBIGUOUS.fullmatch(field):
            raise ValueError(
                f"{field} may be {field.replace(',', '.')} or {field.replace(',', '')}; write one of these, without a "
                "comma"
            )


def check_infinities(numbers: pd.Series, texts: pd.Series) -> None:
    """Raise a ValueError for a number in a column of texts that float64 does not hold; only the word means infinity."""
    for row in np.flatnonzero(np.isinf(numbers.to_numpy(float, na_value=np.nan))):
        if not INFINITY.fullmatch(text := str(texts.iloc[row]).strip()):
            raise ValueError(
                f"row {row + 1} of column {numbers.name!r} is {text}, too large for a number of 64 bits; write inf for "
                "a forbidden pair"
            )


def _has_thousands(dialect: Dialect, number: str) -> bool:
    """Return whether a decimal mark of a number stands where it could separate thousands."""
    plain = number.replace(",", "") if dialect == Dialect(",", ".") else number
    return re.search(THOUSANDS[dialect.decimal], plain) is not None
