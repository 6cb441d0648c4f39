"""Data profiles: the share of cases that each solver answers within a gap, against time."""

import numpy as np
import pandas as pd

from lapmark.bench.util import units
from lapmark.reports import format, profiles

from . import distribution
from .chart import Chart, indexed
from .panel import Axis, Panel


def panels(cells: pd.DataFrame) -> list[Panel]:
    """Return a panel per kind of problem and gap: the share of cases answered within the gap, against time."""
    return [_panel(*found) for found in profiles.times_to_gap(cells)]


def _panel(kind: str, gap: float, seconds: pd.DataFrame) -> Panel:
    finite = seconds.to_numpy()[np.isfinite(seconds)]
    axis = Axis("time of a solve", "s", float(finite.min() / 1.2), float(finite.max() * 1.2))
    return distribution.panel(f"{kind}, {_within(gap)}, {units.show_count_of(len(seconds), 'case')}", seconds, axis)


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
    panels,
    numbers,
)
