"""Chart of the regret of advice: each family of problems is hidden in turn from the choice of a solver."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from lapmark.bench.advice.evaluation import regret
from lapmark.reports import format
from lapmark.reports.style import INK, LETTER, SOFT, numbered_style, plain, theme

from .chart import Chart, indexed

#: Fewest cases that are drawn.
FEWEST = 5

#: Height of a row and width of the chart, in inches.
HIGH, WIDE = 0.24, 5.0

TICKS = (1, 1.5, 2, 3, 5, 10, 20, 50, 100, 1000)


def draw(cells: pd.DataFrame) -> Figure | None:
    """Draw the regret of every case, a row per label; return None if too few families were measured to hide one."""
    found = _known(cells)
    if len(found) < FEWEST:
        return None
    finite = found["regret"].where(np.isfinite(found["regret"]))
    end = max(2.0, 1.5 * finite.max())
    shown = found.assign(x=finite.fillna(end), failed=finite.isna())
    labels = sorted(shown["label"].unique(), reverse=True)
    sizes = sorted(shown["n"].unique())
    left, below, above = 0.3 + LETTER * max(len(plain(label)) for label in labels), 0.5, 0.6
    wide, high = left + WIDE + 0.2, below + HIGH * len(labels) + above
    middle = found["regret"].median()
    with theme():
        figure = Figure(figsize=(wide, high))
        FigureCanvasAgg(figure)
        ax = figure.add_axes((left / wide, below / high, WIDE / wide, HIGH * len(labels) / high))
        for place, n in enumerate(sizes):
            look, rows = numbered_style(place), shown[shown["n"] == n]
            rows_at = [labels.index(label) for label in rows["label"]]
            away = 0.5 * (place / max(len(sizes) - 1, 1) - 0.5)  # sizes side by side, since most regrets are 1
            marks: dict[str, Any] = {"s": 22, "color": look.colour, "marker": look.marker, "zorder": 3}
            ax.scatter(rows["x"], np.array(rows_at) + away, label=f"n = {n}", **marks)
        ax.axvline(middle, color=INK, lw=1, zorder=1)
        ax.text(middle, len(labels) - 0.3, f"median {middle:.2f}", ha="left", va="bottom", fontsize=8, color=INK)
        if shown["failed"].any():
            ax.text(end, -0.9, "failed", ha="center", va="top", fontsize=8, color=SOFT)
        ax.set_xscale("log")
        ax.set_xlim(0.93, 1.1 * end)
        ticks = [tick for tick in TICKS if tick < end / 1.2]
        ax.xaxis.set_major_locator(FixedLocator(ticks))
        ax.xaxis.set_minor_locator(NullLocator())
        ax.set_xticks(ticks, [f"{tick:g}×" for tick in ticks])
        ax.set_ylim(-0.6, len(labels) - 0.4)
        ax.set_yticks(range(len(labels)), [plain(label) for label in labels])
        ax.set(xlabel="time of the chosen solver over that of the best", ylabel="")
        if len(sizes) <= 8:
            at = 1, 1 + 0.12 / (HIGH * len(labels))
            ax.legend(loc="lower right", bbox_to_anchor=at, ncols=len(sizes), frameon=False, fontsize=8)
    return figure


def numbers(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the median and the worst regret of each label, and the choice there if another solver was the best."""
    lines = {}
    for label, rows in _known(cells).groupby("label"):
        worst = rows.loc[rows["regret"].idxmax()]
        instead = (
            "" if worst["chosen"] == worst["best"] else f"{worst['chosen']} for {worst['best']} at n = {worst['n']}"
        )
        lines[label,] = [format.ratio(each) or "failed" for each in (rows["regret"].median(), worst["regret"])] + [
            instead
        ]
    return indexed(lines, ["median", "worst", "chosen there"], ["Case"])


def _known(cells: pd.DataFrame) -> pd.DataFrame:
    return regret(cells[cells["current"]]).dropna(subset="regret")


CHART = Chart(
    "regret",
    "Quality of advice",
    "Time of the solver that “lapmark choose” names over the time of the best solver, for families that it has not "
    "seen: each family is hidden in turn, and the choice made from the others. 1× is the best choice; the time of "
    "looking at the problem is charged. Failed: the "
    "named solver was wrong, crashed or reached a limit. Families without a similar one are not shown, since there is "
    "no advice for them.",
    draw,
    numbers,
)
