"""Distribution functions over cases, a curve of steps per solver: what both kinds of profile are drawn with."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from lapmark.reports import profiles
from lapmark.reports.style import Label, label_right, log_axis, plain, style

from .base import points

#: Marks on a curve, at most.
MARKS = 8


def draw(ax: Axes, values: pd.DataFrame, low: float, high: float, text: str, form: Callable[[float], str]) -> None:
    """The share of its cases that each solver, a column of `values`, has up to a value, from `low` to `high`.

    The axis is called `text` and its values are written by `form`. A solver that takes fewer cases than there are tells
    how many beside its name.
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
        # Of those that end alike, the one that was ahead on the way stands higher.
        ahead = np.trapezoid(shares, np.log(at)) / np.log(high / low)
        ends.append(Label(label, high, shares[-1], look, shares[-1] + 1e-6 * ahead))
    label_right(ax, ends)


def labels(values: pd.DataFrame) -> list[str]:
    """Texts as long as the longest label of a panel."""
    return [plain(str(name)) + "  00 of 00" for name in values]
