"""One round of one cell: run the solver in a worker process, and certify its answer here.

The harness builds every problem itself, once, and certifies every answer against it. Nothing here knows of a store or
of other cells, so that a round can run on any machine.
"""

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from lapmark.bench.results.record import FIGURES, Record
from lapmark.bench.system import instruction_counts
from lapmark.bench.system.machine import commit, machine
from lapmark.bench.worker import isolated_run, protocol
from lapmark.bench.worker.measuring_loop import Outcome
from lapmark.bench.worker.resource_limits import Limits
from lapmark.solvers import Certificate

from .built_case import BuiltCase
from .cells import Cell
from .certify_answer import Certifier, CostCheck


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """How every cell of a run is measured.

    `rounds` is the number of processes over which the calls of a cell are spread. A cell whose calls have used up the
    `budget`, in seconds over all rounds, gets no further round; with 0 it is called once. `plugins` are files that
    register further solvers, loaded in this process already. `counting` is "", "hardware" or "callgrind": how to count
    the instructions of one call, in a process of its own after the first round.
    """

    limits: Limits
    budget: float
    rounds: int = 1
    plugins: tuple[str, ...] = ()
    counting: str = ""

    def is_final(self, record: Record) -> bool:
        """Return whether the cell of a record needs no further round."""
        return record.status != "ok" or len(record.rounds) >= self.rounds or sum(record.samples) >= self.budget


def measure(
    cell: Cell, build: Callable[[], BuiltCase | str], settings: RunSettings, certifier: Certifier, is_first: bool = True
) -> Record:
    """Run one round of a cell; in its first one, instructions are counted.

    `build` returns the built case, or why it cannot be built. It is called only where the solver can run here.
    """
    if cell.missing:
        return unmeasured(cell, "skipped", cell.missing)
    built = build()
    if isinstance(built, str):
        return unmeasured(cell, "skipped", built)
    problem = built.problem
    given = problem.cost.kind if cell.capabilities is None else protocol.given(problem, cell.capabilities)
    record = functools.partial(unmeasured, cell, m=problem.shape[1], digest=built.digest, given=given)
    if reason := cell.refuses(problem):
        return record("skipped", reason)
    run = functools.partial(run_solver, cell, built, settings.limits)
    outcome = run(budget=settings.budget / settings.rounds)
    # Answers that claim the optimum cost the same, so that the random one represents all. Of others both are certified.
    answers = [outcome.other] if cell.exact or outcome.result is outcome.other else [outcome.result, outcome.other]
    verdicts = [_verdict(certifier, cell, built, replace(outcome, result=answer)) for answer in answers]
    status, message, certificate = max(verdicts, key=_badness)
    counted = Outcome()
    if settings.counting and is_first and status == "ok":
        counted = run(budget=0, counting=settings.counting)
        if counted.instructions is None:
            message += f"instructions not counted: {counted.message or 'the worker reported none'}"
    return record(
        status,
        message,
        samples=tuple(outcome.samples),
        rounds=(len(outcome.samples),) if outcome.samples else (),
        counters=outcome.counters,
        peak_memory=outcome.peak_memory,
        instructions=counted.instructions,
        counted_by="" if counted.instructions is None else instruction_counts.counter_version(settings.counting),
        conditions=outcome.conditions,
        **_figures(certificate),
    )


def run_solver(cell: Cell, built: BuiltCase, limits: Limits, budget: float, counting: str = "") -> Outcome:
    """Run the solver of a cell in a worker process; see `isolated_run.run`."""
    return isolated_run.run(
        cell.worker_spec,
        built.problem,
        limits,
        budget,
        threads=cell.threads,
        # The cell's own plugin only: one that crashes while it is loaded costs its own cells.
        plugins=(cell.plugin,) if cell.plugin else (),
        python=cell.python,
        counting=counting,
        digest=built.digest,
        cost_of=CostCheck(built.problem, cell.exact),
        starts_slowly=cell.starts_slowly,
        compiles=cell.compiles,
    )


Verdict = tuple[str, str, Certificate | None]


def _verdict(certifier: Certifier, cell: Cell, built: BuiltCase, outcome: Outcome) -> Verdict:
    try:
        return certifier.verdict(cell, built, outcome)
    except Exception as error:  # an answer of an unforeseen kind costs its own cell only
        return "error", f"its answer cannot be certified: {error!r}", None


def _badness(verdict: Verdict) -> tuple[bool, float, float]:
    """Return a sort key that grows with badness: a failure first, then the cost of the feasible answer."""
    known = _figures(verdict[2])
    return verdict[0] != "ok", known["feasible_cost"] or 0.0, known["cost"] or 0.0


def unmeasured(
    cell: Cell, status: str, message: str, where: Mapping[str, object] | None = None, **known: Any
) -> Record:
    """Return the record of a cell, with the fields that are known; `where` is the machine, by default this one."""
    case, where = cell.case, machine() if where is None else where
    return Record(
        key=cell.key(where),
        solver=cell.solver,
        case=str(case),
        problem=case.problem,
        n=case.n,
        seed=case.seed,
        params=case.params,
        exact=cell.exact,
        status=status,
        message=message,
        threads=cell.threads,
        environment=cell.environment,
        versions={**cell.versions, **case.versions},
        machine=where,
        commit=commit(),
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        **known,
    )


def _figures(certificate: Certificate | None) -> dict[str, Any]:
    """Return the numbers of a certificate, None for those that are missing or not finite."""
    values = {name: getattr(certificate, name, math.nan) for name in FIGURES}
    return {name: value if math.isfinite(value) else None for name, value in values.items()}
