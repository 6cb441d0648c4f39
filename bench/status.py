"""A line that says what is being done, on stderr where that is a terminal, for whatever may take over a second."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.markup import escape

#: What is being done, the outermost first.
_doing: list[str] = []

_line = Console(stderr=True).status("")


@contextlib.contextmanager
def doing(what: str) -> Iterator[Callable[[str], None]]:
    """Say what is being done for as long as it is; where it is part of something else, after that.

    Yields
    ------
    callable
        `say(what)` puts other words in the place of these.
    """
    depth = len(_doing)

    def say(what: str) -> None:
        _doing[depth:] = [what]
        _line.update(escape(": ".join(_doing)))

    say(what)
    if depth == 0:
        _line.start()
    try:
        yield say
    finally:
        del _doing[depth:]
        _line.update(escape(": ".join(_doing)))
        if depth == 0:
            _line.stop()
