"""Names of rows in the first column of a table of costs: whether it has them, and what a user should know of it.

A column of numbers is easily both. It names the rows if its heading says so, like `employee_id`, or if it counts them
below a heading for one side of an assignment, like `worker`. Other columns that count are costs, with a note.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

#: Headings that say that a column has names.
SAYS_NAMES = re.compile(r"(?i:(.*[\W_])?(id|ids|index|idx|key|name|names|label|labels))|.*[a-z](Id|ID|Index|Name)")

#: Headings of one side of an assignment, in lower case; there may be a # or "no" behind.
SIDES = (
    *("agent", "client", "customer", "driver", "employee", "item", "job", "location", "machine", "node", "order"),
    *("person", "point", "process", "resource", "row", "rows", "site", "source", "supplier", "task", "track"),
    *("vehicle", "worker"),
)

#: How to read the first column otherwise.
AS_COSTS = "FILE:names=false reads it as costs"
AS_NAMES = "FILE:names=true takes it for names of the rows"


def find(frame: pd.DataFrame, numbers: pd.DataFrame, names: bool | None) -> tuple[bool, str]:
    """Return whether the first of several columns names the rows, and a note for the layout.

    `numbers` are the numbers of the table, NaN for other entries. `names` is what the user says, None by default.
    """
    heading, others = str(frame.columns[0]), [str(name) for name in frame.columns[1:]]
    if names is not None:
        return names, "rows named by column 1" * names
    if numbers.iloc[:, 0].isna().all() and frame.iloc[:, 0].notna().all():
        return True, "rows named by column 1"
    if SAYS_NAMES.fullmatch(heading) and not any(map(SAYS_NAMES.fullmatch, others)):
        return True, f"rows named by column 1, {heading} ({AS_COSTS})"
    if not _is_arithmetic(numbers.iloc[:, 0]):
        return False, f"column 1, {heading}, is read as costs ({AS_NAMES})" * _is_side(heading, others)
    if _is_side(heading, others):
        return True, f"rows named by column 1, {heading} ({AS_COSTS})"
    is_noted = len(frame) > 2 and not any(_is_arithmetic(numbers[name]) for name in others)
    return False, f"column 1 counts but is read as costs ({AS_NAMES})" * is_noted


def _is_side(heading: str, others: Sequence[str]) -> bool:
    """Return whether a heading is that of one side of an assignment, or the only word, and the others are not."""

    def is_one(text: str) -> bool:
        return re.sub(r"([\W_]*(no|nr|number))?[\W_]*$", "", text.strip().lower()) in SIDES

    is_only_word = not heading.isdigit() and all(map(str.isdigit, others))
    return is_only_word or (is_one(heading) and not any(map(is_one, others)))


def _is_arithmetic(column: pd.Series) -> bool:
    """Return whether a column has evenly spaced, ascending whole numbers; a single one must be 0 or 1."""
    if column.isna().any():
        return False
    values = column.to_numpy(float)
    if not np.isfinite(values).all() or (values != np.rint(values)).any():
        return False
    steps = np.diff(values)
    return bool(values[0] in (0, 1)) if len(values) == 1 else bool(steps[0] > 0 and (steps == steps[0]).all())
