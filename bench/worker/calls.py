"""The calls of a cell, as the harness orders them, and the answers to them.

Every answer is read, turned back to the problem as it was, and weighed. The dearest is kept, and one that is chosen at
random here: a solver that answers well only now and then does not know which it will be.
"""

from __future__ import annotations

import contextlib
import math
import random
import socket
import time
from collections.abc import Callable
from typing import IO

from lapmark.solvers.problem import Infeasible

from . import protocol
from .problem_handover import Handover
from .protocol import Answer, BadAnswer, Order

#: More samples than this say nothing new about a median.
MOST_SAMPLES = 100

#: Seconds below which a call is slower for what was done since the one before it, in caches and memory that others have
#: had meanwhile. It is made once more then, just before the next, which is another problem.
SHORT = 0.01

#: Seconds of overhead that a call may take beside itself, for reading a problem and writing an answer down.
OVERHEAD = 0.05


def stated(answer: Answer) -> float:
    """The cost that an answer states."""
    return 0.0 if isinstance(answer, Infeasible) else float(answer.cost)


class Answers:
    """Reads what a worker has written; it takes no more than `memory`."""

    def __init__(self, file: IO[bytes], handed: Handover, memory: int, weigh: Callable[[Answer], float]) -> None:
        self._file, self._handed, self._weigh = file, handed, weigh
        self._most = min(protocol.most_bytes(handed.shape), memory)

    def read(self) -> tuple[Answer, float]:
        """The answer to the last call, and what it costs."""
        answer = self._handed.turned_back(protocol.read_answer(self._file, self._most))
        return answer, self._weigh(answer)


class Calls:
    """Orders one call after the other, until the budget is spent.

    Attributes
    ----------
    result, other : Answer or None
        The dearest answer, and one chosen at random.
    over : bool
        Whether the last call was the last.
    """

    def __init__(
        self, orders: socket.socket, handed: Handover, budget: float, answers: Answers | None, digest: str | None
    ) -> None:
        self.result: Answer | None = None
        self.other: Answer | None = None
        self.over = False
        self._orders, self._handed, self._budget = orders, handed, budget
        self._answers, self._digest = answers, digest
        self._count, self._calls, self._spent = -1, 0, 0.0
        self._latest = math.inf
        self._dearest = -float("inf")
        self._took = math.inf

    def life(self, timeout: float) -> float:
        """Seconds that all calls may take: the first may be any long, the others are as long as the budget lasts."""
        return 3 * timeout + 2 * self._budget + (MOST_SAMPLES + 2) * (OVERHEAD + 20 * self.handling)

    @property
    def handling(self) -> float:
        """Seconds of processor time that it takes here to write the problem, and to read and turn back an answer."""
        return self._handed.took + (self._took if self._took < math.inf else 0.0)

    @property
    def pairs(self) -> int:
        """Of the problem."""
        return math.prod(self._handed.shape)

    def hand_over(self) -> None:
        with contextlib.suppress(OSError):  # the worker has ended, which `Watch` reports
            socket.send_fds(self._orders, [b"\0"], [self._handed.descriptor])

    def order(self, what: Order) -> None:
        with contextlib.suppress(OSError):
            self._orders.sendall(what)

    def vary(self) -> None:
        self._handed.vary()

    def fault_of_digest(self, told: object) -> str | None:
        """Return why the first problem that the worker has read is not the one that was handed over."""
        first, self._calls = self._calls == 0, self._calls + 1
        if first and self._digest is not None and told != self._digest:
            return f"read another problem ({told!r}) than it was given"
        return None

    def counts(self, seconds: float) -> bool:
        """Count a call; return whether it is a sample. The first fills caches and is none, unless it alone took longer
        than the budget."""
        self._latest = seconds
        self._count = 1 if self._count < 0 and seconds > self._budget else self._count + 1
        self._spent += seconds if self._count else 0.0
        self.over = self._count >= MOST_SAMPLES or (self._count > 0 and self._spent + seconds > self._budget)
        return self._count > 0

    @property
    def are_short(self) -> bool:
        """Whether the last is to be made once more before the next."""
        return self._latest < SHORT

    def take(self) -> None:
        """Read the answer to the last call; keep it where it is the dearest that counts, or by chance."""
        if self._answers is None:
            return
        start = time.process_time()
        answer, cost = self._answers.read()
        self._took = min(self._took, time.process_time() - start)
        if self.result is not None and isinstance(answer, Infeasible) != isinstance(self.result, Infeasible):
            raise BadAnswer("finds an answer in one call, and none in another")
        if self._count <= 1 or not cost <= self._dearest:  # the answer to the first call stands for no sample
            self.result, self._dearest = answer, cost
        if random.randrange(max(self._count, 1)) == 0:
            self.other = answer
