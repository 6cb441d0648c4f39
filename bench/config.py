"""A run that is written down: which solvers on which problems, at which sizes and under which limits, in a TOML file.

    solvers = ["jv-avx2", "lap1015:epsilon=false"]   # every solver where this is left out
    problems = ["uniform", "tracking:n=128"]
    n = [500, 2000]                                  # each problem's own sizes where this is left out
    threads = [1, 2]                                 # 1 where this is left out
    rounds = 5                                       # processes over which the calls of a cell are spread
    budget = "3s"                                    # to repeat the calls of a cell for
    timeout = "60s"                                  # of one call
    memory = "8GiB"

Those in `bench/suites` are known by name. A file is read whole and held against what there is before anything runs.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from solvers import registry

from . import spec, suites, units
from .plan import expand_case, expand_solver


@dataclass(frozen=True)
class Config:
    """What a run is to do; empty, or None, where the file leaves the choice to the command.

    Attributes
    ----------
    solvers, problems : tuple of str
        Specs, as `bench.plan.plan` takes them.
    n : tuple of int
        Sizes of the problems that do not name their own.
    threads : tuple of int
    rounds : int or None
    budget, timeout : float or None
        Seconds.
    memory : int or None
        Bytes.
    """

    solvers: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    n: tuple[int, ...] = ()
    threads: tuple[int, ...] = ()
    rounds: int | None = None
    budget: float | None = None
    timeout: float | None = None
    memory: int | None = None

    def sized(self, problems: Sequence[str]) -> list[str]:
        """The specs of problems, each at every size of `n` unless it names its own."""
        found = []
        for text in problems:
            name, settings = spec.parse(text)
            sizes = () if "n" in settings else self.n
            found += [spec.show(name, {**settings, "n": n}) for n in sizes] or [text]
        return found


def load(name: str) -> Config:
    """Read a configuration.

    Parameters
    ----------
    name : str
        One of `suites.names()`, or a path.

    Raises
    ------
    ValueError
        Names the file, and the line or the key that is wrong: no TOML, an unknown key, a value of another type, or a
        solver, problem or setting that does not exist.
    OSError
        Where the file cannot be read.
    """
    path = suites.FOLDER / f"{name}.toml" if name in suites.names() else Path(name)
    if not path.exists():
        raise registry.unknown("configuration or file", name, suites.names())
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    read: dict[str, Any] = {}
    for key, value in values.items():
        if key not in KEYS:
            raise ValueError(f"{path}: no key {key!r}; there is {', '.join(KEYS)}")
        try:
            read[key] = KEYS[key](value)
        except ValueError as error:
            raise ValueError(f"{path}: {key}: {error}") from None
    if not read.get("problems"):
        raise ValueError(f"{path}: problems: name at least one")
    return Config(**read)


def _specs(expand: Callable[[str], object]) -> Callable[[Any], tuple[str, ...]]:
    def read(value: Any) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
            raise ValueError(f'{value!r} is not a list of names; write for example ["first", "second:setting=1"]')
        for text in value:
            expand(text)
        return tuple(value)

    return read


def _counts(example: str) -> Callable[[Any], tuple[int, ...]]:
    def read(value: Any) -> tuple[int, ...]:
        if not isinstance(value, list) or not all(type(n) is int and n > 0 for n in value):
            raise ValueError(f"{value!r} is not a list of whole numbers above 0; write for example {example}")
        return tuple(value)

    return read


def _count(value: Any) -> int:
    if type(value) is not int or value < 1:
        raise ValueError(f"{value!r} is not a whole number above 0; write for example 5")
    return value


def _quantity(parse: Callable[[str], float | int], example: str) -> Callable[[Any], float | int]:
    def read(value: Any) -> float | int:
        if not isinstance(value, str):
            raise ValueError(f'{value!r} is not a text; write for example "{example}"')
        return parse(value)

    return read


#: How the value of each key is read.
KEYS: dict[str, Callable[[Any], Any]] = {
    "solvers": _specs(expand_solver),
    "problems": _specs(expand_case),
    "n": _counts("[500, 2000]"),
    "threads": _counts("[1, 2]"),
    "rounds": _count,
    "budget": _quantity(units.duration, "3s"),
    "timeout": _quantity(units.duration, "60s"),
    "memory": _quantity(units.size, "8GiB"),
}
