"""Chart of the speed-up by vector instructions: the scalar build of a solver against the one with vectors."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lapmark.reports import tables
from lapmark.reports.style import SOFT, Label, label_right, log_axis, numbered_style, panels, plain, sizes_axis, theme

from .chart import Chart, points


def draw(cells: pd.DataFrame) -> Figure | None:
    """Draw the ratio of times without and with vectors against n; bars come from the quartiles of the samples."""
    found = tables.speedups(cells)
    if found.empty:
        return None
    labels = [plain(label) for label in set(found["label"])]
    with theme():
        figure, axes = panels(sorted(set(found["pair"])), labels, len(labels))
        for ax, (_, rows) in zip(axes, found.groupby("pair"), strict=True):
            ends = []
            for place, (label, curve) in enumerate(rows.sort_values("n").groupby("label")):
                look = numbered_style(place)
                away = np.abs(curve[["low", "high"]].to_numpy().T - curve["ratio"].to_numpy())
                ax.errorbar(curve["n"], curve["ratio"], yerr=away, lw=look.width, capsize=2, **points(look))
                last = curve.iloc[-1]
                ends.append(Label(plain(str(label)), last["n"], last["ratio"], look, last["ratio"]))
            ax.axhline(1, color=SOFT, lw=1)
            ax.text(0.99, 1, "no gain", transform=ax.get_yaxis_transform(), color=SOFT, ha="right", va="bottom")
            ax.set(xlabel="rows n", ylim=(min(0.7, rows["low"].min() / 1.2), max(2.5, rows["high"].max() * 1.2)))
            sizes_axis(ax, rows["n"])
            log_axis(ax, "y", "speed-up", lambda value: f"{value:g}×", base=2)
            label_right(ax, ends)
    return figure


CHART = Chart(
    "speedup",
    "Speed-up by vector instructions",
    "Median time of the scalar build over that of the same solver with vector instructions. Bars come from the "
    "quartiles of the samples of both.",
    draw,
)
