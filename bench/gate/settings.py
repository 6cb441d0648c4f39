"""Settings of a gate: the table `[tool.lapmark.gate]` of a project's pyproject.toml, or of another TOML file.

    [tool.lapmark.gate]
    solvers = ["mine", "mine:passes=2"]      # default: those that the project registers
    problems = ["uniform", "data/jobs.npy"]  # families, and files beside this one; default: what the solvers take
    sizes = [100, 400]                       # default: such that a call takes milliseconds
    plugins = ["benchmarks/problems.py"]     # files that register solvers, families of problems or benchmarks
    total = "5m"                             # time of measuring, without the builds
    rounds = 10                              # default: 10, more where times are noisy, fewer where time runs out
    budget = "2s"                            # time of the calls of a cell, in all rounds together
    timeout = "30s"                          # of one call
    memory = "4GiB"                          # of one call, on top of the problem
    threshold = "5%"                         # smallest relative change that counts
    confidence = "95%"                       # probability that no verdict on a time is wrong

    [[tool.lapmark.gate.command]]
    name = "parse"
    run = "python -m mytool parse data.csv"

Names of solvers and problems are checked once the commits are built, since the project may define them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lapmark.bench.problems import file_problems
from lapmark.bench.run import configuration, configurations, toml_file
from lapmark.bench.run.toml_file import WrongItem, check_texts, quantity_reader, read_count, read_counts
from lapmark.bench.util import spec, units

from .benchmarks import Command, read_command

#: Seconds of measuring, if nothing else is asked for.
TOTAL = 300.0

_TABLE = ("tool", "lapmark", "gate")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What to measure, how often, and when a change counts; a field is empty or None if nobody sets it.

    `budget`, `total` and `timeout` are in seconds, `memory` in bytes, `threshold` and `confidence` fractions. `plugins`
    are paths relative to the project's folder, or absolute. `only_solvers` leaves out the functions that plugins mark.
    `where` names the file, for messages; empty for the command line.
    """

    solvers: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    sizes: tuple[int, ...] = ()
    plugins: tuple[str, ...] = ()
    commands: tuple[Command, ...] = field(default=())
    total: float | None = None
    rounds: int | None = None
    budget: float | None = None
    timeout: float | None = None
    memory: int | None = None
    threshold: float | None = None
    confidence: float | None = None
    only_solvers: bool = False
    where: str = ""

    def with_options(self, options: Mapping[str, Any]) -> Settings:
        """Return these settings with those of the command line in place of them.

        Solvers or problems that are named there are measured alone, without the commands and functions.
        """
        given = {name: value for name, value in options.items() if value}
        if given.keys() & {"solvers", "problems"}:
            given |= {"commands": (), "only_solvers": True}
        if given.keys() & {"solvers", "problems", "sizes", "plugins"}:
            given["where"] = ""
        return replace(self, **given)


def load(config: str | None, project: Path) -> Settings:
    """Return the settings of a project.

    `config` is a TOML file, with the table `[tool.lapmark.gate]` or else a configuration of `lapmark run`, or the name
    of such a configuration. Without it, the table in the pyproject.toml of the folder `project`, if there is one.

    Raises
    ------
    ValueError
        The file is missing or no TOML, or a key is unknown or has a wrong value. The message names file, line and key.
    """
    path = Path(config) if config else project / "pyproject.toml"
    if path.is_file():
        values, text = toml_file.read(path)
        if (table := _table_in(values, path)) is not None:
            return _read(table, path, text)
    if not config:
        return Settings()
    if not path.is_file() and config not in configurations.names():
        known = ", ".join(configurations.names())
        raise ValueError(f"no file and no configuration is called {config!r}; the configurations are {known}")
    given = configuration.load(config)
    fields = ("plugins", "rounds", "budget", "timeout", "memory")
    return Settings(
        solvers=given.solvers,
        problems=given.problems,
        sizes=given.n,
        where=config,
        **{name: getattr(given, name) for name in fields},
    )


def resolve_problems(texts: Sequence[str], folder: Path) -> tuple[str, ...]:
    """Return specs of problems, with the paths of files in `folder` as seen from the current one."""
    return tuple(file_problems.located(text, folder) for text in texts)


def _table_in(values: Mapping[str, Any], path: Path) -> Mapping[str, Any] | None:
    """Return the table of the gate in a TOML file, None if it has none."""
    table: Any = values
    for name in _TABLE:
        if name not in table:
            return None
        table = table[name]
        if not isinstance(table, dict):
            raise ValueError(f"{path}: {name} of [{'.'.join(_TABLE)}] is {table!r}, not a table")
    return table


def _read(table: Mapping[str, Any], path: Path, text: str) -> Settings:
    heading = re.search(r"^[ \t]*\[+[ \t]*tool[ \t]*\.[ \t]*lapmark[ \t]*\.[ \t]*gate\b", text, re.MULTILINE)
    read = toml_file.read_keys(table, _KEYS, path, text, heading.start() if heading else 0)
    return Settings(**{"commands" if key == "command" else key: value for key, value in read.items()}, where=str(path))


def _read_problems(value: Any, folder: Path) -> tuple[str, ...]:
    return resolve_problems(check_texts(value, '["uniform", "data/jobs.npy"]'), folder)


def _read_plugins(value: Any, folder: Path) -> tuple[str, ...]:
    files = check_texts(value, '["benchmarks/problems.py"]')
    for place, file in enumerate(files):
        if not (folder / file).is_file():
            raise WrongItem(place, ValueError(f"{folder / file} is not a file"))
    return tuple(files)


def _read_commands(value: Any, folder: Path) -> tuple[Command, ...]:
    if not isinstance(value, list):
        raise ValueError("write its heading with two brackets, [[tool.lapmark.gate.command]]")
    commands = tuple(read_command(values) for values in value)
    names = [command.name for command in commands]
    if twice := [name for name in names if names.count(name) > 1]:
        raise ValueError(f"two commands are called {twice[0]!r}")
    return commands


_KEYS: dict[str, toml_file.Reader] = {
    "solvers": configuration.specs_reader(spec.parse),
    "problems": _read_problems,
    "sizes": read_counts,
    "plugins": _read_plugins,
    "command": _read_commands,
    "total": quantity_reader(units.duration, "5m"),
    "rounds": read_count,
    "budget": quantity_reader(units.duration, "2s"),
    "timeout": quantity_reader(units.duration, "30s"),
    "memory": quantity_reader(units.size, "4GiB"),
    "threshold": quantity_reader(units.share, "5%"),
    "confidence": quantity_reader(units.share, "95%"),
}
