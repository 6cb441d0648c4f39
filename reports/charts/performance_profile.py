"""Performance profiles (Dolan and Moré): the share of cases a solver answers within a factor of the fastest."""

import numpy as np
import pandas as pd

from lapmark.bench.util import units
from lapmark.reports import profiles

from . import distribution
from .chart import Chart, indexed
from .panel import Axis, Panel

#: Factors of the fastest time at which the table gives the share.
FACTORS = (1.0, 2.0, 10.0)

#: Largest ratio that is drawn: beyond it a curve only shows the share of solved cases, as its end does.
FARTHEST = 1000.0


def panels(cells: pd.DataFrame) -> list[Panel]:
    """Return a panel per kind of problem: the share of cases answered within a factor of the fastest time."""
    return [_panel(kind, ratios) for kind, ratios in profiles.behind_the_best(cells)]


def _panel(kind: str, ratios: pd.DataFrame) -> Panel:
    finite = ratios.to_numpy()[np.isfinite(ratios)]
    high = float(np.clip(1.1 * finite.max(), 2.0, FARTHEST))
    axis = Axis("time over that of the fastest", "×", 1.0, high)
    return distribution.panel(f"{kind}, {units.show_count_of(len(ratios), 'case')}", ratios, axis)


def numbers(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the shares at a few factors, the solver that is fastest most often first."""
    lines = {}
    for kind, ratios in profiles.behind_the_best(cells):
        shares = {name: profiles.share(column, [*FACTORS, np.finfo(float).max]) for name, column in ratios.items()}
        for name in sorted(shares, key=lambda name: tuple(shares[name]), reverse=True):
            taken = int(ratios[name].notna().sum())
            lines[kind, name] = [f"{taken} of {len(ratios)}", *(f"{100 * each:.0f} %" for each in shares[name])]
    factors = ["fastest", *(f"within {factor:g}×" for factor in FACTORS[1:])]
    return indexed(lines, ["takes", *factors, "solves"], ["Problem", "Solver"])


CHART = Chart(
    "profile",
    "Performance profiles",
    "Share of cases that a solver answers within a factor of the fastest solver’s time (Dolan and Moré 2002). At 1×: "
    "the share of cases in which it is the fastest. At the right end: the share that it solves at all. Solved means "
    "certified optimal, by a solver that claims the optimum; with blur, within 0.1 % of the optimum with blur, by any "
    "solver. Timeouts, crashes and wrong answers count as infinite time. Shares are of the cases that a solver takes; "
    "“12 of 20” after its name gives their number if it does not take all. Cases that no solver solved are left out. "
    "A curve depends on the other solvers in the run: without the first, the order of the others may change.",
    panels,
    numbers,
)
