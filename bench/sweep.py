"""The run: case after case, its cells in rounds, each record kept before the next round starts.

In a round every solver of the case has its turn, and the next round goes the other way, so that whatever the machine
does meanwhile comes to all of them.
"""

from __future__ import annotations

import functools
import itertools
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field

from . import host, subject
from .judge import Judge
from .measure import Terms, measure, unmeasured
from .plan import Cell
from .problems import Case
from .record import Record
from .store import Store
from .subject import Subject

#: A solver that came to this on a case is not tried on larger ones of its kind: it would only spend the limit again.
DEFEATS = {"timeout": "time", "memory": "memory"}


@dataclass(frozen=True)
class Started:
    """A round of a cell is about to run, the first being 0."""

    cell: Cell
    round: int


@dataclass(frozen=True)
class Waiting:
    """The cell waits for another run on this machine to end its own."""

    cell: Cell


@dataclass(frozen=True)
class Finished:
    """A cell has its record; `resumed` where it had one before this run."""

    cell: Cell
    record: Record
    resumed: bool


Event = Started | Waiting | Finished


@dataclass(kw_only=True)
class Sweep:
    """A run on this machine.

    Attributes
    ----------
    store : Store
        Other runs may use it at the same time: what they finish meanwhile is not run again here.
    terms : Terms
    retry : collection of str
        Statuses of finished cells that are to be run again.
    """

    store: Store
    terms: Terms
    retry: Collection[str] = ()
    _defeats: dict[tuple[str, int, str], Record] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._judge = Judge(self.store, self.terms.limits)

    def run(self, planned: Sequence[Cell]) -> Iterator[Event]:
        """Run the cells that have no record yet. Closing the iterator ends the worker and keeps what is done."""
        for case, cells in itertools.groupby(planned, key=lambda cell: cell.case):
            yield from self._rounds(case, list(cells))

    def _rounds(self, case: Case, cells: list[Cell]) -> Iterator[Event]:
        with tempfile.TemporaryFile() as file:
            build = functools.cache(functools.partial(subject.build, case, file))
            for number in itertools.count():
                due = cells[:: 1 if number % 2 == 0 else -1]
                if not due:
                    return
                for cell in due:
                    record = seen = self.store.get(cell.key)
                    # What was skipped may be there now, and looking again costs no run.
                    if seen is not None and number == 0 and seen.status in {"skipped", *self.retry}:
                        record = None
                    resumed = record is not None and self.terms.fulfilled(record)
                    if not resumed:
                        yield Started(cell, number)
                        if host.busy():
                            yield Waiting(cell)
                        with host.alone():
                            record = self._round(cell, build, record, seen)
                    assert record is not None
                    if self.terms.fulfilled(record):
                        cells.remove(cell)
                        if record.status in DEFEATS:
                            self._defeats.setdefault(_kind(cell), record)
                        yield Finished(cell, record, resumed)

    def _round(
        self, cell: Cell, build: Callable[[], Subject | str], before: Record | None, seen: Record | None
    ) -> Record:
        """The record with one more round, or what another run has made of it since it was `seen`."""
        latest = self.store.get(cell.key)
        if latest is not None and latest != seen:
            before = latest
            if self.terms.fulfilled(latest):
                return latest
        defeat = self._defeats.get(_kind(cell))
        if defeat is not None and defeat.n < cell.case.n:
            reason = f"passed the {DEFEATS[defeat.status]} limit at n = {defeat.n} already"
            record = unmeasured(cell, "skipped", reason)
        else:
            record = measure(cell, build, self.terms, self._judge)
        if before is not None:
            record = before.joined(record)
        self.store.add(record)
        return record


def _kind(cell: Cell) -> tuple[str, int, str]:
    """What a defeat holds for, at larger sizes."""
    return cell.solver, cell.threads, cell.case.label
