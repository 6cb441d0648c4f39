"""Record of a measured cell: a solver on a case, its status, samples, counters and certificate."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from statistics import median

from lapmark.bench.system.conditions import worst
from lapmark.solvers.certificate import TOLERANCE

#: Names of the numbers that a record takes from a certificate; None in a record where they are not finite.
FIGURES = ("cost", "feasible_cost", "dual_bound", "gap", "entropic_gap", "row_error", "column_error", "max_violation")


@dataclass(frozen=True)
class Metric:
    """An error of an answer, taken from its certificate: 0 at best and inf at worst."""

    name: str  # in certificates, records and tables
    title: str
    axis: str  # label of a chart's axis
    perfect: str  # adjective for an answer whose error is negligible
    negligible: float = TOLERANCE  # an error up to this is rounding, and is not shown

    def of(self, record: Record) -> float | None:
        """Return the error of a record, None where it is unknown or negligible."""
        value: float | None = getattr(record, self.name)
        return None if value is None or value <= self.negligible else value


#: The metric that ranks comes first.
METRICS = (
    Metric("gap", "gap", "gap to the lower bound", "optimal"),
    Metric("marginal_error", "marginal error", "marginal error (L1, of the mass)", "met"),
    Metric("entropic_gap", "entropic gap", "gap of the entropic problem", "converged"),
)


@dataclass(frozen=True, kw_only=True)
class Record:
    """A row of the store. Times are in seconds, memory in bytes.

    `solver` and `case` are specs (`lapmark.bench.util.spec`); `problem`, `n`, `m` and `params` repeat the parts of the
    case, for tables. `digest` is that of the problem: the data file behind a case may change. `given` is the kind of
    cost that the solver got; where the case has points and this is "dense", the harness built the matrix before the
    clock started.

    `samples` are the timed calls in order, without the warm-up. `rounds` holds the number of samples of each round: a
    round is a process of its own, and between two rounds of a cell the other solvers of its case have theirs.
    `peak_memory` is the largest resident size of the worker above its baseline, which is taken when the problem is
    built and the solver warm. `instructions` is the count of one call, if any, and `counted_by` the counter: counts of
    two counters cannot be compared. `environment` names the environment that the solver ran in, "" for the harness's
    own. `conditions` describes the load of the machine meanwhile (`lapmark.bench.system.conditions`).
    """

    key: str
    solver: str
    case: str
    problem: str
    n: int
    m: int | None = None
    seed: int = 0
    params: Mapping[str, object] = field(default_factory=dict)
    exact: bool = True
    digest: str | None = None
    given: str = "dense"
    status: str
    message: str = ""
    samples: tuple[float, ...] = ()
    rounds: tuple[int, ...] = ()
    counters: Mapping[str, int] = field(default_factory=dict)
    cost: float | None = None
    feasible_cost: float | None = None
    dual_bound: float | None = None
    gap: float | None = None
    entropic_gap: float | None = None
    row_error: float | None = None
    column_error: float | None = None
    max_violation: float | None = None
    peak_memory: int | None = None
    instructions: int | None = None
    counted_by: str = ""
    threads: int = 1
    environment: str = ""
    conditions: Mapping[str, float] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    machine: Mapping[str, object] = field(default_factory=dict)
    commit: str | None = None
    finished: str = ""

    @property
    def marginal_error(self) -> float | None:
        """The larger of a plan's row and column error."""
        if self.row_error is None or self.column_error is None:
            return None
        return max(self.row_error, self.column_error)

    @property
    def seconds(self) -> float | None:
        """Median of the samples."""
        return median(self.samples) if self.samples else None

    @property
    def by_round(self) -> list[tuple[float, ...]]:
        """The samples of each round."""
        ends = itertools.accumulate(self.rounds)
        return [self.samples[end - count : end] for end, count in zip(ends, self.rounds, strict=True)]

    def joined(self, later: Record) -> Record:
        """Return this record of a certified cell joined to a later round: all samples, and the worse of two answers."""
        worse = later if later.status != "ok" or (later.cost or 0.0) > (self.cost or 0.0) else self
        return replace(
            worse,
            samples=self.samples + later.samples,
            rounds=self.rounds + later.rounds,
            conditions=worst(self.conditions, later.conditions),
            instructions=self.instructions if later.instructions is None else later.instructions,
            counted_by=self.counted_by if later.instructions is None else later.counted_by,
            peak_memory=max(filter(None, (self.peak_memory, later.peak_memory)), default=worse.peak_memory),
            finished=later.finished,
        )
