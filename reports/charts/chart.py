"""A chart of a report, and the marks that charts share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from lapmark.reports.style import PAPER, Style


@dataclass(frozen=True)
class Chart:
    """A chart of a report.

    Attributes
    ----------
    name : str
        Name of its files and of its anchor in the page.
    title, caption : str
        Texts above and below it.
    draw : callable
        Takes the table of cells (`tables.frame`) and returns the figure, None if there is nothing to draw.
    numbers : callable or None
        Takes the table of cells and returns the numbers of the figure as text, indexed by case and solver.
    """

    name: str
    title: str
    caption: str
    draw: Callable[[pd.DataFrame], Figure | None]
    numbers: Callable[[pd.DataFrame], pd.DataFrame] | None = None


def indexed(lines: dict[Any, list[str]], columns: Sequence[str], names: list[str]) -> pd.DataFrame:
    """Return lines of texts as a table, indexed by their keys with these names."""
    table = pd.DataFrame.from_dict(lines, orient="index", columns=list(columns))
    return table.set_axis(pd.MultiIndex.from_tuples(lines, names=names))


def points(look: Style) -> dict[str, Any]:
    """Return Matplotlib's settings for the marks of a solver."""
    return {
        "color": look.colour,
        "marker": look.marker,
        "markersize": 5.5,
        "markeredgecolor": PAPER,
        "markeredgewidth": 0.5,
    }
