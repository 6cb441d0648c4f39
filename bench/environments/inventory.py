"""Inventory of an interpreter: its solvers, their versions and capabilities, as plain values.

`python -m lapmark.bench.environments.inventory [PLUGIN…]` prints it as JSON; so the harness lists the solvers of
another interpreter (`virtual_environments`).
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import sys
import typing
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from lapmark.solvers import plugins, registry
from lapmark.solvers.problem import Problem
from lapmark.solvers.registry import Capabilities, Solver

#: Types of an option that JSON keeps; options of other types are checked by the solver only.
_TYPES = {kind.__name__: kind for kind in (bool, int, float, str)}


@dataclass(frozen=True, kw_only=True)
class Item:
    """A solver of the inventory."""

    missing: str | None  # why it cannot run in that interpreter
    versions: Mapping[str, str]  # of the packages that do the work; "missing" for an unknown one
    capabilities: Capabilities
    options: Mapping[str, tuple[str, Any]] | None  # type and default of each parameter; None if it takes any
    about: str

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Item:
        """Return the item of a dictionary that `dataclasses.asdict` made and JSON has read."""
        able = values["capabilities"]
        curve = {option: tuple(points) for option, points in able["curve"].items()}
        return cls(**{**values, "capabilities": Capabilities(**{**able, "curve": curve})})

    def stand_in(self, name: str, where: str) -> Solver:
        """Return a solver for the harness to plan with, which its own interpreter does not know."""

        def function(problem: Problem, /, **options: Any) -> NoReturn:
            raise ImportError(f"solver {name} can run in {where} only")

        parameter = inspect.Parameter
        options = [parameter("options", parameter.VAR_KEYWORD)]
        if self.options is not None:
            given = self.options.items()
            options = [parameter(key, parameter.KEYWORD_ONLY, default=default) for key, (_, default) in given]
            function.__annotations__ = {key: _TYPES[kind] for key, (kind, _) in self.options.items() if kind in _TYPES}
        problem = parameter("problem", parameter.POSITIONAL_ONLY)
        function.__signature__ = inspect.Signature([problem, *options])  # type: ignore[attr-defined]
        function.__doc__ = self.about
        return Solver(name, self.capabilities, function)


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """The solvers of an interpreter, and faults of other packages that register solvers.

    `sources` are the files and folders that decide the inventory, with their times of change in nanoseconds.
    """

    items: Mapping[str, Item]
    warnings: tuple[str, ...] = ()
    sources: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str) -> Inventory:
        """Read the text of `dump`; a ValueError, KeyError or TypeError means that it is damaged."""
        values = json.loads(text)
        items = {name: Item.read(item) for name, item in values["items"].items()}
        return cls(items=items, warnings=tuple(values["warnings"]), sources=values["sources"])

    def dump(self) -> str:
        return json.dumps(dataclasses.asdict(self), default=sorted)

    @property
    def stale(self) -> bool:
        """Whether one of its sources has changed since."""
        return any(_changed(path) != time for path, time in self.sources.items())


def versions(solver: Solver) -> dict[str, str]:
    """Return the versions of the packages that do the work in a cell of this solver, in this interpreter."""
    return own_versions() | solver.versions | plugins.version(solver.origin.plugin)


def own_versions() -> dict[str, str]:
    """Return the versions of the packages that work in every cell, in this interpreter."""
    return {name: registry.version(name) or "missing" for name in ("lapmark", "numpy")}


def take(files: Iterable[str] = ()) -> Inventory:
    """Return the inventory of this interpreter, with plugin files loaded; one that fails is among the warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for file in files:
            try:
                plugins.load(file)
            except plugins.PluginError as error:
                warnings.warn(str(error), stacklevel=1)
        solvers = registry.solvers()
    items = {name: _item(solver) for name, solver in solvers.items()}
    known = {Path(path) for solver in solvers.values() if (path := _file(solver))}
    known |= {Path(__file__), Path(registry.__file__)}
    folders = {file.parent for file in known} | {Path(entry) for entry in sys.path if entry}
    sources = {str(path): time for path in known | folders if (time := _changed(path)) is not None}
    return Inventory(items=items, warnings=tuple(str(warning.message) for warning in caught), sources=sources)


def _file(solver: Solver) -> str | None:
    try:
        return inspect.getfile(inspect.unwrap(solver.function))
    except TypeError:  # no function but an object, such as a functools.partial
        return solver.origin.plugin


def _item(solver: Solver) -> Item:
    return Item(
        missing=solver.missing,
        versions=versions(solver),
        capabilities=solver.capabilities,
        options=_options(list(inspect.signature(solver.function).parameters.values())[1:], solver),
        about=inspect.cleandoc(solver.function.__doc__ or ""),
    )


def _options(parameters: Iterable[inspect.Parameter], solver: Solver) -> dict[str, tuple[str, Any]] | None:
    try:
        hints = typing.get_type_hints(solver.function)
    except (NameError, TypeError):  # a plugin may import its types for the type checker only
        hints = {}
    options: dict[str, tuple[str, Any]] = {}
    for parameter in parameters:
        if parameter.kind is parameter.VAR_KEYWORD:
            return None
        default = parameter.default
        shown = default if default is None or type(default) in _TYPES.values() else repr(default)
        options[parameter.name] = getattr(hints.get(parameter.name), "__name__", ""), shown
    return options


def _changed(path: str | Path) -> int | None:
    try:
        return Path(path).stat().st_mtime_ns
    except OSError:
        return None


if __name__ == "__main__":
    print(take(sys.argv[1:]).dump())
