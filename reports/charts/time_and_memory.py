"""Charts of time and memory against n: a panel per case with a curve per solver, and a row per case of one size."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

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

    def known(self, cells: pd.DataFrame) -> pd.DataFrame:
        """Return the certified cells that have the quantity."""
        rows = tables.certified(cells).dropna(subset=self.column)
        if self.column == "peak_memory":
            rows = rows.assign(peak_memory=rows["peak_memory"].astype("float64").clip(lower=SMALLEST_PEAK))
        return rows[rows[self.column] > 0]


SECONDS = Quantity("seconds", Axis("time of a solve", "s"))
PEAK = Quantity("peak_memory", Axis("peak memory", "B", base=4))


def time(cells: pd.DataFrame) -> list[Panel]:
    """Return the median time against n, with the range of all samples, and fitted exponents in the labels."""
    return [_curves(label, rows, SECONDS) for label, rows in _by_label(cells, SECONDS, several=True)]


def memory(cells: pd.DataFrame) -> list[Panel]:
    """Return the peak memory over the worker's baseline against n, and one float64 copy of the costs for comparison."""
    return [_curves(label, rows, PEAK) for label, rows in _by_label(cells, PEAK, several=True)]


def time_of_one_size(cells: pd.DataFrame) -> list[Panel]:
    """Return the median times of the cases that were run at one size, a row per case."""
    return _rows(cells, SECONDS)


def memory_of_one_size(cells: pd.DataFrame) -> list[Panel]:
    """Return the peak memory of the cases that were run at one size, a row per case."""
    return _rows(cells, PEAK)


def _by_label(cells: pd.DataFrame, quantity: Quantity, several: bool) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the labels that have several sizes, or one, with their cells."""
    for label, rows in quantity.known(cells).groupby("label"):
        if (rows["n"].nunique() > 1) is several:
            yield str(label), rows


def _curves(label: str, rows: pd.DataFrame, quantity: Quantity) -> Panel:
    largest = int(rows["n"].max())
    curves = []
    for (series, solver), curve in rows.groupby(["series", "solver"]):
        points = curve_points(curve, quantity)
        power = scaling.fit(curve["n"], curve["seconds"]) if quantity is SECONDS else None
        suffix = "" if power is None else format.power(power.exponent)
        curves.append(Curve(str(series), points, str(solver), suffix=suffix, heading=_heading(points, largest)))
    guide: list[tuple[float, float]] = []
    if quantity is PEAK:
        shape = rows.drop_duplicates("n").sort_values("n")
        columns = shape["m"].fillna(shape["n"]).astype("float64")
        guide = [(float(n), 8.0 * n * m) for n, m in zip(shape["n"], columns, strict=True)]
    problem = str(rows["problem"].iloc[0])
    return Panel(label, SIZES, quantity.axis, tuple(curves), problem, guide=tuple(guide))


def _rows(cells: pd.DataFrame, quantity: Quantity) -> list[Panel]:
    known = list(_by_label(cells, quantity, several=False))
    if not known:
        return []
    rows = tuple(f"{label}, n = {cells_of['n'].iloc[0]:,}" for label, cells_of in known)
    found: dict[tuple[str, str], list[Point]] = {}
    for place, (_, cells_of) in enumerate(known):
        for (series, solver), cell in cells_of.groupby(["series", "solver"]):
            (point,) = curve_points(cell, quantity)
            placed = Point(point.y, place, point.low, point.high, point.n)
            found.setdefault((str(series), str(solver)), []).append(placed)
    curves = tuple(Curve(series, tuple(points), solver, shape="points") for (series, solver), points in found.items())
    return [Panel("cases of one size", quantity.axis, Axis("", "count", is_log=False), curves, rows=rows)]


def curve_points(curve: pd.DataFrame, quantity: Quantity) -> tuple[Point, ...]:
    """Return the medians of a curve by n, times with the fastest and the slowest sample."""
    by_n = curve.groupby("n")
    medians = by_n[quantity.column].median()
    if quantity is not SECONDS:
        return tuple(Point(float(n), float(value), n=int(n)) for n, value in medians.items())
    ends = zip(by_n["seconds_min"].min(), by_n["seconds_max"].max(), strict=True)
    return tuple(
        Point(float(n), float(value), float(low), float(high), int(n))
        for (n, value), (low, high) in zip(medians.items(), ends, strict=True)
    )


def _heading(points: tuple[Point, ...], largest: int) -> float:
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
