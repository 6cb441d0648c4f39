"""Similarity model: run times on a problem of no measured family, from all families of its group.

The logarithm of a candidate's time is the mean over the measured families, each at the size of the problem, weighted
by how similar its features are there. Where the predicted solve is shorter than ten times the computation of the
features, they are left out: size, proportions and type remain. Forests of regression trees (scikit-learn) on the same
features did no better when a family was left out, and take a second to fit.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from . import features
from .candidates import HAZARDS
from .run_matrix import CUTOFF, FEATURES, PENALTY, RunMatrix

#: Distance of features at which a family weighs e^(-1/2), and the weight of the farthest one.
WIDTH, LEAST = 0.5, 0.005

#: Sizes beyond the measured ones by this in their logarithm are as far as features by 1.
SIZE_WIDTH = 1.2

#: Share of the known predictions that an interval covers.
COVERED = 0.9

#: Spread of the logarithms of times that is there even where all families agree.
LEAST_SPREAD = 0.3

#: Similarity of the nearest family below which hardly anything is known, and the predicted ratio of times up to which
#: the single best candidate is kept then.
LEAST_NEARNESS, FAR_MARGIN = 0.1, 2.0

#: Largest share of the similar families on which a candidate that is chosen may have failed.
MOST_FAILING = 0.2

#: Families from which their features are compared: among fewer, the nearest one is not near.
FEWEST_FAMILIES = 6

#: Known errors of a candidate from which its own intervals are made; with fewer, those of all are used.
FEWEST_ERRORS = 10

#: Features that need no look at a cost.
_SHAPE = np.array([name in ("proportion", "single", "dimensions", "unbalanced") for name in features.NAMES])

#: Weight of each feature's squared difference: how long a sample is searched tells most about times.
WEIGHTS = np.array([4.0 if name == "searched" else 1.0 for name in features.NAMES])

#: Logarithm of the seconds of a run that failed.
FAILED = math.log(PENALTY * CUTOFF)


@dataclass(frozen=True, eq=False)
class Surface:
    """Measurements of one label: logarithms of seconds, NaN where untried, by size and candidate."""

    family: str
    kind: str
    log_n: np.ndarray
    log_ratio: np.ndarray  # of m over n, at each size
    features: np.ndarray  # at each size
    log_seconds: np.ndarray

    def at(self, log_n: float) -> np.ndarray:
        """Return the logarithms of seconds at a size, by the power law between the nearest measured sizes.

        Beyond the sizes of a candidate, its times go on as between its last two.
        """
        return np.array([_interpolated(log_n, self.log_n, column) for column in self.log_seconds.T])


@dataclass(frozen=True, eq=False)
class _Section:
    """Arrays of all labels at one size, each with a row per label."""

    values: np.ndarray  # logarithms of seconds by candidate, 0 where unknown
    is_known: np.ndarray
    features: np.ndarray
    log_ratio: np.ndarray
    beyond: np.ndarray  # how far the size is from those of the label, as a distance

    @classmethod
    def of(cls, surfaces: Sequence[Surface], log_n: float) -> _Section:
        values = np.array([surface.at(log_n) for surface in surfaces])
        places = [int(np.abs(surface.log_n - log_n).argmin()) for surface in surfaces]
        nearest = list(zip(surfaces, places, strict=True))
        beyond = [max(surface.log_n[0] - log_n, log_n - surface.log_n[-1], 0.0) / SIZE_WIDTH for surface in surfaces]
        return cls(
            np.nan_to_num(values),
            np.isfinite(values),
            np.array([surface.features[place] for surface, place in nearest]),
            np.array([surface.log_ratio[place] for surface, place in nearest]),
            np.array(beyond),
        )

    def similarity(self, log_ratio: float, known: np.ndarray, uses_features: bool) -> np.ndarray:
        """Return how similar each label is to a problem with these features, 1 for the same features."""
        squares = (known - self.features) ** 2
        square = 4 * squares[:, _SHAPE].sum(axis=1) + self.beyond**2 + 0.25 * (log_ratio - self.log_ratio) ** 2
        if uses_features:
            square += squares @ WEIGHTS
        return np.exp(-square / (2 * WIDTH**2))


@dataclass(frozen=True, eq=False)
class Estimate:
    """Logarithms of predicted seconds by candidate, NaN for none, and the spread among the similar families.

    `score` is what to choose by: the same, with a penalty for the families that a candidate fails on. `failing` is
    their share, and `nearness` the similarity of the nearest family, from 0 to 1.
    """

    log_seconds: np.ndarray
    spread: np.ndarray
    score: np.ndarray
    failing: np.ndarray
    nearness: float
    used_features: bool
    weights: Mapping[str, float]  # of each label, adding up to 1


@dataclass(frozen=True, eq=False)
class SimilarityModel:
    """The measurements of one group of problems."""

    names: tuple[str, ...]
    surfaces: Mapping[str, Surface]  # by label

    @classmethod
    def of(cls, matrix: RunMatrix) -> SimilarityModel:
        """Return the model of a run matrix."""
        seconds = matrix.seconds.where(lambda known: known.isna() | (known <= CUTOFF), PENALTY * CUTOFF)
        surfaces = {}
        for label, rows in np.log(seconds).groupby(level=0):
            cases = matrix.cases.loc[rows.index]
            n = rows.index.get_level_values("n").to_numpy(dtype=float)
            ratio = np.log2(cases["m"].to_numpy(dtype=float) / n)
            known = cases[FEATURES].to_numpy(dtype=float)
            first = cases.iloc[0]
            surfaces[str(label)] = Surface(first["family"], first["kind"], np.log(n), ratio, known, rows.to_numpy())
        return cls(tuple(map(str, matrix.seconds)), surfaces)

    def estimate(
        self, n: int, m: int, known: np.ndarray, hidden: str = "", takes: np.ndarray | None = None
    ) -> Estimate:
        """Predict the times of all candidates on a problem of size n × m with these features.

        `hidden` is a family to leave out. Features are used where the fastest of the candidates that `takes` the
        problem is predicted to need ten times as long as they, and enough families are there to compare them with.
        """
        found = self._estimate(n, m, known, hidden, False)
        possible = found.score if takes is None else np.where(takes, found.score, math.nan)
        is_worth = np.isfinite(possible).any() and np.nanmin(possible) >= math.log(10 * features.SECONDS)
        if not is_worth or self.families(hidden) < FEWEST_FAMILIES:
            return found
        return self._estimate(n, m, known, hidden, True)

    def _estimate(self, n: int, m: int, known: np.ndarray, hidden: str, uses_features: bool) -> Estimate:
        at = self._at(n)
        similarity = at.similarity(math.log2(m / n), known, uses_features)
        similarity[[surface.family == hidden for surface in self.surfaces.values()]] = -LEAST
        weights = (similarity + LEAST) / self._crowds
        weights /= weights.sum() or 1.0
        shares = at.is_known * weights[:, None]
        solving = shares * (at.values <= math.log(CUTOFF))
        with np.errstate(invalid="ignore"):
            score = (shares * at.values).sum(axis=0) / shares.sum(axis=0)
            mean = (solving * at.values).sum(axis=0) / solving.sum(axis=0)
            square = (solving * (at.values - mean) ** 2).sum(axis=0) / solving.sum(axis=0)
            failing = 1 - solving.sum(axis=0) / shares.sum(axis=0)
        failing[[name in HAZARDS for name in self.names]] = 1.0
        by_label = dict(zip(self.surfaces, weights.tolist(), strict=True))
        return Estimate(mean, np.sqrt(square), score, failing, float(similarity.max()), uses_features, by_label)

    def _at(self, n: int) -> _Section:
        """Return what all labels have at a size."""
        if n not in self._sections:
            self._sections[n] = _Section.of(list(self.surfaces.values()), math.log(n))
        return self._sections[n]

    @functools.cached_property
    def _sections(self) -> dict[int, _Section]:
        return {}

    @functools.cached_property
    def _crowds(self) -> np.ndarray:
        """The square root of the number of labels of each label's family: they share a weight."""
        families = [surface.family for surface in self.surfaces.values()]
        return np.sqrt([families.count(family) for family in families])

    def margin(self, estimate: Estimate, hidden: str = "") -> float:
        """Return the predicted ratio of times up to which the single best candidate is kept.

        The fewer families were measured, the less a predicted gain means; `hidden` is one to leave out.
        """
        few = math.exp(1 / max(self.families(hidden), 1))
        return few if estimate.nearness >= LEAST_NEARNESS else max(few, FAR_MARGIN)

    def families(self, hidden: str = "") -> int:
        """Return the number of families, with one left out."""
        return len({surface.family for surface in self.surfaces.values()} - {hidden})

    def half_width(self, estimate: Estimate, family: str = "") -> np.ndarray:
        """Return the half-width of an interval for each candidate, in logarithms of seconds.

        `family` is one whose errors are not looked at.
        """
        if family not in self._widths:
            self._widths[family] = np.array([self._width(name, family) for name in self.names])
        return self._widths[family] * (estimate.spread + LEAST_SPREAD)

    def _width(self, name: str, family: str) -> float:
        """Return the half-width for a candidate in units of the spread."""
        errors = [error for of, error in self._errors.get(name, []) if of != family]
        if len(errors) < FEWEST_ERRORS:
            errors = [error for each in self._errors.values() for of, error in each if of != family]
        return _conformal(errors)

    @functools.cached_property
    def _widths(self) -> dict[str, np.ndarray]:
        return {}

    @functools.cached_property
    def _errors(self) -> dict[str, list[tuple[str, float]]]:
        """Family and error of each prediction with its family left out, in units of the spread, by candidate."""
        found: dict[str, list[tuple[str, float]]] = {}
        for surface in self.surfaces.values():
            for place, truth in enumerate(surface.log_seconds):
                n = round(math.exp(surface.log_n[place]))
                m = max(1, round(n * 2 ** float(surface.log_ratio[place])))
                takes = np.isfinite(truth)
                estimate = self.estimate(n, m, surface.features[place], surface.family, takes)
                errors = np.abs(estimate.log_seconds - truth) / (estimate.spread + LEAST_SPREAD)
                for name, error, value in zip(self.names, errors, truth, strict=True):
                    if math.isfinite(error) and value < FAILED:
                        found.setdefault(name, []).append((surface.family, float(error)))
        return found


def _conformal(errors: Sequence[float]) -> float:
    """Return the quantile of errors that covers a further one with probability `COVERED`."""
    if not errors:
        return math.log(10.0) / LEAST_SPREAD
    rank = math.ceil(COVERED * (len(errors) + 1))
    return float(np.sort(errors)[min(rank, len(errors)) - 1])


def _interpolated(x: float, places: np.ndarray, values: np.ndarray) -> float:
    """Return the value at x on the line through the two nearest known places; NaN far beyond the last one."""
    known = np.flatnonzero(np.isfinite(values))
    if not known.size or x > places[known[-1]] + REACH or x < places[known[0]] - REACH:
        return math.nan
    if known.size == 1:
        return float(values[known[0]])
    after = int(np.clip(np.searchsorted(places[known], x), 1, known.size - 1))
    (x0, x1), (y0, y1) = places[known[after - 1 : after + 1]], values[known[after - 1 : after + 1]]
    return float(y0 + max(y1 - y0, 0.0) * (x - x0) / (x1 - x0))


#: Logarithm of the factor up to which sizes beyond the measured ones are predicted.
REACH = math.log(4.0)
