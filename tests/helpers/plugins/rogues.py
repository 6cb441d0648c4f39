"""Solvers that cheat: each takes 50 ms and tries to hide it, or answers wrongly."""

from __future__ import annotations

import functools
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from lapmark import Assignment, Capabilities, Matching, register, solve

WORK = 0.05


def rogue(name: str) -> Callable[[Callable[[Assignment], object]], object]:
    def add(cheat: Callable[[Assignment], object]) -> object:
        @register(name, Capabilities(exact=True))
        def function(problem: Assignment) -> object:
            return answer(problem) if problem.shape[0] <= 16 else cheat(problem)

        return function

    return add


def answer(problem: Assignment) -> Matching:
    return replace(solve(problem, "jv"), u=None, v=None)


def work(problem: Assignment) -> Matching:
    end = time.thread_time() + WORK  # not by the clock: on a busy machine as much is hidden
    while time.thread_time() < end:
        pass
    return answer(problem)


def events() -> list[int]:
    """Return the descriptors of pipes other than the worker's output."""
    numbers = [int(name) for name in os.listdir("/proc/self/fd")]
    return [number for number in numbers if number > 2 and _is_pipe(number)]


def _is_pipe(number: int) -> bool:
    try:
        return os.readlink(f"/proc/self/fd/{number}").startswith("pipe:")
    except OSError:
        return False


def tell(**event: object) -> None:
    for number in events():
        os.write(number, json.dumps(event).encode() + b"\n")


@rogue("errs-alike")
def errs_alike(problem: Assignment) -> object:
    """Swap the columns of the same two rows in every call, so that all answers are equally wrong."""
    best = work(problem)
    rows = np.argsort(problem.cost.dense().min(axis=1))[:2]
    best.row_to_col[rows] = best.row_to_col[rows[::-1]]
    return Matching.of(problem, best.row_to_col)


@rogue("stops-the-clock")
def stops_the_clock(problem: Assignment) -> object:
    time.perf_counter_ns = functools.partial(int, time.perf_counter_ns())
    return work(problem)


@rogue("turns-the-clock-back")
def turns_the_clock_back(problem: Assignment) -> object:
    time.perf_counter_ns = lambda: 0
    return work(problem)


@rogue("makes-up-events")
def makes_up_events(problem: Assignment) -> object:
    for _ in range(5):
        tell(event="sample", seconds=1e-6, counted=True, peak=0)
    return work(problem)


@rogue("reports-for-itself")
def reports_for_itself(problem: Assignment) -> object:
    tell(event="answered", seconds=1e-6, peak=0)
    tell(event="written")
    return work(problem)


@rogue("hangs-up")
def hangs_up(problem: Assignment) -> object:
    """Close the socket that delivers the orders."""
    for name in os.listdir("/proc/self/fd"):
        if os.path.realpath(f"/proc/self/fd/{name}").rpartition("/")[2].startswith("socket:"):
            os.close(int(name))
    return answer(problem)


@rogue("talks-without-end")
def talks_without_end(problem: Assignment) -> object:
    while True:
        tell(event="answered", seconds=1e-6, peak=0)


@functools.lru_cache
def _remembered(problem: Assignment) -> Matching:
    return work(problem)


@rogue("remembers-the-problem")
def remembers_the_problem(problem: Assignment) -> object:
    """Cache answers by problem: honest, and useless if no problem comes twice."""
    return _remembered(problem)


_by_shape: dict[tuple[int, int], Matching] = {}


@rogue("remembers-the-shape")
def remembers_the_shape(problem: Assignment) -> object:
    if problem.shape not in _by_shape:
        _by_shape[problem.shape] = work(problem)
    return Matching.of(problem, _by_shape[problem.shape].row_to_col)


@rogue("answers-once")
def answers_once(problem: Assignment) -> object:
    """Answer correctly at first, and then with junk of the same stated cost."""
    if not hasattr(answers_once, "first"):
        answers_once.first = work(problem)  # type: ignore[attr-defined]
        return answers_once.first  # type: ignore[attr-defined]
    return replace(answers_once.first, row_to_col=np.zeros(problem.shape[0], dtype=np.intp))  # type: ignore[attr-defined]


_solved: dict[str, Matching] = {}


@rogue("solves-while-it-reads")
def solves_while_it_reads(problem: Assignment) -> object:
    from lapmark.bench.worker import protocol

    if not hasattr(protocol, "honest"):
        honest = protocol.honest = protocol.read_problem

        def read(file: object) -> object:
            problem = honest(file)
            _solved["it"] = work(problem)
            return problem

        protocol.read_problem = read
        return work(problem)
    return _solved["it"]


class _Later:
    """A column of a matching that is computed when it is read."""

    def __init__(self, problem: Assignment) -> None:
        self._problem = problem

    def __array__(self, *_: object, **__: object) -> np.ndarray:
        return work(self._problem).row_to_col


@rogue("solves-while-it-writes")
def solves_while_it_writes(problem: Assignment) -> object:
    return Matching(_Later(problem), answer(problem).cost)  # type: ignore[arg-type]


@rogue("takes-another-core")
def takes_another_core(problem: Assignment) -> object:
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    return work(problem)


@rogue("writes-to-the-problem")
def writes_to_the_problem(problem: Assignment) -> object:
    """Write to the problem through every descriptor, reopening read-only ones."""
    for name in os.listdir("/proc/self/fd"):
        if "memfd:" not in os.path.realpath(f"/proc/self/fd/{name}"):
            continue
        for number in (int(name), _opened(name)):
            try:
                os.pwrite(number, b"\0" * 64, 512)
            except OSError:
                continue
            raise ArithmeticError("the problem can be written to")
    return work(problem)


def _opened(name: str) -> int:
    try:
        return os.open(f"/proc/self/fd/{name}", os.O_RDWR)
    except OSError:
        return -1


@rogue("compresses-its-answer")
def compresses_its_answer(problem: Assignment) -> object:
    np.savez = np.savez_compressed
    return work(problem)


@rogue("answers-with-a-flood")
def answers_with_a_flood(problem: Assignment) -> object:
    return replace(answer(problem), u=np.zeros(1 << 22))


@register("waits-in-its-first-call", Capabilities(exact=True))
def waits_in_its_first_call(problem: Assignment) -> object:
    return time.sleep(10**6)


@rogue("answers-the-call-before")
def answers_the_call_before(problem: Assignment) -> object:
    """Solve honestly, but answer with the previous call's result."""
    late = getattr(answers_the_call_before, "latest", None)
    answers_the_call_before.latest = work(problem)  # type: ignore[attr-defined]
    return late or answers_the_call_before.latest  # type: ignore[attr-defined]


@rogue("claims-less-than-nothing")
def claims_less_than_nothing(problem: Assignment) -> object:
    return replace(work(problem), cost=-np.inf)


@rogue("answers-to-orders")
def answers_to_orders(problem: Assignment) -> object:
    """Write orders into the socket that delivers them; the other end is not read."""
    for name in os.listdir("/proc/self/fd"):
        if os.path.realpath(f"/proc/self/fd/{name}").rpartition("/")[2].startswith("socket:"):
            os.write(int(name), b"SSSSGGGG")
    return answer(problem)


@rogue("skips-a-step")
def skips_a_step(problem: Assignment) -> object:
    """Report the end before any answer."""
    tell(event="written")
    tell(event="done", conditions={}, counters={})
    return work(problem)


@rogue("says-everything-twice")
def says_everything_twice(problem: Assignment) -> object:
    channel = sys.modules["__main__"].Channel
    if not hasattr(channel, "once"):
        once = channel.once = channel.send

        def twice(self: object, event: str, **values: object) -> None:
            once(self, event, **values)
            once(self, event, **values)

        channel.send = twice
    return work(problem)


_found: dict[bytes, int] = {}


@rogue("repairs-what-it-remembers")
def repairs_what_it_remembers(problem: Assignment) -> object:
    """Recognize the rows of a solved problem, in any order."""
    cost = problem.cost.dense()
    names = [row.tobytes() for row in cost]
    if names[0] not in _found:
        _found.update(zip(names, work(problem).row_to_col.tolist(), strict=True))
    return Matching.of(problem, np.array([_found[name] for name in names]))


def in_a_child(problem: Assignment) -> None:
    if not os.fork():
        work(problem)
        os._exit(0)
    os.wait()


@rogue("works-in-a-child")
def works_in_a_child(problem: Assignment) -> object:
    """Compute in a child that ends before anyone checks, under a stopped clock."""
    now = time.perf_counter_ns()
    time.perf_counter_ns = lambda: now
    in_a_child(problem)
    return answer(problem)


@rogue("works-while-it-is-warmed-up")
def works_while_it_is_warmed_up(problem: Assignment) -> object:
    """Solve the next problem, which is in memory already, in the repeated call before it."""
    # Work by the processor's clock: on a busy machine as much is hidden, and a call is short enough to be repeated.
    end = time.thread_time() + (0.015 if len(_found) % 2 else 0.002)
    _found[str(len(_found)).encode()] = 0
    while time.thread_time() < end:
        pass
    return answer(problem)
