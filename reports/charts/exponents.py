"""Chart of the fitted exponents of time against n, with their intervals."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

from lapmark.bench.util import units
from lapmark.reports import format, scaling
from lapmark.reports.style import panels, plain, style, swatch, theme

from .chart import Chart, points

#: Range of exponents that is drawn; intervals are cut off at its ends.
LOWEST, HIGHEST = -1.0, 5.0


def draw(cells: pd.DataFrame) -> Figure | None:
    """Draw a panel per label with a line per solver, the slowest growth on top."""
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
    """Return the exponents, their intervals, the sizes of the fit, and the time at the largest size."""
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
    "The exponent b of time ≈ a nᵇ, a least-squares fit to the logarithms of the medians at three sizes or more, with "
    "its 95 % interval (Student’s t). The interval is wide with few sizes, on a busy machine, or if the growth is not "
    "a power of n. At small sizes the constant cost of a call dominates and flattens the fit.",
    draw,
    numbers,
)
