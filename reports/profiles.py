"""Performance and data profiles: summaries of a solver's times over many cases, without drawing.

A solver is judged on the cases that it takes; others are not part of its profile, and reports say how many it takes.
Its time is infinite if it timed out, ran out of memory, crashed or was refuted, and if the run skipped it because it
had reached a limit on a smaller case of the kind. Cases that no solver solved are left out.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from lapmark.bench.results.record import METRICS
from lapmark.bench.results.statuses import LIMIT_REACHED

from .verdicts import CONVERGED

#: Kinds of problems. Solvers of different kinds are not compared.
KINDS = ("assignment", "transport", "transport with a blur")
ASSIGNMENT, TRANSPORT, BLURRED = KINDS

#: Fewest cases of a profile.
LEAST_CASES = 3

#: Gaps of data profiles; one that no solver reaches earlier than the next smaller one is left out.
GAPS = (0.0, 1e-3, 1e-2, 1e-1)


def behind_the_best(cells: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield Dolan and Moré's performance ratios: the time over that of the fastest solver of the case.

    A problem without blur is solved by a certified optimum, and its profile has only solvers that claim the optimum;
    one with blur is solved by any answer within 0.1 % of the optimum with blur. (Dolan and Moré, "Benchmarking
    optimization software with performance profiles", Mathematical Programming 91, 2002.)

    Parameters
    ----------
    cells : DataFrame
        The table of `tables.frame`.

    Yields
    ------
    kind : str
        One of `KINDS`.
    ratios : DataFrame
        A row per case, a column per series: at least 1, inf for a failure, NaN for a case that it does not take.
    """
    for kind, rows in kinds(cells):
        rows = rows if kind == BLURRED else rows[rows["exact"]]
        seconds = _solved(rows.assign(time=_time_to(rows, CONVERGED)), "series")
        if len(seconds) >= LEAST_CASES:
            yield kind, seconds.div(seconds.min(axis=1), axis=0)


def times_to_gap(cells: pd.DataFrame) -> Iterator[tuple[str, float, pd.DataFrame]]:
    """Yield the time in which each solver, with its best setting, has an answer within a gap.

    The distribution of these times over the cases is a data profile (Moré and Wild, "Benchmarking derivative-free
    optimization algorithms", SIAM Journal on Optimization 20, 2009), here with seconds as the budget. A gap that every
    solver reaches as fast as the next smaller one is left out.

    Yields
    ------
    kind : str
        One of `KINDS`.
    gap : float
        One of `GAPS`: relative to the certified lower bound, or with blur to the optimum with blur.
    seconds : DataFrame
        A row per case, a column per solver without its settings: inf if it has no such answer, NaN for a case that it
        does not take.
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
    """Return the share of the known values that are at most each limit: the distribution function of a profile."""
    known = np.sort(values.dropna().to_numpy(dtype=float))
    return np.searchsorted(known, limits, side="right") / max(len(known), 1)


def kinds(cells: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the current cells of solvers by kind, with the solver and its threads as `contender`.

    The certificates tell the kind: those of plans have marginal errors, those with blur an entropic gap as well.
    """
    rows = cells[cells["current"] & (cells["group"] != "harness")]
    rows = rows.assign(contender=[row.series.replace(row.solver, row.base, 1) for row in rows.itertuples()])
    plans, blurred = (set(rows.loc[rows[name].notna(), "case"]) for name in ("marginal_error", "entropic_gap"))
    kind = rows["case"].map(lambda case: BLURRED if case in blurred else TRANSPORT if case in plans else ASSIGNMENT)
    for name in KINDS:
        if (kind == name).any():
            yield name, rows[kind == name]


def _time_to(rows: pd.DataFrame, gap: float) -> pd.Series:
    """Return the times of cells whose answer is certified within a gap; inf for others, NaN for cases not taken."""
    error = rows["entropic_gap"].fillna(rows["gap"])
    near = rows["exact"] | (error <= max(gap, METRICS[0].negligible))
    # A time of 0 has no ratio and no logarithm.
    time = rows["seconds"].where((rows["status"] == "ok") & (rows["seconds"] > 0) & near, np.inf)
    return time.mask((rows["status"] == "skipped") & ~_reached_limit_before(rows))


def _reached_limit_before(rows: pd.DataFrame) -> pd.Series:
    """Return whether a solver reached a limit on a smaller case of the label, after which a run skips larger ones."""
    limits = rows[rows["status"].isin(LIMIT_REACHED)].groupby(["label", "series"])["n"].min()
    smallest = rows.set_index(["label", "series"]).index.map(limits.to_dict()).to_numpy(dtype=float)
    return rows["n"] > smallest


def _solved(rows: pd.DataFrame, who: str) -> pd.DataFrame:
    """Return the best times by case and solver, without cases that no solver solved."""
    seconds = rows.pivot_table(index="case", columns=who, values="time", aggfunc="min")
    return seconds[np.isfinite(seconds).any(axis=1)]
