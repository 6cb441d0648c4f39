"""One measured cell: a solver on a case, what happened, and the proof."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from statistics import median

from solvers.certificate import TOLERANCE

from .conditions import worst

#: What can become of a cell. Only `ok` is ranked.
STATUSES = {
    "ok": "certified: a valid answer, an optimal one where the solver claims that, or the proof that there is none",
    "unproven": "valid, and claimed optimal, but neither its own duals nor ours prove it, and nothing refutes it",
    "wrong": "the certificate refutes the answer",
    "timeout": "stopped at the time limit",
    "memory": "stopped at the memory limit, or refused memory below it",
    "crash": "the process died of a signal",
    "error": "the solver raised",
    "skipped": "not run: the solver is missing, or does not take such a problem",
}


#: What a record keeps of a certificate, by the names that both give it; None in a record where it is not finite.
FIGURES = (
    "cost",
    "feasible_cost",
    "dual_bound",
    "gap",
    "entropic_gap",
    "row_error",
    "column_error",
    "max_violation",
)


@dataclass(frozen=True)
class Metric:
    """A figure of a certificate by which answers are compared: an error, 0 at best and inf at worst.

    Attributes
    ----------
    name : str
        In a certificate, a record and the tables.
    title : str
    axis : str
        What it measures, for the axis of a chart.
    perfect : str
        What an answer is whose error is `negligible`.
    negligible : float
        Up to here an error is rounding, and would only distract.
    """

    name: str
    title: str
    axis: str
    perfect: str
    negligible: float = TOLERANCE

    def of(self, record: Record) -> float | None:
        """Its value, None where it is unknown or negligible."""
        value: float | None = getattr(record, self.name)
        return None if value is None or value <= self.negligible else value


#: The one that ranks comes first.
METRICS = (
    Metric("gap", "gap", "gap to the lower bound", "optimal"),
    Metric("marginal_error", "marginal error", "marginal error (L1, of the mass)", "met"),
    Metric("entropic_gap", "entropic gap", "gap of the entropic problem", "converged"),
)


@dataclass(frozen=True, kw_only=True)
class Record:
    """A row of the store. Times are in seconds, memory in bytes.

    `solver` and `case` are specs (`bench.spec`); `problem`, `n`, `m` and `params` repeat the case in parts, for tables.
    `digest` is the fingerprint of the problem: what is behind a case changes where it is read from a file that does.
    `given` is the kind of cost that the solver was handed; where the case has points and this says "dense", the harness
    built the matrix before the clock started.

    `samples` are the timed calls in order; the warm-up is not among them. `rounds` says how many of them each round
    took: a round is a process of its own, and between two rounds of a cell the other solvers of its case have theirs.
    `peak_memory` is the largest resident size of the worker over its baseline, taken once the problem is built and the
    solver warm. `instructions` is how many one call took, where they were counted, and `counted_by` who counted:
    counts of two do not compare. `environment` names the environment that the solver ran in, "" for the harness's own.
    `conditions` tells what else the machine did meanwhile (`bench.conditions`).
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
        """The larger of the two errors of a plan."""
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
        """This record of a certified cell with a later round: the samples of both, and the worse of two answers."""
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
