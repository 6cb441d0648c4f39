"""One cell in a process of its own: warm the solver up, then do what the harness orders, call by call.

Run as `python -m lapmark.bench.worker.worker JOB` by `bench.worker.cell`, which watches it from outside and trusts nothing that it says:
limits hold there, the answers are judged there, and its clock is held against one there. This side only keeps the clock
around the solver's call and around nothing else.
"""

from __future__ import annotations

import contextlib
import dataclasses
import faulthandler
import functools
import gc
import json
import os
import resource
import socket
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from lapmark.bench.system import conditions
from lapmark.bench.system.instruction_counts import Counted
from lapmark.bench.util import spec
from lapmark.solvers import plugins, registry
from lapmark.solvers.problem import Assignment, DenseCost, Infeasible, Problem, TimeLimit, Transport, Unsupported

from . import protocol
from .calls import SHORT
from .protocol import BUILD_MATRIX, BadAnswer, Job, Order

#: Imports and compilation in the warm-up are not the solver's work on the problem, and take memory too.
WARM_UP_MEMORY = 1 << 30

#: Seconds to wait for an order awake: some times as long as the harness takes to give it.
AWAKE = 0.002

_STATUS = Path("/proc/self/status")


class Misbehaved(Exception):
    """The solver wrote to its input."""


class Channel:
    """The pipe to the harness. A child that the solver forks falls silent here: one process speaks for a cell."""

    def __init__(self, descriptor: int) -> None:
        os.set_inheritable(descriptor, False)
        self._file = os.fdopen(descriptor, "w", encoding="utf-8")
        self._pid = os.getpid()

    def send(self, event: str, **values: object) -> None:
        if os.getpid() != self._pid:
            os._exit(0)
        self._file.write(json.dumps({"event": event, **values}) + "\n")
        self._file.flush()


def main() -> None:
    job = Job.load(sys.argv[1])
    settle()
    channel = Channel(job.events)
    try:
        run(job, channel)
    except MemoryError as error:
        channel.send("failed", status="memory", message=_describe(error))
    except (BadAnswer, Misbehaved) as error:
        channel.send("failed", status="wrong", message=str(error))
    except Unsupported as error:
        channel.send("failed", status="skipped", message=str(error))
    except TimeLimit as error:
        channel.send("failed", status="timeout", message=str(error))
    except BaseException as error:  # a solver may raise anything, SystemExit included
        traceback.print_exc()
        channel.send("failed", status="error", message=_describe(error))


def settle() -> None:
    """Make this process one whose end is no loss: it leaves no core, and goes before the harness does."""
    faulthandler.enable()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")  # should memory run out, this process goes, not the harness


def run(job: Job, channel: Channel) -> None:
    """The life of a cell; every step of it is an event to the harness."""
    _limit_memory(job.memory + WARM_UP_MEMORY)
    for path in job.plugins:
        plugins.load(path)
    function, takes = _prepare(job)
    with os.fdopen(job.practice, "rb") as file:
        practice = takes(protocol.read_problem(file))
    channel.send("warm-up")
    _limit_memory(job.memory + WARM_UP_MEMORY)
    with contextlib.suppress(Exception):
        function(practice)
    del practice
    gc.collect()
    gc.freeze()  # what is there by now is looked through no more
    with socket.socket(fileno=job.orders) as orders, os.fdopen(job.answer, "wb") as answer:
        channel.send("ready")
        _, (descriptor,), *_ = socket.recv_fds(orders, 1, 1)
        with os.fdopen(descriptor, "rb") as problem:
            _obey(job, function, takes, problem, orders, answer, channel)


def _obey(
    job: Job,
    function: Callable[[Problem], Any],
    takes: Callable[[Problem], Problem],
    file: IO[bytes],
    orders: socket.socket,
    answer: IO[bytes],
    channel: Channel,
) -> None:
    """Do as ordered, until that is to stop. The first call tells which problem has arrived, and its counters count."""
    watch = conditions.Watch()
    first: dict[str, Any] = {}
    last: Problem | None = None
    while orders.recv(1) == Order.LOAD:
        _limit_memory(None)  # the harness alone says what a problem may take
        arrived = protocol.read_problem(file)
        problem = takes(arrived)
        digest = None if first else protocol.digest(arrived)
        untouched = digest if first or problem is arrived else protocol.digest(problem)
        del arrived
        gc.collect()
        baseline = _start_peak()
        _limit_memory(job.memory)
        channel.send("loaded", digest=digest)
        if (order := _awake(orders)) == Order.AGAIN and last is not None:
            with contextlib.suppress(Exception):
                function(last)
            channel.send("warm")
            order = _awake(orders)
        if order != Order.GO:
            return
        call: Callable[[], Any] = functools.partial(function, problem)
        if job.counting:
            call = Counted(call, job.counting)
        gc.disable()
        start = time.perf_counter_ns()
        try:
            result = call()
        except Infeasible as error:  # the answer, where it is right
            result = error.with_traceback(None)
        seconds = (time.perf_counter_ns() - start) / 1e9
        gc.enable()
        watch.glance()
        channel.send("answered", seconds=seconds, peak=max(_memory("VmHWM") - baseline, 0))
        if untouched is not None and protocol.digest(problem) != untouched:
            raise Misbehaved("modified its input")
        if not first:
            first = {"instructions": getattr(call, "count", None)}
            if job.solver == BUILD_MATRIX:
                first["matrix"] = protocol.digest_matrix(DenseCost(result))
            else:
                first["counters"] = protocol.read_counters(getattr(result, "counters", {}))
        if job.solver != BUILD_MATRIX:
            answer.seek(0)
            answer.truncate()
            protocol.write_answer(result, answer, min(protocol.most_bytes(problem.shape), job.memory))
            answer.flush()
        last = problem if seconds < SHORT else None
        del result, problem, call
        channel.send("written")
    channel.send("done", conditions=watch.conditions(), **first)


def _awake(orders: socket.socket) -> bytes:
    """The next order, waited for awake for a moment: a core that falls asleep forgets what it was warmed up for."""
    end = time.monotonic() + AWAKE
    while time.monotonic() < end:
        with contextlib.suppress(BlockingIOError):
            return orders.recv(1, socket.MSG_DONTWAIT)
    return orders.recv(1)


def _prepare(job: Job) -> tuple[Callable[[Problem], Any], Callable[[Problem], Problem]]:
    """The function to time, and what makes a problem one of the kind of cost that it takes."""
    if job.solver == BUILD_MATRIX:
        return lambda given: given.cost.dense(), lambda problem: problem
    name, options = spec.parse(job.solver)
    solver = registry.get(name)
    if solver.capabilities.threads:
        options["threads"] = job.threads

    def takes(problem: Problem) -> Problem:
        if protocol.given(problem, solver.capabilities) == problem.cost.kind:
            return problem
        dense = DenseCost(problem.cost.dense())
        if isinstance(problem, Assignment):
            return dataclasses.replace(problem, cost=dense)
        return Transport(dense, problem.a, problem.b, problem.epsilon, problem.reach and problem.rho, problem.partial)

    return functools.partial(solver.run, **options), takes


def _limit_memory(allowed: int | None) -> None:
    """Refuse memory somewhat above the limit: the harness watches what is resident, this stops one huge allocation."""
    if _STATUS.exists():
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        soft = hard if allowed is None else _memory("VmData") + allowed + allowed // 4
        resource.setrlimit(resource.RLIMIT_DATA, (soft if hard < 0 else min(soft, hard), hard))


def _start_peak() -> int:
    """Start the peak of the resident size anew; the size it starts from."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return _memory("VmRSS")


def _memory(name: str) -> int:
    """A line of /proc/self/status in bytes; elsewhere the peak of the process, the one number every system has."""
    if not _STATUS.exists():
        scale = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale
    for line in _STATUS.read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"{_STATUS} has no line {name}")


def _describe(error: BaseException) -> str:
    """The error, up to its first thousand letters, and the line that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    try:
        text = str(error)[:1000]
    except Exception:  # it is the solver's own
        text = "it has no text"
    return f"{type(error).__name__}: {text}".rstrip(": ") + where


if __name__ == "__main__":
    main()
