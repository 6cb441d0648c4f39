"""Long table of costs: a line for each pair, with columns such as row, col and cost; other pairs are forbidden."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lapmark.solvers import DenseCost, SparseCost

if TYPE_CHECKING:
    import pandas as pd

    from lapmark.solvers.costs import Cost

#: Headings of the two sides of a pair, in lower case and without an end such as `_id`.
SIDES = (
    ("row", "col"),
    ("row", "column"),
    ("from", "to"),
    ("source", "target"),
    ("src", "dst"),
    ("origin", "destination"),
    ("left", "right"),
    ("worker", "job"),
    ("worker", "task"),
    ("agent", "task"),
    ("agent", "job"),
    ("employee", "job"),
    ("employee", "task"),
    ("person", "job"),
    ("person", "task"),
    ("machine", "job"),
    ("i", "j"),
    ("u", "v"),
)

#: Headings of sides that may be those of a matrix too, as its first letters.
LETTERS = (("i", "j"), ("u", "v"))

#: Headings of the cost of a pair, in lower case.
COSTS = ("cost", "costs", "weight", "distance", "dist", "value", "price", "c", "w")


def find(headings: Sequence[str]) -> tuple[int, int, int] | None:
    """Return the places of both sides and of the cost in a long table, None for a matrix.

    Raise a ValueError for a table that has the sides of pairs, but no column or several that may be the cost.
    """
    plain = [re.sub(r"[\W_]*(id|ids|index|idx)?$", "", heading.strip().lower()) or heading for heading in headings]
    costs = [place for place, heading in enumerate(plain) if heading in COSTS]
    sides = next((pair for pair in SIDES if all(plain.count(side) == 1 for side in pair)), None)
    if sides is None or (not costs and (sides in LETTERS or len(headings) != 3)):
        return None
    row, column = map(plain.index, sides)
    if len(headings) == 3 and len(costs) == 1:
        return row, column, costs[0]
    raise ValueError(
        f"it looks like a long table, with {headings[row]} and {headings[column]} for the sides of each pair; keep one "
        "more column and call it cost, or rename these if each line is a row of a matrix"
    )


def read(rows: pd.Series, columns: pd.Series, costs: np.ndarray) -> tuple[Cost, str]:
    """Return the costs of pairs, a matrix if there is one for every pair, and a layout.

    Rows and columns are in the order of their labels. Raise a ValueError for a missing label and a pair that is twice.
    """
    import pandas as pd
    import scipy.sparse

    for side in (rows, columns):
        if side.isna().any():
            raise ValueError(f"row {int(np.argmax(side.isna())) + 1} of column {side.name!r} is missing")
    (left, left_labels), (right, right_labels) = (_codes(side) for side in (rows, columns))
    twice = pd.Series(left * len(right_labels) + right).duplicated()
    if twice.any():
        place = int(np.argmax(twice))
        raise ValueError(
            f"row {place + 1} has the pair {rows.iloc[place]}, {columns.iloc[place]} for the second time; keep one cost"
        )
    n, m = len(left_labels), len(right_labels)
    layout = f"a long table: {len(costs):,} costs for {n:,} values of {rows.name} and {m:,} of {columns.name}"
    if len(costs) == n * m:
        matrix = np.empty((n, m), costs.dtype)
        matrix[left, right] = costs
        return DenseCost(matrix), layout
    cost = SparseCost(scipy.sparse.coo_array((costs, (left, right)), shape=(n, m)))
    return cost, f"{layout}, other pairs forbidden"


def _codes(side: pd.Series) -> tuple[np.ndarray, pd.Index]:
    """Return the place of each label among all in order, and these."""
    import pandas as pd

    labels = side if pd.api.types.is_numeric_dtype(side.dtype) else side.astype(str)
    codes, distinct = pd.factorize(labels, sort=True)
    return codes.astype(np.intp), pd.Index(distinct)
