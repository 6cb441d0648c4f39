"""Tables as CSV text in which a spreadsheet program finds no formula."""

import re

import pandas as pd

#: First characters of a cell that a spreadsheet program takes for a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

#: Places within a text where another cell may begin with a formula: in many countries spreadsheet programs separate
#: cells by semicolons, and then a quotation mark in the middle of a cell is a character, so that quoting does not help.
INNER_STARTS = re.compile(r'(?<=[;\t\r\n])(?="*[=+\-@])')


def to_csv(table: pd.DataFrame) -> str:
    """Return a table as CSV, without its index.

    Names, labels and messages come from others. So an apostrophe precedes a formula at the start of a text, or of a
    part of it that a spreadsheet program may take for a cell, in headings too. Numbers stay numbers.
    """
    safe = table.copy()
    for name in table.select_dtypes(["object", "string", "category"]):
        safe[name] = table[name].astype(object).map(_safe)
    return safe.rename(columns=_safe).to_csv(index=False)


def _safe(cell: object) -> object:
    """Return a cell, with an apostrophe before a formula."""
    if not isinstance(cell, str) or _is_number(cell):
        return cell
    text = INNER_STARTS.sub("'", cell)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _is_number(text: str) -> bool:
    """Return whether a text is a number, such as the label -1."""
    try:
        float(text)
    except ValueError:
        return False
    return not text.startswith(("\t", "\r"))
