"""Distribution functions over cases, a step curve per solver: the panels of both kinds of profile."""

import numpy as np
import pandas as pd

from lapmark.reports import profiles

from .panel import Axis, Curve, Panel, Point


def panel(title: str, values: pd.DataFrame, axis: Axis) -> Panel:
    """Return the share of its cases for which each solver's value is at most x, between the ends of an axis.

    `values` has a column per solver. The label of a solver that does not take all cases says how many it takes.
    """
    assert axis.low is not None
    assert axis.high is not None
    curves = []
    for name, column in values.items():
        known = column[np.isfinite(column)].unique()
        at = np.unique([axis.low, *known[(known > axis.low) & (known < axis.high)], axis.high])
        shares = profiles.share(column, at)
        # Labels of curves that end at the same height are sorted by the area below the curve.
        ahead = np.trapezoid(shares, np.log(at)) / np.log(axis.high / axis.low)
        taken = int(column.notna().sum())
        curves.append(
            Curve(
                str(name),
                tuple(Point(float(x), float(y)) for x, y in zip(at, shares, strict=True)),
                str(name).partition(", ")[0],
                suffix=f"{taken} of {len(column)}" if taken < len(column) else "",
                heading=float(shares[-1] + 1e-6 * ahead),
                shape="steps",
            )
        )
    return Panel(title, axis, Axis("share of cases", "share", -0.02, 1.02, is_log=False), tuple(curves))
