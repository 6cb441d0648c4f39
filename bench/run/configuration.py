"""Configuration of a run in a TOML file: solvers, problems, sizes and limits.

    description = "What it is for"                   # shown by `lapmark suites`
    plugins = ["mine.py"]                            # files beside this one that register solvers
    data = "mnist"                                   # folder with data files
    solvers = ["jv-avx2", "lap1015:epsilon=false"]   # default: every solver
    problems = ["uniform", "tracking:n=128", "data"] # families, and files or folders beside this one
    n = [500, 2000]                                  # default: each problem's own sizes
    threads = [1, 2]                                 # default: 1; -1 is all cores
    rounds = 5                                       # processes over which the calls of a cell are spread
    budget = "3s"                                    # total time of the calls of a cell
    timeout = "60s"                                  # of one call
    memory = "8GiB"

Those in `bench/run/configurations` have names. A file is read and checked as a whole before anything runs.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lapmark.bench.problems import file_problems
from lapmark.bench.util import spec, units
from lapmark.solvers import plugins, registry
from lapmark.solvers.validation import check_threads

from . import configurations, toml_file
from .cells import expand_case, expand_solver
from .toml_file import Reader, WrongItem, check_texts, quantity_reader, read_count, read_counts, read_text


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
        """Return the specs of problems, each at every size of `n` unless it is a file or contains its own."""
        found = []
        for text in problems:
            if file_problems.find(text):
                found.append(text)
                continue
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
    values, text = toml_file.read(path)
    read = toml_file.read_keys(values, KEYS, path, text)
    if not read.get("problems"):
        raise ValueError(f"{path}: problems: name at least one")
    return Config(**read)


def specs_reader(
    expand: Callable[[str], object], located: Callable[[str, Path], str] = lambda text, folder: text
) -> Reader:
    """Return a reader of specs: `located` adapts each to the current folder, and `expand` checks it."""

    def read(value: Any, folder: Path) -> tuple[str, ...]:
        specs = []
        for place, text in enumerate(check_texts(value, '["first", "second:setting=1"]')):
            try:
                specs.append(located(text, folder))
                expand(specs[-1])
            except ValueError as error:
                raise WrongItem(place, error) from None
        return tuple(specs)

    return read


#: Reads specs of problems, with files and folders beside the one that names them.
read_problems = specs_reader(expand_case, file_problems.located)


def read_plugins(value: Any, folder: Path) -> tuple[str, ...]:
    """Load plugin files: the following keys may name their solvers."""
    files = tuple(str((folder / text).resolve()) for text in check_texts(value, '["mine.py"]'))
    for place, file in enumerate(files):
        try:
            plugins.load(file)
        except ValueError as error:
            raise WrongItem(place, error) from None
    return files


def _folder(value: Any, folder: Path) -> Path:
    path = folder / read_text(value, folder)
    if not path.is_dir():
        raise ValueError(f"{path} is not a folder")
    return path.resolve()


def _threads(value: Any, folder: Path) -> tuple[int, ...]:
    if not isinstance(value, list):
        raise ValueError(f"{value!r} is not a list; write for example [1, 2], or [-1] for all cores")
    return tuple(check_threads(threads) for threads in value)


#: Readers of the keys, from the value and the folder of the file; plugins come first.
KEYS: dict[str, Reader] = {
    "description": read_text,
    "plugins": read_plugins,
    "data": _folder,
    "solvers": specs_reader(expand_solver),
    "problems": read_problems,
    "n": read_counts,
    "threads": _threads,
    "rounds": read_count,
    "budget": quantity_reader(units.duration, "3s"),
    "timeout": quantity_reader(units.duration, "60s"),
    "memory": quantity_reader(units.size, "8GiB"),
}
