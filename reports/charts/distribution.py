"""Distribution functions over cases, a step curve per solver: the panels of both kinds of profile."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from lapmark.reports import profiles
from lapmark.reports.style import Label, label_right, log_axis, plain, style

from .chart import points

#: Most marks on a curve.
MARKS = 8


def draw(ax: Axes, values: pd.DataFrame, low: float, high: float, text: str, form: Callable[[float], str]) -> None:
    """Draw the share of its cases for which each solver's value is at most x, for x from `low` to `high`.

    `values` has a column per solver. `text` is the title of the axis, and `form` writes its values. The label of a
    solver that does not take all cases says how many it takes.
    """
    ax.set(xlim=(low, high), ylim=(-0.02, 1.02), ylabel="share of cases")
    ax.yaxis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))
    log_axis(ax, "x", text, form)
    ends = []
    for name, column in values.items():
        known = column[np.isfinite(column)].unique()
        at = np.unique([low, *known, high])
        shares = profiles.share(column, at)
        look = style(str(name).partition(", ")[0])
        every = max(1, len(at) // MARKS)
        ax.step(at, shares, where="post", lw=look.width, linestyle=look.dashes, markevery=every, **points(look))
        taken = int(column.notna().sum())
        label = plain(str(name)) + (f"  {taken} of {len(column)}" if taken < len(column) else "")
        # Labels of curves that end at the same height are sorted by the area below the curve.
        ahead = np.trapezoid(shares, np.log(at)) / np.log(high / low)
        ends.append(Label(label, high, shares[-1], look, shares[-1] + 1e-6 * ahead))
    label_right(ax, ends)


def labels(values: pd.DataFrame) -> list[str]:
    """Return texts as long as the longest labels of a panel."""
    return [plain(str(name)) + "  00 of 00" for name in values]
