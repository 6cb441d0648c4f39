"""Chart of the fastest solvers: the time of each over that of the fastest, a row per problem."""

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
    if found["series"].nunique() < 2:
        return []
    labels = list(dict.fromkeys(found["label"]))
    sizes = found.groupby("label")["n"].first()
    curves = []
    for series in standings.best(found, SHOWN):
        rows = found[found["series"] == series]
        points = tuple(
            Point(min(row.ratio, FARTHEST), labels.index(row.label), n=row.n, note=show_duration(row.seconds))
            for row in rows.itertuples()
        )
        curves.append(Curve(series, points, str(rows["solver"].iloc[0]), shape="points"))
    high = max(2.0, *(point.x * 1.1 for curve in curves for point in curve.points))
    x = Axis("time over that of the fastest", "×", 0.93, high, ceiling=FARTHEST, ceiling_text="1,000× and more")
    rows = tuple(f"{label}, n = {sizes[label]:,}" for label in labels)
    return [Panel("", x, Axis("", "count", is_log=False), tuple(curves), rows=rows, level=1.0)]


CHART = Chart(
    "leaders",
    "Fastest solvers",
    "Time of a solver over that of the fastest, at the largest size of each problem that one of them solved. Solved "
    "means certified optimal by a solver that claims the optimum; with blur, within 0.1 % of the optimum with blur. "
    "The eight solvers that lead most often, then those nearest to the fastest.",
    panels,
)
