"""Chart of the speed-up by threads."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lapmark.bench.util import units
from lapmark.reports import format, scaling
from lapmark.reports.style import SOFT, Label, label_right, log_axis, panels, plain, sizes_axis, style, theme

from .chart import Chart, points


def draw(cells: pd.DataFrame) -> Figure | None:
    """Draw a panel per label: the speed-up against the number of threads, and the ideal speed-up."""
    found = scaling.by_threads(cells)
    if found.empty:
        return None
    panel_of = dict(list(found.groupby("label")))
    lines = max(rows["solver"].nunique() for rows in panel_of.values())
    with theme():
        figure, axes = panels([str(label) for label in panel_of], map(plain, found["solver"]), lines)
        for ax, rows in zip(axes, panel_of.values(), strict=True):
            ends = []
            for solver, curve in rows.groupby("solver"):
                look = style(str(solver))
                ax.plot(curve["threads"], curve["ratio"], lw=look.width, linestyle=look.dashes, **points(look))
                last = curve.iloc[-1]
                ends.append(Label(plain(str(solver)), last["threads"], last["ratio"], look, last["ratio"]))
            every = np.array(sorted(set(rows["threads"])))
            ax.plot(every, every / every[0], color=SOFT, lw=6, alpha=0.2)
            ax.axhline(1, color=SOFT, lw=1)
            ax.set(xlabel="threads", ylim=(min(0.7, rows["ratio"].min() / 1.2), 1.2 * max(every / every[0])))
            sizes_axis(ax, rows["threads"])
            log_axis(ax, "y", "speed-up", format.ratio, base=2)
            label_right(ax, ends)
    return figure


def numbers(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the time, speed-up and efficiency by number of threads."""
    found = scaling.by_threads(cells)
    return pd.DataFrame(
        {
            "n": [f"{n:,}" for n in found["n"]],
            "threads": [str(count) for count in found["threads"]],
            "time": [units.show_duration(seconds) for seconds in found["seconds"]],
            "speed-up": [format.ratio(ratio) for ratio in found["ratio"]],
            "efficiency": [f"{100 * efficiency:.0f} %" for efficiency in found["efficiency"]],
        },
        index=pd.MultiIndex.from_frame(found[["label", "solver"]], names=["Case", "Solver"]),
    )


CHART = Chart(
    "threads",
    "Speed-up by threads",
    "Time with the fewest threads over the time with more, at the largest n that a solver answered with several "
    "numbers of threads. Grey: the ideal, twice as fast with twice as many.",
    draw,
    numbers,
)
