"""Chart of the fitted exponents of time against n, with their intervals."""

import numpy as np
import pandas as pd

from lapmark.bench.util import units
from lapmark.reports import format, scaling

from .chart import Chart
from .panel import Axis, Curve, Panel, Point

#: Range of exponents that is drawn; intervals are cut off at its ends.
LOWEST, HIGHEST = -1.0, 5.0


def panels(cells: pd.DataFrame) -> list[Panel]:
    """Return a panel per label with a row per solver, the slowest growth on top."""
    problems = dict(zip(cells["label"], cells["problem"], strict=True))
    return [_panel(str(label), problems[label], rows) for label, rows in scaling.exponents(cells).groupby("label")]


def _panel(label: str, problem: str, rows: pd.DataFrame) -> Panel:
    low, high = max(LOWEST, min(0.0, rows["low"].min())), min(HIGHEST, max(3.0, rows["high"].max()))

    def within(value: float) -> float:
        return float(np.clip(value, low, high))

    curves = tuple(
        Curve(
            row.series,
            (Point(within(row.exponent), place, within(row.low), within(row.high), note=format.power(row.exponent)),),
            row.solver,
            shape="points",
        )
        for place, row in enumerate(rows.itertuples())
    )
    x = Axis("exponent b of time ≈ a nᵇ", "exponent", low - 0.1, high + 0.1, is_log=False)
    return Panel(label, x, Axis("", "count", is_log=False), curves, problem, rows=tuple(rows["series"]))


def numbers(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the exponents, their intervals, the sizes of the fit, and the time at the largest size."""
    found = scaling.exponents(cells)
    return pd.DataFrame(
        {
            "exponent": [f"{row.exponent:.2f}" for row in found.itertuples()],
            "95 % interval": [f"{row.low:.2f} to {row.high:.2f}" for row in found.itertuples()],
            "fitted to n": [f"{row.sizes} from {row.smallest:,} to {row.largest:,}" for row in found.itertuples()],
            "time at the largest": [units.show_duration(row.seconds) for row in found.itertuples()],
        },
        index=pd.MultiIndex.from_frame(found[["label", "series"]], names=["Case", "Solver"]),
    )


CHART = Chart(
    "scaling",
    "How time grows with n",
    "The exponent b of time ≈ a nᵇ, a least-squares fit to the logarithms of the medians at three sizes or more, with "
    "its 95 % interval (Student’s t). The interval is wide with few sizes, on a busy machine, or if the growth is not "
    "a power of n. At small sizes the constant cost of a call dominates and flattens the fit.",
    panels,
    numbers,
)
