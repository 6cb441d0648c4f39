"""Charts of time and memory against n: a panel per case with a curve per solver, and a row per case of one size."""

import itertools
import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from lapmark.reports import format, scaling, tables

from .chart import Chart
from .panel import Axis, Curve, Panel, Point

#: Smaller peaks are drawn at this size, in bytes: below it the memory of a process changes by whole pages.
SMALLEST_PEAK = 2**16

#: The axis of sizes.
SIZES = Axis("rows n", "count")


@dataclass(frozen=True)
class Quantity:
    """A column of the cells to draw, and its axis."""

    column: str
    axis: Axis

    def curves(self, cells: pd.DataFrame) -> dict[str, list[tuple[str, str, str, tuple[Point, ...]]]]:
        """Return the medians of the certified cells by label: problem, series, solver and points of each curve.

        Times come with the fastest and the slowest sample.
        """
        rows = tables.certified(cells).dropna(subset=self.column)
        if self.column == "peak_memory":
            rows = rows.assign(peak_memory=rows["peak_memory"].astype("float64").clip(lower=SMALLEST_PEAK))
        by = rows[rows[self.column] > 0].groupby(["label", "problem", "series", "solver", "n"], observed=True)
        medians = by.agg(median=(self.column, "median"), low=("seconds_min", "min"), high=("seconds_max", "max"))
        found: dict[str, list[tuple[str, str, str, tuple[Point, ...]]]] = {}
        for names, curve in itertools.groupby(medians.itertuples(), key=lambda row: row.Index[:4]):
            label, problem, series, solver = map(str, names)
            points = tuple(
                Point(float(row.Index[4]), row.median, row.low, row.high, int(row.Index[4]))
                if self.column == "seconds"
                else Point(float(row.Index[4]), row.median, n=int(row.Index[4]))
                for row in curve
            )
            found.setdefault(label, []).append((problem, series, solver, points))
        return found


SECONDS = Quantity("seconds", Axis("time of a solve", "s"))
PEAK = Quantity("peak_memory", Axis("peak memory", "B", base=4))


def time(cells: pd.DataFrame) -> list[Panel]:
    """Return the median time against n, with the range of all samples, and fitted exponents in the labels."""
    return [_panel(label, curves, SECONDS) for label, curves in SECONDS.curves(cells).items() if _has_sizes(curves)]


def memory(cells: pd.DataFrame) -> list[Panel]:
    """Return the peak memory over the worker's baseline against n, and one float64 copy of the costs for comparison."""
    shapes = tables.certified(cells).drop_duplicates(["label", "n"]).sort_values("n")
    shapes = shapes.assign(size=8.0 * shapes["n"] * shapes["m"].fillna(shapes["n"]).astype("float64"))
    guides = {str(label): tuple(zip(rows["n"], rows["size"], strict=True)) for label, rows in shapes.groupby("label")}
    return [
        replace(_panel(label, curves, PEAK), guide=guides[label])
        for label, curves in PEAK.curves(cells).items()
        if _has_sizes(curves)
    ]


def time_of_one_size(cells: pd.DataFrame) -> list[Panel]:
    """Return the median times of the cases that were run at one size, a row per case."""
    return _rows(SECONDS.curves(cells), SECONDS)


def memory_of_one_size(cells: pd.DataFrame) -> list[Panel]:
    """Return the peak memory of the cases that were run at one size, a row per case."""
    return _rows(PEAK.curves(cells), PEAK)


#: The curves of a label: problem, series, solver and points of each.
_Curves = list[tuple[str, str, str, tuple[Point, ...]]]


def _has_sizes(curves: _Curves) -> bool:
    """Return whether the curves of a label have more than one size."""
    return len({point.n for *_, points in curves for point in points}) > 1


def _panel(label: str, curves: _Curves, quantity: Quantity) -> Panel:
    largest = max(point.x for *_, points in curves for point in points)
    shown = []
    for _, series, solver, points in curves:
        x, y = (np.array([getattr(point, axis) for point in points]) for axis in "xy")
        power = scaling.fit_medians(x, y) if quantity is SECONDS else None
        suffix = "" if power is None else format.power(power.exponent)
        shown.append(Curve(series, points, solver, suffix=suffix, heading=_heading(points, largest)))
    return Panel(label, SIZES, quantity.axis, tuple(shown), problem=curves[0][0])


def _rows(by_label: dict[str, _Curves], quantity: Quantity) -> list[Panel]:
    known = {label: curves for label, curves in by_label.items() if not _has_sizes(curves)}
    if not known:
        return []
    found: dict[tuple[str, str], list[Point]] = {}
    for place, curves in enumerate(known.values()):
        for _, series, solver, (point,) in curves:
            placed = replace(point, x=point.y, y=place)
            found.setdefault((series, solver), []).append(placed)
    rows = tuple(f"{label}, n = {curves[0][-1][0].n:,}" for label, curves in known.items())
    shown = tuple(Curve(series, tuple(points), solver, shape="points") for (series, solver), points in found.items())
    return [Panel("cases of one size", quantity.axis, Axis("", "count", is_log=False), shown, rows=rows)]


def _heading(points: tuple[Point, ...], largest: float) -> float:
    """Return where a curve that ends early would be at the largest n: labels are sorted by it."""
    last = points[-1]
    if len(points) < 2 or last.x == largest:
        return last.y
    (x0, x1), (y0, y1) = (np.log([getattr(point, axis) for point in points[-2:]]) for axis in "xy")
    return math.exp(y1 + (y1 - y0) / (x1 - x0) * (math.log(largest) - x1))


TIME = Chart(
    "time",
    "Time against size",
    "Median time of a solve; a bar spans the fastest and the slowest sample. nᵇ is a least-squares fit to the "
    "logarithms of the medians, given three sizes or more. Thick lines: Lapmark’s solvers, dotted without vector "
    "instructions. Thin dashed lines: other packages.",
    time,
)

TIME_OF_ONE_SIZE = Chart(
    "time-of-one-size",
    "Time of cases with one size",
    "Median time of a solve; the bar spans the fastest and the slowest sample.",
    time_of_one_size,
)

MEMORY = Chart(
    "memory",
    "Peak memory against size",
    "Peak resident memory during the solve, minus that of the worker with the problem built. Peaks below 64 KiB are "
    "drawn at 64 KiB. Grey: one float64 copy of the cost matrix, for scale.",
    memory,
)

MEMORY_OF_ONE_SIZE = Chart(
    "memory-of-one-size",
    "Peak memory of cases with one size",
    "Peak resident memory during the solve, minus that of the worker with the problem built.",
    memory_of_one_size,
)
