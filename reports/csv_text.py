"""Tables as CSV text of which a spreadsheet program runs nothing."""

from __future__ import annotations

import pandas as pd

#: Characters by which a spreadsheet program takes a cell for a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def to_csv(table: pd.DataFrame) -> str:
    """Return a table as CSV, without its index.

    An apostrophe precedes a text, a heading included, that a spreadsheet program would run as a formula: names,
    labels and messages come from others. Numbers stay as they are.
    """
    texts = table.select_dtypes(["object", "string", "category"])
    safe = table.assign(**{name: texts[name].astype(object).map(_safe) for name in texts})
    return safe.rename(columns=_safe).to_csv(index=False)


def _safe(cell: object) -> object:
    """Return a cell, with an apostrophe before what would be a formula."""
    is_formula = isinstance(cell, str) and cell.startswith(FORMULA_STARTS) and not _is_number(cell)
    return f"'{cell}" if is_formula else cell


def _is_number(text: str) -> bool:
    """Whether a text is a number, such as the label -1."""
    try:
        float(text)
    except ValueError:
        return False
    return not text.startswith(("\t", "\r"))
