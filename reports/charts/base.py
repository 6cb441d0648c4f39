"""What the charts have in common: what a chart is, and how the points of a curve are drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from lapmark.reports.style import PAPER, Style


@dataclass(frozen=True)
class Chart:
    """A figure of the report.

    Attributes
    ----------
    name : str
        Of its files, and of its place in the page.
    title, caption : str
        What stands over and under it.
    draw : callable
        From the table of cells (`tables.frame`) to the figure, None where there is nothing to draw.
    numbers : callable or None
        From the table of cells to what the figure shows, as text: the index says whose a line is.
    """

    name: str
    title: str
    caption: str
    draw: Callable[[pd.DataFrame], Figure | None]
    numbers: Callable[[pd.DataFrame], pd.DataFrame] | None = None


def points(look: Style) -> dict[str, Any]:
    """How Matplotlib draws the marks of a solver."""
    return {
        "color": look.colour,
        "marker": look.marker,
        "markersize": 5.5,
        "markeredgecolor": PAPER,
        "markeredgewidth": 0.5,
    }
