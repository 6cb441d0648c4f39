"""Growth of time with n, as a fitted power with its interval, and speed-up by threads, without drawing."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from . import tables

#: Fewest sizes of a fit: any two points lie on a line.
LEAST_SIZES = 3

#: Confidence level of an interval.
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Power:
    """The b of seconds ≈ a · nᵇ, with the ends of its interval."""

    exponent: float
    low: float
    high: float


def fit(sizes: pd.Series, seconds: pd.Series) -> Power | None:
    """Fit a power law to times, (k,) each, possibly several of one size; as in `fit_medians`."""
    medians = seconds.groupby(sizes.to_numpy()).median()
    return fit_medians(medians.index.to_numpy(), medians.to_numpy())


def fit_medians(sizes: np.ndarray, medians: np.ndarray) -> Power | None:
    """Fit a power law, by least squares on the logarithms of n and of the median time at each n.

    The interval is Student's, from the residuals of the medians, with two degrees of freedom less than sizes. It says
    how well a power describes these sizes, in the presence of noise or curvature, and nothing of other sizes
    (Goldsmith, Aiken and Wilkerson, "Measuring empirical computational complexity", ESEC/FSE 2007).

    Parameters
    ----------
    sizes, medians : (k,) array
        Different sizes, and the median time in seconds of each.

    Returns
    -------
    Power or None
        None below three sizes.
    """
    known = (sizes > 0) & (medians > 0)
    if np.count_nonzero(known) < LEAST_SIZES:
        return None
    x, y = np.log(sizes[known].astype(float)), np.log(medians[known])
    x, y, freedom = x - x.mean(), y - y.mean(), len(x) - 2
    slope = x @ y / (x @ x)
    residual = y - slope * x
    error = np.sqrt(residual @ residual / freedom / (x @ x))
    away = special.stdtrit(freedom, (1 + CONFIDENCE) / 2) * error  # not scipy.stats, which takes long to load
    return Power(float(slope), float(slope - away), float(slope + away))


def curves(ok: pd.DataFrame) -> Iterator[tuple[tuple[str, str, str], tuple[np.ndarray, np.ndarray]]]:
    """Yield label, series and solver of each curve of certified cells, with its sizes and its median times there."""
    medians = ok.groupby(["label", "series", "solver", "n"], observed=True)["seconds"].median()
    for names, curve in itertools.groupby(medians.items(), key=lambda each: each[0][:3]):
        sizes, times = zip(*((name[3], seconds) for name, seconds in curve), strict=True)
        yield names, (np.array(sizes), np.array(times))


def exponents(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the power of each certified curve, the slowest growth first within a label.

    Columns
    -------
    label, series, solver
    exponent, low, high
        As in `Power`.
    smallest, largest, sizes
        Range and number of the n of the fit.
    seconds
        Median at the largest.
    """
    rows = []
    for (label, series, solver), (sizes, medians) in curves(tables.compared(cells)):
        if power := fit_medians(sizes, medians):
            known = (power.exponent, power.low, power.high, sizes[0], sizes[-1], len(sizes), medians[-1])
            rows.append((label, series, solver, *known))
    columns = ["label", "series", "solver", "exponent", "low", "high", "smallest", "largest", "sizes", "seconds"]
    return pd.DataFrame(rows, columns=columns).sort_values(["label", "exponent"], ignore_index=True)


def by_threads(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the speed-up of each solver by threads, at the largest n that it solved with several numbers of them.

    Columns
    -------
    label, solver, n, threads, seconds
        Medians over seeds.
    ratio
        Time with the fewest threads over this one.
    efficiency
        The ratio, divided by the ratio of the numbers of threads.
    """
    medians = tables.compared(cells).groupby(["label", "solver", "n", "threads"], as_index=False)["seconds"].median()
    several = medians.groupby(["label", "solver", "n"])["threads"].transform("size") > 1
    medians = medians[several]
    medians = medians[medians["n"] == medians.groupby(["label", "solver"])["n"].transform("max")]
    fewest = medians.groupby(["label", "solver"])[["threads", "seconds"]].transform("first")
    ratio = fewest["seconds"] / medians["seconds"]
    return medians.assign(ratio=ratio, efficiency=ratio * fewest["threads"] / medians["threads"])
