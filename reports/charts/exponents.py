"""Fitted exponents of the time against n, with their intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

from lapmark.bench.util import units
from lapmark.reports import format, scaling
from lapmark.reports.style import panels, plain, style, swatch, theme

from .base import Chart, points

#: Exponents that are drawn; an interval that goes on beyond is cut off.
LOWEST, HIGHEST = -1.0, 5.0


def draw(cells: pd.DataFrame) -> Figure | None:
    """A panel per label: a line per solver, slowest growth on top."""
    found = scaling.exponents(cells)
    if found.empty:
        return None
    panel_of = dict(list(found.groupby("label")))
    lines = max(map(len, panel_of.values()))
    with theme():
        texts = [plain(name) + "  n⁰·⁰⁰" for name in found["series"]]
        figure, axes = panels([str(label) for label in panel_of], texts, lines)
        for ax, rows in zip(axes, panel_of.values(), strict=True):
            places = 1 - (np.arange(len(rows)) + 0.5) / lines
            for y, row in zip(places, rows.itertuples(), strict=True):
                look = style(row.solver)
                ends = np.clip([row.low, row.high], LOWEST, HIGHEST)
                ax.plot(ends, [y, y], color=look.colour, lw=look.width + 0.6, alpha=0.5, solid_capstyle="butt")
                ax.plot([np.clip(row.exponent, LOWEST, HIGHEST)], [y], **points(look))
                swatch(ax, y, f"{plain(row.series)}  {format.power(row.exponent)}", look)
            low, high = max(LOWEST, min(0.0, rows["low"].min())), min(HIGHEST, max(3.0, rows["high"].max()))
            ax.set(xlabel="exponent b of time ≈ a nᵇ", xlim=(low - 0.1, high + 0.1), ylim=(0, 1), yticks=[])
            ax.xaxis.set_major_locator(MultipleLocator(1))
    return figure


def numbers(cells: pd.DataFrame) -> pd.DataFrame:
    """Exponents, intervals, what they were fitted to, and the time at the largest size."""
    found = scaling.exponents(cells)
    return pd.DataFrame(
        {
            "exponent": [f"{row.exponent:.2f}" for row in found.itertuples()],
            "95 % interval": [f"{row.low:.2f} to {row.high:.2f}" for row in found.itertuples()],
            "fitted to n": [f"{row.sizes} from {row.smallest:,} to {row.largest:,}" for row in found.itertuples()],
            "time at the largest": [units.show_duration(row.seconds) for row in found.itertuples()],
        },
        index=pd.MultiIndex.from_frame(found[["label", "series"]], names=["Case", "Solver"]),
    )


CHART = Chart(
    "scaling",
    "How time grows with n",
    "The exponent b of time ≈ a nᵇ, by least squares on the logarithms of the medians, where there are three sizes or"
    " more, and its 95 % interval (Student’s t): wide where sizes are few, the machine was restless or the growth is "
    "no power of n. Small sizes hold what a call costs in any case, and flatten the fit.",
    draw,
    numbers,
)
