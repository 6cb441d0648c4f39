"""Run one cell in a worker process and watch it from outside, so that no solver can take the harness down with it.

The limits hold in native code, with the interpreter's lock held and every signal ignored: the time limit is a deadline
kept here and ends in SIGKILL, the memory limit is the resident size as the system reports it. Whatever the worker has
started is killed with it.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import psutil

from solvers.result import Result

from . import protocol
from .protocol import Job
from .tree import Tree
from .units import show_duration, show_size
from .worker import MOST_SAMPLES, WARM_UP_MEMORY

#: Seconds that imports, reading the problem and compilation may take, none of which is the solver's time.
START_UP = 60.0

#: Seconds between two looks at the worker's memory: a process fills well under 1 GiB in that time.
TICK = 0.025

#: Seconds between two looks at the processes that it may have started, which takes a walk through all of the system's.
FAMILY_TICK = 0.5

#: Processes of one worker, beyond which it is taken to be running away.
MOST_PROCESSES = 256

#: Seconds that a worker gets, once it has said all, to leave by itself: packages save their caches at exit, and one
#: that is killed over it leaves half a file behind, for every later process to stumble on.
FAREWELL = 5.0

#: Bytes kept of what a worker prints; the end is what explains a crash.
TAIL = 4096

#: Bytes of the longest line that a worker writes to the harness.
LONGEST = 1 << 20

#: What a worker may say of itself.
FAILURES = {"error", "memory", "skipped", "timeout", "wrong"}

#: The variables by which the usual libraries are told their number of threads.
THREADS = ("OMP", "OPENBLAS", "MKL", "BLIS", "NUMEXPR", "NUMBA")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a call may take: seconds, and bytes over the worker's baseline."""

    timeout: float
    memory: int
    start_up: float = START_UP


@dataclass
class Outcome:
    """What became of a worker. `status` is None where it answered, and the answer is yet to be judged."""

    status: str | None = None
    message: str = ""
    samples: list[float] = field(default_factory=list)
    peak_memory: int | None = None
    counters: dict[str, int] = field(default_factory=dict)
    matrix: str | None = None
    result: Result | None = None


def run(
    solver: str,
    problem: IO[bytes],
    limits: Limits,
    budget: float,
    threads: int = 1,
    plugins: tuple[str, ...] = (),
    python: Path = Path(sys.executable),
) -> Outcome:
    """Run a solver on a problem.

    Parameters
    ----------
    solver : str
        A spec, or `protocol.BUILD_MATRIX`.
    problem : file
        Written by `protocol.write_problem`.
    limits : Limits
    budget : float
        Seconds to sample for; with 0 the solver is called once.
    threads : int
        That it may use, and the cores that it gets.
    plugins : tuple of str
        Files that register further solvers.
    python : Path
        The interpreter of the worker, in whose environment the solver is.
    """
    read, write = os.pipe()
    with tempfile.TemporaryFile() as answer, open(read, "rb", buffering=0) as events:
        with open(write, "wb", buffering=0):
            job = Job(
                solver=solver,
                budget=budget,
                threads=threads,
                memory=limits.memory,
                plugins=plugins,
                parent=os.getpid(),
                problem=problem.fileno(),
                events=write,
                answer=answer.fileno(),
            )
            command = [str(python), "-P", "-m", "bench.worker", job.dump()]
            try:
                tree = Tree(command, _variables(threads), (problem.fileno(), write, answer.fileno()))
            except OSError as error:
                return Outcome("error", f"its worker cannot be started: {error}")
        with tree:
            _pin(tree.root.pid, threads)
            watch = _Watch(tree, events.fileno(), limits)
            outcome = watch.follow()
            if watch.last_word:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    tree.root.wait(FAREWELL)
        if outcome.status is None and solver != protocol.BUILD_MATRIX:
            answer.seek(0)
            try:
                outcome.result = protocol.read_answer(answer)
            except Exception as error:  # the file is what a process wrote that may have lost its mind
                outcome.status, outcome.message = "error", f"left an answer that cannot be read: {error!r}"
    return outcome


class _Watch:
    """Follows a worker's events until it is done, fails, dies or passes a limit; `last_word` tells the first two."""

    def __init__(self, tree: Tree, events: int, limits: Limits) -> None:
        self._tree = tree
        self._events = events
        self._output = tree.output.fileno()
        self._limits = limits
        self._outcome = Outcome()
        self._finished = False
        self.last_word = False
        self._pending = b""
        self._tail = b""
        self._wait("start-up", limits.start_up)
        self._baseline: int | None = None
        self._allowance = limits.memory
        self._next_look = 0.0
        self._next_family_look = 0.0
        self._family: list[psutil.Process] = []

    def follow(self) -> Outcome:
        with selectors.DefaultSelector() as selector:
            for descriptor in (self._events, self._output):
                os.set_blocking(descriptor, False)
                selector.register(descriptor, selectors.EVENT_READ)
            while not self._finished:
                for key, _ in selector.select(TICK):
                    if self._receive(key.fd) == b"":
                        selector.unregister(key.fd)
                self._check_limits()
                if not self._finished and self._tree.root.poll() is not None:
                    self._tree.end()  # or what is left of it might write for ever
                    for descriptor in (self._events, self._output):
                        while self._receive(descriptor):
                            pass
                    if not self._finished:
                        self._fail("crash", self._obituary())
        return self._outcome

    def _receive(self, descriptor: int) -> bytes | None:
        """Take in what there is to read, and return it: nothing at the end, None where there is nothing now."""
        try:
            data = os.read(descriptor, 1 << 16)
        except BlockingIOError:
            return None
        if descriptor == self._output:
            self._tail = (self._tail + data)[-TAIL:]
        else:
            *lines, self._pending = (self._pending + data).split(b"\n")
            for line in lines:
                if not self._finished:
                    self._on_line(line)
            if not self._finished and len(self._pending) > LONGEST:
                self._on_line(self._pending)
        return data

    def _on_line(self, line: bytes) -> None:
        try:
            self._on_event(json.loads(line))
        except (ValueError, KeyError, TypeError, RecursionError):
            self._fail("error", f"wrote {line[:80]!r} where the worker reports to the harness")

    def _on_event(self, event: Mapping[str, Any]) -> None:
        outcome = self._outcome
        match event["event"]:
            case "warm-up":
                self._baseline, self._allowance = _amount(event["resident"]), self._limits.memory + WARM_UP_MEMORY
                self._wait("warm-up", self._limits.start_up + self._limits.timeout)
            case "ready":
                self._baseline, self._allowance = _amount(event["resident"]), self._limits.memory
            case "call":
                self._wait("call", self._limits.timeout)
            case "sample":
                outcome.peak_memory = max(outcome.peak_memory or 0, _amount(event["peak"]))
                if event["counted"]:
                    outcome.samples.append(_amount(event["seconds"]))
                if len(outcome.samples) > MOST_SAMPLES:
                    raise ValueError("more samples than a worker takes")
                self._wait("answer", self._limits.start_up)
            case "done":
                if not outcome.samples:
                    raise ValueError("done, and nothing was timed")
                outcome.counters = protocol.read_counters(event.get("counters", {}))
                outcome.matrix = event.get("matrix")
                self._finished = self.last_word = True
            case "failed":
                if event["status"] not in FAILURES:
                    raise ValueError(f"no failure is called {event['status']}")
                self._fail(event["status"], str(event["message"]))
                self.last_word = True
            case unknown:
                raise ValueError(f"no event is called {unknown}")

    def _wait(self, event: str, seconds: float) -> None:
        self._waits_for, self._patience = event, seconds
        self._deadline = time.monotonic() + seconds

    def _check_limits(self) -> None:
        now = time.monotonic()
        if self._finished or now < self._next_look:
            return
        self._next_look = now + TICK
        if now > self._deadline:
            self._fail("timeout", f"{self._waits_for} did not end within {show_duration(self._patience)}")
        elif self._baseline is not None:
            self._check_memory(self._relations(now), self._baseline)

    def _check_memory(self, family: Sequence[psutil.Process], baseline: int) -> None:
        if len(family) > MOST_PROCESSES:
            self._fail("error", f"started more than {MOST_PROCESSES} processes")
            return
        over = _memory(family, "rss") - baseline
        if over > self._allowance and len(family) > 1:  # what processes share counts once, which takes longer
            over = _memory(family, "pss") - baseline
        if self._waits_for == "call":  # coarser than the worker's own word after the call, which may never come
            self._outcome.peak_memory = max(self._outcome.peak_memory or 0, over)
        if over > self._allowance:
            took, limit = show_size(over), show_size(self._allowance)
            self._fail("memory", f"took {took} during {self._waits_for}, over {limit}")

    def _relations(self, now: float) -> list[psutil.Process]:
        """The worker and its descendants."""
        if now >= self._next_family_look:
            self._next_family_look = now + FAMILY_TICK
            self._family = self._tree.members()
        return self._family

    def _fail(self, status: str, message: str) -> None:
        self._outcome.status, self._outcome.message = status, message
        self._finished = True

    def _obituary(self) -> str:
        """How the process died, and its last words."""
        code = self._tree.root.returncode
        if code < 0:
            how = f"died of {signal.Signals(-code).name} during {self._waits_for}"
            if code == -signal.SIGKILL:
                how += "; not killed by this harness: the system may have run out of memory"
        else:
            how = f"left with exit status {code} during {self._waits_for}, without an answer"
        words = self._tail.decode(errors="replace").strip()
        return f"{how}\n{words}" if words else how


def _memory(processes: Iterable[psutil.Process], kind: str) -> int:
    """Resident bytes of processes: "rss", in which a page that several share counts for each, or "pss"."""
    total = 0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            known = process.memory_info() if kind == "rss" else process.memory_full_info()
            total += getattr(known, kind)
    return total


def _amount(value: Any) -> Any:
    """A number that a worker sent, of bytes or seconds, if it is one that can be meant."""
    if isinstance(value, bool) or not (isinstance(value, int | float) and 0 <= value < 1e18):
        raise ValueError(f"{value!r} is no amount")
    return value


def _variables(threads: int) -> dict[str, str]:
    return {f"{library}_NUM_THREADS": str(threads) for library in THREADS}


def _pin(pid: int, threads: int) -> None:
    """Give the worker as many cores as threads, the last ones: the first serve interrupts and the harness."""
    if hasattr(os, "sched_setaffinity"):
        with contextlib.suppress(ProcessLookupError):
            os.sched_setaffinity(pid, sorted(os.sched_getaffinity(0))[-threads:])
