"""Faults of families of users: code that fails while it builds a problem, and results that are no such problem."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from lapmark.solvers import plugins
from lapmark.solvers.problem import Assignment, Problem, Transport

Found = TypeVar("Found")

_WRAP = "return lapmark.Assignment(lapmark.DenseCost(matrix)), or a Transport"


class FamilyFault(ValueError):
    """The code of a family failed, or returned something else than its problem; the message has the file and line.

    `kind` and `place` are the same for each case that fails alike.
    """

    def __init__(self, message: str, kind: str, place: str) -> None:
        super().__init__(f"{message} ({place})")
        self.kind, self.place = kind, place


def call(function: Callable[..., Found], origin: plugins.Origin, /, *arguments: Any, **settings: Any) -> Found:
    """Call a function of a family.

    A ValueError or an OSError of the function itself refuses the case. Raise a FamilyFault where the function of a
    user's family fails with anything else, or with an error of `lapmark.solvers`, such as that of a cost which is NaN.
    """
    if origin.is_built_in:
        return function(*arguments, **settings)
    try:
        return function(*arguments, **settings)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a plugin may raise anything, SystemExit included
        if isinstance(error, (ValueError, OSError)) and not plugins.is_raised_by_solvers(error):
            raise
        name = type(error).__name__
        place = plugins.place_of(error, _files(function, origin)) or _first_line(origin)
        raise FamilyFault(f"{name}: {plugins.text_of(error)}".rstrip(": "), name, place) from error


def check_built(found: object, kind: type[Problem], n: int, origin: plugins.Origin) -> None:
    """Raise a FamilyFault for what is no problem of this kind, or is none of which a side is n."""
    if not isinstance(found, kind):
        returned = type(found).__name__
        cure = f"annotate it “-> lapmark.{returned}”" if isinstance(found, (Assignment, Transport)) else _WRAP
        message = f"it returns {returned} in place of {kind.__name__}; {cure}"
        raise FamilyFault(message, "type", _first_line(origin))
    if n not in found.shape:
        rows, columns = found.shape
        message = f"it is a problem of {rows}×{columns}: neither side is n = {n}"
        raise FamilyFault(message, "size", _first_line(origin))


def _files(function: Callable[..., Any], origin: plugins.Origin) -> list[Path]:
    """Return the files of a family's code."""
    files = plugins.sources(origin.plugin) if origin.plugin else plugins.files_of(origin.module)
    written = inspect.unwrap(function)
    return [*files, Path(written.__code__.co_filename)] if inspect.isfunction(written) else files


def _first_line(origin: plugins.Origin) -> str:
    """Return the file and line where a family begins, as those of an error are shown."""
    return Path(origin.place.replace(", line ", ":")).name
