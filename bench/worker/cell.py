"""Run one cell in a worker process and watch it from outside, so that no solver can take the harness down with it, or
deceive it.

The limits hold in native code, with the interpreter's lock held and every signal ignored: the time limit is a deadline
kept here and ends in SIGKILL, and memory is counted from outside (`memory`). Whatever the worker has started is killed
with it. Each call is ordered from here, on another problem than the one before (`handover`), and
what the worker says of its time is held against the clocks of this side (`clock`).
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from lapmark.bench.system import instruction_counts
from lapmark.bench.system.memory_limit import Meter
from lapmark.bench.system.process_tree import Tree
from lapmark.bench.util.plain_text import plain
from lapmark.bench.util.units import show_size
from lapmark.solvers.problem import Problem

from . import protocol
from .calls import Answers, Calls, stated
from .clock_check import Clock
from .monitor import Watch
from .problem_handover import Handover
from .protocol import Answer, Job, Order
from .worker import WARM_UP_MEMORY

#: Seconds that imports, reading the problem and compilation may take, none of which is the solver's time.
START_UP = 60.0

#: Matrices of the problem's shape that may be made while it is read.
COPIES = 4

#: Processes of one worker, beyond which it is taken to be running away.
MOST_PROCESSES = 256

#: Seconds that a worker gets, once it has said all, to leave by itself: packages save their caches at exit, and one
#: that is killed over it leaves half a file behind, for every later process to stumble on.
FAREWELL = 5.0

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

    def slower(self, times: float) -> Limits:
        """The same for a program that runs so many times as slowly."""
        return Limits(timeout=self.timeout * times, memory=2 * self.memory, start_up=self.start_up * times)


@dataclass
class Outcome:
    """What became of a worker. `status` is None where it answered, and the answer is yet to be judged."""

    status: str | None = None
    message: str = ""
    samples: list[float] = field(default_factory=list)
    peak_memory: int | None = None
    counters: dict[str, int] = field(default_factory=dict)
    conditions: dict[str, float] = field(default_factory=dict)
    matrix: str | None = None
    instructions: int | None = None
    result: Answer | None = None  # of highest cost
    other: Answer | None = None  # one of all, chosen at random


def run(
    solver: str,
    problem: Problem,
    limits: Limits,
    budget: float,
    threads: int = 1,
    plugins: tuple[str, ...] = (),
    python: Path = Path(sys.executable),
    counting: str = "",
    digest: str | None = None,
    weigh: Callable[[Answer], float] = stated,
    starts_slowly: bool = True,
    compiles: bool = False,
) -> Outcome:
    """Run a solver on a problem.

    Parameters
    ----------
    solver : str
        A spec, or `protocol.BUILD_MATRIX`.
    problem : Problem
    limits : Limits
    budget : float
        Seconds to sample for; with 0 the solver is called once.
    threads : int
        That it may use, and the cores that it gets.
    plugins : tuple of str
        Files that register further solvers.
    python : Path
        The interpreter of the worker, in whose environment the solver is.
    counting : {"", "hardware", "callgrind"}
        How to count the instructions of the call (`bench.system.instruction_counts`); with callgrind times mean nothing, and the
        limits allow for it.
    digest : str, optional
        Of the problem, for the worker's own to be held against.
    weigh : callable
        What an answer to the problem costs; a `protocol.BadAnswer` where it is none. Every answer is weighed.
    starts_slowly : bool
        Whether its first call may load packages, or compile, for as long as imports may take.
    compiles : bool
        Whether it is to be warmed up on a problem of the same shape.
    """
    cores = _cores(threads)
    farewell, before, variables = FAREWELL, list[str](), _variables(threads)
    with (
        tempfile.TemporaryFile() as answer,
        tempfile.TemporaryFile() as practice,
        Handover(problem) as handed,
        contextlib.ExitStack() as ends,
    ):
        events, its_events = (ends.enter_context(end) for end in _pipe())
        orders, its_orders = (ends.enter_context(end) for end in socket.socketpair())
        protocol.write_problem(protocol.blank(problem) if compiles else protocol.small(problem), practice)
        if counting == "callgrind":
            before = instruction_counts.callgrind()
            limits = limits.slower(instruction_counts.SLOWER)
            farewell *= instruction_counts.SLOWER  # Python's own end is slow, too, and the count is written after it
            variables = {**variables, "PYTHONHASHSEED": "0"}  # or dictionaries would differ from run to run
        with its_events, its_orders:
            job = Job(
                solver=solver,
                threads=threads,
                memory=limits.memory,
                plugins=plugins,
                counting=counting,
                practice=practice.fileno(),
                orders=its_orders.fileno(),
                events=its_events.fileno(),
                answer=answer.fileno(),
            )
            command = [*before, str(python), "-P", "-m", "lapmark.bench.worker.worker", job.dump()]
            try:
                tree = Tree(
                    command,
                    variables,
                    (job.practice, job.orders, job.events, job.answer),
                    cores=cores,
                    memory=limits.memory + WARM_UP_MEMORY,
                )
            except OSError as error:
                return Outcome("error", f"its worker cannot be started: {error}")
        with tree:
            answers = None if solver == protocol.BUILD_MATRIX else Answers(answer, handed, limits.memory, weigh)
            calls = Calls(orders, handed, budget, answers, digest)
            clock = None if counting == "callgrind" else Clock(tree, threads, cores, starts_slowly)
            watch = _CellWatch(tree, events.fileno(), limits, calls, clock, starts_slowly)
            watch.follow()
            outcome = watch.outcome
            if watch.last_word:
                tree.wait(farewell)
            if counting == "callgrind" and watch.last_word:
                outcome.instructions = instruction_counts.read_callgrind(tree.folder)
    return outcome


class _CellWatch(Watch):
    """Follows the worker of a cell; `last_word` tells whether it said itself what became of it.

    Its events are those of a state machine: `_expected` are the ones that may come next, beside a failure.
    """

    def __init__(
        self, tree: Tree, events: int, limits: Limits, calls: Calls, clock: Clock | None, starts_slowly: bool
    ) -> None:
        life = 3 * limits.start_up + calls.life(limits.timeout)
        super().__init__(tree, events, limits.start_up, life)
        self.outcome = Outcome()
        self.last_word = False
        self._limits, self._calls, self._clock = limits, calls, clock
        self._patience_with_first = limits.timeout + (limits.start_up if starts_slowly else 0.0)
        self._expected = {"warm-up"}
        self._meter = Meter(tree, limits.memory + WARM_UP_MEMORY)
        self._arrival: int | None = None  # bytes of a problem as the worker holds it
        self._before = 0  # bytes taken before a call

    def on_event(self, event: Mapping[str, Any]) -> None:
        name = event["event"]
        if name not in self._expected | {"failed"}:
            raise ValueError(f"{name} has no place here")
        getattr(self, f"_on_{name.replace('-', '_')}")(event)

    def _on_warm_up(self, event: Mapping[str, Any]) -> None:
        """It is about to call the solver on a small problem."""
        self._expected = {"ready"}
        self._meter.start()
        self.wait("warm-up", self._patience_with_first)

    def _on_ready(self, event: Mapping[str, Any]) -> None:
        self._meter.start()
        self._calls.hand_over()
        self._load()

    def _on_loaded(self, event: Mapping[str, Any]) -> None:
        """It has read a problem, the first of which it says the digest of."""
        if fault := self._calls.fault_of_digest(event["digest"]):
            self.fail("wrong", fault)
            return
        if self._arrival is None:
            self._arrival = self._meter.start()
            self._meter.allow(self._limits.memory)
        else:  # with the last problem, which may be solved once more before this one
            self._meter.allow(self._limits.memory + self._arrival)
        self._before = self._meter.taken()
        if self._clock:
            self._clock.loaded()
        if self._calls.are_short:
            self._expected = {"warm"}
            self.wait("call", self._limits.timeout)
            self._calls.order(Order.AGAIN)
        else:
            self._go()

    def _on_warm(self, event: Mapping[str, Any]) -> None:
        """It has solved the last problem once more."""
        self._go()

    def _on_answered(self, event: Mapping[str, Any]) -> None:
        """The call has ended."""
        self._expected = {"written"}
        seconds, peak = _amount(event["seconds"]), int(_amount(event["peak"]))
        if self._clock and (fault := self._clock.stop(seconds)):
            self.fail("wrong", fault)
            return
        self.outcome.peak_memory = max(self.outcome.peak_memory or 0, peak)
        if self._calls.counts(seconds):
            self.outcome.samples.append(seconds)
        self.wait("answer", self._limits.start_up)

    def _on_written(self, event: Mapping[str, Any]) -> None:
        """The answer is in its file."""
        if self._clock:
            self._clock.written()
        try:
            self._calls.take()
        except protocol.BadAnswer as error:
            self.fail("wrong", str(error))
            return
        except Exception as error:  # the file is what a process wrote that may have lost its mind
            self.fail("error", f"left an answer that cannot be read: {error!r}")
            return
        if self._calls.over:
            self._expected = {"done"}
            self._calls.order(Order.STOP)
        else:
            self._calls.vary()
            self._load()

    def _on_done(self, event: Mapping[str, Any]) -> None:
        calls, outcome = self._calls, self.outcome
        if self._clock and (fault := self._clock.fault(calls.handling, calls.pairs)):
            self.fail("wrong", fault)
            return
        outcome.result, outcome.other = calls.result, calls.other
        outcome.counters = protocol.read_counters(event.get("counters", {}))
        known = event.get("conditions", {}).items()
        outcome.conditions = {plain(str(name)): _amount(value) for name, value in known}
        if event.get("matrix") is not None:
            outcome.matrix = plain("".join(event["matrix"]))
        if event.get("instructions") is not None:
            outcome.instructions = int(_amount(event["instructions"]))
        self.finished = self.last_word = True

    def _on_failed(self, event: Mapping[str, Any]) -> None:
        if event["status"] not in FAILURES:
            raise ValueError(f"no failure is called {event['status']}")
        self.fail(event["status"], str(event["message"]))
        self.last_word = True

    def _go(self) -> None:
        self._expected = {"answered"}
        self.wait("call", self._limits.timeout)
        if self._clock:
            self._clock.start()
        self._calls.order(Order.GO)

    def _load(self) -> None:
        self._expected = {"loaded"}
        if self._clock:
            self._clock.load()
        # It may be turned into a matrix, over a copy or two.
        self._meter.allow(self._limits.memory + WARM_UP_MEMORY + COPIES * 8 * self._calls.pairs)
        self.wait("the problem's arrival", self._limits.start_up)
        self._calls.order(Order.LOAD)

    def on_failure(self, status: str, message: str) -> None:
        if status == "crash" and self.tree.ended_for_memory:
            status = "memory"
            message = f"took more than {show_size(self._meter.allowance)}; the system ended it during {self.waits_for}"
        self.outcome.status, self.outcome.message = status, message

    def check_limits(self, now: float) -> None:
        taken = self._meter.taken()
        if len(self._meter.processes) > MOST_PROCESSES:
            self.fail("error", f"started more than {MOST_PROCESSES} processes")
            return
        if self.waits_for == "call":  # coarser than the worker's own word after the call, which may never come
            self.outcome.peak_memory = max(self.outcome.peak_memory or 0, taken - self._before)
        if taken > self._meter.allowance:
            took, limit = show_size(taken), show_size(self._meter.allowance)
            self.fail("memory", f"took {took} during {self.waits_for}, over {limit}")


def _amount(value: Any) -> Any:
    """A number that a worker sent, of bytes or seconds, if it is one that can be meant."""
    if isinstance(value, bool) or not (isinstance(value, int | float) and 0 <= value < 1e18):
        raise ValueError(f"{value!r} is no amount")
    return value


def _pipe() -> tuple[IO[bytes], IO[bytes]]:
    read, write = os.pipe()
    return open(read, "rb", buffering=0), open(write, "wb", buffering=0)


def _variables(threads: int) -> dict[str, str]:
    # What a solver prints is read as UTF-8, whatever the terminal is.
    return {"PYTHONIOENCODING": "utf-8"} | {f"{library}_NUM_THREADS": str(threads) for library in THREADS}


def _cores(threads: int) -> set[int]:
    """Return as many cores as threads, or none where the system does not list them.

    The last ones are taken, since the first serve interrupts and the harness.
    """
    if not hasattr(os, "sched_getaffinity"):
        return set()
    return set(sorted(os.sched_getaffinity(0))[-threads:])
