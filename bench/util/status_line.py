"""A line that says what is being done, on stderr where that is a terminal, for whatever may take over a second."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.text import Text

#: What is being done, the outermost first, and since when.
_doing: list[tuple[str, float]] = []


class _Words:
    """What is being done at the moment it is shown, and for how long the outermost has been."""

    def __rich__(self) -> Text:
        now = list(_doing)  # another thread shows it
        words = ": ".join(what for what, _ in now)
        return Text(f"{words} ({time.monotonic() - now[0][1]:.0f} s)" if now else "")


_line = Console(stderr=True).status(_Words())


@contextlib.contextmanager
def doing(what: str) -> Iterator[Callable[[str], None]]:
    """Say what is being done, and for how long it has been; where it is part of something else, after that.

    Yields
    ------
    callable
        `say(what)` puts other words in the place of these.
    """
    depth, started = len(_doing), time.monotonic()

    def say(what: str) -> None:
        _doing[depth:] = [(what, started)]

    say(what)
    if depth == 0:
        _line.start()
    try:
        yield say
    finally:
        del _doing[depth:]
        if depth == 0:
            _line.stop()
