"""Charts of a certified error against time: the accuracy of each solver, and the time it needs for it."""

import functools
import math
from collections.abc import Iterator

import pandas as pd

from lapmark.bench.results.record import METRICS, Metric
from lapmark.bench.util import spec, units
from lapmark.reports import tables

from .chart import Chart
from .panel import Axis, Curve, Panel, Point

#: Largest error that is drawn, so that the limit of the axis is a finite number.
FARTHEST = 1e300


def panels(metric: Metric, cells: pd.DataFrame) -> list[Panel]:
    """Return a metric against time at the largest size, a curve per solver over its accuracy setting."""
    return [
        _panel(f"{label}, n = {rows['n'].iloc[0]:,}", rows, metric)
        for label, rows in _largest(tables.compared(cells).dropna(subset=metric.name))
        # Exact answers alone would be a chart without information.
        if (rows[metric.name] > metric.negligible).any()
    ]


def _panel(title: str, cells: pd.DataFrame, metric: Metric) -> Panel:
    rows = cells.groupby(["series", "solver", "exact"], as_index=False)[["seconds", metric.name]].median()
    rows = rows.sort_values("seconds").rename(columns={metric.name: "error"})
    proven = rows["error"] <= metric.negligible
    if metric is METRICS[0]:
        proven |= rows["exact"]
    optimal, rest = rows[proven], rows[~proven]
    floor = 10.0 ** (math.floor(math.log10(rest["error"].min())) - 1) if len(rest) else 1e-9
    curves = []
    for base, curve in rest.groupby(rest["solver"].map(lambda name: spec.parse(name)[0])):
        points = tuple(
            Point(row.seconds, min(row.error, FARTHEST), note=row.series.removeprefix(base).removeprefix(":"))
            for row in curve.itertuples()
        )
        curves.append(Curve(str(base), points, str(base)))
    for row in optimal.itertuples():
        suffix = units.show_duration(row.seconds)
        curves.append(Curve(row.series, (Point(row.seconds, floor),), row.solver, suffix=suffix, shape="points"))
    wide = 4 if len(rest) else 1.6
    x = Axis("time of a solve", "s", rows["seconds"].min() / 1.6, rows["seconds"].max() * wide)
    high = min(rest["error"].max(), FARTHEST) * 4 if len(rest) else floor * 100
    y = Axis(metric.axis, "error", floor / 3, high, floor=floor, floor_text=metric.perfect)
    return Panel(title, x, y, tuple(curves), str(cells["problem"].iloc[0]), level=floor)


def _largest(rows: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield each label with its cells at the largest n with an approximate answer, or else with any answer."""
    for label, panel in rows.groupby("label"):
        approximate = panel[~panel["exact"]]
        n = (approximate if len(approximate) else panel)["n"].max()
        yield str(label), panel[panel["n"] == n]


CHARTS = (
    Chart(
        "gap",
        "Gap against time",
        "Relative gap between each answer and the certified lower bound, at the largest size with an approximate "
        "answer. Connected points are one solver at several accuracies. Lower and further "
        "left is better.",
        functools.partial(panels, METRICS[0]),
    ),
    Chart(
        "marginal-error",
        "Marginal error against time",
        "Difference between the row or column sums of each transport plan and the given masses, whichever is larger, "
        "relative to the total mass. A plan with accurate sums may still cost too much: that is the gap.",
        functools.partial(panels, METRICS[1]),
    ),
    Chart(
        "entropic-gap",
        "Convergence against time",
        "Certified gap between the potentials of a problem with blur and the optimum of that problem. Unlike the gap "
        "to the lower bound, it does not include the effect of the blur.",
        functools.partial(panels, METRICS[2]),
    ),
)
