"""What many cases say together: how far each solver is behind the best, and how much it answers by when. No drawing.

A solver is judged on the cases that it takes: one that it does not claim to solve is no failure, and no case of its
profile either; how many it takes is told beside it. Where it timed out, ran out of memory, crashed or was refuted, its
time is infinite, and so it is where a run did not try it because a smaller case of the kind had been too much. A case
that nobody solved tells nothing of any solver, and is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from lapmark.bench.results.record import METRICS
from lapmark.bench.results.statuses import LIMIT_REACHED

from .verdicts import CONVERGED

#: What problems ask for. Solvers of different ones do not compare.
KINDS = ("assignment", "transport", "transport with a blur")
ASSIGNMENT, TRANSPORT, BLURRED = KINDS

#: Fewer cases are no profile.
LEAST_CASES = 3

#: Gaps by which times are asked for, where some solver makes use of them.
GAPS = (0.0, 1e-3, 1e-2, 1e-1)


def behind_the_best(cells: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Dolan and Moré's performance ratios: time over that of the fastest solver of the case.

    A linear problem is solved by the certified optimum, and only solvers that claim it are in the profile; one with a
    blur by any answer within 0.1 % of its own optimum. (Dolan and Moré, "Benchmarking optimization software
    with performance profiles", Mathematical Programming 91, 2002.)

    Parameters
    ----------
    cells : DataFrame
        As `tables.frame` makes it.

    Yields
    ------
    kind : str
        One of `KINDS`.
    ratios : DataFrame
        A row per case, a column per series: at least 1, inf where it failed, NaN where it does not take the case.
    """
    for kind, rows in kinds(cells):
        rows = rows if kind == BLURRED else rows[rows["exact"]]
        seconds = _solved(rows.assign(time=_time_to(rows, CONVERGED)), "series")
        if len(seconds) >= LEAST_CASES:
            yield kind, seconds.div(seconds.min(axis=1), axis=0)


def times_to_gap(cells: pd.DataFrame) -> Iterator[tuple[str, float, pd.DataFrame]]:
    """The time after which each solver, at the best of its settings for this, has an answer within a gap.

    The distribution of these times over the cases is what Moré and Wild call a data profile ("Benchmarking
    derivative-free optimization algorithms", SIAM Journal on Optimization 20, 2009), here with seconds for the budget.
    A gap that nobody needs, since those who reach it reach the next smaller one as fast, is left out.

    Yields
    ------
    kind : str
        One of `KINDS`.
    gap : float
        Of `GAPS`: to the certified lower bound, or with a blur to the optimum with it.
    seconds : DataFrame
        A row per case, a column per solver without its settings: inf where it never comes so near, NaN where it does
        not take the case.
    """
    for kind, rows in kinds(cells):
        last = None
        for gap in GAPS:
            seconds = _solved(rows.assign(time=_time_to(rows, gap)), "contender")
            seconds = seconds.loc[:, np.isfinite(seconds).any()]
            if len(seconds) >= LEAST_CASES and (last is None or not seconds.equals(last)):
                yield kind, gap, seconds
            last = seconds


def share(values: pd.Series, limits: Sequence[float] | np.ndarray) -> np.ndarray:
    """The share of the known values up to each limit: the distribution function that a profile shows."""
    known = np.sort(values.dropna().to_numpy(dtype=float))
    return np.searchsorted(known, limits, side="right") / max(len(known), 1)


def kinds(cells: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """The current cells of solvers by kind, with the solver and its threads as `contender`.

    Told from the certificates: those of plans hold marginal errors, those with a blur an entropic gap too.
    """
    rows = cells[cells["current"] & (cells["group"] != "harness")]
    rows = rows.assign(contender=[row.series.replace(row.solver, row.base, 1) for row in rows.itertuples()])
    plans, blurred = (set(rows.loc[rows[name].notna(), "case"]) for name in ("marginal_error", "entropic_gap"))
    kind = rows["case"].map(lambda case: BLURRED if case in blurred else TRANSPORT if case in plans else ASSIGNMENT)
    for name in KINDS:
        if (kind == name).any():
            yield name, rows[kind == name]


def _time_to(rows: pd.DataFrame, gap: float) -> pd.Series:
    """Median time of the cells whose answer is certified to be that near; inf for others, NaN for what is not taken."""
    error = rows["entropic_gap"].fillna(rows["gap"])
    near = rows["exact"] | (error <= max(gap, METRICS[0].negligible))
    # A time of 0 is none that ratios and logarithms can be made of.
    time = rows["seconds"].where((rows["status"] == "ok") & (rows["seconds"] > 0) & near, np.inf)
    return time.mask((rows["status"] == "skipped") & ~_defeated(rows))


def _defeated(rows: pd.DataFrame) -> pd.Series:
    """Whether a solver came to a limit on a smaller case of the same label: the run then spares it the larger ones."""
    limits = rows[rows["status"].isin(LIMIT_REACHED)].groupby(["label", "series"])["n"].min()
    smallest = rows.set_index(["label", "series"]).index.map(limits.to_dict()).to_numpy(dtype=float)
    return rows["n"] > smallest


def _solved(rows: pd.DataFrame, who: str) -> pd.DataFrame:
    """Times by case and solver, the best where a solver has several, without cases that nobody solved."""
    seconds = rows.pivot_table(index="case", columns=who, values="time", aggfunc="min")
    return seconds[np.isfinite(seconds).any(axis=1)]
