"""The charts of a report: pure functions from the table of cells to a figure, None where there is nothing to draw.

Only certified cells are drawn, but for the profiles, where others count as failures, and the status matrix, which shows
them all.
"""

from __future__ import annotations

from . import curves, errors, exponents, in_time, profile, regret, slowdown, speedup, status, threads
from .base import Chart

__all__ = ["ALL", "Chart"]

#: In the order of the page: what sums up the run, what each case shows, what became of every cell.
ALL: tuple[Chart, ...] = (
    profile.CHART,
    in_time.CHART,
    curves.TIME,
    exponents.CHART,
    threads.CHART,
    speedup.CHART,
    slowdown.CHART,
    *errors.CHARTS,
    curves.MEMORY,
    regret.CHART,
    status.CHART,
)
