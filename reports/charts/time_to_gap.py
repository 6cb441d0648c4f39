"""Data profiles: the share of cases that each solver answers within a gap, against time."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lapmark.bench.util import units
from lapmark.reports import format, profiles
from lapmark.reports.style import panels, theme

from . import distribution
from .chart import Chart, indexed


def draw(cells: pd.DataFrame) -> Figure | None:
    """Draw a panel per kind of problem and gap: the share of cases answered within the gap, against time."""
    found = list(profiles.times_to_gap(cells))
    if not found:
        return None
    names = [name for _, _, seconds in found for name in distribution.labels(seconds)]
    lines = max(seconds.shape[1] for _, _, seconds in found)
    titles = [f"{kind}, {_within(gap)}, {units.show_count_of(len(seconds), 'case')}" for kind, gap, seconds in found]
    with theme():
        figure, axes = panels(titles, names, lines)
        for ax, (_, _, seconds) in zip(axes, found, strict=True):
            finite = seconds.to_numpy()[np.isfinite(seconds)]
            ends = finite.min() / 1.2, finite.max() * 1.2
            distribution.draw(ax, seconds, *ends, "time of a solve", units.show_duration)
    return figure


def numbers(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the number of cases answered within each gap and the median time, the most and fastest first."""
    lines = {}
    for kind, gap, seconds in profiles.times_to_gap(cells):
        reached, median = np.isfinite(seconds).sum(), seconds.median()
        for name in sorted(seconds, key=lambda name: (-reached[name] / seconds[name].notna().sum(), median[name])):
            time = units.show_duration(median[name]) if np.isfinite(median[name]) else "never"
            lines[kind, _within(gap), name] = [f"{reached[name]} of {seconds[name].notna().sum()}", time]
    return indexed(lines, ["answers", "median time"], ["Problem", "Gap", "Solver"])


def _within(gap: float) -> str:
    return f"within {format.gap(gap)}" if gap else "optimal"


CHART = Chart(
    "time-to-gap",
    "Cases answered in time",
    "Share of cases that a solver, with its best setting, answers within a gap in a given time: a data profile (Moré "
    "and Wild 2009) with seconds as the budget. The gap is relative to the certified lower bound, or with blur to the "
    "optimum with blur. A larger gap has a panel of its own if some solver reaches it earlier. Timeouts, crashes and "
    "wrong answers never count; cases that no solver answers within the gap are left out.",
    draw,
    numbers,
)
