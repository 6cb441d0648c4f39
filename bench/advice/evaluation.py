"""Evaluation of the advisor, with the family of each problem left out of what it knows.

The measure is that of algorithm selection (B. Bischl et al., ASlib: A benchmark library for algorithm selection,
Artificial Intelligence 237 (2016) 41–58). The advice is compared with the virtual best solver (VBS), which is the best
one for each problem, and with the single best solver (SBS), which has the least mean time on the other families. The
closed gap is (SBS − advice) / (SBS − VBS), in logarithms of seconds: 1 is perfect, 0 no better than one solver for
everything. The time of computing features counts as part of the advice's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from . import candidates, features
from .measurements import with_features, with_matrix_costs
from .run_matrix import CUTOFF, FEATURES, PENALTY, PORTFOLIOS, RunMatrix
from .similarity_model import MOST_FAILING, Estimate, SimilarityModel


def matrices(cells: pd.DataFrame) -> dict[str, RunMatrix]:
    """Return the run matrix of each group of a table with `measurements.COLUMNS`, those with one thread."""
    cells = with_matrix_costs(with_features(cells))
    return RunMatrix.of(cells[cells["threads"] == cells["threads"].min()])


def evaluate(cells: pd.DataFrame, portfolios: Mapping[str, Callable[[str], bool]] = PORTFOLIOS) -> pd.DataFrame:
    """Return the choice for each measured case in each portfolio, with its family left out.

    The columns are `portfolio`, `group`, `label`, `n`, the names `chosen`, `best` and `single`, their seconds
    `chosen_seconds` (features included), `best_seconds` and `single_seconds`, and the interval `low` to `high` that was
    predicted for the chosen one without the features. Seconds of a failed run are penalized (`RunMatrix.penalized`).
    Cases of the only family of a group are left out.
    """
    found = [
        row
        for group, matrix in matrices(cells).items()
        for portfolio, takes in portfolios.items()
        for row in _choices(portfolio, group, matrix.restricted(takes))
    ]
    return pd.DataFrame(found, columns=COLUMNS)


COLUMNS = ["portfolio", "group", "label", "n", "chosen", "best", "single"]
COLUMNS += ["chosen_seconds", "best_seconds", "single_seconds", "low", "high"]


def _choices(portfolio: str, group: str, matrix: RunMatrix) -> list[tuple[object, ...]]:
    families = matrix.cases["family"].unique()
    if len(families) < 2 or len(matrix.seconds.columns) < 2:
        return []
    model, found = SimilarityModel.of(matrix), list[tuple[object, ...]]()
    for family in families:
        single = matrix.without(family).single_best()
        tested = matrix.only(family)
        times, takes = tested.penalized.to_numpy(), tested.seconds.notna().to_numpy()
        known, sides = tested.cases[FEATURES].to_numpy(dtype=float), tested.cases["m"].to_numpy(dtype=int)
        for place, (label, n) in enumerate(tested.cases.index):
            estimate = model.estimate(n, int(sides[place]), known[place], family, takes[place])
            choice = chosen_place(model.names, estimate, takes[place], single, model.margin(estimate, family))
            half = model.half_width(estimate, family)[choice]
            low, high = (math.exp(estimate.log_seconds[choice] + sign * half) for sign in (-1, 1))
            best = int(times[place].argmin())
            charged = features.SECONDS if estimate.used_features else 0.0
            seconds = times[place, [choice, best, model.names.index(single)]] + (charged, 0.0, 0.0)
            names = (model.names[choice], model.names[best], single)
            found.append((portfolio, group, label, n, *names, *seconds.tolist(), low, high))
    return found


def chosen_place(names: tuple[str, ...], estimate: Estimate, takes: np.ndarray, single: str, margin: float) -> int:
    """Return the place of the candidate to choose: the single best one unless another gains more than the margin."""
    possible = np.where(takes & np.isfinite(estimate.log_seconds), estimate.score, math.inf)
    is_safe = estimate.failing <= MOST_FAILING
    if np.isfinite(possible[is_safe]).any():
        possible = np.where(is_safe, possible, math.inf)
    place = int(possible.argmin())
    if single in names:
        usual = names.index(single)
        if possible[usual] - possible[place] < math.log(margin):
            return usual
    return place


def summary(found: pd.DataFrame) -> pd.DataFrame:
    """Return a row per portfolio and group of `evaluate`: ratios to the VBS, closed gap, PAR10, and the intervals.

    `single` and `advice` are geometric means of the time over that of the best, `closed` is the closed gap, NaN where
    there is none to close, and `worst` the largest regret; the PAR10 are means in seconds. `covered` is the share of
    intervals that hold the time, and `width` the median of the upper end over the lower.
    """
    rows = {}
    for key, each in found.groupby(["portfolio", "group"], sort=False):
        single, advice = (np.log(each[f"{name}_seconds"] / each["best_seconds"]) for name in ("single", "chosen"))
        solved = each[each["chosen_seconds"] < CUTOFF * PENALTY]
        is_covered = (solved["low"] <= solved["chosen_seconds"]) & (solved["chosen_seconds"] <= solved["high"])
        rows[key] = {
            "cases": len(each),
            "single": math.exp(single.mean()),
            "advice": math.exp(advice.mean()),
            "closed": 1 - advice.mean() / single.mean() if single.mean() > NO_GAP else math.nan,
            "worst": math.exp(advice.max()),
            "par10_single": each["single_seconds"].mean(),
            "par10_advice": each["chosen_seconds"].mean(),
            "par10_best": each["best_seconds"].mean(),
            "covered": is_covered.mean(),
            "width": (each["high"] / each["low"]).median(),
        }
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.index = pd.MultiIndex.from_tuples(table.index, names=["portfolio", "group"])
    return table


#: Gap between SBS and VBS, in logarithms of seconds, below which there is nothing to close.
NO_GAP = 0.01


def evaluate_auto(cells: pd.DataFrame) -> pd.DataFrame:
    """Return how much slower `solve` without a solver's name is than the best of ours: `group`, `label`, `n`, `best`,
    and `ratio`."""
    rows = []
    for group, matrix in matrices(cells).items():
        if candidates.AUTO not in matrix.seconds:
            continue
        ours = matrix.restricted(lambda name: candidates.is_ours(name) and name != candidates.DROP_IN)
        for (label, n), times in ours.penalized.iterrows():
            best = times.idxmin()
            rows.append((group, label, n, best, float(matrix.penalized.loc[(label, n), candidates.AUTO] / times[best])))
    return pd.DataFrame(rows, columns=["group", "label", "n", "best", "ratio"])


def regret(cells: pd.DataFrame) -> pd.DataFrame:
    """Return how much slower than the best solver the chosen one is on families hidden from the model.

    The result has a row per measured case: `label`, `n`, `chosen`, `best`, and `regret`, the time of the chosen solver
    over that of the best: inf where the chosen one failed, NaN without advice, where no other family of the group was
    measured.
    """
    found = evaluate(cells, {"everything": PORTFOLIOS["everything"]})
    ratio = found["chosen_seconds"] / found["best_seconds"]
    found["regret"] = ratio.where(found["chosen_seconds"] < PENALTY * CUTOFF, math.inf)
    every = pd.concat([matrix.cases[[]] for matrix in matrices(cells).values()] or [pd.DataFrame()]).reset_index()
    table = every.merge(found, on=["label", "n"], how="left") if len(found) else every.assign(regret=math.nan)
    table = table.reindex(columns=["label", "n", "chosen", "best", "regret"])
    return table.sort_values(["label", "n"], ignore_index=True)
