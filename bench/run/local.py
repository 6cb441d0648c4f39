"""A run on this machine: case after case, its cells in turn, each record kept before the next turn."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass

from lapmark.bench.problems import Case
from lapmark.bench.results.record import Record
from lapmark.bench.system import host_lock
from lapmark.bench.system.machine import machine

from . import built_case
from .built_case import Subject
from .cells import Cell
from .certify import Judge
from .measure import measure, unmeasured
from .schedule import Event, Finished, Started, Turns, Waiting

#: How often the harness may die, or be killed, while it runs a cell, before that is taken for the solver's doing.
MOST_DEATHS = 2


@dataclass
class Sweep:
    """Runs turns here."""

    turns: Turns

    def __post_init__(self) -> None:
        host_lock.lock_file()  # a lock that cannot be had is an error before anything is measured
        self._judge = Judge(self.turns.store, self.turns.terms.limits)

    def run(self, planned: Sequence[Cell]) -> Generator[Event, None, None]:
        """Run the cells that have no record yet. Closing the iterator ends the worker and keeps what is done."""
        for case, cells in itertools.groupby(planned, key=lambda cell: cell.case):
            yield from self._case(case, list(cells))

    def _case(self, case: Case, cells: Sequence[Cell]) -> Iterator[Event]:
        build = functools.cache(functools.partial(built_case.build, case))
        turns = self.turns.of(cells, digest=lambda: getattr(build(), "digest", None))
        event: Started | Finished | None = next(turns, None)
        while event is not None:
            yield event
            if not isinstance(event, Started):
                event = next(turns, None)
                continue
            if host_lock.busy():
                yield Waiting("another run on this machine has ended its turn")
            with host_lock.alone():  # until the record is kept, so that nobody measures what has just been measured
                event = _send(turns, self._turn(event, build))

    def _turn(self, turn: Started, build: Callable[[], Subject | str]) -> Record | None:
        """The round's record, None where another run on the same store was quicker."""
        if self.turns.kept(turn.cell, machine()) != turn.seen:
            return None
        with self.turns.store.attempt(turn.cell.key) as deaths:
            if deaths >= MOST_DEATHS:
                reason = f"the harness died {deaths} times while it ran; --retry crash runs it again"
                return unmeasured(turn.cell, "crash", reason)
            return measure(turn.cell, build, self.turns.terms, self._judge, turn.round == 0)


def _send(
    turns: Generator[Started | Finished, Record | None, None], record: Record | None
) -> Started | Finished | None:
    """The event that follows a turn, None at the end."""
    try:
        return turns.send(record)
    except StopIteration:
        return None
