"""Worker process of a cell: warm the solver up, then follow the harness's orders, call by call.

`isolated_run` starts it as `python -m lapmark.bench.worker.worker JOB` and trusts nothing that it reports: the harness
enforces the limits, certifies the answers and checks the times. This side times the solver's call and nothing else.
"""

import contextlib
import dataclasses
import faulthandler
import functools
import gc
import json
import os
import socket
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

from lapmark.bench.system import conditions, process_resources
from lapmark.bench.system.instruction_counts import CountedCall
from lapmark.bench.util import spec
from lapmark.solvers import plugins, registry
from lapmark.solvers.costs import DenseCost
from lapmark.solvers.errors import Infeasible, TimeLimit, Unsupported
from lapmark.solvers.problem import Assignment, Problem, Transport

from . import protocol
from .calls import SHORT
from .problem_digest import digest_matrix, digest_problem
from .protocol import BUILD_MATRIX, BadAnswer, Job, Order
from .resource_limits import WARM_UP_MEMORY

#: Seconds of busy waiting for an order at most: several times as long as the harness takes to give one.
BUSY_WAIT = 0.002


class InputModified(Exception):
    """The solver wrote to its input."""


class Channel:
    """Pipe of events to the harness. A child that the solver forks ends when it sends: only one process reports."""

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
    prepare_process()
    channel = Channel(job.events)
    try:
        run(job, channel)
    except MemoryError as error:
        channel.send("failed", status="memory", message=_describe(error))
    except plugins.PluginError as error:
        channel.send("failed", status="error", message=str(error))
    except (BadAnswer, InputModified) as error:
        channel.send("failed", status="wrong", message=str(error))
    except Unsupported as error:
        channel.send("failed", status="skipped", message=str(error))
    except TimeLimit as error:
        channel.send("failed", status="timeout", message=str(error))
    except BaseException as error:  # a solver may raise anything, SystemExit included
        traceback.print_exc()
        channel.send("failed", status="error", message=_describe(error))


def prepare_process() -> None:
    """Have this process leave no core dump, and be the first to be killed when memory runs out."""
    faulthandler.enable()
    process_resources.forbid_core_dumps()
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def run(job: Job, channel: Channel) -> None:
    """Run a job; report every step to the harness as an event."""
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
    gc.freeze()  # the collector passes over all objects that exist by now
    with socket.socket(fileno=job.orders) as orders, os.fdopen(job.answer, "wb") as answer:
        channel.send("ready")
        _, (descriptor,), *_ = socket.recv_fds(orders, 1, 1)
        with os.fdopen(descriptor, "rb") as problem:
            _follow_orders(job, function, takes, problem, orders, answer, channel)


def _follow_orders(
    job: Job,
    function: Callable[[Problem], Any],
    takes: Callable[[Problem], Problem],
    file: IO[bytes],
    orders: socket.socket,
    answer: IO[bytes],
    channel: Channel,
) -> None:
    """Follow orders until the one to stop. Digest, counters and instructions are those of the first call."""
    monitor = conditions.ConditionsMonitor()
    first: dict[str, Any] = {}
    last: Problem | None = None
    waiting = _Waiting(orders)
    while orders.recv(1) == Order.LOAD:
        _limit_memory(None)  # while a problem is read, only the harness limits memory
        arrived = protocol.read_problem(file)
        problem = takes(arrived)
        digest = None if first else digest_problem(arrived)
        untouched = digest if first or problem is arrived else digest_problem(problem)
        del arrived
        gc.collect()
        baseline = process_resources.start_peak()
        _limit_memory(job.memory)
        channel.send("loaded", digest=digest)
        if (order := waiting.next_order()) == Order.AGAIN and last is not None:
            with contextlib.suppress(Exception):
                function(last)
            channel.send("warm")
            order = waiting.next_order()
        if order != Order.GO:
            return
        call: Callable[[], Any] = functools.partial(function, problem)
        if job.counting:
            call = CountedCall(call, job.counting)
        gc.disable()
        start = time.perf_counter_ns()
        try:
            result = call()
        except Infeasible as error:  # an answer, too
            result = error.with_traceback(None)
        seconds = (time.perf_counter_ns() - start) / 1e9
        gc.enable()
        monitor.sample_frequency()
        channel.send("answered", seconds=seconds, peak=process_resources.growth(baseline))
        if untouched is not None and digest_problem(problem) != untouched:
            raise InputModified("modified its input")
        if not first:
            first = {"instructions": getattr(call, "count", None)}
            if job.solver == BUILD_MATRIX:
                first["matrix"] = digest_matrix(DenseCost(result))
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
    channel.send("done", conditions=monitor.conditions(), **first)


class _Waiting:
    """Waiting for orders, busily at first: a core that sleeps loses its caches and clock frequency.

    On a busy machine orders come late, and busy waiting would only be charged to the solver: each wait in vain halves
    the next one, and an order in time doubles it again.
    """

    def __init__(self, orders: socket.socket) -> None:
        self._orders, self._busy = orders, BUSY_WAIT

    def next_order(self) -> bytes:
        end = time.monotonic() + self._busy
        while time.monotonic() < end:
            with contextlib.suppress(BlockingIOError):
                order = self._orders.recv(1, socket.MSG_DONTWAIT)
                self._busy = min(2 * self._busy, BUSY_WAIT)
                return order
        self._busy /= 2
        return self._orders.recv(1)


def _prepare(job: Job) -> tuple[Callable[[Problem], Any], Callable[[Problem], Problem]]:
    """Return the function to time, and one that converts a problem to the kind of cost that the first takes."""
    if job.solver == BUILD_MATRIX:
        return lambda given: given.cost.dense(), lambda problem: problem
    name, options = spec.parse(job.solver)
    solver = registered(name, job.plugins)
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


def registered(name: str, files: Sequence[str]) -> registry.Solver:
    """Return a solver, and raise a PluginError if the plugin files register it in the harness but not here."""
    try:
        return registry.get(name)
    except ValueError:
        if not files:
            raise
        shown = ", ".join(map(plugins.shown, files))
        raise plugins.PluginError(
            f"plugin {shown} registers no solver {name!r} in this process; register it unconditionally"
        ) from None


def _limit_memory(allowed: int | None) -> None:
    """Refuse memory somewhat above the limit. The harness checks resident memory; this stops one huge allocation."""
    process_resources.limit_growth(None if allowed is None else allowed + allowed // 4)


def _describe(error: BaseException) -> str:
    """Return the error, up to 1000 characters, and the line that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    try:
        text = str(error)[:1000]
    except Exception:  # the exception is the solver's own class
        text = "its message cannot be read"
    return f"{type(error).__name__}: {text}".rstrip(": ") + where


if __name__ == "__main__":
    main()
