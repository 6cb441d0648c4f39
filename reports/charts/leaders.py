"""Chart of the fastest solvers: the time of each over that of the fastest, a row per problem."""

from collections.abc import Iterable

import pandas as pd

from lapmark.bench.util.units import show_duration
from lapmark.reports import standings

from .chart import Chart
from .panel import Axis, Curve, Panel, Point

#: Most solvers that are drawn: as many as there are colours.
SHOWN = 8

#: Largest ratio that is drawn.
FARTHEST = 1000.0


def panels(cells: pd.DataFrame) -> list[Panel]:
    """Return a row per problem with a mark per solver; nothing for a single solver."""
    found = standings.standings(cells)
    return [] if found["series"].nunique() < 2 else [ratios(found, standings.best(found, SHOWN))]


def ratios(found: pd.DataFrame, shown: Iterable[str]) -> Panel:
    """Return the ratios of some series to the fastest, a row for each problem of these standings."""
    rows = {label: f"{label}, n = {n:,}" for label, n in found.groupby("label", sort=False)["n"].first().items()}
    labels = list(rows)
    curves = []
    for series in shown:
        own = found[found["series"] == series]
        points = tuple(
            Point(min(row.ratio, FARTHEST), labels.index(row.label), n=row.n, note=show_duration(row.seconds))
            for row in own.itertuples()
        )
        curves.append(Curve(series, points, str(own["solver"].iloc[0]), shape="points"))
    high = max(2.0, *(point.x * 1.1 for curve in curves for point in curve.points))
    x = Axis("time over that of the fastest", "×", 0.93, high, ceiling=FARTHEST, ceiling_text="1,000× and more")
    return Panel("", x, Axis("", "count", is_log=False), tuple(curves), rows=tuple(rows.values()), level=1.0)


CHART = Chart(
    "leaders",
    "Fastest solvers",
    "Time of a solver over that of the fastest, at the largest size of each problem that one of them solved. Solved "
    "means certified optimal by a solver that claims the optimum; with blur, within 0.1 % of the optimum with blur. "
    "The eight solvers that lead most often, then those nearest to the fastest.",
    panels,
)
