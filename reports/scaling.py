"""How time grows: with n, as a fitted power and how sure it is, and with threads. No drawing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from . import tables

#: Sizes below which no power is fitted: two points lie on every line.
LEAST_SIZES = 3

#: How sure an interval is.
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Power:
    """The b of seconds ≈ a · nᵇ, with the ends of its interval."""

    exponent: float
    low: float
    high: float


def fit(sizes: pd.Series, seconds: pd.Series) -> Power | None:
    """A power law, by least squares on the logarithms of n and of the median time at each n.

    The interval is Student's, from what the medians are off the line, on two degrees of freedom less than there are
    sizes. It tells how well a power describes these sizes, be it noise or a bend that keeps it from doing so; what
    happens beyond them it cannot tell (Goldsmith, Aiken and Wilkerson, "Measuring empirical computational complexity",
    ESEC/FSE 2007).

    Parameters
    ----------
    sizes, seconds : Series
        Of any number of cells, several of one size included.

    Returns
    -------
    Power or None
        None below three sizes.
    """
    medians = seconds.groupby(sizes.to_numpy()).median()
    medians = medians[(medians.index > 0) & (medians > 0)]
    if len(medians) < LEAST_SIZES:
        return None
    line = stats.linregress(np.log(medians.index.to_numpy(dtype=float)), np.log(medians.to_numpy()))
    away = stats.t.ppf((1 + CONFIDENCE) / 2, len(medians) - 2) * line.stderr
    return Power(float(line.slope), float(line.slope - away), float(line.slope + away))


def exponents(cells: pd.DataFrame) -> pd.DataFrame:
    """The power of each certified curve, slowest growth first within a label.

    Columns
    -------
    label, series, solver
    exponent, low, high
        As in `Power`.
    smallest, largest, sizes
        The n that it was fitted to, and how many.
    seconds
        Median at the largest.
    """
    rows = []
    for (label, series, solver), curve in tables.compared(cells).groupby(["label", "series", "solver"]):
        if power := fit(curve["n"], curve["seconds"]):
            medians = curve.groupby("n")["seconds"].median()
            known = (power.exponent, power.low, power.high, medians.index[0], medians.index[-1], len(medians))
            rows.append((label, series, solver, *known, medians.iloc[-1]))
    columns = ["label", "series", "solver", "exponent", "low", "high", "smallest", "largest", "sizes", "seconds"]
    return pd.DataFrame(rows, columns=columns).sort_values(["label", "exponent"], ignore_index=True)


def by_threads(cells: pd.DataFrame) -> pd.DataFrame:
    """How many times as fast a solver is with more threads, at the largest n that it solved with several counts.

    Columns
    -------
    label, solver, n, threads, seconds
        Medians over seeds.
    ratio
        Time with the fewest threads over this one.
    efficiency
        The ratio over how many times as many threads there are.
    """
    medians = tables.compared(cells).groupby(["label", "solver", "n", "threads"], as_index=False)["seconds"].median()
    several = medians.groupby(["label", "solver", "n"])["threads"].transform("size") > 1
    medians = medians[several]
    medians = medians[medians["n"] == medians.groupby(["label", "solver"])["n"].transform("max")]
    fewest = medians.groupby(["label", "solver"])[["threads", "seconds"]].transform("first")
    ratio = fewest["seconds"] / medians["seconds"]
    return medians.assign(ratio=ratio, efficiency=ratio * fewest["threads"] / medians["threads"])
