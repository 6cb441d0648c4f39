"""Timing of a candidate's lines on several problems, in a process of its own under a time and a memory limit.

The process is a copy of this one where the system allows it, so that packages are loaded and the problems built once
for all candidates. Small problems are many different ones in turn: a processor learns the branches of a single one.
"""

from __future__ import annotations

import contextlib
import gc
import math
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import Any

from lapmark.bench.system import process_resources
from lapmark.bench.worker import warm_up_problems
from lapmark.solvers import solve_batch
from lapmark.solvers.errors import Infeasible, TimeLimit
from lapmark.solvers.problem import Assignment, Problem
from lapmark.solvers.result import Matching, Result

from . import candidates
from .candidates import variables

#: Seconds from which a single call is a sample: what the first call of a process adds is far below it.
LONG = 0.2

#: Fewest and most calls on each problem, the first one included.
FEWEST, MOST = 3, 30

#: Seconds that a process may take on top of its calls, to start and to send its answers.
OVERHEAD = 10.0

if sys.platform == "linux":
    _processes = multiprocessing.get_context("fork")
else:  # new processes, which load everything again: libraries of macOS do not survive a fork
    _processes = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class Timing:
    """Outcome of a candidate on some problems: status "" where it answered all, and the answers are to be certified.

    `seconds` holds the shortest time of a call on each problem, `peak_memory` the bytes that its calls took.
    """

    status: str = ""
    message: str = ""
    seconds: tuple[float, ...] = ()
    peak_memory: int = 0
    results: tuple[Result, ...] = ()

    def joined(self, other: Timing) -> Timing:
        """Return the shortest times of two timings on the same problems; a failure remains."""
        if self.status or other.status:
            return self if self.status else other
        shortest = tuple(map(min, self.seconds, other.seconds))
        return replace(self, seconds=shortest, peak_memory=max(self.peak_memory, other.peak_memory))


def time_calls(name: str, problems: Sequence[Problem], budget: float, timeout: float, memory: int) -> Timing:
    """Time a candidate on problems that it takes.

    Parameters
    ----------
    budget : float
        Seconds of calls on all problems together; long ones are called once.
    timeout : float
        Seconds of one call; a process that takes longer is ended.
    memory : int
        Bytes that the process may take on top of this one.
    """
    here, there = _processes.Pipe(duplex=False)
    process = _processes.Process(target=_run, args=(there, name, problems, budget, memory), daemon=True)
    process.start()
    there.close()
    try:
        most = len(problems) * timeout + (budget + OVERHEAD)
        if not _waits_for(here, timeout) or not here.poll(most):
            return Timing("timeout", f"took longer than {timeout:g} s")
        found: Timing = here.recv()
        return found
    except (EOFError, OSError):
        process.join(1.0)
        return Timing("crash", f"its process ended with status {process.exitcode}")
    finally:
        if process.is_alive():
            process.kill()
        process.join()
        here.close()


def _waits_for(here: Connection, timeout: float) -> bool:
    """Return whether the first problem is answered within the timeout, after the start of the process."""
    return here.poll(OVERHEAD) and here.recv() == "started" and here.poll(timeout) and here.recv() == "answered"


def _run(to: Connection, name: str, problems: Sequence[Problem], budget: float, memory: int) -> None:
    """Time the candidate, in its process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends this process
    process_resources.forbid_core_dumps()
    process_resources.limit_growth(memory)
    if name != candidates.BATCH:
        _warm_up(name, problems[0])
    to.send("started")
    try:
        if name == candidates.BATCH:
            found = _measure_batch(problems, budget)
            to.send("answered")
        else:
            found = _measure(name, problems, budget, lambda: to.send("answered"))
    except MemoryError:
        found = Timing("memory", "took more memory than it may")
    except TimeLimit as error:
        found = Timing("timeout", str(error))
    except BaseException as error:  # a package may raise anything
        found = Timing("error", f"{type(error).__name__}: {error}"[:300])
    if found.status:
        to.send("answered")
    to.send(found)
    to.close()
    os._exit(0)  # no clean-up of what the parent still uses


def _warm_up(name: str, problem: Problem) -> None:
    """Solve a small problem of the same kind, which may load further modules."""
    small = warm_up_problems.small(problem)
    with contextlib.suppress(Exception):
        candidates.lines(name, small).compiled(small)()


def _measure_batch(problems: Sequence[Problem], budget: float) -> Timing:
    """Time one call for all problems, on one thread; each gets an equal share."""
    matrices: list[Any] = [variables(problem)["costs"] for problem in problems]
    shortest, spent, count, clock = math.inf, 0.0, 0, time.perf_counter
    while count < FEWEST or (count < MOST and spent < budget):
        start = clock()
        answer = solve_batch(matrices, threads=1)
        seconds = clock() - start
        shortest, spent, count = min(shortest, seconds), spent + seconds, count + 1
    results = [
        Matching.of(problem, row_to_col)
        for problem, row_to_col in zip(problems, answer.row_to_col, strict=True)
        if isinstance(problem, Assignment)
    ]
    return Timing("", "", (shortest / len(problems),) * len(problems), 0, tuple(results))


def _measure(name: str, problems: Sequence[Problem], budget: float, answered: Callable[[], None]) -> Timing:
    calls = [candidates.lines(name, problem).compiled(problem) for problem in problems]
    gc.disable()  # a collection would copy all objects of the parent
    before = process_resources.start_peak()
    shortest, answers = list[float](), list[Any]()
    for call in calls:
        seconds, answer = _timed(call)
        if not answers:
            answered()
        shortest.append(seconds)
        answers.append(answer)
    peak = process_resources.growth(before)
    spent, count, clock = sum(shortest), 1, time.perf_counter
    if max(shortest) < LONG:
        shortest = shortest if spent > budget else [float("inf")] * len(calls)  # short ones only warmed the caches
        while count < MOST and (spent < budget if count < FEWEST else spent * (count + 1) / count < budget):
            for place, call in enumerate(calls):
                start = clock()
                call()
                seconds = clock() - start
                shortest[place] = min(shortest[place], seconds)
                spent += seconds
            count += 1
    results = [candidates.read_answer(name, *each) for each in zip(problems, answers, strict=True)]
    return Timing("", "", tuple(shortest), peak, tuple(results))


def _timed(call: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    try:
        answer = call()
    except Infeasible as error:
        raise ValueError(f"found no answer: {error}") from None
    return time.perf_counter() - start, answer
