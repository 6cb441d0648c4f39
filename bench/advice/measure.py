"""Measuring of what ships with the package: every candidate's lines, on every case of `measured_cases`.

    python -m lapmark.bench.advice.measure results/advice

measures what the folder does not have yet, and can be stopped at any moment; `--help` lists the options. The candidates
of a case take turns, in two rounds, and every answer is certified. Times are those of the lines that a user pastes,
which for small problems are far below those of `lapmark run`: there each call comes after the harness has used the
caches.
"""

from __future__ import annotations

import gc
import hashlib
import importlib
import json
import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import threadpoolctl
import typer

from lapmark.bench.environments import inventory
from lapmark.bench.problems import Case
from lapmark.bench.results.record import FIGURES, Record
from lapmark.bench.results.store import Store
from lapmark.bench.system.machine import commit, machine, source
from lapmark.bench.util import spec, units
from lapmark.bench.util.status_line import doing
from lapmark.solvers import Certificate, certify, registry
from lapmark.solvers.problem import Problem
from lapmark.solvers.result import Matching, Result

from . import candidates, measured_cases
from .call_timing import Timing, time_calls
from .candidates import AUTO

#: Relative gap that the rounding of a bound explains.
ROUNDING_GAP = 1e-12

#: Rounds of a case: in each one all candidates are timed, so that a slow phase of the machine affects all alike.
ROUNDS = 2

#: Times of the timeout from which a predicted time is not measured.
HOPELESS = 2.0

#: Modules that the candidates load, so that their processes need not.
MODULES = (
    *("lap", "lapcpp", "laprust", "fastlap", "lapjv", "ot", "py_lap_solver.solvers.lap1015_solver"),
    *("ortools.graph.python.linear_sum_assignment", "ortools.graph.python.min_cost_flow", "scipy.sparse.csgraph"),
)


@dataclass(frozen=True)
class Settings:
    """How the cells are measured: seconds of calls per cell and round, seconds of one call, and bytes of memory."""

    budget: float = 0.03
    timeout: float = 2.0
    memory: int = 4 << 30


@dataclass
class Campaign:
    """The measuring of many cases into a store."""

    store: Store
    settings: Settings
    names: Sequence[str] = ()  # of the candidates to measure; empty for all
    where: Mapping[str, object] = field(default_factory=machine)
    code: str = field(default_factory=source)

    def measure(self, case: Case, earlier: Mapping[str, Sequence[Record]]) -> list[Record]:
        """Measure the candidates of a case that the store lacks; return the records of all of them.

        `earlier` holds each candidate's records of smaller sizes, from which a hopeless one is known.
        """
        try:
            problem = case.build()
        except ValueError:  # the family has no such size
            return []
        n = problem.shape[0]
        found, left = [], []
        for name in measured_cases.names(problem):
            if self.names and name not in self.names:
                continue
            if (known := self.store.get(self._key(name, case))) is not None:
                found.append(known)
            elif reason := self._hopeless(earlier.get(name, ()), n):
                found.append(self._record(name, case, problem, Timing("timeout", reason), None))
                self.store.add(found[-1])
            else:
                left.append(name)
        if left:
            problems = measured_cases.instances(case, problem)
            timings = self._timings(left, problems)
            proving = timings if any(map(candidates.is_ours, left)) else self._reference(problems)
            for name, (timing, certificate) in verdicts(timings, problems, proving).items():
                found.append(self._record(name, case, problem, timing, certificate))
                self.store.add(found[-1])
        return found

    def _timings(self, names: Sequence[str], problems: Sequence[Problem]) -> dict[str, Timing]:
        """Return the timings of candidates over all rounds, the second in reverse order."""
        settings, found = self.settings, dict[str, Timing]()
        for number in range(ROUNDS):
            for name in names[:: 1 if number % 2 == 0 else -1]:
                before = found.get(name)
                if before and (before.status or max(before.seconds) > 10 * settings.budget):
                    continue  # it is known well enough
                timing = time_calls(name, problems, settings.budget, settings.timeout, settings.memory)
                found[name] = before.joined(timing) if before else timing
        return found

    def _reference(self, problems: Sequence[Problem]) -> dict[str, Timing]:
        """Return an answer of our default solver to each problem, to certify others by."""
        return {AUTO: time_calls(AUTO, problems, 0.0, self.settings.timeout, self.settings.memory)}

    def _hopeless(self, records: Sequence[Record], n: int) -> str:
        """Return why a candidate need not be tried at size n: it reached the limit before, or surely would."""
        if any(record.status in ("timeout", "memory") for record in records):
            return "reached the limit at a smaller size"
        known = [(record.n, record.seconds) for record in records if record.seconds and record.status == "ok"]
        if not known:
            return ""
        last, seconds = known[-1]
        expected = seconds * (n / last) ** 2
        if expected > HOPELESS * self.settings.timeout:
            return f"not tried: {units.show_duration(seconds)} at n = {last}, and at least {expected:.2g} s here"
        return ""

    def _versions(self, name: str) -> dict[str, str]:
        if candidates.is_ours(name):
            return inventory.own_versions()
        return inventory.versions(registry.get(spec.parse(name)[0]))

    def _key(self, name: str, case: Case) -> str:
        code = self.code if candidates.is_ours(name) else ""
        facts = [name, str(case), self._versions(name), self.where, code, "call"]
        return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()[:32]

    def _record(
        self, name: str, case: Case, problem: Problem, timing: Timing, certificate: Certificate | None
    ) -> Record:
        figures = {figure: getattr(certificate, figure, math.nan) for figure in FIGURES}
        known: dict[str, Any] = {name: value if math.isfinite(value) else None for name, value in figures.items()}
        return Record(
            key=self._key(name, case),
            solver=name,
            case=str(case),
            problem=case.problem,
            n=case.n,
            m=problem.shape[1],
            seed=case.seed,
            params=case.params,
            exact=candidates.is_exact(name, problem),
            given=problem.cost.kind,
            status=timing.status or "ok",
            message=timing.message,
            samples=timing.seconds,
            rounds=(len(timing.seconds),) if timing.seconds else (),
            peak_memory=timing.peak_memory or None,
            versions=self._versions(name),
            machine=self.where,
            commit=commit(),
            finished=datetime.now(UTC).isoformat(timespec="seconds"),
            **known,
        )


def verdicts(
    timings: Mapping[str, Timing], problems: Sequence[Problem], proving: Mapping[str, Timing]
) -> dict[str, tuple[Timing, Certificate | None]]:
    """Certify the answers of every candidate to every problem, by duals that one of the `proving` candidates has."""
    proofs = [_proof(problem, place, proving) for place, problem in enumerate(problems)]
    return {
        name: _verdict(timing, problems, proofs, candidates.is_exact(name, problems[0]))
        for name, timing in timings.items()
    }


#: A certified lower bound and the answer whose duals prove it.
Proof = tuple[float, Result]


def _proof(problem: Problem, place: int, timings: Mapping[str, Timing]) -> Proof | None:
    """Return the first proof of an optimum among the answers of our solvers to a problem."""
    for name, timing in timings.items():
        if candidates.is_ours(name) and not timing.status:
            certificate = certify(problem, timing.results[place], search=False)
            if certificate.optimal:
                return certificate.dual_bound, timing.results[place]
    return None


def _verdict(
    timing: Timing, problems: Sequence[Problem], proofs: Sequence[Proof | None], is_exact: bool
) -> tuple[Timing, Certificate | None]:
    """Return the timing with its status, and the worst certificate."""
    if timing.status:
        return timing, None
    judged = []
    for problem, result, proof in zip(problems, timing.results, proofs, strict=True):
        certificate = _certificate(problem, result, proof, is_exact)
        if fault := _fault(certificate, proof, is_exact):
            return Timing(*fault, timing.seconds, timing.peak_memory), certificate
        judged.append(certificate)
    return timing, max(judged, key=lambda each: each.gap if math.isfinite(each.gap) else math.inf)


def _certificate(problem: Problem, result: Result, proof: Proof | None, is_exact: bool) -> Certificate:
    """Judge an answer by the proven bound, and one that claims the optimum by the duals of the proof as well."""
    certificate = certify(problem, result, proof and proof[0], search=False)
    if proof is None or certificate.optimal or not is_exact or not certificate.valid:
        return certificate
    names = ("u", "v") if isinstance(result, Matching) else ("f", "g")
    duals = {name: getattr(proof[1], name) for name in names}
    return certify(problem, replace(result, **duals), proof[0], search=False)


def _fault(certificate: Certificate, proof: Proof | None, is_exact: bool) -> tuple[str, str] | None:
    """Return status and message of an answer that cannot be counted."""
    if not certificate.valid:
        return "wrong", certificate.fault or ""
    if certificate.optimal or not is_exact:
        return None
    if proof is None or certificate.gap <= ROUNDING_GAP:
        return "unproven", "no duals prove it"
    return "wrong", f"costs {certificate.gap:.2g} more than the optimum"


def load_packages() -> None:
    """Import what the candidates need, and keep every library to one thread."""
    for module in MODULES:
        try:
            importlib.import_module(module)
        except ImportError:
            continue
    threadpoolctl.threadpool_limits(1)
    gc.freeze()  # what is loaded by now need not be looked through again in every copy of this process


def cases(labels: Iterable[str], sizes: Sequence[int]) -> Iterator[list[Case]]:
    """Yield the cases of each label, small ones first."""
    for label in labels:
        found = {}
        for n in sizes:
            if (case := measured_cases.sized(label, n)) is not None:
                found[case.n] = case
        yield list(found.values())


def main(
    folder: Annotated[Path, typer.Argument(help="Folder of results to continue or to make.")],
    label: Annotated[list[str] | None, typer.Option("-p", help="Family or case to measure; default: all.")] = None,
    size: Annotated[list[int] | None, typer.Option("-n", help="Size to measure; default: 5 to 10 000.")] = None,
    solver: Annotated[list[str] | None, typer.Option("-s", help="Candidate to measure; default: all.")] = None,
    timeout: Annotated[float, typer.Option(help="Seconds of one call.")] = Settings.timeout,
    budget: Annotated[float, typer.Option(help="Seconds of the calls of a cell in a round.")] = Settings.budget,
) -> None:
    """Measure the candidates of the advisor, and certify their answers."""
    load_packages()
    labels, started = measured_cases.chosen(label or ()), time.monotonic()
    with Store.open(folder) as store, doing("advice") as say:
        campaign = Campaign(store, Settings(budget, timeout), solver or ())
        for number, of_label in enumerate(cases(labels, size or measured_cases.SIZES), 1):
            earlier: dict[str, list[Record]] = {}
            for case in of_label:
                say(f"family {number} of {len(labels)}: {case}")
                for record in campaign.measure(case, earlier):
                    earlier.setdefault(record.solver, []).append(record)
            counts = [record.status for records in earlier.values() for record in records]
            bad = {status: counts.count(status) for status in sorted(set(counts) - {"ok", "timeout"})}
            taken = time.monotonic() - started
            shown = "".join(f", {count} {status}" for status, count in bad.items())
            left = units.show_duration(taken / number * (len(labels) - number))
            typer.echo(f"{number}/{len(labels)} {of_label[0].label}: {len(counts)} cells{shown}, about {left} left")


if __name__ == "__main__":
    typer.run(main)
