"""Configuration of a run in a TOML file: solvers, problems, sizes and limits.

    description = "What it is for"                   # shown by `lapmark suites`
    plugins = ["mine.py"]                            # files beside this one that register solvers
    data = "mnist"                                   # folder with data files
    solvers = ["jv-avx2", "lap1015:epsilon=false"]   # default: every solver
    problems = ["uniform", "tracking:n=128"]
    n = [500, 2000]                                  # default: each problem's own sizes
    threads = [1, 2]                                 # default: 1; -1 is all cores
    rounds = 5                                       # processes over which the calls of a cell are spread
    budget = "3s"                                    # total time of the calls of a cell
    timeout = "60s"                                  # of one call
    memory = "8GiB"

Those in `bench/run/configurations` have names. A file is read and checked as a whole before anything runs.
"""

import re
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lapmark.bench.util import spec, units
from lapmark.solvers import plugins, registry
from lapmark.solvers.validation import check_threads

from . import configurations
from .cells import expand_case, expand_solver


@dataclass(frozen=True)
class Config:
    """A configuration; a field is empty or None if the file does not set it.

    `solvers` and `problems` are specs, as `lapmark.bench.run.cells.plan` takes them; `n` are the sizes of the problems
    that do not name their own. `budget` and `timeout` are in seconds, `memory` in bytes.
    """

    description: str = ""
    plugins: tuple[str, ...] = ()
    data: Path | None = None
    solvers: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    n: tuple[int, ...] = ()
    threads: tuple[int, ...] = ()
    rounds: int | None = None
    budget: float | None = None
    timeout: float | None = None
    memory: int | None = None

    def sized(self, problems: Sequence[str]) -> list[str]:
        """Return the specs of problems, each at every size of `n` unless it contains its own."""
        found = []
        for text in problems:
            name, settings = spec.parse(text)
            sizes = () if "n" in settings else self.n
            found += [spec.show(name, {**settings, "n": n}) for n in sizes] or [text]
        return found


def load(name: str) -> Config:
    """Read a configuration, one of `configurations.names()` or a path, and load its plugins.

    Raises
    ------
    ValueError
        The file is no TOML, or has an unknown key, a value of a wrong type, or an unknown solver, problem or setting.
        The message names the file and the line, and repeats the line.
    """
    path = configurations.FOLDER / f"{name}.toml" if name in configurations.names() else Path(name)
    if not path.exists():
        raise registry.unknown("configuration or file", name, configurations.names())
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: {error}") from None
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        raise ValueError(_at(path, text, int(found[1]) if found else len(text.splitlines()), str(error))) from None
    for key in values:
        if key not in KEYS:
            raise ValueError(_at(path, text, _line(text, key), str(registry.unknown("key", key, KEYS))))
    read: dict[str, Any] = {}
    for key in (key for key in KEYS if key in values):
        try:
            read[key] = KEYS[key](values[key], path.parent)
        except ValueError as error:
            item = error.item if isinstance(error, _WrongItem) else None
            raise ValueError(_at(path, text, _line(text, key, item), f"{key}: {error}")) from None
    if not read.get("problems"):
        raise ValueError(f"{path}: problems: name at least one")
    return Config(**read)


class _WrongItem(ValueError):
    """An item of a list is wrong; `item` is its index."""

    def __init__(self, item: int, error: ValueError) -> None:
        super().__init__(str(error))
        self.item = item


def _at(path: Path, text: str, number: int, message: str) -> str:
    """Return a message with the file and the line, which is repeated."""
    lines = text.splitlines()
    return f"{path}, line {number}: {message}" + (f"\n    {lines[number - 1].strip()}" if lines else "")


def _line(text: str, key: str, item: int | None = None) -> int:
    """Return the line of a key, or of a text in its list: tomllib does not give lines."""
    found = re.search(rf"""^[ \t\[]*["']?{re.escape(key)}["']?(?=[\s.=\]])""", text, re.MULTILINE)
    start, end = found.span() if found else (0, 0)
    if item is not None:
        tokens = re.finditer(r"""#[^\n]*|"(?:\\.|[^"\\])*"|'[^']*'""", text[end:])
        start = end + [token.start() for token in tokens if token[0][0] != "#"][item]
    return text.count("\n", 0, start) + 1


Reader = Callable[[Any, Path], Any]


def _specs(expand: Callable[[str], object]) -> Reader:
    def read(value: Any, folder: Path) -> tuple[str, ...]:
        for place, text in enumerate(_texts(value, '["first", "second:setting=1"]')):
            try:
                expand(text)
            except ValueError as error:
                raise _WrongItem(place, error) from None
        return tuple(value)

    return read


def _texts(value: Any, example: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise ValueError(f"{value!r} is not a list of texts; write for example {example}")
    return value


def _plugins(value: Any, folder: Path) -> tuple[str, ...]:
    """Load plugin files: the following keys may name their solvers."""
    files = tuple(str((folder / text).resolve()) for text in _texts(value, '["mine.py"]'))
    for place, file in enumerate(files):
        try:
            plugins.load(file)
        except ValueError as error:
            raise _WrongItem(place, error) from None
    return files


def _folder(value: Any, folder: Path) -> Path:
    path = folder / _text(value, folder)
    if not path.is_dir():
        raise ValueError(f"{path} is not a folder")
    return path.resolve()


def _text(value: Any, folder: Path) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a text")
    return value


def _counts(value: Any, folder: Path) -> tuple[int, ...]:
    if not isinstance(value, list) or not all(type(n) is int and n > 0 for n in value):
        raise ValueError(f"{value!r} is not a list of whole numbers above 0; write for example [500, 2000]")
    return tuple(value)


def _threads(value: Any, folder: Path) -> tuple[int, ...]:
    if not isinstance(value, list):
        raise ValueError(f"{value!r} is not a list; write for example [1, 2], or [-1] for all cores")
    return tuple(check_threads(threads) for threads in value)


def _count(value: Any, folder: Path) -> int:
    if type(value) is not int or value < 1:
        raise ValueError(f"{value!r} is not a whole number above 0; write for example 5")
    return value


def _quantity(parse: Callable[[str], float | int], example: str) -> Reader:
    def read(value: Any, folder: Path) -> float | int:
        if not isinstance(value, str):
            raise ValueError(f'{value!r} is not a text; write for example "{example}"')
        return parse(value)

    return read


#: Readers of the keys, from the value and the folder of the file; plugins come first.
KEYS: dict[str, Reader] = {
    "description": _text,
    "plugins": _plugins,
    "data": _folder,
    "solvers": _specs(expand_solver),
    "problems": _specs(expand_case),
    "n": _counts,
    "threads": _threads,
    "rounds": _count,
    "budget": _quantity(units.duration, "3s"),
    "timeout": _quantity(units.duration, "60s"),
    "memory": _quantity(units.size, "8GiB"),
}
