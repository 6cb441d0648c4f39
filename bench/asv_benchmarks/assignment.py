"""Every assignment solver on the main families: its time, its peak memory, its gap and each of its counters of work.

Each cell is first run once by the harness, in a process of its own and under limits. What that certifies is tracked as
gap and counters; only what passes is timed here, and what does not is skipped with the harness's reason. So a solver
that hangs or crashes costs a cell of the suite and no more.

Settings come from the environment: LAPMARK_BENCH_LIMIT, the seconds that a solve may take; LAPMARK_BENCH_SIZES
(squares, for a grid asks for them); LAPMARK_BENCH_PROBLEMS, families by name; LAPMARK_BENCH_SOLVERS, solvers by name,
every one that is here where it is empty.
"""

from __future__ import annotations

import functools
import math
import os
import re
import sys
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

from lapmark.bench.problems import Case, families
from lapmark.bench.results.record import Record
from lapmark.bench.results.store import Store
from lapmark.bench.run.cells import expand_solver, resolve
from lapmark.bench.run.local_run import LocalRun
from lapmark.bench.run.measure import RunSettings
from lapmark.bench.run.schedule import Finished, Schedule
from lapmark.bench.util import spec
from lapmark.bench.worker.limits import Limits
from lapmark.solvers import registry, solve

#: One family of each kind: an hour for all solvers, where all families would take a night.
TRACKED = ("tsne-grid", "uniform", "integers", "product", "geometric", "duplicates", "rectangular", "sparse")

LIMIT = float(os.environ.get("LAPMARK_BENCH_LIMIT", "2"))
SIZES = tuple(int(size) for size in os.environ.get("LAPMARK_BENCH_SIZES", "484,2500,10000").split(","))
CHOSEN = tuple(filter(None, os.environ.get("LAPMARK_BENCH_SOLVERS", "").split(",")))
PROBLEMS = tuple(filter(None, os.environ.get("LAPMARK_BENCH_PROBLEMS", "").split(","))) or TRACKED
MEMORY = 4 << 30

SOLVERS = {
    variant: solver.capabilities
    for name, solver in registry.solvers().items()
    if solver.missing is None and solver.capabilities.problem != "transport" and (not CHOSEN or name in CHOSEN)
    for variant in expand_solver(name)
}
COUNTERS = sorted({counter for capabilities in SOLVERS.values() for counter in capabilities.counters})
LABELS = tuple(spec.show(name, settings) for name in PROBLEMS for settings in families()[name].variants)

Records = dict[tuple[str, str, int], Record]


def case_of(label: str, n: int) -> Case:
    name, settings = spec.parse(label)
    return Case(name, n, params=settings)


def setup_cache() -> Records:
    """Run every cell once, isolated. asv calls this once and hands the result to every benchmark."""
    cells = [resolve(solver, case_of(label, n)) for label in LABELS for n in SIZES for solver in SOLVERS]
    with tempfile.TemporaryDirectory() as folder, Store.open(Path(folder)) as store:
        settings = RunSettings(limits=Limits(timeout=LIMIT, memory=MEMORY), budget=0)
        run = LocalRun(Schedule(store=store, settings=settings))
        done = [event for event in run.run(cells) if isinstance(event, Finished)]
    return {(event.cell.case.label, event.cell.solver, event.cell.case.n): event.record for event in done}


setup_cache.timeout = 24 * 3600.0  # type: ignore[attr-defined]


class Family(ABC):
    """The benchmarks of one variant of a family; asv runs the subclasses below, and passes over what is abstract."""

    @property
    @abstractmethod
    def label(self) -> str:
        """The variant, as a spec."""

    params: ClassVar[Any] = (tuple(SOLVERS), SIZES)
    param_names = ("solver", "n")

    def setup(self, records: Records, solver: str, n: int) -> None:
        record = self.record = records[self.label, solver, n]
        if record.status != "ok":
            print(f"skipped {solver} on {record.case}: {record.status}, {record.message}", file=sys.stderr)
            raise NotImplementedError(record.message)  # asv's word for "skip this"


class Solve(Family):
    """Time and memory of a call, whose input is ready before the clock starts."""

    timeout = 600.0

    def setup(self, records: Records, solver: str, n: int) -> None:
        super().setup(records, solver, n)
        name, options = spec.parse(solver)
        self.call = functools.partial(solve, case_of(self.label, n).build(), name, **options)

    def time_solve(self, records: Records, solver: str, n: int) -> None:
        self.call()

    def peakmem_solve(self, records: Records, solver: str, n: int) -> None:
        self.call()


class Track(Family):
    """What the harness's one run has settled: nothing is solved again."""

    def track_gap(self, records: Records, solver: str, n: int) -> float:
        # Rounded, or a comparison of two commits would see −2e-14 against −1e-14 as half.
        return math.nan if self.record.gap is None else max(round(self.record.gap, 12), 0.0)


class Work(Family):
    """Counters of the same run, of the solvers that report any; the methods are made below."""

    params = (tuple(solver for solver, capabilities in SOLVERS.items() if capabilities.counters), SIZES)


def tracker(counter: str) -> Callable[[Work, Records, str, int], float]:
    def track(self: Work, records: Records, solver: str, n: int) -> float:
        reported = counter in SOLVERS[solver].counters
        return self.record.counters.get(counter, 0) if reported else math.nan

    return track


for counter in COUNTERS:
    setattr(Work, f"track_{counter}", tracker(counter))


def classes() -> Iterator[type[Family]]:
    """What is timed and what is tracked, for each variant of a family."""
    for label in LABELS:
        name = "".join(part.capitalize() for part in re.split("[^a-z0-9]", label))
        for base in (Solve, Track, Work):
            yield type(base.__name__ + name, (base,), {"label": label, "__module__": __name__})


globals().update({made.__name__: made for made in classes()})
