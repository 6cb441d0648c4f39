"""Tables as CSV text of which a spreadsheet program runs nothing."""

from __future__ import annotations

import re

import pandas as pd

#: Characters by which a spreadsheet program takes a cell for a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

#: Where another cell may begin within a text, as a formula: spreadsheet programs separate by semicolons in half the
#: world, and then take a quotation mark in the middle of a cell for a character. Quoting the text would not help.
INNER_STARTS = re.compile(r'(?<=[;\t\r\n])(?="*[=+\-@])')


def to_csv(table: pd.DataFrame) -> str:
    """Return a table as CSV, without its index.

    An apostrophe precedes what a spreadsheet program would run as a formula, at the beginning of a text or of a part
    that it may take for a cell, headings included: names, labels and messages come from others. Numbers stay numbers.
    """
    safe = table.copy()
    for name in table.select_dtypes(["object", "string", "category"]):
        safe[name] = table[name].astype(object).map(_safe)
    return safe.rename(columns=_safe).to_csv(index=False)


def _safe(cell: object) -> object:
    """Return a cell, with an apostrophe before what would be a formula."""
    if not isinstance(cell, str) or _is_number(cell):
        return cell
    text = INNER_STARTS.sub("'", cell)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _is_number(text: str) -> bool:
    """Whether a text is a number, such as the label -1."""
    try:
        float(text)
    except ValueError:
        return False
    return not text.startswith(("\t", "\r"))
