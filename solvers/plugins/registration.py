"""Registration under a name: who registers it, and which of two that claim the same name has it."""

import contextlib
import itertools
import threading
import warnings
from collections.abc import Callable, Iterator, MutableMapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from .source_files import shown


class PluginError(ValueError):
    """A plugin cannot be loaded; the message names the file, the line and the cure."""


class PluginWarning(UserWarning):
    """A plugin, or a name that it registers, is left out."""


@dataclass(frozen=True)
class Origin:
    """Where something was registered: its place in words, its module, and the plugin file or package that was loaded.

    `package` has its version, `distribution` its name alone. `load` counts the loads of plugins; it is 0 where none was
    under way.
    """

    place: str
    module: str
    plugin: str | None = None
    package: str = ""
    distribution: str = ""
    load: int = 0

    @property
    def is_built_in(self) -> bool:
        """Whether Lapmark itself registers it."""
        return _is_built_in(self.module)

    @property
    def is_package(self) -> bool:
        """Whether an entry point of an installed package registers it."""
        return bool(self.package)

    def __str__(self) -> str:
        if self.is_built_in:
            return "Lapmark itself"
        return f"the package {self.package} ({self.place})" if self.is_package else self.place


#: The origin of what no decorator has registered.
UNKNOWN = Origin("", "")


class Registered(Protocol):
    """An entry of a table."""

    @property
    def origin(self) -> Origin: ...


Entry = TypeVar("Entry", bound=Registered)


@dataclass(frozen=True)
class Load:
    """A load of a plugin that is under way, and the entries that it has made: table, name and what was there before."""

    number: int
    plugin: str | None = None
    package: str = ""
    distribution: str = ""
    entries: list[tuple[MutableMapping[str, Any], str, Any]] = field(default_factory=list)

    def undo(self) -> None:
        """Take its entries back."""
        for table, name, before in reversed(self.entries):
            if before is None:
                table.pop(name, None)
            else:
                table[name] = before


#: Each thread loads its own plugins: what another registers meanwhile is not credited to them.
_under_way: ContextVar[Load] = ContextVar("the load under way", default=Load(0))  # noqa: B039

#: Two threads that register the same name must not both find it free.
_entering = threading.RLock()

_numbers = itertools.count(1)


def new_load(plugin: str | None = None, package: str = "", distribution: str = "") -> Load:
    """Return the load of a plugin that begins."""
    return Load(next(_numbers), plugin, package, distribution)


def origin(function: Callable[..., Any]) -> Origin:
    """Return the origin of a function that is being registered."""
    module = getattr(function, "__module__", None) or type(function).__module__
    # A plugin that registers the first solver has Lapmark's own loaded.
    made = Load(0) if _is_built_in(module) else _under_way.get()
    # A solver of numba's has the function that it compiles.
    written = getattr(function, "py_func", function)
    written = getattr(written, "__wrapped__", written)
    code = getattr(written, "__code__", None)
    if code is not None:
        place = f"{shown(code.co_filename)}, line {code.co_firstlineno}"
    else:
        place = shown(made.plugin) if made.plugin else f"module {module}"
    return Origin(place, module, made.plugin, made.package, made.distribution, made.number)


def enter(table: MutableMapping[str, Entry], kind: str, name: str, new: Entry) -> None:
    """Enter something under its name in a table.

    A file comes before an installed package that registers the same name, and of two packages the first stays; a
    PluginWarning says so. Raise a PluginError for every other name that is taken, such as a built-in one. A module
    that is run again, such as a cell of a notebook, replaces its own.
    """
    with _entering:
        old = table.get(name)
        if old is not None and not _replaces(kind, name, old.origin, new.origin):
            return
        if new.origin.load:
            _under_way.get().entries.append((table, name, old))
        table[name] = new


def _is_built_in(module: str) -> bool:
    return module.startswith("lapmark.")


def _replaces(kind: str, name: str, old: Origin, new: Origin) -> bool:
    if old.module == new.module and (old.load != new.load or not new.load):
        return True
    if old.load == new.load and old.load:
        raise PluginError(f"{kind} {name!r} is registered twice, at {old.place} and at {new.place}; rename one of them")
    if new.is_package:
        warn(f"{kind} {name!r} of {new} is left out: {old} registers this name already")
        return False
    if old.is_package:
        warn(f"{kind} {name!r} is registered by {new} and by {old}; that of {new} is used")
        return True
    if old.is_built_in or new.is_built_in:
        place = (new if old.is_built_in else old).place
        raise PluginError(f"{kind} {name!r} at {place}: Lapmark has a {kind} of this name; choose another")
    raise PluginError(f"{kind} {name!r} at {new.place} is already registered at {old.place}; rename one of them")


@contextlib.contextmanager
def under_way(made: Load) -> Iterator[None]:
    """Credit all registrations to a load, and take them back if it fails."""
    before = _under_way.set(made)
    try:
        yield
    except BaseException:
        made.undo()
        raise
    finally:
        _under_way.reset(before)


def warn(message: str) -> None:
    warnings.warn(message, PluginWarning, stacklevel=2)
