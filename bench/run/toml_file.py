"""TOML files of a user: the values of their keys are checked, and errors name the file and the line."""

import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lapmark.solvers import registry

#: Returns the value of a key, from the value in the file and the folder of the file; raises a ValueError.
Reader = Callable[[Any, Path], Any]


def read(path: Path) -> tuple[dict[str, Any], str]:
    """Return the content of a TOML file, and its text; a ValueError names the file and the line of a fault."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: {error}") from None
    try:
        return tomllib.loads(text), text
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        raise ValueError(_at(path, text, int(found[1]) if found else len(text.splitlines()), str(error))) from None


def read_keys(
    values: Mapping[str, Any], readers: Mapping[str, Reader], path: Path, text: str, start: int = 0
) -> dict[str, Any]:
    """Return the values of a table of a TOML file, each read by its reader, in the order of the readers.

    `text` is that of the file, in which the table begins at the offset `start`. A ValueError for an unknown key or a
    wrong value names the file and the line.
    """
    for key in values:
        if key not in readers:
            raise ValueError(_at(path, text, _line(text, key, start=start), str(registry.unknown("key", key, readers))))
    read: dict[str, Any] = {}
    for key in (key for key in readers if key in values):
        try:
            read[key] = readers[key](values[key], path.parent)
        except ValueError as error:
            item = error.item if isinstance(error, WrongItem) else None
            raise ValueError(_at(path, text, _line(text, key, item, start), f"{key}: {error}")) from None
    return read


class WrongItem(ValueError):
    """An item of a list is wrong; `item` is its index."""

    def __init__(self, item: int, error: ValueError) -> None:
        super().__init__(str(error))
        self.item = item


def _at(path: Path, text: str, number: int, message: str) -> str:
    """Return a message with the file and the line, which is repeated."""
    lines = text.splitlines()
    return f"{path}, line {number}: {message}" + (f"\n    {lines[number - 1].strip()}" if lines else "")


def _line(text: str, key: str, item: int | None = None, start: int = 0) -> int:
    """Return the line of a key after an offset, or of a text in its list: tomllib does not give lines."""
    pattern = re.compile(rf"""^[ \t\[]*["']?{re.escape(key)}["']?(?=[\s.=\]])""", re.MULTILINE)
    found = pattern.search(text, start)
    start, end = found.span() if found else (start, start)
    if item is not None:
        tokens = re.finditer(r"""#[^\n]*|"(?:\\.|[^"\\])*"|'[^']*'""", text[end:])
        start = end + [token.start() for token in tokens if token[0][0] != "#"][item]
    return text.count("\n", 0, start) + 1


def check_texts(value: Any, example: str) -> list[str]:
    """Return the value of a key if it is a list of texts."""
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise ValueError(f"{value!r} is not a list of texts; write for example {example}")
    return value


def read_text(value: Any, folder: Path) -> str:
    """Read a text."""
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a text")
    return value


def read_counts(value: Any, folder: Path) -> tuple[int, ...]:
    """Read a list of whole numbers above 0."""
    if not isinstance(value, list) or not all(type(n) is int and n > 0 for n in value):
        raise ValueError(f"{value!r} is not a list of whole numbers above 0; write for example [500, 2000]")
    return tuple(value)


def read_count(value: Any, folder: Path) -> int:
    """Read a whole number above 0."""
    if type(value) is not int or value < 1:
        raise ValueError(f"{value!r} is not a whole number above 0; write for example 5")
    return value


def quantity_reader(parse: Callable[[str], float | int], example: str) -> Reader:
    """Return a reader of a number with a unit, written as a text."""

    def read(value: Any, folder: Path) -> float | int:
        if not isinstance(value, str):
            raise ValueError(f'{value!r} is not a text; write for example "{example}"')
        return parse(value)

    return read
