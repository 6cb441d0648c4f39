"""A run on several machines: rounds sent to the workers of a Dask cluster, one at a time on each host.

A worker builds each problem itself, from its seed, and certifies the answer. Records come back as JSON text and are
checked (`messages`); only this process writes to the store. The cells of a case run on one host, so that their times
can be compared. A worker lost during a round costs that round, which another worker runs. A worker that sends anything
but the record asked for is not used again, unless it leaves the cluster and joins anew.
"""

import contextlib
import functools
import itertools
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass, replace
from typing import Any

from lapmark.bench.problems import Case
from lapmark.bench.results.record import Record
from lapmark.bench.run.built_case import digest_of_file
from lapmark.bench.run.cells import Cell
from lapmark.bench.run.measure import RunSettings, unmeasured
from lapmark.bench.run.schedule import CaseSchedule, Event, Finished, Round, Schedule, Waiting
from lapmark.bench.system import instruction_counts
from lapmark.bench.system.machine import source
from lapmark.bench.util.units import show_duration
from lapmark.solvers import plugins

from . import cluster_messages, worker_side
from .cluster_messages import BadMessage, Place

#: Seconds between two checks of which workers have joined or left.
TICK = 0.5

#: A cell during which this many workers were lost is recorded as a crash.
MOST_LOSSES = 2

#: Seconds of a round beside its calls: building the problem, and waiting for the rounds of other runs.
AROUND_CALLS = 4 * 3600.0

#: Processes of a round that may each reach the limits: the cell, its instruction count, and reference solvers.
PROCESSES = 10


class ClusterError(ValueError):
    """The cluster cannot be reached or used; finished cells are kept."""


@dataclass
class _BusyHost:
    """A host at work on a case.

    `bound` is the best that its worker sent for the case's problem. It is sent back to this worker only and not
    stored, so that a false bound spoils no verdict but the worker's own.
    """

    address: str
    place: Place
    rounds: CaseSchedule
    current: Round | None = None
    future: Any = None
    deadline: float = 0.0
    bound: float | None = None


#: Name and lock of a host.
_HostId = tuple[str, str]


@dataclass
class ClusterRun:
    """Runs a schedule on the workers of the Dask scheduler at an address, such as `tls://192.168.0.2:8786`.

    `warn` is called with a text when a worker cannot be used any more but others can.

    Raises
    ------
    ClusterError
        No scheduler answers, or Dask is not installed. While it runs: the scheduler is lost, no worker has the same
        versions as this process, or two hosts build different problems of one case.
    """

    schedule: Schedule
    address: str
    warn: Callable[[str], None] = lambda _: None

    def __post_init__(self) -> None:
        try:
            from . import dask_client
        except ImportError:
            raise ClusterError("Dask is not installed (pip install distributed)") from None
        self._dask = dask_client
        try:
            self._client = dask_client.connect(self.address)
        except ValueError as error:
            raise ClusterError(f"cannot use the scheduler at {self.address}: {error}; see docs/cluster.md") from None
        except OSError as error:
            raise ClusterError(
                f"no Dask scheduler answers at {self.address} ({error}); start one with `dask scheduler`, and "
                f"`dask worker {self.address}` on each machine"
            ) from None
        self._files = [plugins.texts(path) for path in self.schedule.settings.plugins]
        self._hosts: dict[_HostId, _BusyHost] = {}
        self._alive: set[str] = set()  # addresses of workers, at the last check
        self._places: dict[str, Place | str] = {}  # by worker address; a text says why it cannot be used
        self._digests: dict[str, tuple[str, str]] = {}  # by case, with the host that built it first
        self._losses: Counter[str] = Counter()

    def run(self, planned: Sequence[Cell]) -> Generator[Event, None, None]:
        """Run the cells that have no record yet. Closing the iterator ends the rounds and keeps finished cells."""
        cases = deque(list(cells) for _, cells in itertools.groupby(planned, key=lambda cell: cell.case))
        try:
            while cases or self._hosts:
                yield from self._check_workers(planned, cases)
                for host, (address, place) in self._idle().items():
                    if cases:
                        cells = cases.popleft()
                        digest = functools.partial(self._digest_of_file, cells[0].case)
                        rounds = CaseSchedule(self.schedule, cells, place.machine, digest)
                        self._hosts[host] = _BusyHost(address, place, rounds)
                        yield from self._advance(host)
                for host in self._done():
                    yield from self._collect(host, cases)
        except OSError as error:
            raise ClusterError(f"the scheduler at {self.address} is lost: {error}") from None
        finally:
            self._close()

    def _check_workers(self, planned: Sequence[Cell], cases: deque[list[Cell]]) -> Iterator[Event]:
        """Find the workers that have joined, and take back the cases of those that left or are late."""
        self._alive = alive = self._dask.workers(self._client)
        # A worker that joins at the address of one that left is another process, which may run other code. So an
        # exclusion ends, too: it would keep out a repaired worker; a hostile one could take another address anyway.
        self._places = {address: place for address, place in self._places.items() if address in alive}
        for address in sorted(alive - self._places.keys()):
            place = self._ask(address, planned)
            if isinstance(place, str):
                self._exclude(address, place)
            else:
                self._places[address] = place
        for host, busy in list(self._hosts.items()):
            is_gone, is_late = busy.address not in alive, time.monotonic() > busy.deadline
            if is_late and not is_gone:
                allowed = show_duration(_patience(self.schedule.settings))
                self._exclude(busy.address, f"did not answer within {allowed}")
            if is_late or is_gone:
                yield from self._lose(host, cases)
        if alive and not any(isinstance(self._places[address], Place) for address in alive):
            reasons = "; ".join(f"{address} {self._places[address]}" for address in sorted(alive))
            raise ClusterError(f"no worker of {self.address} can be used: {reasons}")
        if not alive:
            yield Waiting(f"a worker joins {self.address}")
            time.sleep(TICK)

    def _ask(self, address: str, planned: Sequence[Cell]) -> Place | str:
        """Return the place of a worker, or why it cannot be used."""
        cells = {cell.solver: cell for cell in planned}
        specs = [(solver, str(cell.case)) for solver, cell in cells.items()]
        try:
            # Asked beside whatever it runs: another client's round may take long.
            text = self._dask.ask(self._client, address, worker_side.describe, specs, self._files)
            place = cluster_messages.read_place(text)
        except (self._dask.NoAnswer, BadMessage) as error:
            return f"cannot run Lapmark: {error}"
        if place.source != source():
            return f"runs the code of {place.source}, not of {source()}"
        for solver, cell in cells.items():
            if (versions := place.versions.get(solver, {})) != cell.versions:
                return f"has for {solver} {_listed(versions)}, not {_listed(cell.versions)}"
        return place

    def _exclude(self, address: str, reason: str) -> None:
        """Stop using a worker until it leaves; the reason begins with a verb."""
        self._places[address] = reason
        self.warn(f"the worker at {address} is not used: it {reason}")

    def _idle(self) -> dict[_HostId, tuple[str, Place]]:
        """Return a worker of each host that has no case."""
        found: dict[_HostId, tuple[str, Place]] = {}
        for address in sorted(self._alive):
            place = self._places[address]
            if isinstance(place, Place) and (host := (place.name, place.lock)) not in self._hosts:
                found.setdefault(host, (address, place))
        return found

    def _advance(self, host: _HostId) -> Iterator[Event]:
        """Send off the next round of a host's case, or end the case."""
        busy = self._hosts[host]
        while isinstance(event := busy.rounds.next(), Finished):
            yield event
        if event is None:
            del self._hosts[host]
            return
        busy.current = replace(event, host=busy.place.name)
        yield busy.current
        busy.deadline = time.monotonic() + _patience(self.schedule.settings)
        cell = event.cell
        busy.future = self._client.submit(
            worker_side.run_round,
            cell.solver,
            str(cell.case),
            cell.threads,
            self.schedule.settings,
            self._files,
            self._known_bound(busy),
            event.number == 0,
            workers=[busy.address],
            pure=False,
        )

    def _digest_of_file(self, case: Case) -> str | None:
        """Return the digest of the problem in a file, which every host must have; None for an instance of a family."""
        try:
            digest = digest_of_file(case)
        except ValueError as error:
            raise ClusterError(str(error)) from None
        if digest is not None:
            self._digests[str(case)] = digest, "this machine"
        return digest

    def _known_bound(self, busy: _BusyHost) -> dict[str, float]:
        """Return the best known bound on the problem of a host's case, by the problem's digest."""
        assert busy.current is not None
        digest = self._digests.get(str(busy.current.cell.case), (None, ""))[0]
        if digest is None:
            return {}
        bounds = [bound for bound in (self.schedule.store.bound(digest), busy.bound) if bound is not None]
        return {digest: max(bounds)} if bounds else {}

    def _done(self) -> list[_HostId]:
        """Return the hosts whose round has ended, after waiting TICK seconds at most."""
        import distributed

        if not self._hosts:
            return []
        with contextlib.suppress(TimeoutError, CancelledError):
            futures = [busy.future for busy in self._hosts.values()]
            distributed.wait(futures, timeout=TICK, return_when="FIRST_COMPLETED")
        return [host for host, busy in self._hosts.items() if busy.future.done()]

    def _collect(self, host: _HostId, cases: deque[list[Cell]]) -> Iterator[Event]:
        """Store the record of a round that has ended, or take the case back if there is none."""
        busy = self._hosts[host]
        if busy.future.cancelled():  # the connection to the scheduler was lost, which is not the worker's fault
            self._take_back(host, cases)
        elif self._dask.is_killed(busy.future):
            yield from self._lose(host, cases)
        else:
            assert busy.current is not None
            try:
                record = self._read_record(busy, busy.current.cell)
            except (self._dask.NoAnswer, BadMessage) as error:
                self._exclude(busy.address, str(error))
                self._take_back(host, cases)
            else:
                busy.rounds.record(busy.current, record)
                yield from self._advance(host)

    def _read_record(self, busy: _BusyHost, cell: Cell) -> Record:
        """Return the record of a round that has ended."""
        answer = cluster_messages.read_answer(self._dask.text(self._client, busy.future), cell, busy.place)
        busy.bound = answer.bound
        if answer.record.digest is not None:
            digest, first = self._digests.setdefault(str(cell.case), (answer.record.digest, busy.place.name))
            if digest != answer.record.digest:
                both = f"{first} and {busy.place.name}"
                raise ClusterError(f"{both} build different problems of {cell.case}: compare their data")
        return answer.record

    def _lose(self, host: _HostId, cases: deque[list[Cell]]) -> Iterator[Event]:
        """Take back the case of a lost worker. A cell that has lost MOST_LOSSES workers is recorded as a crash."""
        busy = self._hosts[host]
        assert busy.current is not None
        cell, machine = busy.current.cell, busy.place.machine
        self._losses[cell.key(machine)] += 1
        if self._losses[cell.key(machine)] >= MOST_LOSSES:
            reason = f"{MOST_LOSSES} workers were lost while it ran, the last at {busy.place.name}"
            busy.rounds.record(busy.current, unmeasured(cell, "crash", reason, machine))
            finished = busy.rounds.next()
            assert isinstance(finished, Finished)
            yield finished
        self._take_back(host, cases)

    def _take_back(self, host: _HostId, cases: deque[list[Cell]]) -> None:
        """Put the unfinished cells of a host's case at the front of the queue."""
        busy = self._hosts.pop(host)
        busy.future.cancel()
        if busy.rounds.left:
            cases.appendleft(busy.rounds.left)

    def _close(self) -> None:
        """End what still runs at the workers, and disconnect."""
        running = [busy for busy in self._hosts.values() if busy.future is not None and not busy.future.done()]
        for busy in running:
            busy.future.cancel()
        for busy in running:
            if self._client.status == "running":  # the scheduler may be lost
                with contextlib.suppress(self._dask.NoAnswer):
                    self._dask.ask(self._client, busy.address, worker_side.end_round, patience=self._dask.PATIENCE)
        self._client.close(timeout=self._dask.PATIENCE)


def _patience(settings: RunSettings) -> float:
    """Return the seconds after which a worker counts as hung; generous, because only a hung one takes that long."""
    limits = settings.limits
    if settings.counting == "callgrind":
        limits = limits.slower(instruction_counts.CALLGRIND_SLOWDOWN)
    return AROUND_CALLS + PROCESSES * (3 * limits.start_up + 3 * limits.timeout + 2 * settings.budget)


def _listed(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())
