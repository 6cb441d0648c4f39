"""Follow what a worker says, prints and does, from outside, until it is done, fails, dies or passes a limit.

Its word is data: a line that is none of its events ends it as an error. What it prints is kept by its end alone. What
the events mean is up to who follows (`lapmark.bench.worker.cell`, `lapmark.bench.contract.runner`).
"""

from __future__ import annotations

import json
import math
import os
import selectors
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from lapmark.bench.system.process_tree import Tree
from lapmark.bench.util.plain_text import plain
from lapmark.bench.util.units import show_duration

#: Seconds between two looks at the limits: a process fills well under 1 GiB in that time.
TICK = 0.025

#: Bytes kept of what a worker prints; the end is what explains a crash.
TAIL = 8192

#: Bytes of the longest line that a worker writes to the harness.
LONGEST = 1 << 20


class Watch(ABC):
    """Follows a tree whose root writes events, one JSON object a line, to a descriptor.

    Parameters
    ----------
    tree : Tree
    events : int
        The descriptor to read from.
    start_up : float
        Seconds that may pass before the first event that says what to wait for.
    life : float
        Seconds that all of it may take, however many events there are.
    """

    def __init__(self, tree: Tree, events: int, start_up: float, life: float = math.inf) -> None:
        self._life, self._end = life, time.monotonic() + life
        self.tree = tree
        self.finished = False
        self._events = events
        self._output = tree.output.fileno()
        self._pending = b""
        self._tail = b""
        self._next_look = 0.0
        self.wait("start-up", start_up)

    @abstractmethod
    def on_event(self, event: Mapping[str, Any]) -> None:
        """Take an event in; a ValueError, KeyError or TypeError where it is none."""

    @abstractmethod
    def on_failure(self, status: str, message: str) -> None:
        """Keep how the worker failed: it is not followed any further."""

    @abstractmethod
    def check_limits(self, now: float) -> None:
        """Look at other limits than that of time, where there are any."""

    def follow(self) -> None:
        with selectors.DefaultSelector() as selector:
            for descriptor in (self._events, self._output):
                os.set_blocking(descriptor, False)
                selector.register(descriptor, selectors.EVENT_READ)
            while not self.finished:
                for key, _ in selector.select(TICK):
                    if self._receive(key.fd) == b"":
                        selector.unregister(key.fd)
                self._look()
                if not self.finished and self.tree.wait(0) is not None:
                    self.tree.end()  # or what is left of it might write for ever
                    for descriptor in (self._events, self._output):
                        while self._receive(descriptor):
                            pass
                    if not self.finished:
                        self.fail("crash", self._obituary())

    def wait(self, event: str, seconds: float) -> None:
        """Give the worker so long from now for what it does next."""
        self.waits_for, self._patience = event, seconds
        self._deadline = time.monotonic() + seconds

    def fail(self, status: str, message: str) -> None:
        self.finished = True
        self.on_failure(status, plain(message))

    def _receive(self, descriptor: int) -> bytes | None:
        """Take in what there is to read, and return it: nothing at the end, None where there is nothing now."""
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

    def _look(self) -> None:
        now = time.monotonic()
        if self.finished or now < self._next_look:
            return
        self._next_look = now + TICK
        if now > self._deadline:
            self.fail("timeout", f"{self.waits_for} did not end within {show_duration(self._patience)}")
        elif now > self._end:
            self.fail("timeout", f"had not come to an end after {show_duration(self._life)} of calls and events")
        else:
            self.check_limits(now)

    def _obituary(self) -> str:
        """How the process died, and its last words."""
        code = self.tree.returncode or 0
        if code < 0:
            how = f"died of {_signal(-code)} during {self.waits_for}"
            if code == -signal.SIGKILL:
                how += "; not killed by this harness: the system may have run out of memory"
        else:
            how = f"left with exit status {code} during {self.waits_for}, without an answer"
        # Python ends its report of a crash with the modules that are loaded, which tells nothing and takes pages.
        lines = self._tail.decode(errors="replace").strip().splitlines()
        words = "\n".join(line for line in lines if not line.startswith("Extension modules:")).strip()
        return f"{how}\n{words}" if words else how


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # most of the real-time signals have no name
        return f"signal {number}"
