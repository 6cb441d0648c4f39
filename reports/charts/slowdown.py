"""Chart of the slowdown on a hard family, relative to an easier one of the same size and settings."""

import numpy as np
import pandas as pd

from lapmark.bench.results.statuses import FAILURES
from lapmark.reports import format, tables

from .chart import Chart, indexed
from .panel import Axis, Curve, Panel, Point
from .time_and_memory import SIZES


def panels(cells: pd.DataFrame) -> list[Panel]:
    """Return a panel per label: the ratio of times on the harder and the easier label, against n."""
    found = tables.slowdowns(cells)
    problems = dict(zip(cells["label"], cells["problem"], strict=True))
    return [
        _panel(f"{label}, against {easier}", problems[label], rows)
        for (label, easier), rows in found.groupby(["label", "easier"])
    ]


def _panel(title: str, problem: str, rows: pd.DataFrame) -> Panel:
    curves = tuple(
        Curve(str(series), tuple(Point(float(row.n), row.ratio, n=row.n) for row in curve.itertuples()), str(series))
        for series, curve in rows.sort_values("n").groupby("series")
    )
    low, high = min(0.5, rows["ratio"].min() / 1.2), max(2.0, rows["ratio"].max() * 1.2)
    y = Axis("time over that of the easier case", "×", low, high)
    return Panel(title, SIZES, y, curves, problem, level=1.0)


def numbers(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the ratios, the largest first, and the status of cells that failed."""
    found = tables.slowdowns(cells)
    sizes = sorted(set(found["n"]))
    lines = {}
    for label, easier in _pairs(found):
        rows = found[(found["label"] == label) & (found["easier"] == easier)]
        failed = cells[cells["current"] & (cells["label"] == label) & cells["status"].isin(FAILURES)]
        table = rows.pivot_table(index="series", columns="n", values="ratio", aggfunc="median").reindex(columns=sizes)
        for series, ratios in table.sort_values(sizes[::-1], ascending=False).iterrows():
            status = failed[failed["series"] == series].groupby("n")["status"].first()
            texts = (format.ratio(each) if np.isfinite(each) else str(status.get(n, "")) for n, each in ratios.items())
            lines[label, series] = list(texts)
    return indexed(lines, [f"n = {n:,}" for n in sizes], ["Case", "Solver"])


def _pairs(found: pd.DataFrame) -> list[tuple[str, str]]:
    return sorted(set(zip(found["label"], found["easier"], strict=True)))


CHART = Chart(
    "slowdown",
    "Slowdown on hard cases",
    "Median time of a solver over its median time on an easier case of the same size and settings. 1× means no "
    "slowdown. A status in the table means that there is no certified answer.",
    panels,
    numbers,
)
