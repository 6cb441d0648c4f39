"""Charts of a certified error against time: the accuracy of each solver, and the time it needs for it."""

import functools
import math
from collections.abc import Iterator
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lapmark.bench.results.record import METRICS, Metric
from lapmark.bench.util import spec, units
from lapmark.reports import format, tables
from lapmark.reports.style import (
    LABEL,
    SOFT,
    Label,
    label_right,
    line_height,
    log_axis,
    panels,
    plain,
    style,
    swatch,
    theme,
)

from .chart import Chart, points

#: Largest error that is drawn, so that the limit of the axis is a finite number.
FARTHEST = 1e300


def draw(metric: Metric, cells: pd.DataFrame) -> Figure | None:
    """Draw a metric against time at the largest size, a curve per solver over its accuracy setting."""
    chosen = list(_largest(tables.compared(cells).dropna(subset=metric.name)))
    if metric is not METRICS[0]:
        # Exact answers alone would be a chart without information.
        chosen = [(label, rows) for label, rows in chosen if (rows[metric.name] > metric.negligible).any()]
    if not chosen:
        return None
    labels = [plain(f"{name}  00.0 ms") for _, rows in chosen for name in rows["series"]]
    lines = max(len(rows) for _, rows in chosen) + 2
    with theme():
        figure, axes = panels([f"{label}, n = {rows['n'].iloc[0]:,}" for label, rows in chosen], labels, lines)
        for ax, (_, rows) in zip(axes, chosen, strict=True):
            _panel(ax, rows, metric)
    return figure


def _panel(ax: Axes, rows: pd.DataFrame, metric: Metric) -> None:
    best = ["series", "solver", "exact"]
    rows = rows.groupby(best, as_index=False)[["seconds", metric.name]].median().sort_values("seconds")
    rows = rows.rename(columns={metric.name: "error"})
    proven = rows["error"] <= metric.negligible
    if metric is METRICS[0]:
        proven |= rows["exact"]
    optimal, rest = rows[proven], rows[~proven]
    line = 10.0 ** (math.floor(math.log10(rest["error"].min())) - 1) if len(rest) else 1e-9
    ends = []
    curves = rest.groupby(rest["solver"].map(lambda name: spec.parse(name)[0]))
    for k, (base, curve) in enumerate(curves):
        look = style(str(base))
        # Curves with the same settings lie close together: every other one has its settings on the left.
        side, offset = ("left", (5, 4)) if k % 2 else ("right", (-5, -10))
        ax.plot(curve["seconds"], curve["error"], lw=look.width, linestyle=look.dashes, **points(look))
        for row in curve.itertuples():
            setting = row.series.removeprefix(base).removeprefix(":")
            at = (row.seconds, row.error)
            ax.annotate(plain(setting), at, offset, textcoords="offset points", ha=side, fontsize=7, color=SOFT)
        last = curve.iloc[-1]
        ends.append(Label(plain(str(base)), last["seconds"], last["error"], look, last["error"]))
    for row in optimal.itertuples():
        ax.plot([row.seconds], [line], zorder=3, **points(style(row.solver)))
    ax.axhline(line, color=SOFT, lw=1)
    ax.set_ylim(line / 3, min(rest["error"].max(), FARTHEST) * 4 if len(rest) else line * 100)
    ax.set_xlim(rows["seconds"].min() / 1.6, rows["seconds"].max() * (4 if len(rest) else 1.6))
    log_axis(ax, "x", "time of a solve", units.show_duration)
    log_axis(ax, "y", metric.axis, lambda value: format.gap(value) if value > 2 * line else metric.perfect)
    if rest.empty:
        ax.set_yticks([line])
    step = line_height(ax)
    for place, row in enumerate(optimal.iloc[::-1].itertuples()):
        swatch(ax, place * step, f"{plain(row.series)}  {units.show_duration(row.seconds)}", style(row.solver))
    if len(optimal):
        text: dict[str, Any] = {"va": "center", "fontsize": LABEL, "color": SOFT, "transform": ax.transAxes}
        ax.text(1.075, len(optimal) * step, "proven optimal", **text)
    label_right(ax, ends, low=(len(optimal) + 1.5) * step)


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
        "answer, or else with any answer. Connected points are one solver at several accuracies. Lower and further "
        "left is better.",
        functools.partial(draw, METRICS[0]),
    ),
    Chart(
        "marginal-error",
        "Marginal error against time",
        "Difference between the row or column sums of each transport plan and the given masses, whichever is larger, "
        "relative to the total mass. A plan with accurate sums may still cost too much: that is the gap.",
        functools.partial(draw, METRICS[1]),
    ),
    Chart(
        "entropic-gap",
        "Convergence against time",
        "Certified gap between the potentials of a problem with blur and the optimum of that problem. Unlike the gap "
        "to the lower bound, it does not include the effect of the blur.",
        functools.partial(draw, METRICS[2]),
    ),
)
