"""Problems in a user's files: how a spec names a file, which files a folder stands for, and what they hold.

In a spec a file has its path in place of a family's name, `data/costs.npy:n=300`: relative to the current folder if it
is below that, with `%` and the code of characters that a spec needs itself (`%3A` for a colon). A name without a suffix
of a cost file begins with a folder, `./costs`, so that it cannot be taken for a family.
"""

from __future__ import annotations

import functools
import os
import stat
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from lapmark.bench.data import cost_file, recorder
from lapmark.bench.util import spec
from lapmark.solvers.problem import Problem

from .family import families

#: Settings of a file: whether the first line of a table is a heading, and its first column has the names of rows.
SETTINGS = ("header", "names")

#: Number of faults that an error on several files lists.
SHOWN = 5


@dataclass(frozen=True)
class Contents:
    """Files that a path stands for, itself or those of a folder, and the names of other files and folders in it."""

    files: tuple[Path, ...]
    ignored: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()


@dataclass(frozen=True)
class Facts:
    """Shape and kind of the problem in a file, the kind of its cost, and how it was read where that is a guess."""

    shape: tuple[int, int]
    kind: type[Problem]
    cost: str
    layout: str


def is_file_name(name: str) -> bool:
    """Return whether the name in a spec is that of a file: it has a folder or the suffix of a cost file."""
    return "/" in name or name.lower().endswith(cost_file.SUFFIXES)


def name_of(path: Path) -> str:
    """Return the name of a file in specs."""
    path, here = Path(os.path.abspath(path)), Path.cwd()
    name = (path.relative_to(here) if path != here and path.is_relative_to(here) else path).as_posix()
    escaped = "".join(letter if letter.isprintable() and letter not in "%:" else _code(letter) for letter in name)
    return escaped if is_file_name(escaped) else f"./{escaped}"


def path_of(name: str) -> Path:
    """Return the path of a name in a spec."""
    return Path(urllib.parse.unquote(name, errors="surrogateescape"))


def find(text: str, folder: Path | None = None) -> tuple[Path, dict[str, spec.Value]] | None:
    """Return the path, of a file or a folder, and the settings of a spec or a path that a user wrote.

    A relative path begins at `folder`, by default the current one. Return None for the name of a family, and for any
    other word that neither exists nor looks like a file.
    """
    if text.partition(":")[0] in families():
        return None
    folder = folder or Path()
    if text and os.path.lexists(folder / text):
        return folder / text, {}
    drive, rest = os.path.splitdrive(text)  # of Windows, with a colon
    head = drive + rest.partition(":")[0]
    path, as_written = folder / path_of(head), folder / head
    if not os.path.lexists(path) and os.path.lexists(as_written):
        path = as_written
    if not head or not (is_file_name(head) or os.path.lexists(path)):
        return None
    return path, spec.parse(rest)[1]


def located(text: str, folder: Path) -> str:
    """Return what a user wrote in a file in `folder`, a path in it as seen from the current folder."""
    found = find(text, folder)
    return text if found is None else spec.show(name_of(found[0]), found[1])


def contents(path: Path) -> Contents:
    """Return the files that a path stands for; a ValueError for a folder without any, or a path that does not exist."""
    if not path.exists():
        raise ValueError(f"{path}: no such file or folder")
    if not path.is_dir():
        return Contents((path,))
    entries = sorted(each for each in path.iterdir() if not each.name.startswith("."))
    folders = tuple(each.name for each in entries if each.is_dir())
    found = [each for each in entries if each.is_file()]
    files = tuple(each for each in found if cost_file.is_cost_file(each))
    if not files:
        below = f"; the folders in it are not searched, give them: {_listed(folders)}" if folders else ""
        raise ValueError(
            f"{path}: no cost file in this folder; their names end in {', '.join(cost_file.SUFFIXES)}{below}"
        )
    ignored = tuple(each.name for each in found if each not in files and each.name != recorder.INDEX)
    return Contents(files, ignored, folders)


def check(path: Path, settings: Mapping[str, spec.Value]) -> tuple[Path, ...]:
    """Read all files that a path stands for, and return them; a ValueError lists the first that cannot be read."""
    _reading(path, settings)
    files, faults = contents(path).files, []
    for file in files:
        try:
            facts(file, settings)
        except ValueError as error:
            faults.append(str(error))
    if len(faults) > 1:
        more = f"\nand {len(faults) - SHOWN} more" if len(faults) > SHOWN else ""
        raise ValueError(f"{path}: {len(faults)} files cannot be read\n" + "\n".join(faults[:SHOWN]) + more)
    if faults:
        raise ValueError(faults[0])
    return files


def notes(texts: Iterable[str]) -> Iterator[str]:
    """Yield what a user should know about the files among some specs: what was guessed, and what is ignored."""
    for path, settings in filter(None, map(find, texts)):
        known = {name: value for name, value in settings.items() if name in SETTINGS}
        found = contents(path)
        for file in found.files:
            if layout := facts(file, known).layout:
                yield f"{file}: {_with_settings(layout)}"
        if found.ignored:
            yield f"{path}: ignored, since not a cost file: {_listed(found.ignored)}"
        if found.folders:
            yield f"{path}: ignored, since folders in a folder are not searched: {_listed(found.folders)}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{', '.join(names[:3])}{more}"


def _with_settings(text: str) -> str:
    """Return a text with the settings of a file in place of the options, which only some commands have."""
    return text.replace("--no-header reads", "FILE:header=false reads").replace(
        "--header reads", "FILE:header=true reads"
    )


def read(path: Path, settings: Mapping[str, spec.Value]) -> Problem:
    """Read the problem of a file; a ValueError for a damaged or an empty one, and for a setting that it has not."""
    return _read(path, *_reading(path, settings), _version(path))[0]


def facts(path: Path, settings: Mapping[str, spec.Value]) -> Facts:
    """Return the facts about a file, which is read if it was not or has changed since; raise errors as `read`."""
    return _facts(path, *_reading(path, settings), _version(path))


def _reading(path: Path, settings: Mapping[str, spec.Value]) -> tuple[bool | None, bool | None]:
    """Return `header` and `names` of `cost_file.read`; a ValueError for other settings."""
    if unknown := [name for name in settings if name not in SETTINGS]:
        raise ValueError(f"{path}: no setting {unknown[0]!r}; a file has only {', '.join(SETTINGS)}")
    for name, value in settings.items():
        if not isinstance(value, bool):
            raise ValueError(f"{path}: {name} = {value!r}; it must be true or false")
    header, names = (settings.get(name) for name in SETTINGS)
    return cast("bool | None", header), cast("bool | None", names)


def _version(path: Path) -> tuple[int, ...]:
    """Return numbers that differ once the file has changed."""
    try:
        status = path.stat()
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file on this machine, in {Path.cwd()}") from None
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror or error}") from None
    if not stat.S_ISREG(status.st_mode):
        raise ValueError(f"{path} is no regular file; save its content in one")
    return status.st_mtime_ns, status.st_size, status.st_ino


@functools.lru_cache(maxsize=1)  # a run of one file reads it once; one of several keeps the facts on each
def _read(path: Path, header: bool | None, names: bool | None, version: tuple[int, ...]) -> tuple[Problem, str]:
    try:
        problem, layout = cost_file.read_with_layout(path, header, names)
    except ValueError as error:
        raise ValueError(_with_settings(str(error))) from None
    if 0 in problem.shape:
        raise ValueError(f"{path}: a problem of shape {problem.shape} is empty")
    return problem, layout


@functools.cache
def _facts(path: Path, header: bool | None, names: bool | None, version: tuple[int, ...]) -> Facts:
    problem, layout = _read(path, header, names, version)
    return Facts(problem.shape, type(problem), problem.cost.kind, layout)


def _code(letter: str) -> str:
    return urllib.parse.quote(letter, safe="", errors="surrogateescape")
