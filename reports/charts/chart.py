"""A chart of a report."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from .panel import Panel

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Chart:
    """A chart of a report.

    Attributes
    ----------
    name : str
        Name of its files and of its anchor in the page.
    title, caption : str
        Texts above and below it.
    panels : callable
        Takes the table of cells (`tables.frame`) and returns what the chart shows; nothing if it has nothing to show.
    numbers : callable or None
        Takes the table of cells and returns the numbers of the figure as text, indexed by case and solver.
    picture : callable or None
        Takes the table of cells and returns the figure, of a chart that has no panels.
    """

    name: str
    title: str
    caption: str
    panels: Callable[[pd.DataFrame], Sequence[Panel]] = lambda cells: ()
    numbers: Callable[[pd.DataFrame], pd.DataFrame] | None = None
    picture: "Callable[[pd.DataFrame], Figure | None] | None" = None

    def draw(self, cells: pd.DataFrame) -> "Figure | None":
        """Return the chart of cells as a figure; None if there is nothing to draw."""
        from . import drawing  # loads Matplotlib, which a page does without

        return self.picture(cells) if self.picture else drawing.draw(self.panels(cells))


def indexed(lines: dict[Any, list[str]], columns: Sequence[str], names: list[str]) -> pd.DataFrame:
    """Return lines of texts as a table, indexed by their keys with these names."""
    table = pd.DataFrame.from_dict(lines, orient="index", columns=list(columns))
    return table.set_axis(pd.MultiIndex.from_tuples(lines, names=names))
