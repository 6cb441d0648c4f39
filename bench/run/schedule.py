"""The schedule of a run: which cell has its next round, and what the store already holds.

In a round each solver of a case runs once. The next round reverses the order, so that a slow phase of the machine
affects all solvers alike. Where a round runs, here or on a cluster, is the caller's matter.
"""

from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from lapmark.bench.results.record import Record
from lapmark.bench.results.statuses import LIMIT_REACHED, STATUSES
from lapmark.bench.results.store import Store
from lapmark.bench.system.conditions import is_loaded

from .cells import Cell
from .measure import RunSettings, unmeasured


@dataclass(frozen=True)
class Round:
    """One round of one cell, about to run on a host; "" is this one. The first round has number 0.

    `stored` is the cell's record in the store, which another run may replace meanwhile.
    """

    cell: Cell
    number: int
    stored: Record | None = None
    host: str = ""


@dataclass(frozen=True)
class Waiting:
    """Nothing runs; the text completes "waiting until …"."""

    until: str


@dataclass(frozen=True)
class Finished:
    """A cell has its record; `resumed` where it is from an earlier run."""

    cell: Cell
    record: Record
    resumed: bool


Event = Round | Waiting | Finished


@dataclass(kw_only=True)
class Schedule:
    """The schedule of a run.

    Other runs may use the store at the same time: a cell that one of them finishes is not run again. `retry` holds the
    statuses of finished cells to run again, and "loaded" for cells that were measured under load.
    """

    store: Store
    settings: RunSettings
    retry: Collection[str] = ()
    _limits_reached: dict[tuple[str, int, str], Record] = field(default_factory=dict, init=False)

    def stored(self, cell: Cell, machine: Mapping[str, object]) -> Record | None:
        """Return the stored record of a cell. A record of another cell under its key is damage and is ignored."""
        record = self.store.get(cell.key(machine))
        expected = (cell.solver, str(cell.case), cell.threads)
        return record if record and (record.solver, record.case, record.threads) == expected else None

    def runs_again(self, record: Record) -> bool:
        """Return whether to run a finished cell again. A skipped one always is: its solver may be installed now."""
        return record.status in {"skipped", *self.retry} or ("loaded" in self.retry and is_loaded(record.conditions))

    def note_limit(self, cell: Cell, record: Record) -> None:
        """Remember the smallest case on which a solver reached a limit."""
        if record.status in LIMIT_REACHED:
            self._limits_reached.setdefault((cell.solver, cell.threads, cell.case.label), record)

    def reason_to_skip(self, cell: Cell) -> str | None:
        """Return why a cell is not tried: its solver reached a limit on a smaller case of the same kind."""
        reached = self._limits_reached.get((cell.solver, cell.threads, cell.case.label))
        if reached is None or reached.n >= cell.case.n:
            return None
        return f"reached the {STATUSES[reached.status].limit} limit at n = {reached.n} already"


class CaseSchedule:
    """The rounds of the cells of one case.

    Call `next` for the next event, and `record` with the record of each round. A round without a record is offered
    again, unless another run has stored its cell meanwhile. `machine` is the one that measures.

    `digest` returns the digest of the case's problem, or None where it is unknown. It is called only if a cell is to be
    measured, or for a file, which a user may have changed. A stored record of a problem with another digest is ignored.
    """

    def __init__(
        self,
        schedule: Schedule,
        cells: Sequence[Cell],
        machine: Mapping[str, object],
        digest: Callable[[], str | None] = lambda: None,
    ) -> None:
        self.left = list(cells)
        self._schedule, self._machine = schedule, machine
        self._number, self._queue = 0, deque(cells)
        self._is_offered = False  # whether `next` has returned the round of the first cell in the queue
        self._finished: Finished | None = None
        stored = [(cell, record) for cell in cells if (record := schedule.stored(cell, machine))]
        kept = [cell for cell, record in stored if not schedule.runs_again(record)]
        final = [cell for cell, record in stored if schedule.settings.is_final(record) and cell in kept]
        is_complete = all(cell in final for cell in cells if cell.missing is None)
        current = None if is_complete and cells[0].case.file is None else digest()
        #: Records to replace, by key, until their cells are measured anew.
        self._outdated = {
            cell.key(machine): record
            for cell, record in stored
            if schedule.runs_again(record) or _is_of_another_problem(record, current)
        }

    def next(self) -> Round | Finished | None:
        """Return the next round to run or the next cell that is finished, None at the end of the case."""
        while self.left and self._finished is None:
            if not self._queue:
                self._number += 1
                self._queue.extend(self.left[:: 1 if self._number % 2 == 0 else -1])
            cell = self._queue[0]
            latest = self._schedule.stored(cell, self._machine)
            if latest is not None and self._is_valid(cell, latest) and self._schedule.settings.is_final(latest):
                self._leave(cell, latest, is_resumed=not self._is_offered)
                break
            self._is_offered = True
            offered = Round(cell, self._number, latest)
            reason = self._schedule.reason_to_skip(cell)
            if reason is None:
                return offered
            self.record(offered, unmeasured(cell, "skipped", reason, self._machine))
        finished, self._finished = self._finished, None
        return finished

    def record(self, offered: Round, record: Record) -> None:
        """Store the record of a round, joined to those of the cell's earlier rounds."""
        cell, earlier = offered.cell, offered.stored
        if earlier and self._is_valid(cell, earlier) and not _is_of_another_problem(earlier, record.digest):
            record = earlier.joined(record)
        self._outdated.pop(cell.key(self._machine), None)
        self._schedule.store.add(record)
        self._leave(cell, record, is_resumed=False)

    def _leave(self, cell: Cell, record: Record, is_resumed: bool) -> None:
        """Go on to the next cell in the queue."""
        self._queue.popleft()
        self._is_offered = False
        if self._schedule.settings.is_final(record):
            self.left.remove(cell)
            self._schedule.note_limit(cell, record)
            self._finished = Finished(cell, record, is_resumed)

    def _is_valid(self, cell: Cell, record: Record) -> bool:
        return record != self._outdated.get(cell.key(self._machine))


def _is_of_another_problem(record: Record, digest: str | None) -> bool:
    """Return whether a record's problem has another digest; an unknown digest counts as the same."""
    return None not in (digest, record.digest) and record.digest != digest
