"""A run on this machine: case by case, each record stored before the next round starts."""

import functools
import itertools
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass

from lapmark.bench.problems import Case
from lapmark.bench.results.record import Record
from lapmark.bench.system import host_lock
from lapmark.bench.system.machine import machine

from . import built_case
from .built_case import BuiltCase
from .cells import Cell
from .certify_answer import Certifier
from .measure import measure, unmeasured
from .schedule import CaseSchedule, Event, Round, Schedule, Waiting

#: A cell during which the harness died or was killed this many times is recorded as a crash of the solver.
MOST_DEATHS = 2


@dataclass
class LocalRun:
    """Run of a schedule on this machine; raises a LockError if the lock of the machine cannot be taken."""

    schedule: Schedule

    def __post_init__(self) -> None:
        host_lock.lock_file()  # fail before anything is measured
        self._certifier = Certifier(self.schedule.store, self.schedule.settings.limits)

    def run(self, planned: Sequence[Cell]) -> Generator[Event, None, None]:
        """Run the cells that have no record yet. Closing the iterator ends the worker and keeps finished cells."""
        for case, cells in itertools.groupby(planned, key=lambda cell: cell.case):
            yield from self._run_case(case, list(cells))

    def _run_case(self, case: Case, cells: Sequence[Cell]) -> Iterator[Event]:
        build = functools.cache(functools.partial(built_case.build, case))
        rounds = CaseSchedule(self.schedule, cells, machine(), lambda: getattr(build(), "digest", None))
        while (event := rounds.next()) is not None:
            yield event
            if not isinstance(event, Round):
                continue
            if host_lock.is_held():
                yield Waiting("another run on this machine has ended its round")
            with host_lock.hold():  # until the record is stored, so that no other run measures the same
                if (record := self._measure(event, build)) is not None:
                    rounds.record(event, record)

    def _measure(self, offered: Round, build: Callable[[], BuiltCase | str]) -> Record | None:
        """Return the record of a round, None where another run on the same store was quicker."""
        cell = offered.cell
        if self.schedule.stored(cell, machine()) != offered.stored:
            return None
        with self.schedule.store.attempt(cell.key(machine())) as deaths:
            if deaths >= MOST_DEATHS:
                reason = f"the harness died {deaths} times while it ran; --retry crash runs it again"
                return unmeasured(cell, "crash", reason)
            return measure(cell, build, self.schedule.settings, self._certifier, is_first=offered.number == 0)
