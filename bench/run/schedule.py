"""Whose turn it is: the cells of a case in rounds, and what a store already has of them.

In a round every solver of the case has its turn, and the next round goes the other way, so that whatever the machine
does meanwhile comes to all of them. Who measures, here or elsewhere, is not decided here.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from dataclasses import dataclass, field

from lapmark.bench.results.record import Record
from lapmark.bench.results.statuses import LIMIT_REACHED, STATUSES
from lapmark.bench.results.store import Store
from lapmark.bench.system.conditions import loaded
from lapmark.bench.system.machine import machine

from .cells import Cell
from .measure import Terms, unmeasured


@dataclass(frozen=True)
class Started:
    """A round of a cell is about to run.

    Attributes
    ----------
    cell : Cell
    round : int
        The first is 0.
    seen : Record or None
        What the store had of the cell.
    where : str
        The host that runs it, "" for this one.
    """

    cell: Cell
    round: int
    seen: Record | None = None
    where: str = ""


@dataclass(frozen=True)
class Waiting:
    """Nothing runs until what the text says has ended."""

    until: str


@dataclass(frozen=True)
class Finished:
    """A cell has its record; `resumed` where it had one before this run."""

    cell: Cell
    record: Record
    resumed: bool


Event = Started | Waiting | Finished


@dataclass(kw_only=True)
class Turns:
    """The turns of a run.

    Attributes
    ----------
    store : Store
        Other runs may use it at the same time: what they finish meanwhile is not run again.
    terms : Terms
    retry : collection of str
        Statuses of finished cells that are to be run again, or "loaded" for those that were measured under load.
    """

    store: Store
    terms: Terms
    retry: Collection[str] = ()
    _defeats: dict[tuple[str, int, str], Record] = field(default_factory=dict, init=False)

    def of(
        self,
        cells: Sequence[Cell],
        there: Mapping[str, object] | None = None,
        digest: Callable[[], str | None] = lambda: None,
    ) -> Generator[Started | Finished, Record | None, None]:
        """The events of one case. To each `Started` send the record of that round, or None to have the store looked at
        again.

        Parameters
        ----------
        cells : sequence of Cell
        there : mapping, optional
            The machine that measures (`lapmark.bench.system.machine.machine`), if it is not this one.
        digest : callable
            The fingerprint of the case's problem, where it can be had; asked for if a cell is to be measured. What
            the store has of another problem under the same name, whose data have changed since, counts for nothing.
        """
        due = list(cells)
        where = machine() if there is None else there
        kept = [self.kept(cell, where) for cell in due if cell.missing is None]
        complete = all(record and self.terms.fulfilled(record) and not self._retried(record) for record in kept)
        current = None if complete else digest()
        for number in itertools.count():
            for cell in due[:: 1 if number % 2 == 0 else -1]:
                resumed = True
                first = self.kept(cell, where)
                # What was skipped may be there now, and looking again costs no run.
                again = first is not None and number == 0 and (self._retried(first) or _of_others(first, current))
                while True:
                    latest = self.kept(cell, where)
                    record = None if again and latest == first else latest
                    if record is not None and self.terms.fulfilled(record):
                        break
                    resumed = False
                    later = self._defeated(cell, where)
                    if later is None:
                        later = yield Started(cell, number, latest)
                    if later is not None:
                        same = record is not None and not _of_others(record, later.digest)
                        record = record.joined(later) if record is not None and same else later
                        self.store.add(record)
                        break
                if self.terms.fulfilled(record):
                    due.remove(cell)
                    if record.status in LIMIT_REACHED:
                        self._defeats.setdefault(_kind(cell), record)
                    yield Finished(cell, record, resumed)
            if not due:
                return

    def kept(self, cell: Cell, where: Mapping[str, object]) -> Record | None:
        """What the store has of a cell. Another cell's record under its key is damage, and is replaced."""
        record = self.store.get(cell.key_on(where))
        its = (cell.solver, str(cell.case), cell.threads)
        return record if record and (record.solver, record.case, record.threads) == its else None

    def _retried(self, record: Record) -> bool:
        """Whether a finished cell is to be run again."""
        return record.status in {"skipped", *self.retry} or ("loaded" in self.retry and loaded(record.conditions))

    def _defeated(self, cell: Cell, where: Mapping[str, object]) -> Record | None:
        """The record of a cell that is not worth a try."""
        defeat = self._defeats.get(_kind(cell))
        if defeat is None or defeat.n >= cell.case.n:
            return None
        reason = f"passed the {STATUSES[defeat.status].limit} limit at n = {defeat.n} already"
        return unmeasured(cell, "skipped", reason, where)


def _of_others(record: Record, digest: str | None) -> bool:
    """Whether a record is of another problem than that of the digest; one that is not known is taken for the same."""
    return None not in (digest, record.digest) and record.digest != digest


def _kind(cell: Cell) -> tuple[str, int, str]:
    """What a defeat holds for, at larger sizes."""
    return cell.solver, cell.threads, cell.case.label
