"""Evaluation of the advisor: its regret on each measured family, with that family left out of the model.

    python -m lapmark.bench.advice.evaluation

prints it for the measurements that ship with the package.
"""

import math

import pandas as pd

from lapmark.bench.results.record import METRICS
from lapmark.bench.util import spec

from . import shipped_measurements
from .advisor import Requirements, best
from .performance_model import PerformanceModel


def regret(cells: pd.DataFrame) -> pd.DataFrame:
    """Return how much slower than the best solver the chosen one is on families hidden from the model.

    `cells` has `measurements.COLUMNS`. The result has a row per measured case: `label`, `n`, `chosen`, `best`, and
    `regret`, the time of the chosen solver over that of the best exact one: inf where the chosen one failed, NaN
    without advice, where no other family of this kind was measured.
    """
    model, requirements = PerformanceModel.of(cells), Requirements()
    rows = []
    for target in model.targets():
        curves = model.curves[target.label]
        seconds = {
            series: curve.at(target.n, curve.seconds)
            for series, curve in curves.items()
            if target.n in curve.n and curve.gap <= METRICS[0].negligible
        }
        if not seconds:
            continue
        fastest = min(seconds, key=lambda series: seconds[series])
        predictions = model.predict(target, threads=None, hidden=spec.parse(target.label)[0])
        # Solvers that refuse such a problem, or are missing, are known without a measurement.
        chosen = best([each for each in predictions if (each.solver, each.threads) in curves], requirements)
        found = math.nan
        if chosen is not None:
            found = seconds.get((chosen.solver, chosen.threads), math.inf) / seconds[fastest]
        rows.append((target.label, target.n, chosen.solver if chosen else "", fastest[0], found))
    table = pd.DataFrame(rows, columns=["label", "n", "chosen", "best", "regret"])
    return table.sort_values(["label", "n"], ignore_index=True)


if __name__ == "__main__":
    found = regret(shipped_measurements.load())
    print(found.to_string(index=False))
    print(f"\nmedian regret {found['regret'].median():.2f}, of {found['regret'].notna().sum()} cases")
