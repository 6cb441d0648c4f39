"""Benchmarks of a project beside its solvers: command lines, and Python functions that `benchmark` marks."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, overload

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Command:
    """A command line of the project; `words` are the program and its arguments."""

    name: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class MarkedFunction:
    """A function to measure, and the one that makes its argument, if any."""

    name: str
    function: Callable[..., Any]
    setup: Callable[[], Any] | None


_marked: dict[str, MarkedFunction] = {}


@overload
def benchmark(function: Function) -> Function: ...
@overload
def benchmark(*, name: str = "", setup: Callable[[], Any] | None = None) -> Callable[[Function], Function]: ...
def benchmark(
    function: Function | None = None, *, name: str = "", setup: Callable[[], Any] | None = None
) -> Function | Callable[[Function], Function]:
    """Mark a function for `lapmark gate` to measure. The function is not changed.

    The gate calls it in each of two commits, and compares the time, the peak memory, the instructions where the
    processor counts them, and what it returns.

    Parameters
    ----------
    function : callable
        What it returns may be None, or a mapping of counters {name: whole number}, or a pair of a problem and its
        answer (`Matching` or `Plan`), which is certified. Anything else is ignored.
    name : str, optional
        The name in tables; default: the function's.
    setup : callable, optional
        Called before each call, outside the clock. The function is then called with its result.

    Raises
    ------
    ValueError
        Another function has this name.

    Examples
    --------
    >>> import lapmark
    >>> @lapmark.benchmark(setup=lambda: list(range(1000)))
    ... def reverse(items):
    ...     items.reverse()
    ...     return {"items": len(items)}
    """

    def mark(function: Function) -> Function:
        called = name or function.__name__
        known = _marked.get(called)
        if known and known.function.__code__.co_filename != function.__code__.co_filename:
            places = " and ".join(each.__code__.co_filename for each in (known.function, function))
            raise ValueError(f"two benchmarks are called {called!r}, in {places}: give one another name=")
        _marked[called] = MarkedFunction(called, function, setup)
        return function

    return mark if function is None else mark(function)


def marked() -> Mapping[str, MarkedFunction]:
    """Return the functions that the modules loaded so far have marked, by name."""
    return dict(sorted(_marked.items()))


def read_command(values: Any) -> Command:
    """Return a command from its table in a TOML file; a ValueError says what is wrong with it."""
    example = 'write for example name = "parse", run = "python -m mytool parse data.csv"'
    if not isinstance(values, dict):
        raise ValueError(f"{values!r} is not a table; {example}")
    if unknown := sorted(values.keys() - {"name", "run"}):
        raise ValueError(f"no key {unknown[0]!r}; a command has name and run; {example}")
    name, run = values.get("name"), values.get("run")
    for key in ("name", "run"):
        if key not in values:
            raise ValueError(f"{key} is missing; {example}")
    if not isinstance(name, str) or not re.fullmatch(r"[\w .+-]+", name):
        raise ValueError(f"name = {name!r} is not letters, digits, blanks, dots, - and +; {example}")
    try:
        words = shlex.split(run) if isinstance(run, str) else run
    except ValueError as error:
        raise ValueError(f"run = {run!r}: {error}") from None
    if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
        raise ValueError(f"run = {run!r} is neither a command line nor a list of words; {example}")
    return Command(name.strip(), tuple(words))
