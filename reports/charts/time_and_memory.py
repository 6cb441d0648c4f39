"""Charts of time and memory against n: a panel per case with a curve per solver."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lapmark.bench.util import units
from lapmark.reports import format, scaling, tables
from lapmark.reports.style import SOFT, Label, label_right, log_axis, panels, plain, sizes_axis, style, theme

from .chart import Chart, points

#: Smaller peaks are drawn at this size, in bytes: below it the memory of a process changes by whole pages.
SMALLEST_PEAK = 2**16


@dataclass(frozen=True)
class Quantity:
    """A column of the cells to draw against n: the axis title, a function that writes a value, the base of the axis."""

    column: str
    title: str
    form: Callable[[float], str]
    base: float = 10


def time(cells: pd.DataFrame) -> Figure | None:
    """Draw the median time against n on log axes, a band of all samples, and fitted exponents in the labels."""
    return _curves(tables.certified(cells), Quantity("seconds", "time of a solve", units.show_duration))


def memory(cells: pd.DataFrame) -> Figure | None:
    """Draw the peak memory over the worker's baseline against n, with one float64 copy of the costs for scale."""
    known = tables.certified(cells).dropna(subset="peak_memory")
    peaks = known["peak_memory"].astype("float64").clip(lower=SMALLEST_PEAK)
    return _curves(known.assign(peak_memory=peaks), Quantity("peak_memory", "peak memory", units.show_size, base=4))


def _curves(rows: pd.DataFrame, quantity: Quantity) -> Figure | None:
    """Draw a panel per label with a curve per solver."""
    rows = rows[rows[quantity.column] > 0]
    if rows.empty:
        return None
    panel_of = dict(list(rows.groupby("label")))
    labels = [plain(name) + " n²·⁰⁰" for name in rows["series"].unique()]
    lines = max(panel["series"].nunique() for panel in panel_of.values())
    with theme():
        figure, axes = panels([str(label) for label in panel_of], labels, lines)
        for ax, panel in zip(axes, panel_of.values(), strict=True):
            _curve_panel(ax, panel, quantity)
    return figure


def _curve_panel(ax: Axes, rows: pd.DataFrame, quantity: Quantity) -> None:
    timed = quantity.column == "seconds"
    largest = rows["n"].max()
    ends = []
    for (series, solver), curve in rows.groupby(["series", "solver"]):
        look = style(str(solver))
        samples = (
            curve.explode("times").assign(seconds=lambda each: each["times"].astype("float64")) if timed else curve
        )
        sns.lineplot(
            samples,
            x="n",
            y=quantity.column,
            ax=ax,
            estimator="median",
            errorbar=("pi", 100),
            err_kws={"alpha": 0.12, "linewidth": 0},
            linewidth=look.width,
            linestyle=look.dashes,
            **points(look),
        )
        medians = curve.groupby("n")[quantity.column].median()
        power = scaling.fit(curve["n"], curve["seconds"]) if timed else None
        name = plain(str(series)) + (f"  {format.power(power.exponent)}" if power is not None else "")
        ends.append(Label(name, medians.index[-1], medians.iloc[-1], look, _heading(medians, largest)))
    if quantity.column == "peak_memory":
        shape = rows.drop_duplicates("n").sort_values("n")
        ax.plot(
            shape["n"], 8.0 * shape["n"] * shape["m"].fillna(shape["n"]).astype("float64"), color=SOFT, lw=6, alpha=0.2
        )
    ax.set(xlabel="rows n")
    sizes_axis(ax, rows["n"])
    log_axis(ax, "y", quantity.title, quantity.form, quantity.base)
    label_right(ax, ends)


def _heading(medians: pd.Series, largest: int) -> float:
    """Return where a curve that ends early would be at the largest n: labels are sorted by it."""
    if len(medians) < 2 or medians.index[-1] == largest:
        return float(medians.iloc[-1])
    (x0, x1), (y0, y1) = np.log(medians.index[-2:].to_numpy(dtype=float)), np.log(medians.iloc[-2:])
    return math.exp(y1 + (y1 - y0) / (x1 - x0) * (math.log(largest) - x1))


TIME = Chart(
    "time",
    "Time against size",
    "Median time of a solve; the band spans the fastest and the slowest sample. nᵇ is a least-squares fit to the "
    "logarithms of the medians, given three sizes or more. Thick lines: Lapmark’s solvers, dotted without vector "
    "instructions. Thin dashed lines: other packages.",
    time,
)

MEMORY = Chart(
    "memory",
    "Peak memory against size",
    "Peak resident memory during the solve, minus that of the worker with the problem built. Peaks below 64 KiB are "
    "drawn at 64 KiB. Grey: one float64 copy of the cost matrix, for scale.",
    memory,
)
