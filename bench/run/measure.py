"""One round of one cell: the solver run in a process of its own, and the answer judged here.

The harness builds every problem itself, once, and judges every answer against it. Nothing here knows of a store or of
other cells, so that a round can run on any machine.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from lapmark.bench.results.record import FIGURES, Record
from lapmark.bench.system import instruction_counts
from lapmark.bench.system.machine import commit, machine
from lapmark.bench.worker import cell, protocol
from lapmark.bench.worker.cell import Limits, Outcome
from lapmark.solvers import Certificate
from lapmark.solvers.problem import Problem

from .built_case import Subject
from .cells import Cell
from .certify import Judge, Scales


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What every cell of a run is measured under.

    Attributes
    ----------
    limits : Limits
        Of one call.
    budget : float
        Seconds to sample a cell for, in all its rounds together; 0 for a single call.
    rounds : int
        Over how many processes the samples are spread. A cell whose samples have used the budget up gets no more.
    plugins : tuple of str
        Files that register further solvers; already loaded here.
    counting : {"", "hardware", "callgrind"}
        How to count the instructions of one call, in a process of its own after the first round.
    """

    limits: Limits
    budget: float
    rounds: int = 1
    plugins: tuple[str, ...] = ()
    counting: str = ""

    def fulfilled(self, record: Record) -> bool:
        """Whether a cell needs no further round."""
        return record.status != "ok" or len(record.rounds) >= self.rounds or sum(record.samples) >= self.budget


def measure(about: Cell, build: Callable[[], Subject | str], terms: Terms, judge: Judge, first: bool = True) -> Record:
    """Run one round of a cell.

    Parameters
    ----------
    about : Cell
    build : callable
        Gives the cell's case, or says why there is none; called where the solver can run here.
    terms : Terms
    judge : Judge
    first : bool
        Whether it is the cell's first round, in which instructions are counted.
    """
    record = functools.partial(unmeasured, about)
    if reason := about.missing:
        return record("skipped", reason)
    subject = build()
    if isinstance(subject, str):
        return record("skipped", subject)
    record = functools.partial(
        record, m=subject.problem.shape[1], digest=subject.digest, given=_given(about, subject.problem)
    )
    if reason := about.refuses(subject.problem):
        return record("skipped", reason)
    budget = terms.budget / terms.rounds
    # Its own file alone: a plugin that dies as it is loaded costs its own cells.
    plugins = (about.plugin,) if about.plugin else ()
    run = functools.partial(
        cell.run,
        about.called,
        subject.problem,
        terms.limits,
        threads=about.threads,
        plugins=plugins,
        python=about.python,
        digest=subject.digest,
        weigh=Scales(subject.problem, about.exact),
        starts_slowly=about.starts_slowly,
        compiles=about.compiles,
    )
    outcome = run(budget=budget)
    # Answers that claim the optimum cost the same, so that one stands for all; of others the dearest counts.
    one, more = (outcome.other, None) if about.exact else (outcome.result, outcome.other)
    answers = [one] if more is one or more is None else [one, more]
    verdicts = [_verdict(judge, about, subject, replace(outcome, result=answer)) for answer in answers]
    status, message, verdict = max(verdicts, key=_badness)
    counted = Outcome()
    if terms.counting and first and status == "ok":
        counted = run(budget=0, counting=terms.counting)
        if counted.instructions is None:
            message += f"instructions not counted: {counted.message or 'none were told'}"
    return record(
        status,
        message,
        samples=tuple(outcome.samples),
        rounds=(len(outcome.samples),) if outcome.samples else (),
        counters=outcome.counters,
        peak_memory=outcome.peak_memory,
        instructions=counted.instructions,
        counted_by="" if counted.instructions is None else instruction_counts.counter(terms.counting),
        conditions=outcome.conditions,
        **_figures(verdict),
    )


Verdict = tuple[str, str, Certificate | None]


def _verdict(judge: Judge, about: Cell, subject: Subject, outcome: Outcome) -> Verdict:
    try:
        return judge.verdict(about, subject, outcome)
    except Exception as error:  # of an answer such as nobody has thought of, which costs its own cell
        return "error", f"its answer cannot be judged: {error!r}", None


def _badness(verdict: Verdict) -> tuple[bool, float, float]:
    """A key by which the worse of two verdicts is the larger: a failure, then what the answer costs, made feasible."""
    known = _figures(verdict[2])
    return verdict[0] != "ok", known["feasible_cost"] or 0.0, known["cost"] or 0.0


def unmeasured(
    about: Cell, status: str, message: str, where: Mapping[str, object] | None = None, **known: Any
) -> Record:
    """A record of a cell with what is known of it, on this machine unless `where` is another."""
    case, where = about.case, machine() if where is None else where
    return Record(
        key=about.key_on(where),
        solver=about.solver,
        case=str(case),
        problem=case.problem,
        n=case.n,
        seed=case.seed,
        params=case.params,
        exact=about.exact,
        status=status,
        message=message,
        threads=about.threads,
        environment=about.environment,
        versions=about.versions,
        machine=where,
        commit=commit(),
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        **known,
    )


def _given(about: Cell, problem: Problem) -> str:
    if about.entrant is None:
        return problem.cost.kind
    return protocol.given(problem, about.entrant.capabilities)


def _figures(verdict: Certificate | None) -> dict[str, float | None]:
    """The certificate's numbers; None where there is none, which no table can mistake for a number."""
    values = {name: getattr(verdict, name, math.nan) for name in FIGURES}
    return {name: value if math.isfinite(value) else None for name, value in values.items()}
