"""Progress of a long solve: native code calls `beat` where it looks for Ctrl-C, up to some thousand times a second."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

#: Least seconds between two calls of a callback.
EVERY = 0.1


@dataclass(frozen=True)
class Progress:
    """The state of a solve that goes on.

    Attributes
    ----------
    seconds : float
        Since it began.
    time_limit : float or None
        The one that `solve` was given.
    """

    seconds: float
    time_limit: float | None = None

    @property
    def share(self) -> float | None:
        """Part of the time limit that has passed, at most 1; None without a limit."""
        return None if self.time_limit is None else min(self.seconds / self.time_limit, 1.0)


#: Told of the progress; what it raises ends the solve, and is raised by `solve`.
Callback = Callable[[Progress], object]


class _Thread(threading.local):
    """The callback of the solve that this thread is in."""

    callback: Callback | None = None
    time_limit: float | None = None
    start = last = 0.0


_thread = _Thread()


@contextmanager
def reporting(callback: Callback | None, time_limit: float | None) -> Iterator[None]:
    """Tell a callback of the progress of the solve in the `with` statement; a solve inside of it goes on with it."""
    if callback is None:
        yield
        return
    before = _thread.__dict__.copy()
    now = time.monotonic()
    _thread.callback, _thread.time_limit, _thread.start, _thread.last = callback, time_limit, now, now
    try:
        yield
    finally:
        _thread.__dict__.clear()
        _thread.__dict__.update(before)


def is_active() -> bool:
    """Return whether this thread's solve has a callback."""
    return _thread.callback is not None


def beat() -> None:
    """Tell the callback of this thread's solve, unless it was told a moment ago."""
    now = time.monotonic()
    if _thread.callback is not None and now - _thread.last >= EVERY:
        _thread.last = now
        _thread.callback(Progress(now - _thread.start, _thread.time_limit))
