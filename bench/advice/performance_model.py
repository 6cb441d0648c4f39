"""What was measured, and what it says of a problem that was not: seconds and bytes of every solver, with intervals.

Between two measured sizes of a family a solver's time follows the power law that joins them, and beyond the last it
goes on as it came. On a problem of no measured family the mean of this over the nearest is expected, in logarithms.
Intervals come from how far such predictions are off where the truth is known: with a size left out, or with a family.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import numpy as np
import pandas as pd

from lapmark.bench.problems import Case
from lapmark.bench.results.record import Record
from lapmark.bench.results.statuses import LIMIT_REACHED
from lapmark.bench.util import spec
from lapmark.bench.worker.protocol import BUILD_MATRIX
from lapmark.solvers.problem import Problem

from . import features

#: A size may be so many times as large as the largest that was measured, or as small as the smallest.
REACH = 4.0

#: Families that a problem of none is compared to.
NEIGHBOURS = 3

#: Nearer than this, distances say nothing: all count the same.
NEAREST = 0.1

#: Share of known predictions that an interval covers.
COVERED = 0.9

#: Marginal error at which solvers of blurred transport stop by default.
STOP = 1e-3

#: Bytes: a process's memory moves by pages, and smaller peaks are drawn and compared here.
SMALLEST_PEAK = 2**16

#: The features of a case stand in columns of this beginning.
PREFIX = "feature_"

#: The columns that advice is taken from, beside `kind` and the features.
COLUMNS = (
    "solver",
    "threads",
    "exact",
    "problem",
    "label",
    "case",
    "n",
    "m",
    "given",
    "status",
    "message",
    "seconds",
    "seconds_min",
    "seconds_max",
    "gap",
    "marginal_error",
    "peak_memory",
)


@dataclass(frozen=True)
class Target:
    """What is to be solved.

    Attributes
    ----------
    n, m : int
    kind : str
        As `features.kind` says.
    features : mapping
        As `features.features` says.
    label : str
        The family and its settings, "" for a problem of none.
    """

    n: int
    m: int
    kind: str
    features: Mapping[str, float]
    label: str = ""

    @classmethod
    def of(cls, problem: Problem, label: str = "", shape: tuple[int, int] | None = None) -> Target:
        """A problem, or, of a larger `shape`, one of which it is a small instance."""
        n, m = shape or problem.shape
        return cls(n, m, features.kind(problem), features.features(problem), label)


@dataclass(frozen=True)
class Expected:
    """What is expected of a solver on a target. Seconds, bytes; the interval covers `COVERED` of the known cases.

    `failure` says what it came to on a neighbour, None where it came to nothing.
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
class Curve:
    """A solver on a family: certified sizes, ascending, with seconds and bytes, the largest gap, and where it failed.

    Of a blurred problem the gap is the marginal error, and 0 up to `STOP`: the blur has its share in the other.
    """

    n: np.ndarray
    seconds: np.ndarray
    memory: np.ndarray
    gap: float
    spread: Mapping[int, tuple[float, float]]
    failures: tuple[tuple[int, str], ...]

    def at(self, n: int, values: np.ndarray, but: int | None = None) -> float:
        """The power law between neighbouring sizes, and beyond the ends as it came; NaN where there is none.

        `but` is a size to leave out.
        """
        kept = self.n != (but or -1)
        sizes, values = self.n[kept], values[kept]
        if n in sizes:
            return float(values[sizes == n][0])
        if len(sizes) < 2:
            return math.nan
        after = int(np.clip(np.searchsorted(sizes, n), 1, len(sizes) - 1))
        (x0, x1), (y0, y1) = np.log(sizes[after - 1 : after + 1]), np.log(values[after - 1 : after + 1])
        return math.exp(y0 + max(y1 - y0, 0.0) / (x1 - x0) * (math.log(n) - x0))

    def failure(self, n: int) -> str | None:
        """What it came to: at a limit, if this size is as large; by itself, at any."""
        for size, status in self.failures:
            if status not in LIMIT_REACHED or n >= size:
                return f"{status} at n = {size}"
        return None

    def reaches(self, n: int) -> bool:
        return bool(len(self.n)) and self.n[0] / REACH <= n <= self.n[-1] * REACH


#: A solver, as a spec, and its threads.
Series = tuple[str, int]


@dataclass(frozen=True)
class Evidence:
    """Measured cells, arranged.

    Attributes
    ----------
    curves : mapping
        By label, and then by solver and threads.
    places : mapping
        The features of each label at each of its sizes.
    kinds : mapping
        Of each label, as `features.kind` says.
    cells : DataFrame
        Those that were tried.
    """

    curves: Mapping[str, Mapping[Series, Curve]]
    places: Mapping[str, Mapping[int, np.ndarray]]
    kinds: Mapping[str, str]
    cells: pd.DataFrame

    @classmethod
    def of(cls, cells: pd.DataFrame) -> Evidence:
        """From a table with `COLUMNS`, a row per cell; features are added where it has none (`with_features`)."""
        cells = _totals(with_features(cells))
        columns = [PREFIX + name for name in features.NAMES]
        tried = cells[(cells["solver"] != BUILD_MATRIX) & (cells["status"] != "skipped")]
        measured: dict[str, dict[Series, list[Any]]] = {}
        for row in tried.itertuples():
            measured.setdefault(row.label, {}).setdefault((row.solver, int(row.threads)), []).append(row)
        curves = {
            label: {series: _curve(rows) for series, rows in of_label.items()} for label, of_label in measured.items()
        }
        places = {
            str(label): {int(n): row for n, row in zip(rows["n"], rows[columns].to_numpy(dtype=float), strict=True)}
            for label, rows in cells.groupby("label")
        }
        return cls(curves, places, cells.groupby("label")["kind"].first().to_dict(), tried)

    def neighbours(self, target: Target, hidden: str = "") -> list[tuple[str, float]]:
        """Labels and their distances: the target's own where it was measured, the nearest of its kind otherwise.

        `hidden` is a family to leave out.
        """
        if target.label in self.curves and spec.parse(target.label)[0] != hidden:
            return [(target.label, 0.0)]
        here = np.array([target.features[name] for name in features.NAMES])
        found = []
        for label, places in self.places.items():
            if self.kinds[label] == target.kind and label in self.curves and spec.parse(label)[0] != hidden:
                place = places[min(places, key=lambda n: abs(math.log(n / target.n)))]
                found.append((label, float(np.linalg.norm(place - here))))
        return sorted(found, key=lambda each: each[1])[:NEIGHBOURS]

    def expected(self, target: Target, threads: int | None = 1, hidden: str = "") -> list[Expected]:
        """Every solver that was measured on a neighbour with up to so many threads, fastest first, failed ones last."""
        near = self.neighbours(target, hidden)
        every = dict.fromkeys(series for label, _ in near for series in self.curves[label])
        found = [self._of(series, near, target, hidden) for series in every if threads is None or series[1] <= threads]
        return sorted(filter(None, found), key=lambda each: (each.failure is not None, each.seconds))

    def _of(self, series: Series, near: list[tuple[str, float]], target: Target, hidden: str) -> Expected | None:
        n = target.n
        known = [(label, self.curves[label][series], d) for label, d in near if series in self.curves[label]]
        failures = [f"{failure} on {label}" for label, curve, _ in known if (failure := curve.failure(n))]
        if failures:
            return Expected(*series, failure=failures[0])
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
        if own is not None and len(set(own.spread.get(n, ()))) == 2:  # of a single sample nothing is known
            low, high = own.spread[n]
        elif not hidden:
            factor = self._factor_of_families(series) if own is None else self._factor_of_size(series, own, n)
            low, high = seconds / factor, seconds * factor
        gap = max(curve.gap for _, curve, _ in known)
        return Expected(*series, seconds, low, high, memory, gap)

    def _factor_of_families(self, series: Series) -> float:
        return math.exp(_covering(self._errors_of_families, series))

    def _factor_of_size(self, series: Series, curve: Curve, n: int) -> float:
        """How far off at a size of a curve: beyond its ends, the farther the more."""
        if n < curve.n[0]:
            return float(curve.n[0] / n) ** _covering(self._errors_of_sizes["below"], series)
        if n > curve.n[-1]:
            return float(n / curve.n[-1]) ** _covering(self._errors_of_sizes["above"], series)
        return math.exp(_covering(self._errors_of_sizes["between"], series))

    @functools.cached_property
    def _errors_of_sizes(self) -> dict[str, dict[Series, list[float]]]:
        """|log| of predicted over measured seconds, each size from the others of its family, by where it lies: between
        two of them, or below or above all, and then for each unit of the logarithm of n.
        """
        found: dict[str, dict[Series, list[float]]] = {"below": {}, "between": {}, "above": {}}
        for curves in self.curves.values():
            for series, curve in curves.items():
                if len(curve.n) < 3:
                    continue
                logs = np.log(curve.n)
                for k, (n, seconds) in enumerate(zip(curve.n.tolist(), curve.seconds, strict=True)):
                    error = abs(math.log(curve.at(n, curve.seconds, but=n) / seconds))
                    if k == 0:
                        found["below"].setdefault(series, []).append(error / (logs[1] - logs[0]))
                    elif k == len(logs) - 1:
                        found["above"].setdefault(series, []).append(error / (logs[-1] - logs[-2]))
                    else:
                        found["between"].setdefault(series, []).append(error)
        return found

    @functools.cached_property
    def _errors_of_families(self) -> dict[Series, list[float]]:
        """|log| of predicted over measured seconds, each family from the others."""
        found: dict[Series, list[float]] = {}
        for target in self.targets():
            for each in self.expected(target, threads=None, hidden=spec.parse(target.label)[0]):
                own = self.curves[target.label].get((each.solver, each.threads))
                if own is not None and target.n in own.n and each.failure is None:
                    error = abs(math.log(each.seconds / own.at(target.n, own.seconds)))
                    found.setdefault((each.solver, each.threads), []).append(error)
        return found

    def solvers(self) -> frozenset[str]:
        """Names of all that were measured, without their options."""
        return frozenset(spec.parse(solver)[0] for curves in self.curves.values() for solver, _ in curves)

    def targets(self) -> list[Target]:
        """The measured cases, as if they were asked about."""
        return [
            Target(n, n, self.kinds[label], dict(zip(features.NAMES, place, strict=True)), label)
            for label in self.curves
            for n, place in self.places[label].items()
        ]


#: Larger instances of a family are described by one of this size.
DESCRIBED = 1000


def describe(case: Case) -> tuple[Target, Problem]:
    """What a case is, by an instance of it, which is also returned: a small one stands for a large one.

    Raises
    ------
    ValueError
        Where the family takes no such size or setting.
    """
    problem = _small(case)
    n, m = problem.shape
    return Target.of(problem, case.label, (case.n, max(1, round(m * case.n / n)))), problem


def rows(records: Iterable[Record]) -> pd.DataFrame:
    """The current records as a table with `COLUMNS`; the last of those of one solver, case and threads."""
    latest = {(record.case, record.solver, record.threads): record for record in records}
    table = pd.DataFrame([_row(record) for record in latest.values()], columns=list(COLUMNS))
    for name in ("m", "seconds", "seconds_min", "seconds_max", "gap", "marginal_error", "peak_memory"):
        table[name] = table[name].astype("float64")
    return table


def with_features(cells: pd.DataFrame) -> pd.DataFrame:
    """The table with the columns `kind` and `feature_…`; cases that cannot be built here are left out."""
    if "kind" in cells:
        return cells
    found: dict[str, dict[str, Any]] = {}
    described: dict[str, dict[str, Any]] = {}  # large instances of a label share a small one
    for text in cells["case"].unique():
        case = Case.read(text)
        small = str(replace(case, n=min(case.n, DESCRIBED)))
        if small not in described:
            try:
                problem = _small(case)
            except (ValueError, OSError):
                continue
            named = {PREFIX + name: value for name, value in features.features(problem).items()}
            described[small] = {"kind": features.kind(problem), **named}
        found[text] = described[small]
    known = pd.DataFrame.from_dict(found, orient="index").rename_axis("case").reset_index()
    return cells.merge(known, on="case") if len(known) else cells.iloc[:0].assign(kind="")


def _small(case: Case) -> Problem:
    """The case, or a small instance in its place where the family has one."""
    small = replace(case, n=min(case.n, DESCRIBED))
    try:
        return small.build()
    except ValueError:
        if small == case:
            raise
        return case.build()


def _row(record: Record) -> dict[str, object]:
    values = {name: getattr(record, name) for name in COLUMNS if hasattr(record, name)}
    label = Case.read(record.case).label
    message = record.message.splitlines()[0] if record.message else ""
    low, high = min(record.samples, default=None), max(record.samples, default=None)
    return {**values, "label": label, "message": message, "seconds_min": low, "seconds_max": high}


def _totals(cells: pd.DataFrame) -> pd.DataFrame:
    """With what it takes to make a matrix of points, where a solver was given one: a user pays for that, too."""
    cells = cells.copy()
    built = cells[cells["solver"] == BUILD_MATRIX].groupby("case")["seconds"].median()
    matrix = (cells["given"] == "dense") & ~cells["kind"].str.endswith("dense") & (cells["solver"] != BUILD_MATRIX)
    extra = cells["case"].map(built).where(matrix, 0.0).astype("float64").fillna(0.0)
    for name in ("seconds", "seconds_min", "seconds_max"):
        cells[name] = cells[name].astype("float64") + extra
    peak = cells["peak_memory"].astype("float64").fillna(0.0).clip(lower=SMALLEST_PEAK)
    cells["peak_memory"] = peak + (8.0 * cells["n"] * cells["m"].astype("float64")).where(matrix, 0.0)
    return cells


def _covering(errors: Mapping[Series, list[float]], series: Series) -> float:
    """What `COVERED` of the errors of a solver do not exceed; of all solvers where it has less than five."""
    own = errors.get(series, [])
    some = own if len(own) >= 5 else [error for each in errors.values() for error in each]
    return float(np.quantile(some, COVERED)) if some else math.log(REACH)


def _curve(rows: Sequence[Any]) -> Curve:
    """The curve of some cells, rows of a table: where a size was measured with several seeds, their medians."""
    ok = [row for row in rows if row.status == "ok" and row.seconds > 0]
    of_size: dict[int, list[Any]] = {}
    for row in sorted(ok, key=lambda row: row.n):
        of_size.setdefault(int(row.n), []).append(row)

    def medians(name: str) -> np.ndarray:
        return np.array([median(getattr(row, name) for row in each) for each in of_size.values()])

    low, high = medians("seconds_min"), medians("seconds_max")
    return Curve(
        np.array(list(of_size), dtype=np.int64),
        medians("seconds"),
        medians("peak_memory"),
        max(map(_gap, ok), default=math.inf),
        dict(zip(of_size, zip(low.tolist(), high.tolist(), strict=True), strict=True)),
        tuple(sorted((int(row.n), str(row.status)) for row in rows if row.status not in {"ok", "unproven"})),
    )


def _gap(row: Any) -> float:
    """By how much an answer misses what was asked for."""
    if row.exact:
        return 0.0
    if row.kind.startswith("blurred"):
        return float(row.marginal_error) if row.marginal_error > STOP else 0.0
    return 0.0 if math.isnan(row.gap) else float(row.gap)
