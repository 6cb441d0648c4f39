"""Timing of a function by repeated calls in this process."""

from __future__ import annotations

import gc
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

#: Shortest sample in seconds, a thousand times the resolution of the clock: quicker functions are called repeatedly.
SHORTEST = 1e-4

#: Fewest and most samples.
FEWEST, MOST = 3, 1000


@dataclass(frozen=True)
class TimedCalls:
    """The seconds of a call in each sample, and the answer of the last call of each."""

    samples: tuple[float, ...]
    answers: tuple[Any, ...]


def time_calls(call: Callable[[], Any], budget: float) -> TimedCalls:
    """Time a function after a warm-up call, for so many seconds.

    At least three samples are taken, however long they take. Python's garbage collector runs as usual, but without the
    objects that exist before.
    """
    samples: list[float] = []
    answers: list[Any] = []
    call()
    gc.collect()
    gc.freeze()
    try:
        count = _calls_per_sample(call)
        end = time.perf_counter() + budget
        while len(samples) < FEWEST or (len(samples) < MOST and time.perf_counter() < end):
            seconds, answer = _sample(call, count)
            samples.append(seconds / count)
            answers.append(answer)
    finally:
        gc.unfreeze()
    return TimedCalls(tuple(samples), tuple(answers))


def _calls_per_sample(call: Callable[[], Any]) -> int:
    count = 1
    while (seconds := _sample(call, count)[0]) < SHORTEST:
        count *= 10 if seconds < SHORTEST / 10 else 2
    return count


def _sample(call: Callable[[], Any], count: int) -> tuple[float, Any]:
    answer = None
    start = time.perf_counter()
    for _ in itertools.repeat(None, count):
        answer = call()
    return time.perf_counter() - start, answer
