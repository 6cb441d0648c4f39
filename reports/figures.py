"""The charts of a report: pure functions from the table of cells to a figure, None where there is nothing to draw.

Only certified cells are drawn, but for the status matrix, which shows them all.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from bench import spec, units
from bench.record import METRICS, Metric

from . import tables, words
from .looks import (
    INK,
    LABEL,
    LETTER,
    PAPER,
    SOFT,
    Label,
    Style,
    label_right,
    line_height,
    log_axis,
    numbered_style,
    panels,
    plain,
    sizes_axis,
    style,
    swatch,
    theme,
)

#: Smaller peaks are drawn here: below it a process's memory moves by whole pages.
SMALLEST_PEAK = 2**16

#: Inches of a cell of the status matrix.
WIDE, HIGH = 0.45, 0.24

#: Statuses from worst to best, with their colour and their short name in the matrix.
STATUS_LOOKS = {
    "wrong": ("#D55E00", "wrong"),
    "crash": ("#7A1F4B", "crash"),
    "error": ("#4B4E9E", "error"),
    "memory": ("#CC79A7", "mem"),
    "timeout": ("#E69F00", "time"),
    "unproven": ("#56B4E9", "?"),
    "ok": ("#8FCFB4", "ok"),
    "skipped": ("#C3C8CE", "skip"),
}


@dataclass(frozen=True)
class Chart:
    """A figure of the report: its file name, what stands over and under it, and how to draw it."""

    name: str
    title: str
    caption: str
    draw: Callable[[pd.DataFrame], Figure | None]


def time(cells: pd.DataFrame) -> Figure | None:
    """Median time against n on log axes, the band from fastest to slowest sample, exponents in the labels."""
    return _curves(tables.certified(cells), Quantity("seconds", "time of a solve", units.show_duration))


def memory(cells: pd.DataFrame) -> Figure | None:
    """Peak memory over the worker's baseline against n, with one float64 copy of the costs for scale."""
    known = tables.certified(cells).dropna(subset="peak_memory")
    peaks = known["peak_memory"].astype("float64").clip(lower=SMALLEST_PEAK)
    return _curves(known.assign(peak_memory=peaks), Quantity("peak_memory", "peak memory", units.show_size, base=4))


def speedup(cells: pd.DataFrame) -> Figure | None:
    """How many times as fast the build with AVX2 is as the scalar one; bars from the quartiles of the samples."""
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
                ax.errorbar(curve["n"], curve["ratio"], yerr=away, lw=look.width, capsize=2, **_points(look))
                last = curve.iloc[-1]
                ends.append(Label(plain(str(label)), last["n"], last["ratio"], look, last["ratio"]))
            ax.axhline(1, color=SOFT, lw=1)
            ax.text(0.99, 1, "no gain", transform=ax.get_yaxis_transform(), color=SOFT, ha="right", va="bottom")
            ax.set(xlabel="rows n", ylim=(min(0.7, rows["low"].min() / 1.2), max(2.5, rows["high"].max() * 1.2)))
            sizes_axis(ax, rows["n"])
            log_axis(ax, "y", "speed-up", lambda value: f"{value:g}×", base=2)
            label_right(ax, ends)
    return figure


def error(metric: Metric, cells: pd.DataFrame) -> Figure | None:
    """A metric against time at the largest size; one curve per solver over its accuracy setting."""
    chosen = list(_largest(tables.compared(cells).dropna(subset=metric.name)))
    if metric is not METRICS[0]:
        # Of exact answers alone it says nothing.
        chosen = [(label, rows) for label, rows in chosen if (rows[metric.name] > metric.negligible).any()]
    if not chosen:
        return None
    labels = [plain(f"{name}  00.0 ms") for _, rows in chosen for name in rows["series"]]
    lines = max(len(rows) for _, rows in chosen) + 2
    with theme():
        figure, axes = panels([f"{label}, n = {rows['n'].iloc[0]:,}" for label, rows in chosen], labels, lines)
        for ax, (_, rows) in zip(axes, chosen, strict=True):
            _error_panel(ax, rows, metric)
    return figure


def status(cells: pd.DataFrame) -> Figure | None:
    """What became of every cell: solvers by cases, the worst status where a cell stands for several seeds."""
    order = list(STATUS_LOOKS)
    shown = cells[cells["current"]]
    places = shown.assign(place=[order.index(status) for status in shown["status"]])
    matrix = places.pivot_table(index=["group", "series"], columns=["label", "n"], values="place", aggfunc="min")
    names = matrix.map(lambda place: "" if np.isnan(place) else STATUS_LOOKS[order[int(place)]][1])
    labels = [str(label) for label, _ in matrix.columns]
    rows, columns = matrix.shape
    left = 0.3 + LETTER * max(len(name) for _, name in matrix.index)
    above = 0.3 + 0.6 * LETTER * max(len(plain(label)) for label in labels)
    right = max(0.1, 0.85 * LETTER * len(plain(labels[-1])) - WIDE * labels.count(labels[-1]))
    wide, high = left + WIDE * columns + right, 0.5 + HIGH * rows + above
    with theme():
        figure = Figure(figsize=(wide, high))
        FigureCanvasAgg(figure)
        ax = figure.add_axes((left / wide, 0.5 / high, WIDE * columns / wide, HIGH * rows / high))
        sns.heatmap(
            matrix,
            annot=names,
            fmt="",
            cbar=False,
            ax=ax,
            vmin=-0.5,
            vmax=len(order) - 0.5,
            linewidths=1.2,
            linecolor=PAPER,
            cmap=ListedColormap([colour for colour, _ in STATUS_LOOKS.values()]),
            annot_kws={"fontsize": 7.5},
            xticklabels=False,
            yticklabels=False,
        )
        ax.grid(False)
        ax.set(xlabel="rows n", ylabel="")
        ax.set_xticks(np.arange(columns) + 0.5, [str(n) for _, n in matrix.columns], fontsize=7)
        ax.set_yticks(np.arange(rows) + 0.5, [plain(name) for _, name in matrix.index], color=INK)
        for tick, (whose, _) in zip(ax.get_yticklabels(), matrix.index, strict=True):
            tick.set_fontweight("bold" if whose == "ours" else "normal")
        for label in dict.fromkeys(labels):
            first, count = labels.index(label), labels.count(label)
            ax.text(first + 0.1, -0.25, plain(label), rotation=35, ha="left", va="bottom", rotation_mode="anchor")
            ax.plot([first + 0.1, first + count - 0.1], [-0.12, -0.12], color=SOFT, lw=1, clip_on=False)
            if first:
                ax.axvline(first, color=PAPER, lw=5)
    return figure


ALL = (
    Chart(
        "time",
        "Time against size",
        "Median time of a solve; the band runs from the fastest to the slowest sample. nᵇ is fitted by least squares "
        "on the logarithms of the medians, where there are three sizes or more. Thick: ours, dotted without AVX2; "
        "dashed and thin: others.",
        time,
    ),
    Chart(
        "speedup",
        "What AVX2 gains",
        "Median time of the scalar build over that of the same solver with AVX2. Bars: from the quartiles of both "
        "solvers’ samples.",
        speedup,
    ),
    Chart(
        "gap",
        "Gap against time",
        "How far each answer is from the certified lower bound, at the largest size that an approximate solver "
        "answered, or that any did. Connected points are one solver at several accuracies. Better is down and to the "
        "left.",
        functools.partial(error, METRICS[0]),
    ),
    Chart(
        "marginal-error",
        "Marginal error against time",
        "How much of the mass each transport plan leaves or puts where it should not, relative to all of it, rows or "
        "columns, whichever is more. A plan within this of its marginals may still be dear: that is the gap.",
        functools.partial(error, METRICS[1]),
    ),
    Chart(
        "entropic-gap",
        "Convergence against time",
        "How far the potentials of a blurred problem are from its own optimum, certified. The blur has no share in it, "
        "as it has in the gap to the lower bound.",
        functools.partial(error, METRICS[2]),
    ),
    Chart(
        "memory",
        "Peak memory against size",
        "Largest resident memory over that of the worker with the problem built. Peaks below 64 KiB are drawn there. "
        "Grey: one float64 copy of the cost matrix, for scale.",
        memory,
    ),
    Chart(
        "status",
        "What became of every cell",
        "ok: certified; ?: valid but without a bound to judge it by; wrong: refuted; time, mem: stopped at a limit; "
        "crash: died of a signal; error: the solver raised; skip: not run. An empty place was not asked for.",
        status,
    ),
)


@dataclass(frozen=True)
class Quantity:
    """A column of the cells that is drawn against n: what it is called, how it is written, and the base of its axis."""

    column: str
    title: str
    form: Callable[[float], str]
    base: float = 10


def _curves(rows: pd.DataFrame, quantity: Quantity) -> Figure | None:
    """A panel per label with a curve per solver."""
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
        points = curve.explode("times").assign(seconds=lambda each: each["times"].astype("float64")) if timed else curve
        sns.lineplot(
            points,
            x="n",
            y=quantity.column,
            ax=ax,
            estimator="median",
            errorbar=("pi", 100),
            err_kws={"alpha": 0.12, "linewidth": 0},
            linewidth=look.width,
            linestyle=look.dashes,
            **_points(look),
        )
        medians = curve.groupby("n")[quantity.column].median()
        power = tables.exponent(curve["n"], curve["seconds"]) if timed else None
        name = plain(str(series)) + (f"  $n^{{{power:.2f}}}$" if power is not None else "")
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
    """Where a curve that ends before the largest n would be there: its label then stands in that order."""
    if len(medians) < 2 or medians.index[-1] == largest:
        return float(medians.iloc[-1])
    (x0, x1), (y0, y1) = np.log(medians.index[-2:].to_numpy(dtype=float)), np.log(medians.iloc[-2:])
    return math.exp(y1 + (y1 - y0) / (x1 - x0) * (math.log(largest) - x1))


def _error_panel(ax: Axes, rows: pd.DataFrame, metric: Metric) -> None:
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
        # Curves of the same settings lie close together: the names of every other one stand on the left.
        side, offset = ("left", (5, 4)) if k % 2 else ("right", (-5, -10))
        ax.plot(curve["seconds"], curve["error"], lw=look.width, linestyle=look.dashes, **_points(look))
        for row in curve.itertuples():
            setting = row.series.removeprefix(base).removeprefix(":")
            at = (row.seconds, row.error)
            ax.annotate(plain(setting), at, offset, textcoords="offset points", ha=side, fontsize=7, color=SOFT)
        last = curve.iloc[-1]
        ends.append(Label(plain(str(base)), last["seconds"], last["error"], look, last["error"]))
    for row in optimal.itertuples():
        ax.plot([row.seconds], [line], zorder=3, **_points(style(row.solver)))
    ax.axhline(line, color=SOFT, lw=1)
    ax.set_ylim(line / 3, rest["error"].max() * 4 if len(rest) else line * 100)
    ax.set_xlim(rows["seconds"].min() / 1.6, rows["seconds"].max() * (4 if len(rest) else 1.6))
    log_axis(ax, "x", "time of a solve", units.show_duration)
    log_axis(ax, "y", metric.axis, lambda value: words.gap(value) if value > 2 * line else metric.perfect)
    if rest.empty:
        ax.set_yticks([line])
    step = line_height(ax)
    for place, row in enumerate(optimal.iloc[::-1].itertuples()):
        swatch(ax, place * step, f"{plain(row.series)}  {units.show_duration(row.seconds)}", style(row.solver))
    if len(optimal):
        ax.text(
            1.075,
            len(optimal) * step,
            "proven optimal",
            va="center",
            fontsize=LABEL,
            color=SOFT,
            transform=ax.transAxes,
        )
    label_right(ax, ends, low=(len(optimal) + 1.5) * step)


def _largest(rows: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """For each label, its cells at the largest n that an approximate solver answered, or that any did."""
    for label, panel in rows.groupby("label"):
        approximate = panel[~panel["exact"]]
        n = (approximate if len(approximate) else panel)["n"].max()
        yield str(label), panel[panel["n"] == n]


def _points(look: Style) -> dict[str, Any]:
    return {
        "color": look.colour,
        "marker": look.marker,
        "markersize": 5.5,
        "markeredgecolor": PAPER,
        "markeredgewidth": 0.5,
    }
