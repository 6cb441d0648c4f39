"""Chart of the speed-up by vector instructions: the scalar build of a solver against the one with vectors."""

import pandas as pd

from lapmark.reports import tables

from .chart import Chart
from .panel import Axis, Curve, Panel, Point
from .time_and_memory import SIZES


def panels(cells: pd.DataFrame) -> list[Panel]:
    """Return a panel per pair of builds: the ratio of times against n, with its range by the quartiles."""
    return [_panel(str(pair), rows) for pair, rows in tables.speedups(cells).groupby("pair")]


def _panel(pair: str, rows: pd.DataFrame) -> Panel:
    curves = tuple(
        Curve(
            str(label),
            tuple(Point(float(row.n), row.ratio, row.low, row.high, row.n) for row in curve.itertuples()),
            place=place,
        )
        for place, (label, curve) in enumerate(rows.sort_values("n").groupby("label"))
    )
    y = Axis("speed-up", "×", min(0.7, rows["low"].min() / 1.2), max(2.5, rows["high"].max() * 1.2), base=2)
    return Panel(pair, SIZES, y, curves, level=1.0, level_text="no gain")


CHART = Chart(
    "speedup",
    "Speed-up by vector instructions",
    "Median time of the scalar build over that of the same solver with vector instructions. Bars come from "
    "the quartiles of the samples of both.",
    panels,
)
