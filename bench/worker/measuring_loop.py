"""Measuring loop: order one call after the other, and follow the worker's events under the limits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lapmark.bench.system.memory_limit import MemoryLimit
from lapmark.bench.system.process_tree import ProcessTree
from lapmark.bench.util.plain_text import plain
from lapmark.bench.util.units import show_size

from . import protocol
from .calls import Calls
from .clock_check import ClockCheck
from .monitor import Monitor
from .protocol import Answer, Order
from .resource_limits import COPIES, MOST_PROCESSES, WARM_UP_MEMORY, Limits

#: Statuses that a worker may report.
REPORTED_FAILURES = {"error", "memory", "skipped", "timeout", "wrong"}


@dataclass
class Outcome:
    """Outcome of a worker. `status` is None where it answered and the answer is yet to be certified.

    `result` is the most expensive answer, `other` one of all answers, chosen at random.
    """

    status: str | None = None
    message: str = ""
    samples: list[float] = field(default_factory=list)
    peak_memory: int | None = None
    counters: dict[str, int] = field(default_factory=dict)
    conditions: dict[str, float] = field(default_factory=dict)
    matrix: str | None = None
    instructions: int | None = None
    result: Answer | None = None
    other: Answer | None = None


class MeasuringLoop(Monitor):
    """A state machine on the events of a worker: `_expected` are the events that may come next, beside "failed".

    `has_reported_end` is whether the worker itself reported how it ended.
    """

    def __init__(
        self,
        tree: ProcessTree,
        events: int,
        limits: Limits,
        calls: Calls,
        clock: ClockCheck | None,
        starts_slowly: bool,
    ) -> None:
        super().__init__(tree, events, limits.start_up, 3 * limits.start_up + calls.most_seconds(limits.timeout))
        self.outcome = Outcome()
        self.has_reported_end = False
        self._limits, self._calls, self._clock = limits, calls, clock
        self._first_timeout = limits.timeout + (limits.start_up if starts_slowly else 0.0)
        self._expected = {"warm-up"}
        self._memory = MemoryLimit(tree, limits.memory + WARM_UP_MEMORY)
        self._problem_size: int | None = None  # bytes of a problem in the worker's memory
        self._before = 0  # bytes in use before a call

    def on_event(self, event: Mapping[str, Any]) -> None:
        name = event["event"]
        if name not in self._expected | {"failed"}:
            raise ValueError(f"the event {name} is out of place here")
        getattr(self, f"_on_{name.replace('-', '_')}")(event)

    def _on_warm_up(self, event: Mapping[str, Any]) -> None:
        """The worker is about to call the solver on a small problem."""
        self._expected = {"ready"}
        self._memory.set_baseline()
        self.wait("warm-up", self._first_timeout)

    def _on_ready(self, event: Mapping[str, Any]) -> None:
        self._memory.set_baseline()
        self._calls.hand_over()
        self._load()

    def _on_loaded(self, event: Mapping[str, Any]) -> None:
        """The worker has read a problem; for the first one it states the digest."""
        if fault := self._calls.fault_of_digest(event["digest"]):
            self.fail("wrong", fault)
            return
        if self._problem_size is None:
            self._problem_size = self._memory.set_baseline()
            self._memory.set_allowance(self._limits.memory)
        else:  # the previous problem is still there: its call may be repeated before this one
            self._memory.set_allowance(self._limits.memory + self._problem_size)
        self._before = self._memory.used()
        if self._clock:
            self._clock.loaded()
        if self._calls.are_short:
            self._expected = {"warm"}
            self.wait("call", self._limits.timeout)
            self._calls.order(Order.AGAIN)
        else:
            self._go()

    def _on_warm(self, event: Mapping[str, Any]) -> None:
        """The worker has repeated the previous call."""
        self._go()

    def _on_answered(self, event: Mapping[str, Any]) -> None:
        """The call has ended."""
        self._expected = {"written"}
        seconds, peak = _amount(event["seconds"]), int(_amount(event["peak"]))
        if self._clock and (fault := self._clock.stop(seconds)):
            self.fail("wrong", fault)
            return
        self.outcome.peak_memory = max(self.outcome.peak_memory or 0, peak)
        if self._calls.is_sample(seconds):
            self.outcome.samples.append(seconds)
        self.wait("answer", self._limits.start_up)

    def _on_written(self, event: Mapping[str, Any]) -> None:
        """The answer is in its file."""
        if self._clock:
            self._clock.written()
        try:
            self._calls.read_answer()
        except protocol.BadAnswer as error:
            self.fail("wrong", str(error))
            return
        except Exception as error:  # the file may hold anything
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
        self.finished = self.has_reported_end = True

    def _on_failed(self, event: Mapping[str, Any]) -> None:
        if event["status"] not in REPORTED_FAILURES:
            raise ValueError(f"{event['status']} is no failure that a worker reports")
        self.fail(event["status"], str(event["message"]))
        self.has_reported_end = True

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
        # The problem may be converted to a matrix, with a copy or two.
        self._memory.set_allowance(self._limits.memory + WARM_UP_MEMORY + COPIES * 8 * self._calls.pairs)
        self.wait("reading the problem", self._limits.start_up)
        self._calls.order(Order.LOAD)

    def on_failure(self, status: str, message: str) -> None:
        if status == "crash" and self.tree.ended_for_memory:
            status = "memory"
            message = f"took more than {show_size(self._memory.allowance)}; the system ended it during {self.waits_for}"
        self.outcome.status, self.outcome.message = status, message

    def check_limits(self) -> None:
        taken = self._memory.used()
        if len(self._memory.processes) > MOST_PROCESSES:
            self.fail("error", f"started more than {MOST_PROCESSES} processes")
            return
        if self.waits_for == "call":  # coarser than what the worker reports after the call, which may never come
            self.outcome.peak_memory = max(self.outcome.peak_memory or 0, taken - self._before)
        if taken > self._memory.allowance:
            took, limit = show_size(taken), show_size(self._memory.allowance)
            self.fail("memory", f"took {took} during {self.waits_for}, over the limit of {limit}")


def _amount(value: Any) -> Any:
    """Check a number of bytes or seconds that a worker sent, and return it."""
    if isinstance(value, bool) or not (isinstance(value, int | float) and 0 <= value < 1e18):
        raise ValueError(f"{value!r} is not an amount")
    return value
