"""A run on several machines: turns given to the workers of a Dask cluster, one at a time on each host.

A worker builds a problem itself, from its seed, and judges the answer. Records come back as JSON text and are checked
(`bench.run.cluster.messages`), and this process alone writes to the store. The cells of a case run on one host, so that
their times compare. A worker that is lost in mid-turn costs that turn, which another one takes. A worker that sends
anything but the record it was asked for is not used again, unless it leaves the cluster and joins anew.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import itertools
import socket
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lapmark.bench.problems import Case
from lapmark.bench.results.record import Record
from lapmark.bench.run import built_case
from lapmark.bench.run.built_case import Subject
from lapmark.bench.run.cells import Cell
from lapmark.bench.run.certify import Judge
from lapmark.bench.run.measure import Terms, measure, unmeasured
from lapmark.bench.run.schedule import Event, Finished, Started, Turns, Waiting
from lapmark.bench.system import host_lock, instruction_counts, process_tree, scratch_folders
from lapmark.bench.system.machine import machine, source
from lapmark.bench.util.units import show_duration
from lapmark.solvers import plugins

from . import messages
from .messages import Answer, BadMessage, Place

#: Seconds between two looks at who has joined and who is gone.
TICK = 0.5

#: A cell that has taken so many workers down with it is not tried again.
MOST_LOSSES = 2

#: Seconds that a turn may take beside its calls: building the problem, and waiting for the turns of other runs.
AROUND_CALLS = 4 * 3600.0

#: Processes of a turn that may each take the limits: the cell, the count of its instructions, and solvers that judge.
PROCESSES = 10


class ClusterError(ValueError):
    """The cluster cannot be reached or used; what is finished is kept."""


@dataclass
class Known:
    """Certified bounds in memory (`lapmark.bench.run.certify.Bounds`), with their sources."""

    bounds: dict[str, tuple[float, str]] = field(default_factory=dict)

    def bound(self, problem: str) -> float | None:
        return self.bounds[problem][0] if problem in self.bounds else None

    def set_bound(self, problem: str, bound: float, source: str) -> None:
        if problem not in self.bounds or bound > self.bounds[problem][0]:
            self.bounds[problem] = bound, source


@dataclass
class _Spot:
    """A host at work: the worker's address, the turns of its case, the one that runs, and the cells that are left.

    `bound` is the best that this worker sent of the case's problem. It goes back to this worker alone and not to the
    store, so that a bound that is not true spoils no verdict but the worker's own.
    """

    address: str
    place: Place
    turns: Generator[Started | Finished, Record | None, None]
    left: list[Cell]
    turn: Started | None = None
    future: Any = None
    deadline: float = 0.0
    bound: float | None = None


@dataclass
class Cluster:
    """Runs turns on the workers of a Dask scheduler.

    Attributes
    ----------
    turns : Turns
    address : str
        Of the scheduler, such as `tls://192.168.0.2:8786`.
    warn : callable
        Called with a text when a worker cannot be used, or not any longer, and others can.

    Raises
    ------
    ClusterError
        Where no scheduler answers, or Dask is not installed. While it runs: where the scheduler is lost, where no
        worker has the same versions as this process, and where two hosts build different problems of one case.
    """

    turns: Turns
    address: str
    warn: Callable[[str], None] = lambda _: None

    def __post_init__(self) -> None:
        try:
            from . import client
        except ImportError:
            raise ClusterError("Dask is not installed (pip install distributed)") from None
        self._dask = client
        try:
            self._client = client.connect(self.address)
        except ValueError as error:
            raise ClusterError(f"cannot use the scheduler at {self.address}: {error}; see docs/cluster.md") from None
        except OSError as error:
            raise ClusterError(
                f"no Dask scheduler answers at {self.address} ({error}); start one with `dask scheduler`, and "
                f"`dask worker {self.address}` on each machine"
            ) from None
        self._files = {Path(path).name: Path(path).read_text(encoding="utf-8") for path in self.turns.terms.plugins}
        self._spots: dict[tuple[str, str], _Spot] = {}
        self._alive: set[str] = set()  # addresses of workers, at the last look around
        self._places: dict[str, Place | str] = {}  # by the worker's address; a text where it cannot be used
        self._digests: dict[str, tuple[str, str]] = {}  # by case, with the host that built it first
        self._losses: Counter[str] = Counter()

    def run(self, planned: Sequence[Cell]) -> Generator[Event, None, None]:
        """Run the cells that have no record yet. Closing the iterator ends the turns and keeps what is done."""
        cases = deque(list(cells) for _, cells in itertools.groupby(planned, key=lambda cell: cell.case))
        try:
            while cases or self._spots:
                yield from self._look_around(planned, cases)
                for identity, (address, place) in self._idle().items():
                    if cases:
                        cells = cases.popleft()
                        spot = _Spot(address, place, self.turns.of(cells, place.machine), cells)
                        self._spots[identity] = spot
                        yield from self._advance(identity, None)
                for identity in self._ended():
                    yield from self._collect(identity, cases)
        except OSError as error:
            raise ClusterError(f"the scheduler at {self.address} is lost: {error}") from None
        finally:
            self._close()

    def _look_around(self, planned: Sequence[Cell], cases: deque[list[Cell]]) -> Iterator[Event]:
        """Learn who has joined, and take back what was given to those who are gone, or silent for too long."""
        self._alive = alive = self._dask.workers(self._client)
        # What joins at the address of a worker that is gone is another process, which may run other code. So an
        # exclusion ends, too: it would keep out a mended worker, but no hostile one, which can take another address.
        self._places = {address: place for address, place in self._places.items() if address in alive}
        for address in sorted(alive - self._places.keys()):
            place = self._ask(address, planned)
            if isinstance(place, str):
                self._exclude(address, place)
            else:
                self._places[address] = place
        for identity, spot in list(self._spots.items()):
            is_gone, is_late = spot.address not in alive, time.monotonic() > spot.deadline
            if is_late and not is_gone:
                allowed = show_duration(_patience(self.turns.terms))
                self._exclude(spot.address, f"did not answer within {allowed}")
            if is_late or is_gone:
                yield from self._lose(identity, cases)
        if alive and not any(isinstance(self._places[address], Place) for address in alive):
            reasons = "; ".join(f"{address} {self._places[address]}" for address in sorted(alive))
            raise ClusterError(f"no worker of {self.address} can be used: {reasons}")
        if not alive:
            yield Waiting(f"a worker joins {self.address}")
            time.sleep(TICK)

    def _ask(self, address: str, planned: Sequence[Cell]) -> Place | str:
        """The place of a worker, or what keeps it from being used."""
        cells = {cell.solver: cell for cell in planned}
        try:
            # Beside whatever it runs: another client's turn may take long.
            text = self._dask.ask(self._client, address, describe, list(cells.values()), self._files)
            place = messages.read_place(text)
        except (self._dask.NoAnswer, BadMessage) as error:
            return f"cannot run Lapmark: {error}"
        if place.source != source():
            return f"runs the code of {place.source}, not of {source()}"
        for solver, cell in cells.items():
            if (versions := place.versions.get(solver, {})) != cell.versions:
                return f"has for {solver} {_listed(versions)}, not {_listed(cell.versions)}"
        return place

    def _exclude(self, address: str, reason: str) -> None:
        """Do not use a worker as long as it stays; the reason begins with a verb."""
        self._places[address] = reason
        self.warn(f"the worker at {address} is not used: it {reason}")

    def _idle(self) -> dict[tuple[str, str], tuple[str, Place]]:
        """A worker of each host at which none is at work."""
        found: dict[tuple[str, str], tuple[str, Place]] = {}
        for address in sorted(self._alive):
            place = self._places[address]
            if isinstance(place, Place) and (identity := (place.name, place.lock)) not in self._spots:
                found.setdefault(identity, (address, place))
        return found

    def _advance(self, identity: tuple[str, str], record: Record | None) -> Iterator[Event]:
        """Go on with a spot's case: to its next turn, which is sent off, or to its end."""
        spot = self._spots[identity]
        spot.turn = None
        with contextlib.suppress(StopIteration):
            event = spot.turns.send(record)
            while isinstance(event, Finished):
                spot.left = [cell for cell in spot.left if cell != event.cell]
                yield event
                event = next(spot.turns)
            spot.turn = replace(event, where=spot.place.name)
            yield spot.turn
            spot.deadline = time.monotonic() + _patience(self.turns.terms)
            spot.future = self._client.submit(
                turn,
                event.cell,
                self.turns.terms,
                self._files,
                self._known(spot),
                event.round == 0,
                workers=[spot.address],
                pure=False,
            )
        if spot.turn is None:
            del self._spots[identity]

    def _known(self, spot: _Spot) -> dict[str, float]:
        """The best bound on the problem of a spot's case, by the problem's digest."""
        digest = self._digests.get(str(spot.left[0].case), (None, ""))[0]
        if digest is None:
            return {}
        bounds = [bound for bound in (self.turns.store.bound(digest), spot.bound) if bound is not None]
        return {digest: max(bounds)} if bounds else {}

    def _ended(self) -> list[tuple[str, str]]:
        """The spots whose turn has ended, after some time at most."""
        import distributed

        if not self._spots:
            return []
        with contextlib.suppress(TimeoutError, CancelledError):
            futures = [spot.future for spot in self._spots.values()]
            distributed.wait(futures, timeout=TICK, return_when="FIRST_COMPLETED")
        return [identity for identity, spot in self._spots.items() if spot.future.done()]

    def _collect(self, identity: tuple[str, str], cases: deque[list[Cell]]) -> Iterator[Event]:
        """Take the record of a turn that has ended, or the turn back where there is none."""
        spot = self._spots[identity]
        if spot.future.cancelled():  # when the connection to the scheduler was lost, which is no fault of the worker
            self._take_back(identity, cases)
        elif self._dask.is_killed(spot.future):
            yield from self._lose(identity, cases)
        else:
            try:
                record = self._record(spot)
            except (self._dask.NoAnswer, BadMessage) as error:
                self._exclude(spot.address, str(error))
                self._take_back(identity, cases)
            else:
                yield from self._advance(identity, record)

    def _record(self, spot: _Spot) -> Record:
        """The record of a turn that has ended."""
        assert spot.turn is not None
        cell = spot.turn.cell
        answer = messages.read_answer(self._dask.text(self._client, spot.future), cell, spot.place)
        spot.bound = answer.bound
        if answer.record.digest is not None:
            digest, first = self._digests.setdefault(str(cell.case), (answer.record.digest, spot.place.name))
            if digest != answer.record.digest:
                both = f"{first} and {spot.place.name}"
                raise ClusterError(f"{both} build different problems of {cell.case}: compare their data")
        return answer.record

    def _lose(self, identity: tuple[str, str], cases: deque[list[Cell]]) -> Iterator[Event]:
        """Take back the case of a lost worker. A cell that has lost MOST_LOSSES workers is recorded as a crash."""
        spot = self._spots[identity]
        assert spot.turn is not None
        cell = spot.turn.cell
        key = cell.key_on(spot.place.machine)
        self._losses[key] += 1
        if self._losses[key] >= MOST_LOSSES:
            reason = f"{MOST_LOSSES} workers were lost while it ran, the last at {spot.place.name}"
            event = spot.turns.send(unmeasured(cell, "crash", reason, spot.place.machine))
            assert isinstance(event, Finished)
            spot.left.remove(cell)
            yield event
        self._take_back(identity, cases)

    def _take_back(self, identity: tuple[str, str], cases: deque[list[Cell]]) -> None:
        """Put the rest of a spot's case before the cases that wait."""
        spot = self._spots.pop(identity)
        spot.future.cancel()
        spot.turns.close()
        if spot.left:
            cases.appendleft(spot.left)

    def _close(self) -> None:
        """End what still runs at the workers, and leave the cluster as it was."""
        busy = [spot for spot in self._spots.values() if spot.future is not None and not spot.future.done()]
        for spot in busy:
            spot.future.cancel()
        for spot in busy:
            if self._client.status == "running":  # the scheduler may be what was lost
                with contextlib.suppress(self._dask.NoAnswer):
                    self._dask.ask(self._client, spot.address, end_turn, patience=self._dask.PATIENCE)
        self._client.close(timeout=self._dask.PATIENCE)


def describe(cells: Sequence[Cell], files: Mapping[str, str]) -> str:
    """At a worker: its host, and the versions that would do the work of these cells (`cluster_messages.Place`)."""
    try:
        _load(tuple(files.items()))
        versions = {cell.solver: cell.versions for cell in cells}
        place = Place(socket.gethostname(), str(host_lock.lock_file()), machine(), source(), versions)
        return messages.write_place(place)
    except Exception as error:  # as a text: the client loads no exceptions
        return messages.write_failure(error)


def turn(cell: Cell, terms: Terms, files: Mapping[str, str], known: Mapping[str, float], first: bool = True) -> str:
    """At a worker: one round of a cell, alone on the host (`cluster_messages.Answer`)."""
    try:
        terms = replace(terms, plugins=_load(tuple(files.items())))
        bounds = Known({digest: (bound, "store") for digest, bound in known.items()})
        with host_lock.alone():
            build = functools.partial(_subject, str(cell.case))
            record = measure(cell, build, terms, Judge(bounds, terms.limits), first)
        return messages.write_answer(Answer(record, bounds.bound(record.digest or "")))
    except Exception as error:
        return messages.write_failure(error)


def end_turn() -> str:
    """At a worker: end the solver that runs."""
    process_tree.stop_all()
    return ""


@functools.lru_cache(maxsize=1)
def _subject(case: str) -> Subject | str:
    """The case as this worker holds it, kept for the next solver's turn."""
    return built_case.build(Case.read(case))


@functools.cache
def _load(files: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    """Plugins that came as text, loaded; the paths of the files written for them."""
    paths = [_folder() / name for name, _ in files]
    for path, (_, text) in zip(paths, files, strict=True):
        path.write_text(text, encoding="utf-8")
        plugins.load(path)
    return tuple(map(str, paths))


@functools.cache
def _folder() -> Path:
    """Where plugins are written, removed when this worker ends or, if it is killed, when another starts."""
    holding = contextlib.ExitStack()
    atexit.register(holding.close)
    return holding.enter_context(scratch_folders.folder())


def _patience(terms: Terms) -> float:
    """Seconds after which a worker that has not answered is given up; generous, because only a hung one gets there."""
    limits = terms.limits.slower(instruction_counts.SLOWER) if terms.counting == "callgrind" else terms.limits
    return AROUND_CALLS + PROCESSES * (3 * limits.start_up + 3 * limits.timeout + 2 * terms.budget)


def _listed(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())
