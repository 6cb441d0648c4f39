"""Monitor of a worker: follow its events and output from outside until it is done, fails, dies or reaches a limit.

The timeout is enforced here. A line that is no event ends the worker as an error. Of its output the end is kept.
Subclasses give the events their meaning (`measuring_loop`, `lapmark.bench.contract.runner`).
"""

import json
import math
import os
import selectors
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from lapmark.bench.system.process_tree import ProcessTree
from lapmark.bench.util.plain_text import plain
from lapmark.bench.util.units import show_duration

#: Seconds between two checks of the limits: a process fills well under 1 GiB in that time.
TICK = 0.025

#: Bytes kept of a worker's output; its end explains a crash.
TAIL = 8192

#: Most bytes of a line that a worker writes to the harness.
LONGEST = 1 << 20


class Monitor(ABC):
    """Follows a process tree whose root writes events, one JSON object per line, to a descriptor.

    It may take `start_up` seconds until the first event, and `total` altogether, whatever the number of events.
    """

    def __init__(self, tree: ProcessTree, events: int, start_up: float, total: float = math.inf) -> None:
        self._total, self._end = total, time.monotonic() + total
        self.tree = tree
        self.finished = False
        self._events = events
        self._output = tree.output.fileno()
        self._pending = b""
        self._tail = b""
        self._next_check = 0.0
        self.wait("start-up", start_up)

    @abstractmethod
    def on_event(self, event: Mapping[str, Any]) -> None:
        """Process an event; a ValueError, KeyError or TypeError means that it is not one."""

    @abstractmethod
    def on_failure(self, status: str, message: str) -> None:
        """Keep the status and message of a failure, after which the worker is followed no further."""

    def check_limits(self) -> None:  # noqa: B027
        """Check limits other than time, if there are any."""

    def follow(self) -> None:
        """Follow the worker to its end."""
        with selectors.DefaultSelector() as selector:
            for descriptor in (self._events, self._output):
                os.set_blocking(descriptor, False)
                selector.register(descriptor, selectors.EVENT_READ)
            while not self.finished:
                for key, _ in selector.select(TICK):
                    if self._receive(key.fd) == b"":
                        selector.unregister(key.fd)
                self._check()
                if not self.finished and self.tree.wait(0) is not None:
                    self.tree.end()  # or its remaining processes might write for ever
                    for descriptor in (self._events, self._output):
                        while self._receive(descriptor):
                            pass
                    if not self.finished:
                        self.fail("crash", self._how_it_died())

    def wait(self, event: str, seconds: float) -> None:
        """Set the timeout of the worker's next step, from now."""
        self.waits_for, self._patience = event, seconds
        self._deadline = time.monotonic() + seconds

    def fail(self, status: str, message: str) -> None:
        """Stop following the worker, and report a failure."""
        self.finished = True
        self.on_failure(status, plain(message))

    def _receive(self, descriptor: int) -> bytes | None:
        """Read and process what is available, and return it: b"" at the end, None if there is nothing yet."""
        try:
            data = os.read(descriptor, 1 << 16)
        except BlockingIOError:
            return None
        if descriptor == self._output:
            self._tail = (self._tail + data)[-TAIL:]
        else:
            *lines, self._pending = (self._pending + data).split(b"\n")
            if len(self._pending) > LONGEST:
                lines.append(self._pending)
            for line in lines:
                if not self.finished:
                    self._on_line(line)
        return data

    def _on_line(self, line: bytes) -> None:
        try:
            self.on_event(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            self.fail("error", f"wrote {line[:80]!r} where the worker reports to the harness")

    def _check(self) -> None:
        now = time.monotonic()
        if self.finished or now < self._next_check:
            return
        self._next_check = now + TICK
        if now > self._deadline:
            self.fail("timeout", f"{self.waits_for} did not end within {show_duration(self._patience)}")
        elif now > self._end:
            self.fail("timeout", f"was not done after {show_duration(self._total)} of calls and events")
        else:
            self.check_limits()

    def _how_it_died(self) -> str:
        """Return how the process died, and the end of its output."""
        code = self.tree.returncode or 0
        if code < 0:
            how = f"died of {_signal(-code)} during {self.waits_for}"
            if code == -signal.SIGKILL:
                how += "; not killed by this harness: the system may have run out of memory"
        else:
            how = f"exited with status {code} during {self.waits_for}, without an answer"
        # Python ends its report of a crash with a list of loaded modules, which takes pages and explains nothing.
        lines = self._tail.decode(errors="replace").strip().splitlines()
        words = "\n".join(line for line in lines if not line.startswith("Extension modules:")).strip()
        return f"{how}\n{words}" if words else how


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # most of the real-time signals have no name
        return f"signal {number}"
