"""A run on several machines: turns given to the workers of a Dask cluster, one at a time on each host.

A worker builds a problem itself, from its seed, and judges the answer; records come back, and this process alone writes
to the store. The cells of a case run on one host, so that their times compare. A worker that is lost in mid-turn costs
that turn, which another one takes.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import socket
import tempfile
import time
from collections import Counter, deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil

from . import host, plugins, subject
from .judge import Judge
from .machine import machine, source
from .measure import Terms, measure, unmeasured
from .plan import Cell
from .problems import Case
from .record import Record
from .subject import Subject
from .turns import Event, Finished, Started, Turns, Waiting

#: Seconds that a scheduler may take to answer.
PATIENCE = 10

#: Seconds between two looks at who has joined and who is gone.
TICK = 0.5

#: A cell that has taken so many workers down with it is not tried again.
MOST_LOSSES = 2


class ClusterError(ValueError):
    """The cluster cannot be reached or used; what is finished is kept."""


@dataclass(frozen=True)
class Place:
    """What a worker says of its host: workers with the same `name` and `lock` share one."""

    name: str
    lock: str
    machine: Mapping[str, object]
    source: str
    versions: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Answer:
    """What comes back of a turn: the record, and the bounds that are known of its problem now."""

    record: Record
    bounds: Mapping[str, tuple[float, str]]


@dataclass
class Known:
    """Certified bounds in memory (`bench.judge.Bounds`), with their sources."""

    bounds: dict[str, tuple[float, str]] = field(default_factory=dict)

    def bound(self, problem: str) -> float | None:
        return self.bounds[problem][0] if problem in self.bounds else None

    def set_bound(self, problem: str, bound: float, source: str) -> None:
        if problem not in self.bounds or bound > self.bounds[problem][0]:
            self.bounds[problem] = bound, source


@dataclass
class _Spot:
    """A host at work: the worker's address, the turns of its case, the one that runs, and the cells that are left."""

    address: str
    place: Place
    turns: Generator[Started | Finished, Record | None, None]
    left: list[Cell]
    turn: Started | None = None
    future: Any = None


@dataclass
class Cluster:
    """Runs turns on the workers of a Dask scheduler.

    Attributes
    ----------
    turns : Turns
    address : str
        Of the scheduler, such as `tcp://192.168.0.2:8786`.

    Raises
    ------
    ClusterError
        Where no scheduler answers, or Dask is not installed. While it runs: where the scheduler is lost, where no
        worker has the same versions as this process, and where two hosts build different problems of one case.
    """

    turns: Turns
    address: str

    def __post_init__(self) -> None:
        try:
            import distributed
        except ImportError:
            raise ClusterError("Dask is not installed (pip install distributed)") from None
        try:
            self._client = distributed.Client(self.address, timeout=PATIENCE)
        except (OSError, ValueError) as error:
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
                    spot = self._spots[identity]
                    assert spot.turn is not None
                    yield from self._advance(identity, self._take(spot, spot.turn.cell))
        except OSError as error:
            raise ClusterError(f"the scheduler at {self.address} is lost: {error}") from None
        finally:
            self._close()

    def _look_around(self, planned: Sequence[Cell], cases: deque[list[Cell]]) -> Iterator[Event]:
        """Learn who has joined, and take back what was given to those who are gone."""
        self._alive = alive = set(self._client.scheduler_info(n_workers=-1)["workers"])
        for address in alive - self._places.keys():
            self._places[address] = self._ask(address, planned)
        for identity, spot in list(self._spots.items()):
            if spot.address not in alive or _killed(spot.future):
                yield from self._lose(identity, cases)
        usable = [address for address in alive if isinstance(self._places[address], Place)]
        if alive and not usable:
            reasons = "; ".join(f"{address} {self._places[address]}" for address in sorted(alive))
            raise ClusterError(f"no worker of {self.address} can be used: {reasons}")
        if not alive:
            yield Waiting(f"a worker joins {self.address}")
            time.sleep(TICK)

    def _ask(self, address: str, planned: Sequence[Cell]) -> Place | str:
        """The place of a worker, or what keeps it from being used."""
        cells = {cell.solver: cell for cell in planned}
        # Beside whatever it runs: another client's turn may take long.
        asked = self._client.run(describe, list(cells.values()), self._files, workers=[address], on_error="return")
        place = asked.get(address)
        if not isinstance(place, Place):
            return f"cannot run Lapmark: {type(place).__name__}: {place}"
        if place.source != source():
            return f"runs the code of {place.source}, not of {source()}"
        for solver, versions in place.versions.items():
            if versions != cells[solver].versions:
                return f"has for {solver} {_listed(versions)}, not {_listed(cells[solver].versions)}"
        return place

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
            digest = self._digests.get(str(event.cell.case), (None, ""))[0]
            bound = digest and self.turns.store.bound(digest)
            known = {digest: bound} if digest and bound is not None else {}
            spot.future = self._client.submit(
                turn,
                event.cell,
                self.turns.terms,
                self._files,
                known,
                event.round == 0,
                workers=[spot.address],
                pure=False,
            )
        if spot.turn is None:
            del self._spots[identity]

    def _ended(self) -> list[tuple[str, str]]:
        """The spots whose turn has ended, after some time at most."""
        import distributed

        if not self._spots:
            return []
        with contextlib.suppress(TimeoutError):
            futures = [spot.future for spot in self._spots.values()]
            distributed.wait(futures, timeout=TICK, return_when="FIRST_COMPLETED")
        return [identity for identity, spot in self._spots.items() if spot.future.done() and not _killed(spot.future)]

    def _take(self, spot: _Spot, cell: Cell) -> Record:
        """The record of a turn that has ended; its bounds go to the store."""
        answer: Answer = spot.future.result()
        for digest, (bound, prover) in answer.bounds.items():
            self.turns.store.set_bound(digest, bound, prover)
        if answer.record.digest is not None:
            digest, first = self._digests.setdefault(str(cell.case), (answer.record.digest, spot.place.name))
            if digest != answer.record.digest:
                both = f"{first} and {spot.place.name}"
                raise ClusterError(f"{both} build different problems of {cell.case}: compare their data")
        return answer.record

    def _lose(self, identity: tuple[str, str], cases: deque[list[Cell]]) -> Iterator[Event]:
        """Take back what was given to a worker that is gone; a cell that goes with every worker ends here."""
        spot = self._spots.pop(identity)
        assert spot.turn is not None
        spot.future.cancel()
        cell = spot.turn.cell
        key = cell.key_on(spot.place.machine)
        self._losses[key] += 1
        if self._losses[key] >= MOST_LOSSES:
            reason = f"{MOST_LOSSES} workers were lost while it ran, the last at {spot.place.name}"
            event = spot.turns.send(unmeasured(cell, "crash", reason, spot.place.machine))
            assert isinstance(event, Finished)
            spot.left.remove(cell)
            yield event
        spot.turns.close()
        if spot.left:
            cases.appendleft(spot.left)

    def _close(self) -> None:
        """End what still runs at the workers, and leave the cluster as it was."""
        busy = [spot for spot in self._spots.values() if spot.future is not None and not spot.future.done()]
        for spot in busy:
            spot.future.cancel()
        with contextlib.suppress(Exception):  # the scheduler may be what was lost
            if busy:
                self._client.run(end_turn, workers=[spot.address for spot in busy], on_error="ignore")
        self._client.close(timeout=PATIENCE)


def describe(cells: Sequence[Cell], files: Mapping[str, str]) -> Place:
    """At a worker: its host, and the versions that would do the work of these cells."""
    _load(tuple(files.items()))
    versions = {cell.solver: cell.versions for cell in cells}
    return Place(socket.gethostname(), str(host.alone().lock_file), machine(), source(), versions)


def turn(cell: Cell, terms: Terms, files: Mapping[str, str], known: Mapping[str, float], first: bool = True) -> Answer:
    """At a worker: one round of a cell, alone on the host."""
    terms = replace(terms, plugins=_load(tuple(files.items())))
    bounds = Known({digest: (bound, "store") for digest, bound in known.items()})
    with host.alone():
        record = measure(cell, functools.partial(_subject, str(cell.case)), terms, Judge(bounds, terms.limits), first)
    return Answer(record, bounds.bounds)


def end_turn() -> None:
    """At a worker: kill the solver that runs."""
    for process in psutil.Process().children():
        with contextlib.suppress(psutil.Error):
            if "bench.worker" in process.cmdline():
                process.kill()


@functools.lru_cache(maxsize=1)
def _subject(case: str) -> Subject | str:
    """The case as this worker holds it, kept for the next solver's turn."""
    return subject.build(Case.read(case))


@functools.cache
def _load(files: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    """Plugins that came as text, loaded; the paths of the files written for them."""
    paths = [Path(_folder().name, name) for name, _ in files]
    for path, (_, text) in zip(paths, files, strict=True):
        path.write_text(text, encoding="utf-8")
        plugins.load(path)
    return tuple(map(str, paths))


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """Where plugins are written, gone when this worker ends."""
    return tempfile.TemporaryDirectory(prefix="lapmark-plugins-")


def _killed(future: Any) -> bool:
    """Whether Dask gave a turn up because its worker died: the look around deals with that."""
    import distributed

    return future.status == "error" and isinstance(future.exception(), distributed.KilledWorker)


def _listed(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())
