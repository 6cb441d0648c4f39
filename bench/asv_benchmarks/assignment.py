"""Time, peak memory, gap and work counters of every assignment solver on the main families.

The harness first runs each cell once, in its own process and under limits, for the gap and the counters. Only cells
with a certified answer are timed here; others are skipped with the harness's reason. A solver that hangs or crashes
therefore costs only its cell.

Environment variables: LAPMARK_BENCH_LIMIT, seconds per solve; LAPMARK_BENCH_SIZES (squares, which grids need);
LAPMARK_BENCH_PROBLEMS, names of families; LAPMARK_BENCH_SOLVERS, names of solvers, by default all that are available.
"""

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
from lapmark.bench.worker.resource_limits import Limits
from lapmark.solvers import registry, solve

#: One family of each kind: they take an hour for all solvers, while all families would take a night.
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
    """Run every cell once, isolated. asv calls this once and passes the result to every benchmark."""
    cells = [resolve(solver, case_of(label, n)) for label in LABELS for n in SIZES for solver in SOLVERS]
    with tempfile.TemporaryDirectory() as folder, Store.open(Path(folder)) as store:
        settings = RunSettings(limits=Limits(timeout=LIMIT, memory=MEMORY), budget=0)
        run = LocalRun(Schedule(store=store, settings=settings))
        done = [event for event in run.run(cells) if isinstance(event, Finished)]
    return {(event.cell.case.label, event.cell.solver, event.cell.case.n): event.record for event in done}


setup_cache.timeout = 24 * 3600.0  # type: ignore[attr-defined]


class Family(ABC):
    """The benchmarks of one variant of a family; asv runs the concrete subclasses below."""

    @property
    @abstractmethod
    def label(self) -> str:
        """Return the variant, as a spec."""

    params: ClassVar[Any] = (tuple(SOLVERS), SIZES)
    param_names = ("solver", "n")

    def setup(self, records: Records, solver: str, n: int) -> None:
        record = self.record = records[self.label, solver, n]
        if record.status != "ok":
            print(f"skipped {solver} on {record.case}: {record.status}, {record.message}", file=sys.stderr)
            raise NotImplementedError(record.message)  # asv then skips the benchmark


class Solve(Family):
    """Time and memory of a call, with its input built before the clock starts."""

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
    """Gap from the harness's run; nothing is solved again."""

    def track_gap(self, records: Records, solver: str, n: int) -> float:
        # Rounded, because a comparison of commits would report −2e-14 against −1e-14 as halved.
        return math.nan if self.record.gap is None else max(round(self.record.gap, 12), 0.0)


class Work(Family):
    """Counters from the harness's run, for solvers that report any; the methods are added below."""

    params = (tuple(solver for solver, capabilities in SOLVERS.items() if capabilities.counters), SIZES)


def tracker(counter: str) -> Callable[[Work, Records, str, int], float]:
    def track(self: Work, records: Records, solver: str, n: int) -> float:
        reported = counter in SOLVERS[solver].counters
        return self.record.counters.get(counter, 0) if reported else math.nan

    return track


for counter in COUNTERS:
    setattr(Work, f"track_{counter}", tracker(counter))


def classes() -> Iterator[type[Family]]:
    """Yield the benchmark classes of each variant of a family."""
    for label in LABELS:
        name = "".join(part.capitalize() for part in re.split("[^a-z0-9]", label))
        for base in (Solve, Track, Work):
            yield type(base.__name__ + name, (base,), {"label": label, "__module__": __name__})


globals().update({made.__name__: made for made in classes()})
