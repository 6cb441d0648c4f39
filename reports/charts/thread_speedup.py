"""Chart of the speed-up by threads."""

import pandas as pd

from lapmark.bench.util import units
from lapmark.reports import format, scaling

from .chart import Chart
from .panel import Axis, Curve, Panel, Point


def panels(cells: pd.DataFrame) -> list[Panel]:
    """Return a panel per label: the speed-up against the number of threads, and the ideal speed-up."""
    found = scaling.by_threads(cells)
    problems = dict(zip(cells["label"], cells["problem"], strict=True))
    return [_panel(str(label), problems[label], rows) for label, rows in found.groupby("label")]


def _panel(label: str, problem: str, rows: pd.DataFrame) -> Panel:
    counts = sorted(set(rows["threads"]))
    guide = tuple((float(count), count / counts[0]) for count in counts)
    curves = tuple(
        Curve(
            str(solver),
            tuple(Point(float(row.threads), row.ratio, n=row.n) for row in curve.itertuples()),
            str(solver),
        )
        for solver, curve in rows.groupby("solver")
    )
    y = Axis("speed-up", "×", min(0.7, rows["ratio"].min() / 1.2), 1.2 * guide[-1][1], base=2)
    return Panel(label, Axis("threads", "count"), y, curves, problem, level=1.0, guide=guide)


def numbers(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the time, speed-up and efficiency by number of threads."""
    found = scaling.by_threads(cells)
    return pd.DataFrame(
        {
            "n": [f"{n:,}" for n in found["n"]],
            "threads": [str(count) for count in found["threads"]],
            "time": [units.show_duration(seconds) for seconds in found["seconds"]],
            "speed-up": [format.ratio(ratio) for ratio in found["ratio"]],
            "efficiency": [f"{100 * efficiency:.0f} %" for efficiency in found["efficiency"]],
        },
        index=pd.MultiIndex.from_frame(found[["label", "solver"]], names=["Case", "Solver"]),
    )


CHART = Chart(
    "threads",
    "Speed-up by threads",
    "Time with the fewest threads over the time with more, at the largest n that a solver answered with several "
    "numbers of threads. Grey: the ideal, twice as fast with twice as many.",
    panels,
    numbers,
)
