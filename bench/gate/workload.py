"""Workload of a gate: the cells and benchmarks to measure of each commit, and how often."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lapmark.bench.compare.comparison import Key
from lapmark.bench.problems.case import NO_PROBLEM, Case
from lapmark.bench.run import configuration
from lapmark.bench.run.cells import plan
from lapmark.bench.worker.protocol import BUILD_MATRIX

from .settings import TOTAL, Settings

#: The defaults of a cell's limits: seconds of calls in all rounds together, seconds and bytes of a call.
LIMITS = {"budget": 2.0, "timeout": 30.0, "memory": 4 << 30}

#: Rounds of a cell, unless somebody names another number: of every cell, and of one whose time is noisy.
ROUNDS, MOST_ROUNDS = 10, 30

#: The case of every benchmark that is no solver.
BENCHMARK = str(Case(NO_PROBLEM, 1))


@dataclass(frozen=True, kw_only=True)
class Workload:
    """Cells to measure of each commit, and how often.

    `cases` has the specs of the solvers for the spec of each case; the benchmarks of the project are the solvers of the
    case `BENCHMARK`, one case each. `rounds` are measured of every cell, and up to `most_rounds` of a noisy one, for
    `total` seconds at most. `budget` is the time in seconds to sample a cell, in `rounds` rounds; `timeout` and
    `memory` are the limits of a call, in seconds and bytes.
    """

    cases: Mapping[str, tuple[str, ...]]
    benchmarks: tuple[str, ...] = ()
    rounds: int = ROUNDS
    most_rounds: int = MOST_ROUNDS
    total: float = TOTAL
    budget: float
    timeout: float
    memory: int

    @property
    def blocks(self) -> list[tuple[str, tuple[str, ...]]]:
        """What one round measures: each case with its solvers, and each benchmark."""
        return [*self.cases.items(), *((BENCHMARK, (name,)) for name in self.benchmarks)]

    @property
    def cells(self) -> int:
        """The number of cells."""
        return sum(len(solvers) for _, solvers in self.blocks)

    def only(self, keys: Iterable[Key]) -> Workload:
        """Return the part with these cells."""
        cases: dict[str, tuple[str, ...]] = {}
        for solver, case, _ in sorted(keys):
            cases[case] = cases.get(case, ()) + ((solver,) if solver != BUILD_MATRIX else ())
        benchmarks = cases.pop(BENCHMARK, ())
        cases = {case: solvers or self.cases[case][:1] for case, solvers in cases.items()}
        return replace(self, cases=cases, benchmarks=benchmarks)


def of_settings(cases: Mapping[str, Sequence[str]], benchmarks: Iterable[str], settings: Settings) -> Workload:
    """Return the workload of cells and benchmarks under the limits of the settings, or else the defaults.

    A number of rounds is kept however long that takes, unless the settings limit the time, too.
    """
    limits: dict[str, Any] = {name: getattr(settings, name) or default for name, default in LIMITS.items()}
    rounds = settings.rounds
    return Workload(
        cases={case: tuple(solvers) for case, solvers in cases.items()},
        benchmarks=tuple(benchmarks),
        rounds=rounds or ROUNDS,
        most_rounds=rounds or MOST_ROUNDS,
        total=settings.total or (float("inf") if rounds else TOTAL),
        **limits,
    )


def of_lapmark(settings: Settings) -> Workload:
    """Return the workload for two commits of Lapmark itself: its configuration `gate`, with the settings in its place.

    Raise a ValueError for a solver, problem or setting that does not exist.
    """
    given = configuration.load("gate")
    settings = replace(
        settings,
        **{name: getattr(settings, name) or getattr(given, name) for name in LIMITS},
    )
    solvers = settings.solvers or given.solvers
    cells = plan(solvers, settings.problems or given.sized(given.problems), settings.sizes)
    cases: dict[str, list[str]] = {}
    for cell in cells:
        cases.setdefault(str(cell.case), []).append(cell.solver)
    # A run on points always measures the building of the matrix too.
    return of_settings(
        {case: [one for one in names if one != BUILD_MATRIX] for case, names in cases.items()}, (), settings
    )
