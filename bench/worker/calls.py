"""Calls of a cell: their order, the budget, and the answers that are kept.

Every answer is read, mapped back to the original problem, and its cost computed. The most expensive answer is kept,
and one chosen at random in this process: a solver that answers well only now and then cannot know which.
"""

import contextlib
import math
import random
import socket
import time
from collections.abc import Callable
from typing import IO

from lapmark.solvers.errors import Infeasible

from . import protocol
from .problem_handover import Handover
from .protocol import Answer, BadAnswer, Order

#: Most samples of a run: more say nothing new about a median.
MOST_SAMPLES = 100

#: Seconds below which a call is noticeably slower because others have used caches and memory since the previous one.
#: The previous call is repeated then, just before the next one, which is on another problem.
SHORT = 0.01

#: Seconds of overhead of a call, for reading a problem and writing an answer.
OVERHEAD = 0.05


def stated_cost(answer: Answer) -> float:
    """Return the cost that an answer states."""
    return 0.0 if isinstance(answer, Infeasible) else float(answer.cost)


class AnswerReader:
    """Reads the answers of a worker, each of at most `memory` bytes."""

    def __init__(self, file: IO[bytes], handed: Handover, memory: int, cost_of: Callable[[Answer], float]) -> None:
        self._file, self._handed, self._cost_of = file, handed, cost_of
        self._most = min(protocol.most_bytes(handed.shape), memory)

    def read(self) -> tuple[Answer, float]:
        """Return the answer to the last call, and its cost."""
        answer = self._handed.map_back(protocol.read_answer(self._file, self._most))
        return answer, self._cost_of(answer)


class Calls:
    """Orders one call after the other, until the budget is spent and `over` is set.

    `result` is the most expensive answer, `other` one chosen at random.
    """

    def __init__(
        self, orders: socket.socket, handed: Handover, budget: float, reader: AnswerReader | None, digest: str | None
    ) -> None:
        self.result: Answer | None = None
        self.other: Answer | None = None
        self.over = False
        self._orders, self._handed, self._budget = orders, handed, budget
        self._reader, self._digest = reader, digest
        self._count, self._calls, self._spent = -1, 0, 0.0
        self._latest = math.inf
        self._highest_cost = -math.inf
        self._reading_time = math.inf

    def most_seconds(self, timeout: float) -> float:
        """Return how long all calls may take: the first up to the timeout, the others as long as the budget lasts."""
        return 3 * timeout + 2 * self._budget + (MOST_SAMPLES + 2) * (OVERHEAD + 20 * self.handling)

    @property
    def handling(self) -> float:
        """Seconds of processor time in this process to write the problem, and to read and map back an answer."""
        return self._handed.took + (self._reading_time if self._reading_time < math.inf else 0.0)

    @property
    def pairs(self) -> int:
        """Number of pairs of the problem."""
        return math.prod(self._handed.shape)

    def hand_over(self) -> None:
        with contextlib.suppress(OSError):  # the worker has ended, which `Monitor` reports
            socket.send_fds(self._orders, [b"\0"], [self._handed.descriptor])

    def order(self, order: Order) -> None:
        with contextlib.suppress(OSError):
            self._orders.sendall(order)

    def vary(self) -> None:
        self._handed.vary()

    def fault_of_digest(self, stated: object) -> str | None:
        """Return a fault where the first problem that the worker read is not the one that was handed over."""
        first, self._calls = self._calls == 0, self._calls + 1
        if first and self._digest is not None and stated != self._digest:
            return f"read a problem with digest {stated!r}, not the one it was given"
        return None

    def is_sample(self, seconds: float) -> bool:
        """Count a call and return whether it is a sample.

        The first call fills caches and is none, unless it alone took longer than the budget.
        """
        self._latest = seconds
        self._count = 1 if self._count < 0 and seconds > self._budget else self._count + 1
        self._spent += seconds if self._count else 0.0
        self.over = self._count >= MOST_SAMPLES or (self._count > 0 and self._spent + seconds > self._budget)
        return self._count > 0

    @property
    def are_short(self) -> bool:
        """Whether the last call is to be repeated before the next."""
        return self._latest < SHORT

    def read_answer(self) -> None:
        """Read the answer to the last call; keep it if it is the most expensive sample, or by chance."""
        if self._reader is None:
            return
        start = time.process_time()
        answer, cost = self._reader.read()
        self._reading_time = min(self._reading_time, time.process_time() - start)
        if self.result is not None and isinstance(answer, Infeasible) != isinstance(self.result, Infeasible):
            raise BadAnswer("finds an answer in one call and none in another")
        if self._count <= 1 or not cost <= self._highest_cost:  # the first call is no sample: its answer is replaced
            self.result, self._highest_cost = answer, cost
        if random.randrange(max(self._count, 1)) == 0:
            self.other = answer
