"""One cell in a process of its own: take the problem, warm the solver up, time its calls, hand the answer over.

Run as `python -m bench.worker JOB` by `bench.cell`, which watches it from outside and trusts nothing that it says:
limits hold there and the answer is judged there. This side only keeps the clock around the solver's call and around
nothing else.
"""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import faulthandler
import functools
import gc
import json
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from solvers import registry
from solvers.problem import Assignment, DenseCost, Infeasible, Problem, TimeLimit, Transport, Unsupported

from . import conditions, plugins, protocol, spec
from .instructions import Counted
from .protocol import BUILD_MATRIX, BadAnswer, Job

#: More samples than this say nothing new about a median.
MOST_SAMPLES = 100

#: Imports and compilation in the warm-up are not the solver's work on the problem, and take memory too.
WARM_UP_MEMORY = 1 << 30

_STATUS = Path("/proc/self/status")
_PR_SET_PDEATHSIG = 1


class Misbehaved(Exception):
    """The solver wrote to its input, or claimed two optima of the same problem."""


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
    settle(job.parent)
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


def settle(parent: int) -> None:
    """Make this process one whose end is no loss: it goes before its parent does, and with it, and leaves no core."""
    _die_with(parent)
    faulthandler.enable()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")  # should memory run out, this process goes, not the harness


def run(job: Job, channel: Channel) -> None:
    """The life of a cell; every step of it is an event to the harness."""
    for path in job.plugins:
        plugins.load(path)
    with os.fdopen(job.problem, "rb") as file:
        function, problem = _prepare(job, protocol.read_problem(file))
    untouched = protocol.digest(problem)

    channel.send("warm-up", resident=_memory("VmRSS"))
    _limit_memory(job.memory + WARM_UP_MEMORY)
    with contextlib.suppress(Exception):
        function(protocol.blank(problem) if _compiles(job) else protocol.small(problem))
    gc.collect()
    baseline = _start_peak()
    _limit_memory(job.memory)
    channel.send("ready", resident=baseline)

    call: Callable[[], Any] = functools.partial(function, problem)
    if job.counting:
        call = Counted(call, job.counting)
    result, costs, met = _sample(call, job.budget, baseline, channel)
    if protocol.digest(problem) != untouched:
        raise Misbehaved("modified its input")
    if job.solver == BUILD_MATRIX:
        channel.send("done", matrix=protocol.digest_matrix(DenseCost(result)), conditions=met)
        return
    if _is_exact(job) and max(costs) - min(costs) > 1e-9 * max(map(abs, costs)):
        raise Misbehaved(f"claims the optimum, but states costs from {min(costs):.12g} to {max(costs):.12g}")
    with os.fdopen(job.answer, "wb") as file:
        protocol.write_answer(result, file)
    counters = protocol.read_counters(getattr(result, "counters", {}))
    channel.send("done", counters=counters, conditions=met, instructions=getattr(call, "count", None))


def _prepare(job: Job, problem: Problem) -> tuple[Callable[[Problem], Any], Problem]:
    """The function to time, and the problem in the kind of cost that it takes."""
    if job.solver == BUILD_MATRIX:
        return lambda given: given.cost.dense(), problem
    name, options = spec.parse(job.solver)
    solver = registry.get(name)
    if solver.capabilities.threads:
        options["threads"] = job.threads
    if protocol.given(problem, solver.capabilities) != problem.cost.kind:
        dense = DenseCost(problem.cost.dense())
        problem = (
            dataclasses.replace(problem, cost=dense)
            if isinstance(problem, Assignment)
            else Transport(dense, problem.a, problem.b, problem.epsilon, problem.reach and problem.rho, problem.partial)
        )
    return functools.partial(solver.run, **options), problem


def _compiles(job: Job) -> bool:
    return job.solver != BUILD_MATRIX and registry.get(spec.parse(job.solver)[0]).capabilities.compiles


def _is_exact(job: Job) -> bool:
    return registry.get(spec.parse(job.solver)[0]).capabilities.exact


def _sample(
    call: Callable[[], Any], budget: float, baseline: int, channel: Channel
) -> tuple[Any, list[float], dict[str, float]]:
    """Time calls until the budget is spent; the dearest answer, which is the one to judge, the costs of all, and the
    conditions meanwhile (`bench.conditions`).

    The first call fills caches and is not counted, unless it alone took longer than the budget.
    """
    costs: list[float] = []
    worst: Any = None
    spent, count = 0.0, -1
    watch = conditions.Watch()
    while True:
        channel.send("call")
        gc.disable()
        start = time.perf_counter_ns()
        try:
            result = call()
        except Infeasible as error:  # the answer, where it is right
            result = error.with_traceback(None)
        seconds = (time.perf_counter_ns() - start) / 1e9
        gc.enable()
        watch.glance()
        count = 1 if count < 0 and seconds > budget else count + 1
        peak = max(_memory("VmHWM") - baseline, 0)
        channel.send("sample", seconds=seconds, counted=count > 0, peak=peak)
        cost = _stated_cost(result)
        if worst is None or not cost <= max(costs):
            worst = result
        costs.append(cost)
        spent += seconds if count else 0.0
        if count >= MOST_SAMPLES or (count > 0 and spent + seconds > budget):
            return worst, costs, watch.conditions()
        del result


def _stated_cost(result: Any) -> float:
    try:
        return float(result.cost)
    except (AttributeError, TypeError, ValueError):
        return 0.0  # no answer at all, the proof that there is none, or the matrix; judged later


def _die_with(parent: int) -> None:
    """Have the kernel kill this process when the harness dies, however it dies."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _limit_memory(allowed: int) -> None:
    """Refuse memory somewhat above the limit: the harness watches what is resident, this stops one huge allocation."""
    if _STATUS.exists():
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        soft = _memory("VmData") + allowed + allowed // 4
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
    """The error and the line that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}".rstrip(": ") + where


if __name__ == "__main__":
    main()
