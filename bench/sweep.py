"""The run: cell after cell, each in its own process, certified here, its record kept before the next starts.

The harness builds every problem itself, once, and judges every answer against it. What a worker says is never taken for
a proof.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import IO, Any

from solvers import Certificate, certify, registry
from solvers.problem import Problem, Transport

from . import protocol
from .cell import Limits, Outcome, run
from .machine import commit, machine
from .plan import REFERENCES, Cell
from .problems import Case
from .protocol import BUILD_MATRIX
from .record import FIGURES, Record
from .store import Store

#: A solver that came to this on a case is not tried on larger ones of its kind: it would only spend the limit again.
DEFEATS = {"timeout": "time", "memory": "memory"}


@dataclass(frozen=True)
class Started:
    """A cell's worker is about to run."""

    cell: Cell


@dataclass(frozen=True)
class Finished:
    """A cell has its record; `resumed` where it had one before this run."""

    cell: Cell
    record: Record
    resumed: bool


@dataclass(frozen=True)
class Subject:
    """A case as the harness holds it: the problem, its fingerprint, and the file from which workers read it."""

    problem: Problem
    digest: str
    file: IO[bytes]


@dataclass(kw_only=True)
class Sweep:
    """What the cells of a run have in common.

    Attributes
    ----------
    store : Store
    limits : Limits
    budget : float
        Seconds to sample each cell for.
    plugins : tuple of str
        Files that register further solvers; already loaded here.
    again : collection of str
        Statuses of finished cells that are to be run again.
    """

    store: Store
    limits: Limits
    budget: float
    plugins: tuple[str, ...] = ()
    again: Collection[str] = ()
    _sought: set[str] = field(default_factory=set, init=False)  # problems whose reference bound was asked for

    def run(self, planned: Sequence[Cell]) -> Iterator[Started | Finished]:
        """Run the cells that have no record yet. Closing the iterator ends the worker and keeps what is done."""
        defeats: dict[tuple[str, str], Record] = {}
        for case, group in itertools.groupby(planned, key=lambda cell: cell.case):
            with tempfile.TemporaryFile() as file:
                subject = functools.cache(functools.partial(_build, case, file))
                for cell in group:
                    record = self.store.get(cell.key(self.limits.threads))
                    # What was skipped may be there now, and looking again costs no run.
                    resumed = record is not None and record.status not in {"skipped", *self.again}
                    if record is None or not resumed:
                        yield Started(cell)
                        record = self._measure(cell, subject, defeats.get((cell.solver, case.label)))
                        self.store.add(record)
                    if record.status in DEFEATS:
                        defeats.setdefault((cell.solver, case.label), record)
                    yield Finished(cell, record, resumed)

    def _measure(self, cell: Cell, build: Callable[[], Subject | str], defeat: Record | None) -> Record:
        record = functools.partial(self._record, cell)
        if reason := cell.missing:
            return record(status="skipped", message=reason)
        if defeat is not None and defeat.n < cell.case.n:
            return record(
                status="skipped", message=f"passed the {DEFEATS[defeat.status]} limit at n = {defeat.n} already"
            )
        subject = build()
        if isinstance(subject, str):
            return record(status="skipped", message=subject)
        record = functools.partial(record, m=subject.problem.shape[1], given=_given(cell, subject.problem))
        if reason := cell.refuses(subject.problem):
            return record(status="skipped", message=reason)
        outcome = run(cell.solver, subject.file, self.limits, self.budget, self.plugins)
        status, message, verdict = self._judge(cell, subject, outcome)
        return record(
            status=status,
            message=message,
            samples=tuple(outcome.samples),
            rounds=(len(outcome.samples),) if outcome.samples else (),
            counters=outcome.counters,
            peak_memory=outcome.peak_memory,
            **_figures(verdict),
        )

    def _judge(self, cell: Cell, subject: Subject, outcome: Outcome) -> tuple[str, str, Certificate | None]:
        """Status, message and proof of an outcome."""
        if outcome.status is not None:
            return outcome.status, outcome.message, None
        if cell.solver == BUILD_MATRIX:
            same = outcome.matrix == protocol.digest_matrix(subject.problem.cost)
            return ("ok", "", None) if same else ("wrong", "the matrix is not the one of the points", None)
        assert outcome.result is not None
        verdict = certify(subject.problem, outcome.result, self.store.bound(subject.digest))
        if not verdict.valid:
            return "wrong", verdict.fault or "", verdict
        if verdict.optimal:
            self.store.set_bound(subject.digest, verdict.dual_bound, cell.solver)
            return "ok", "", verdict
        bound = self._reference(cell, subject)
        verdict = certify(subject.problem, outcome.result, bound)
        if verdict.optimal or not cell.exact:
            return "ok", "", verdict
        if bound is None:
            return "unproven", "no reference solver proved a bound to judge the answer by", verdict
        return (
            "wrong",
            f"claims the optimum, but costs {verdict.cost:.12g} where {bound:.12g} is proven possible",
            verdict,
        )

    def _reference(self, cell: Cell, subject: Subject) -> float | None:
        """The optimum's certified bound, from one of our own solvers where no cell has proven it yet."""
        if subject.digest in self._sought:
            return self.store.bound(subject.digest)
        self._sought.add(subject.digest)
        with tempfile.TemporaryFile() as file:
            linear = _without_blur(subject, file)
            for name in REFERENCES:
                if self.store.bound(subject.digest) is not None:
                    break
                solver = registry.get(name)
                if name == cell.name or solver.missing or solver.capabilities.refuses(linear.problem):
                    continue
                outcome = run(name, linear.file, self.limits, budget=0)
                if outcome.result is not None:
                    verdict = certify(linear.problem, outcome.result)
                    if verdict.optimal:
                        self.store.set_bound(subject.digest, verdict.dual_bound, name)
        return self.store.bound(subject.digest)

    def _record(self, cell: Cell, status: str, **known: Any) -> Record:
        case = cell.case
        return Record(
            key=cell.key(self.limits.threads),
            solver=cell.solver,
            case=str(case),
            problem=case.problem,
            n=case.n,
            seed=case.seed,
            params=case.params,
            exact=cell.exact,
            status=status,
            threads=self.limits.threads,
            versions=cell.versions,
            machine=machine(),
            commit=commit(),
            finished=datetime.now(UTC).isoformat(timespec="seconds"),
            **known,
        )


def _build(case: Case, file: IO[bytes]) -> Subject | str:
    """The subject, or why the case cannot be built: data may be missing here."""
    try:
        problem = case.build()
        protocol.write_problem(problem, file)
        return Subject(problem, protocol.digest(problem), file)
    except (ValueError, OSError, MemoryError) as error:
        return f"the case cannot be built: {error}"


def _without_blur(subject: Subject, file: IO[bytes]) -> Subject:
    """What the cost of a plan is measured against: an entropic plan is a plan like any other."""
    problem = subject.problem
    if not isinstance(problem, Transport) or problem.blur == 0:
        return subject
    linear = dataclasses.replace(problem, blur=0.0)
    protocol.write_problem(linear, file)
    return Subject(linear, subject.digest, file)


def _given(cell: Cell, problem: Problem) -> str:
    if cell.solver == BUILD_MATRIX:
        return problem.cost.kind
    return protocol.given(problem, registry.get(cell.name).capabilities)


def _figures(verdict: Certificate | None) -> dict[str, float | None]:
    """The certificate's numbers; None where there is none, which no table can mistake for a number."""
    values = {name: getattr(verdict, name, math.nan) for name in FIGURES}
    return {name: value if math.isfinite(value) else None for name, value in values.items()}
