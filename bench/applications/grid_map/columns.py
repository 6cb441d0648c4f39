"""Roles of the columns of a table: features to embed, a label, a name, paths of images, or nothing, each with a reason.

Identifiers, dates, constants and classes would distort an embedding, so they are recognised by name and content.
"""

from __future__ import annotations

import csv
import fnmatch
import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from lapmark.bench.data import csv_file

if TYPE_CHECKING:
    import pandas as pd

Role = Literal["feature", "label", "name", "image", "ignored"]

#: Names of columns with a role, in lower case. The first that exists has it.
LABELS = ("label", "labels", "class", "classes", "target", "targets", "y")
NAMES = csv_file.NAMES
PATHS = ("image", "path", "file", "filename")

#: Names of coordinates: beside an x, a y is one too.
COORDINATES = ("x", "y", "z", "lon", "lat", "longitude", "latitude")

#: Words in the names of identifiers and of dates. The first are identifiers whatever they hold; the second only where
#: they hold whole numbers that all differ.
IDENTIFIERS = frozenset({"id", "ids", "uid", "uuid", "guid"})
PERHAPS_IDENTIFIERS = frozenset(
    (
        *("account", "document", "index", "key", "number", "phone", "sample", "ssn"),
        *("code", "ean", "isbn", "no", "order", "record", "serial", "subject"),
        *("customer", "idx", "item", "nr", "patient", "row", "sku", "user"),
    )
)
DATES = frozenset({"date", "datetime", "timestamp"})

#: Fewest rows for which whole numbers are taken for identifiers by their content, and most classes of text that colour
#: a map without being asked.
LEAST_ROWS, MOST_CLASSES = 10, 40

#: Width of lines of text, and of their headings.
WIDTH, INDENT = 80, 10

#: Most names of columns that are shown, and most letters of one.
MOST_NAMES, LETTERS = 12, 40

#: A date at the beginning of a text: 2024-05-31, 31.5.2024, 5/31/24.
DATE = re.compile(r"\s*(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2}))(?![\d.])")


@dataclass(frozen=True)
class Column:
    """A column, what it is used for, and why."""

    name: str
    role: Role
    reason: str = ""


@dataclass(frozen=True)
class Choice:
    """The columns that a user names.

    Attributes
    ----------
    features : tuple of str, or None
        Names, or patterns such as `pixel*`; None: every column of numbers without another role.
    label, name : str, or None
        None: detected.
    """

    features: tuple[str, ...] | None = None
    label: str | None = None
    name: str | None = None

    def __bool__(self) -> bool:
        return (self.features, self.label, self.name) != (None, None, None)


def split_names(text: str) -> tuple[str, ...]:
    """Return the names in a list with commas, in which quotes protect a comma."""
    names = tuple(name.strip() for name in next(csv.reader([text], skipinitialspace=True), []) if name.strip())
    if not names:
        raise ValueError(f"--features {text!r} names no column; give names such as --features age,income")
    return names


#: No column is named.
UNNAMED = Choice()


def assign(frame: pd.DataFrame, numeric: Sequence[str], choice: Choice) -> list[Column]:
    """Return the role of each column.

    Parameters
    ----------
    frame : DataFrame
        With names that are text.
    numeric : sequence of str
        The columns that hold numbers, or lists of them.
    choice : Choice
        What the user named.

    Raises
    ------
    ValueError
        There is no column of a name that the user gave, or a feature does not hold numbers.
    """
    named = _named(list(frame), numeric, choice)
    named |= {
        column.name: Column(column.name, "ignored", f"a quantity to predict; --label {column.name} colours by it")
        for column in named.values()
        if column.role == "label" and not choice.label and column.name in numeric and _is_quantity(frame[column.name])
    }
    for name in frame:
        if name not in named and name not in numeric and _is_text(frame[name]):
            _check_text(frame[name])
    if choice.features is None:
        named |= _detected(frame, named, numeric)
    left = [name for name in numeric if name not in named and not _is_distinctive(name)]
    # Of two columns of numbers none is dropped for its content: they are points.
    is_examined = len(left) > 2
    return [named.get(name) or _by_content(frame[name], name in numeric, is_examined) for name in frame]


def describe(roles: Sequence[Column]) -> list[str]:
    """Return lines that name the columns of each role, with the reasons."""
    lines = []
    headings = {"feature": "features", "image": "images", "label": "label", "name": "name", "ignored": "ignored"}
    for role, heading in headings.items():
        by_reason: dict[str, list[str]] = {}
        for column in roles:
            if column.role == role:
                by_reason.setdefault(column.reason, []).append(_short(column.name))
        told = [f"{_shortened(names)}{f' ({reason})' if reason else ''}" for reason, names in by_reason.items()]
        if told:
            lines += paragraph(heading, "; ".join(told))
    return lines


def paragraph(heading: str, text: str) -> list[str]:
    """Return lines with a heading in a column of its own."""
    return textwrap.wrap(f"{heading:{INDENT}}{text}", WIDTH, subsequent_indent=" " * INDENT, break_on_hyphens=False)


def _short(name: str) -> str:
    return name if len(name) <= LETTERS else name[: LETTERS - 1] + "…"


def _shortened(names: Sequence[str]) -> str:
    """Return names with commas, only some of many."""
    if len(names) <= MOST_NAMES:
        return ", ".join(names)
    return f"{', '.join(names[: MOST_NAMES - 2])}, …, {names[-1]}, {len(names):,} in all"


def series_of(names: Iterable[str]) -> set[str]:
    """Return the names of columns that are numbered, such as pixel0, pixel1, …, three or more of a kind."""
    groups: dict[str, list[str]] = {}
    for name in names:
        if (stem := name.rstrip("0123456789")) != name:
            groups.setdefault(stem, []).append(name)
    return {name for group in groups.values() if len(group) > 2 for name in group}


def _named(names: Sequence[str], numeric: Sequence[str], choice: Choice) -> dict[str, Column]:
    """Return the columns whose role follows from a choice or from their name."""
    roles: dict[str, Column] = {}
    for role, name in (("label", choice.label), ("name", choice.name)):
        if name is not None:
            found = _find(name, names, f"--{role}")
            roles[found] = Column(found, role, f"--{role}")  # type: ignore[arg-type]
    if choice.features is not None:
        for pattern in choice.features:
            for name in _matching(pattern, names):
                if name not in numeric:
                    raise ValueError(f"--features {name}: the column has no numbers; it can be a --label or --name")
                roles.setdefault(name, Column(name, "feature", "--features"))
    # Beside an x, or one other column of numbers, a y is a coordinate.
    is_point = any(name.lower() == "x" for name in names) or len(numeric) == 2
    known = {"image": PATHS, "label": tuple(w for w in LABELS if w != "y" or not is_point), "name": NAMES}
    for role, words in known.items():
        candidates = [n for word in words for n in names if n.lower() == word and n not in roles]
        if role == "image":
            candidates = [name for name in candidates if name not in numeric]
        taken = next((column.name for column in roles.values() if column.role == role), None)
        for name in candidates:
            if taken is None:
                taken, roles[name] = name, Column(name, role, "its name")  # type: ignore[arg-type]
            else:
                roles[name] = Column(name, "ignored", f"the {role} is {taken}")
    if choice.features is not None:
        for name in names:
            roles.setdefault(name, Column(name, "ignored", "not in --features"))
    return roles


def _detected(frame: pd.DataFrame, named: dict[str, Column], numeric: Sequence[str]) -> dict[str, Column]:
    """Return columns of text as label and name, where no other column is: the only one with few values, and the first
    of which all differ.
    """
    taken = {column.role for column in named.values()}
    texts = [name for name in frame if name not in named and name not in numeric and _is_text(frame[name])]
    texts = [name for name in texts if not _is_dates(frame[name])]
    counts = {name: frame[name].nunique() for name in texts}
    classes = [name for name in texts if 1 < counts[name] <= MOST_CLASSES and 2 * counts[name] <= len(frame)]
    distinct = [name for name in texts if counts[name] == len(frame)]
    found = {}
    if "label" not in taken and len(classes) == 1:
        found[classes[0]] = Column(classes[0], "label", f"text with {counts[classes[0]]} distinct values")
    if not taken & {"name", "image"} and distinct:
        found[distinct[0]] = Column(distinct[0], "name", "texts that all differ")
    return found


def _by_content(column: pd.Series, is_numeric: bool, is_examined: bool) -> Column:
    """Return the role of a column that has none by its name."""
    name = str(column.name)
    if not is_numeric:
        return Column(name, "ignored", _unlike_numbers(column))
    words = _words(name)
    if words & IDENTIFIERS:
        return Column(name, "ignored", "an identifier by its name")
    if words & DATES:
        return Column(name, "ignored", "a date by its name")
    if is_examined and not _is_distinctive(name) and column.dtype.kind in "iufb":
        if column.nunique() == 1 and column.notna().all():
            return Column(name, "ignored", "constant")
        if reason := _identifies(column, words):
            return Column(name, "ignored", reason)
    return Column(name, "feature", "numbers")


def _unlike_numbers(column: pd.Series) -> str:
    """Return why a column without numbers is ignored."""
    if column.dtype.kind in "mM" or _is_dates(column):
        return "dates or times"
    if column.isna().all():
        return "empty"
    if not _is_text(column):
        return "not numbers"
    if column.is_unique:
        return "an identifier: texts that all differ"
    return "constant" if column.nunique() == 1 else "text"


def _identifies(column: pd.Series, words: frozenset[str]) -> str:
    """Return why a column of numbers identifies its rows; empty if it does not."""
    if len(column) < LEAST_ROWS or column.dtype.kind == "b" or column.isna().any() or not column.is_unique:
        return ""
    low, high = float(column.min()), float(column.max())
    if not abs(low) + abs(high) < 2**63 or (column % 1 != 0).any():
        return ""
    # Whole numbers that all differ may be a quantity, such as populations; these also count, are sorted, or are long.
    if high - low == len(column) - 1:
        return "an identifier: consecutive numbers"
    if words & PERHAPS_IDENTIFIERS:
        return "an identifier: whole numbers that all differ"
    if column.is_monotonic_increasing or column.is_monotonic_decreasing:
        return "an identifier: whole numbers in order"
    return "an identifier: whole numbers of nine digits or more that all differ" if low >= 1e8 else ""


def _is_quantity(column: pd.Series) -> bool:
    """Return whether a column of numbers has too many values for classes: fractions, or each its own."""
    if column.dtype.kind not in "iuf" or column.nunique() <= MOST_CLASSES:
        return False
    return bool((column.dropna() % 1 != 0).any()) or column.is_unique


def _is_distinctive(name: str) -> bool:
    return name.lower() in COORDINATES


def _is_text(column: pd.Series) -> bool:
    import pandas as pd

    if isinstance(column.dtype, pd.CategoricalDtype | pd.StringDtype):
        return True
    present = column.dropna()
    return column.dtype.kind == "O" and len(present) > 0 and present.map(lambda value: isinstance(value, str)).all()


def _is_dates(column: pd.Series) -> bool:
    """Return whether a column is text that begins with dates."""
    return _is_text(column) and bool(column.dropna().astype(str).map(lambda text: DATE.match(text) is not None).all())


def _words(name: str) -> frozenset[str]:
    """Return the words of a name in lower case: customer_id, customerId and "Customer ID" have two."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return frozenset(re.split(r"[\W_]+", spaced.lower()))


def _matching(pattern: str, names: Sequence[str]) -> list[str]:
    """Return the columns of a name, or of a pattern if none has it as a name."""
    if pattern not in names and (matching := fnmatch.filter(names, pattern)):
        return matching
    return [_find(pattern, names, "--features")]


def _find(name: str, names: Sequence[str], option: str) -> str:
    """Return a column by its name, in any case if none has it exactly."""
    alike = [each for each in names if each.lower() == name.lower()]
    if name in names or len(alike) == 1:
        return name if name in names else alike[0]
    shown = ", ".join(names[:10]) + (", …" if len(names) > 10 else "")
    raise ValueError(f"{option} {name}: there is no such column; the columns are {shown or 'without names'}")


def _check_text(column: pd.Series) -> None:
    """Raise a ValueError if most entries of a column are numbers: ignoring it would lose a feature."""
    import pandas as pd

    broken = column.notna() & pd.to_numeric(column, errors="coerce").isna()
    if broken.sum() < len(column) / 2:
        row = int(np.argmax(broken)) if broken.any() else 0
        raise ValueError(
            f"row {row + 1} of column {column.name!r} is {column.iloc[row]!r}, not a number; correct it, or leave the "
            "column out by --features"
        )
