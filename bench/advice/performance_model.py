"""Performance model: predicted time and memory of every solver on a problem, from measured cells.

On a measured family a solver's time follows the power law between neighbouring sizes (`performance_curve`). On a
problem of no measured family the prediction is the mean over the nearest families, in logarithms. Intervals come from
the errors of such predictions on the measured cells, with a size or a family left out.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lapmark.bench.util import spec
from lapmark.bench.worker.protocol import BUILD_MATRIX

from . import features
from .features import Target
from .measurements import FEATURE_PREFIX, with_features, with_matrix_costs
from .performance_curve import REACH, Curve

#: Number of families that a problem of no measured family is compared with.
NEIGHBOURS = 3

#: Distances below this are counted as this: they say nothing.
NEAREST = 0.1

#: Share of the known predictions that an interval covers.
COVERED = 0.9

#: A solver, as a spec, and its threads.
Series = tuple[str, int]


@dataclass(frozen=True)
class Prediction:
    """Predicted needs of a solver on a target: seconds, with an interval that covers `COVERED` of the known
    cases, bytes, and the largest measured gap; `failure` says how it failed on a neighbour, if it did.
    """

    solver: str
    threads: int
    seconds: float = math.inf
    low: float = math.inf
    high: float = math.inf
    memory: float = math.inf
    gap: float = math.inf
    failure: str | None = None


@dataclass(frozen=True)
class PerformanceModel:
    """Measured cells, arranged by family."""

    curves: Mapping[str, Mapping[Series, Curve]]  # by label, and then by solver and threads
    positions: Mapping[str, Mapping[int, np.ndarray]]  # the features of each label at each of its sizes
    kinds: Mapping[str, str]  # by label, as of `features.kind`
    cells: pd.DataFrame  # those that were run

    @classmethod
    def of(cls, cells: pd.DataFrame) -> PerformanceModel:
        """Return the model of a table with `measurements.COLUMNS`; features are added where they are missing."""
        cells = with_matrix_costs(with_features(cells))
        columns = [FEATURE_PREFIX + name for name in features.NAMES]
        tried = cells[(cells["solver"] != BUILD_MATRIX) & (cells["status"] != "skipped")]
        measured: dict[str, dict[Series, list[Any]]] = {}
        for row in tried.itertuples():
            measured.setdefault(row.label, {}).setdefault((row.solver, int(row.threads)), []).append(row)
        curves = {
            label: {series: Curve.of(rows) for series, rows in of_label.items()} for label, of_label in measured.items()
        }
        positions = {
            str(label): {int(n): row for n, row in zip(rows["n"], rows[columns].to_numpy(dtype=float), strict=True)}
            for label, rows in cells.groupby("label")
        }
        return cls(curves, positions, cells.groupby("label")["kind"].first().to_dict(), tried)

    def neighbours(self, target: Target, hidden: str = "") -> list[tuple[str, float]]:
        """Return labels and their distances: the target's own if it was measured, else the nearest of its kind.

        `hidden` is a family to leave out.
        """
        if target.label in self.curves and spec.parse(target.label)[0] != hidden:
            return [(target.label, 0.0)]
        here = np.array([target.features[name] for name in features.NAMES])
        found = []
        for label, positions in self.positions.items():
            if self.kinds[label] == target.kind and label in self.curves and spec.parse(label)[0] != hidden:
                nearest = positions[min(positions, key=lambda n: abs(math.log(n / target.n)))]
                found.append((label, float(np.linalg.norm(nearest - here))))
        return sorted(found, key=lambda each: each[1])[:NEIGHBOURS]

    def predict(self, target: Target, threads: int | None = 1, hidden: str = "") -> list[Prediction]:
        """Predict every solver measured on a neighbour with at most `threads`, fastest first, failed ones last."""
        near = self.neighbours(target, hidden)
        every = dict.fromkeys(series for label, _ in near for series in self.curves[label])
        found = [
            self._predict(series, near, target, hidden) for series in every if threads is None or series[1] <= threads
        ]
        return sorted(filter(None, found), key=lambda each: (each.failure is not None, each.seconds))

    def _predict(self, series: Series, near: list[tuple[str, float]], target: Target, hidden: str) -> Prediction | None:
        n = target.n
        known = [
            (label, self.curves[label][series], distance) for label, distance in near if series in self.curves[label]
        ]
        failures = [f"{failure} on {label}" for label, curve, _ in known if (failure := curve.failure(n))]
        if failures:
            return Prediction(*series, failure=failures[0])
        known = [each for each in known if each[1].reaches(n) and not math.isnan(each[1].at(n, each[1].seconds))]
        if not known:
            return None
        weights = [1 / max(distance, NEAREST) for _, _, distance in known]

        def mean(values: Iterable[float]) -> float:
            return math.exp(np.average(np.log(list(values)), weights=weights))

        seconds = mean(curve.at(n, curve.seconds) for _, curve, _ in known)
        memory = mean(curve.at(n, curve.memory) for _, curve, _ in known)
        low, high = seconds, seconds
        own = known[0][1] if near[0][1] == 0 and near[0][0] == target.label else None
        if own is not None and len(set(own.sample_range.get(n, ()))) == 2:  # a single sample has no range
            low, high = own.sample_range[n]
        elif not hidden:
            if own is None:
                factor = math.exp(_covering(self._errors_of_families, series))
            else:
                factor = self._factor_of_size(series, own, n)
            low, high = seconds / factor, seconds * factor
        gap = max(curve.gap for _, curve, _ in known)
        return Prediction(*series, seconds, low, high, memory, gap)

    def _factor_of_size(self, series: Series, curve: Curve, n: int) -> float:
        """Return the half-width of the interval at size n as a factor, which grows beyond the ends of the curve."""
        if n < curve.n[0]:
            return float(curve.n[0] / n) ** _covering(self._errors_of_sizes["below"], series)
        if n > curve.n[-1]:
            return float(n / curve.n[-1]) ** _covering(self._errors_of_sizes["above"], series)
        return math.exp(_covering(self._errors_of_sizes["between"], series))

    @functools.cached_property
    def _errors_of_sizes(self) -> dict[str, dict[Series, list[float]]]:
        """Return |log(predicted / measured seconds)| of each size, predicted from the others of its family.

        By position: between two others, or below or above all, and then per unit of log n.
        """
        found: dict[str, dict[Series, list[float]]] = {"below": {}, "between": {}, "above": {}}
        for curves in self.curves.values():
            for series, curve in curves.items():
                if len(curve.n) < 3:
                    continue
                logs = np.log(curve.n)
                for k, (n, seconds) in enumerate(zip(curve.n.tolist(), curve.seconds, strict=True)):
                    error = abs(math.log(curve.at(n, curve.seconds, left_out=n) / seconds))
                    if k == 0:
                        found["below"].setdefault(series, []).append(error / (logs[1] - logs[0]))
                    elif k == len(logs) - 1:
                        found["above"].setdefault(series, []).append(error / (logs[-1] - logs[-2]))
                    else:
                        found["between"].setdefault(series, []).append(error)
        return found

    @functools.cached_property
    def _errors_of_families(self) -> dict[Series, list[float]]:
        """Return |log(predicted / measured seconds)| of each family, predicted from the others."""
        found: dict[Series, list[float]] = {}
        for target in self.targets():
            for each in self.predict(target, threads=None, hidden=spec.parse(target.label)[0]):
                own = self.curves[target.label].get((each.solver, each.threads))
                if own is not None and target.n in own.n and each.failure is None:
                    error = abs(math.log(each.seconds / own.at(target.n, own.seconds)))
                    found.setdefault((each.solver, each.threads), []).append(error)
        return found

    def solvers(self) -> frozenset[str]:
        """Return the names of all measured solvers, without their options."""
        return frozenset(spec.parse(solver)[0] for curves in self.curves.values() for solver, _ in curves)

    def targets(self) -> list[Target]:
        """Return the measured cases as targets."""
        return [
            Target(n, n, self.kinds[label], dict(zip(features.NAMES, position, strict=True)), label)
            for label in self.curves
            for n, position in self.positions[label].items()
        ]


def _covering(errors: Mapping[Series, list[float]], series: Series) -> float:
    """Return the `COVERED` quantile of a solver's errors, or of all solvers' where it has fewer than five."""
    own = errors.get(series, [])
    some = own if len(own) >= 5 else [error for each in errors.values() for error in each]
    return float(np.quantile(some, COVERED)) if some else math.log(REACH)
