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
import uuid
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import psutil

from solvers.result import Result

from . import protocol
from .protocol import Job
from .units import show_duration, show_size
from .worker import WARM_UP_MEMORY

#: Seconds that imports, reading the problem and compilation may take, none of which is the solver's time.
START_UP = 60.0

#: Seconds between two looks at the worker's memory: a process fills well under 1 GiB in that time.
TICK = 0.025

#: Seconds between two looks at the processes that it may have started, which takes a walk through all of the system's.
FAMILY_TICK = 0.5

#: Seconds that a worker gets, once it has said all, to leave by itself: packages save their caches at exit, and one
#: that is killed over it leaves half a file behind, for every later process to stumble on.
FAREWELL = 5.0

#: Bytes kept of what a worker prints; the end is what explains a crash.
TAIL = 4096

#: Names every process that a cell has started, for those that left its process group.
MARK = "LAPMARK_CELL"

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
    mark = uuid.uuid4().hex
    process, started = None, time.time()
    with tempfile.TemporaryFile() as answer, open(read, "rb", buffering=0) as events:
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
        try:
            process = subprocess.Popen(
                [python, "-P", "-m", "bench.worker", job.dump()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=_environment(threads, mark),
                pass_fds=(problem.fileno(), write, answer.fileno()),
                start_new_session=True,
            )
            os.close(write)
            _pin(process.pid, threads)
            watch = _Watch(process, events.fileno(), limits)
            outcome = watch.follow()
            if watch.last_word:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(FAREWELL)
        finally:
            if process is not None:
                _end(process, mark, started)
        if outcome.status is None and outcome.matrix is None:
            answer.seek(0)
            try:
                outcome.result = protocol.read_answer(answer)
            except (ValueError, KeyError, TypeError, OSError, zipfile.BadZipFile) as error:
                outcome.status, outcome.message = "error", f"left an answer that cannot be read: {error}"
    return outcome


class _Watch:
    """Follows a worker's events until it is done, fails, dies or passes a limit; `last_word` tells the first two."""

    def __init__(self, process: subprocess.Popen[bytes], events: int, limits: Limits) -> None:
        assert process.stdout is not None
        self._process = process
        self._events = events
        self._output = process.stdout.fileno()
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
                if not self._finished and self._process.poll() is not None:
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
        return data

    def _on_line(self, line: bytes) -> None:
        try:
            self._on_event(json.loads(line))
        except (ValueError, KeyError, TypeError):
            self._fail("error", f"wrote {line[:80]!r} where the worker reports to the harness")

    def _on_event(self, event: Mapping[str, Any]) -> None:
        outcome = self._outcome
        match event["event"]:
            case "warm-up":
                self._baseline, self._allowance = event["resident"], self._limits.memory + WARM_UP_MEMORY
                self._wait("warm-up", self._limits.start_up + self._limits.timeout)
            case "ready":
                self._baseline, self._allowance = event["resident"], self._limits.memory
            case "call":
                self._wait("call", self._limits.timeout)
            case "sample":
                outcome.peak_memory = max(outcome.peak_memory or 0, event["peak"])
                if event["counted"]:
                    outcome.samples.append(event["seconds"])
                self._wait("answer", self._limits.start_up)
            case "done":
                outcome.counters = event.get("counters", {})
                outcome.matrix = event.get("matrix")
                self._finished = self.last_word = True
            case "failed":
                self._fail(event["status"], event["message"])
                self.last_word = True

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
            over = self._resident(now) - self._baseline
            if self._waits_for == "call":  # coarser than the worker's own word after the call, which may never come
                self._outcome.peak_memory = max(self._outcome.peak_memory or 0, over)
            if over > self._allowance:
                took, limit = show_size(over), show_size(self._allowance)
                self._fail("memory", f"took {took} during {self._waits_for}, over {limit}")

    def _resident(self, now: float) -> int:
        """Resident bytes of the worker and its descendants. Pages that they share count for each."""
        if now >= self._next_family_look:
            self._next_family_look = now + FAMILY_TICK
            with contextlib.suppress(psutil.Error):
                worker = psutil.Process(self._process.pid)
                self._family = [worker, *worker.children(recursive=True)]
        total = 0
        for process in self._family:
            with contextlib.suppress(psutil.Error):
                total += process.memory_info().rss
        return total

    def _fail(self, status: str, message: str) -> None:
        self._outcome.status, self._outcome.message = status, message
        self._finished = True

    def _obituary(self) -> str:
        """How the process died, and its last words."""
        code = self._process.returncode
        if code < 0:
            how = f"died of {signal.Signals(-code).name} during {self._waits_for}"
            if code == -signal.SIGKILL:
                how += "; not killed by this harness: the system may have run out of memory"
        else:
            how = f"left with exit status {code} during {self._waits_for}, without an answer"
        words = self._tail.decode(errors="replace").strip()
        return f"{how}\n{words}" if words else how


def _environment(threads: int, mark: str) -> dict[str, str]:
    counts = {f"{library}_NUM_THREADS": str(threads) for library in THREADS}
    return {**os.environ, **counts, MARK: mark}


def _pin(pid: int, threads: int) -> None:
    """Give the worker as many cores as threads, the last ones: the first serve interrupts and the harness."""
    if hasattr(os, "sched_setaffinity"):
        with contextlib.suppress(ProcessLookupError):
            os.sched_setaffinity(pid, sorted(os.sched_getaffinity(0))[-threads:])


def _end(process: subprocess.Popen[bytes], mark: str, started: float) -> None:
    """Leave no process behind: neither the worker, nor its group, nor what left the group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert process.stdout is not None
    process.stdout.close()
    while strays := [other for other in psutil.process_iter() if _is_marked(other, mark, started)]:
        for stray in strays:
            with contextlib.suppress(psutil.Error):
                stray.kill()
        psutil.wait_procs(strays, timeout=1)


def _is_marked(process: psutil.Process, mark: str, started: float) -> bool:
    try:
        if process.create_time() < started - 1 or process.status() == psutil.STATUS_ZOMBIE:
            return False
        return process.environ().get(MARK) == mark
    except (psutil.Error, OSError):
        return False
