"""Performance model: predicted time and memory of every solver on a problem, from measured cells.

On a measured family a solver's time follows the power law between neighbouring sizes (`performance_curve`). On a
problem of no measured family the prediction is that of the similar ones (`similarity_model`). Intervals come from the
errors of such predictions on the measured cells, with a size or a family left out.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lapmark.bench.problems import Case
from lapmark.bench.util import spec
from lapmark.bench.worker.protocol import BUILD_MATRIX

from . import features
from .candidates import AUTO, HAZARDS
from .features import Target
from .measurements import FEATURE_PREFIX, with_features, with_matrix_costs
from .performance_curve import REACH, Curve
from .run_matrix import RunMatrix, column
from .similarity_model import COVERED, LEAST_NEARNESS, MOST_FAILING, Estimate, SimilarityModel

#: Number of families that are named as similar to a problem of no measured family.
NEIGHBOURS = 3

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
    score: float = math.inf  # what to choose by: the seconds, with a penalty for similar families that it fails on


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
        tried = cells[~cells["solver"].isin([BUILD_MATRIX, AUTO]) & (cells["status"] != "skipped")]
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

    @functools.cached_property
    def matrices(self) -> dict[str, RunMatrix]:
        """The run matrix of each group of problems, answers with a gap included."""
        return RunMatrix.of(self.cells, gap=math.inf)

    @functools.cached_property
    def similar(self) -> dict[str, SimilarityModel]:
        """The similarity model of each group of problems."""
        return {group: SimilarityModel.of(matrix) for group, matrix in self.matrices.items()}

    def measured_label(self, label: str) -> str:
        """Return the measured label with the same settings as a label, defaults included; the label itself if none."""
        if label in self.curves or not label:
            return label
        wanted = _settings(label)
        return next((each for each in self.curves if wanted and _settings(each) == wanted), label)

    def is_measured(self, target: Target) -> bool:
        """Return whether the target's own family was measured."""
        return target.label in self.curves

    def neighbours(self, target: Target) -> list[tuple[str, float]]:
        """Return the labels that predictions rest on, with the shares of their weight, the largest first.

        That is the target's own label if it was measured, else the most similar ones of its group.
        """
        if self.is_measured(target):
            return [(target.label, 1.0)]
        if (estimate := self._estimate(target)) is None:
            return []
        return sorted(estimate.weights.items(), key=lambda each: -each[1])[:NEIGHBOURS]

    def predict(self, target: Target, threads: int = 1) -> list[Prediction]:
        """Predict every solver measured on a neighbour with at most `threads`, fastest first, failed ones last."""
        find = self._predict_own if self.is_measured(target) else self._predict_similar
        found = [each for each in find(target) if each.threads <= threads]
        return sorted(found, key=lambda each: (each.failure is not None, each.seconds))

    def is_like_a_measured_one(self, target: Target) -> bool:
        """Return whether a measured family is similar enough to a target for its times to mean anything."""
        estimate = None if self.is_measured(target) else self._estimate(target)
        return estimate is None or estimate.nearness >= LEAST_NEARNESS

    def is_by_size(self, target: Target) -> bool:
        """Return whether size, proportions and type alone decide, since features would take too long."""
        estimate = None if self.is_measured(target) else self._estimate(target)
        return estimate is not None and not estimate.used_features

    def margin(self, target: Target) -> float:
        """Return the predicted ratio of times up to which the single best solver is kept."""
        similar = self.similar.get(features.group(target.kind))
        estimate = None if self.is_measured(target) else self._estimate(target)
        return 1.0 if similar is None or estimate is None else similar.margin(estimate)

    def single_best(self, target: Target, possible: Sequence[Prediction]) -> str | None:
        """Return which of some predicted solvers has the least mean time on all problems of the target's group."""
        matrix = self.matrices.get(features.group(target.kind))
        names = {column(each.solver, each.threads) for each in possible}
        if matrix is None or not names & set(matrix.seconds):
            return None
        return matrix.restricted(names.__contains__).single_best()

    def _estimate(self, target: Target) -> Estimate | None:
        model = self.similar.get(features.group(target.kind))
        if model is None:
            return None
        known = np.array([target.features[name] for name in features.NAMES])
        return model.estimate(target.n, target.m, known)

    def _predict_own(self, target: Target) -> Iterator[Prediction]:
        """Yield predictions on a measured family."""
        for series, curve in self.curves[target.label].items():
            if failure := curve.failure(target.n):
                yield Prediction(*series, failure=f"{failure} on {target.label}")
            elif curve.reaches(target.n) and not math.isnan(seconds := curve.at(target.n, curve.seconds)):
                low, high = curve.sample_range.get(target.n, (seconds, seconds))
                if not low < high:  # a single sample has no range
                    factor = self._factor_of_size(series, curve, target.n)
                    low, high = seconds / factor, seconds * factor
                memory = curve.at(target.n, curve.memory)
                yield Prediction(*series, seconds, low, high, memory, curve.gap, score=seconds)

    def _predict_similar(self, target: Target) -> Iterator[Prediction]:
        """Yield predictions from similar families."""
        model, estimate = self.similar.get(features.group(target.kind)), self._estimate(target)
        if model is None or estimate is None:
            return
        halves = model.half_width(estimate)
        by_column = {column(*series): series for curves in self.curves.values() for series in curves}
        for place, name in enumerate(model.names):
            series, middle = by_column[name], float(estimate.log_seconds[place])
            if not math.isfinite(middle):
                continue
            known = sorted(
                ((weight, label) for label, weight in estimate.weights.items() if series in self.curves[label]),
                reverse=True,
            )
            near = [(label, self.curves[label][series]) for _, label in known]
            if estimate.failing[place] > MOST_FAILING:
                failures = [f"{failure} on {label}" for label, curve in near if (failure := curve.failure(target.n))]
                reason = HAZARDS.get(name, "fails on similar problems")
                yield Prediction(*series, failure=next(iter(failures), reason))
                continue
            curves = [curve for _, curve in near[:NEIGHBOURS]]
            peaks = [peak for curve in curves if not math.isnan(peak := curve.at(target.n, curve.memory))]
            seconds, factor = math.exp(middle), math.exp(halves[place])
            memory = math.exp(np.log(peaks).mean()) if peaks else math.nan
            gap = max((curve.gap for curve in curves if math.isfinite(curve.gap)), default=math.inf)
            score = math.exp(estimate.score[place])
            yield Prediction(*series, seconds, seconds / factor, seconds * factor, memory, gap, score=score)

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


def _settings(label: str) -> tuple[str, dict[str, spec.Value]] | None:
    """Return the family of a label and all its settings; None for files, and for families that are gone."""
    name, given = spec.parse(label)
    try:
        return name, Case(name, 1, 0, given).settings
    except (ValueError, OSError):
        return None


def _covering(errors: Mapping[Series, list[float]], series: Series) -> float:
    """Return the `COVERED` quantile of a solver's errors, or of all solvers' where it has fewer than five."""
    own = errors.get(series, [])
    some = own if len(own) >= 5 else [error for each in errors.values() for error in each]
    return float(np.quantile(some, COVERED)) if some else math.log(REACH)
