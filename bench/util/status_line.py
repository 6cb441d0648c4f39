"""Status line on stderr, if that is a terminal, for operations that may take over a second."""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from rich.console import Console
from rich.text import Text

#: The current operations, the outermost first, with their start times.
_operations: list[tuple[str, float]] = []


#: What gets the texts in place of the terminal.
_listener: Callable[[str], None] | None = None


class _CurrentText:
    """The operations at the moment of display, and the time since the outermost started."""

    def __rich__(self) -> Text:
        now = list(_operations)  # displayed by another thread
        words = _words(now)
        return Text(f"{words} ({time.monotonic() - now[0][1]:.0f} s)" if now else "")


def console_settings(stderr: bool) -> dict[str, Any]:
    """Return settings of a console that takes no pipe for a terminal.

    Where FORCE_COLOR is set, as notebooks and CI services do, Rich also moves the cursor, breaks lines and draws bars.
    """
    stream = sys.stderr if stderr else sys.stdout
    if os.environ.get("FORCE_COLOR") and not stream.isatty():
        return {"stderr": stderr, "force_terminal": False, "color_system": "standard"}
    return {"stderr": stderr}


def _words(operations: list[tuple[str, float]]) -> str:
    return ": ".join(what for what, _ in operations)


def pass_on(listener: Callable[[str], None]) -> None:
    """Give every new text to a function in place of the terminal: another process shows it."""
    global _listener
    _listener = listener


_line = Console(**console_settings(stderr=True)).status(_CurrentText())


@contextlib.contextmanager
def doing(what: str) -> Iterator[Callable[[str], None]]:
    """Show an operation and its duration during a `with` statement, after the operation that it is part of.

    Yield a function that replaces the text.
    """
    depth, started = len(_operations), time.monotonic()

    def say(what: str) -> None:
        _operations[depth:] = [(what, started)]
        if _listener:
            _listener(_words(_operations))

    say(what)
    if depth == 0 and not _listener:
        _line.start()
    try:
        yield say
    finally:
        del _operations[depth:]
        if depth == 0 and not _listener:
            _line.stop()
