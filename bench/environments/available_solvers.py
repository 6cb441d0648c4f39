"""Who can be measured, and where: the harness's own solvers, and those that run in an environment.

The registry knows what this process could call. The harness calls nothing, it starts workers, and a worker may be
another environment's Python: a solver that is missing here and can run in exactly one environment runs there under its
own name, and `NAME@ENVIRONMENT` names one, so that two versions of a package can be compared in one run.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lapmark.solvers import plugins, registry
from lapmark.solvers.registry import Capabilities, Solver

from . import inventory, virtual_environments
from .inventory import Item
from .virtual_environments import Environment, Unusable


@dataclass(frozen=True)
class Entrant:
    """A solver and where it runs.

    Attributes
    ----------
    name : str
        As a command names it, with its environment where that was named.
    solver : Solver
        To plan with; a stand-in where only an environment has it.
    missing : str or None
        Why it cannot be measured on this machine.
    versions : mapping of str to str
        Of all that does the work, where it runs.
    environment : Environment or None
        None for the harness's own.
    """

    name: str
    solver: Solver
    missing: str | None
    versions: Mapping[str, str]
    environment: Environment | None = None

    @property
    def capabilities(self) -> Capabilities:
        return self.solver.capabilities

    @property
    def python(self) -> Path:
        """The interpreter of its workers."""
        return self.environment.python if self.environment else Path(sys.executable)

    @property
    def plugin(self) -> str | None:
        """The file that it comes from, where that was loaded as a plugin."""
        path = plugins.file(self.solver.function)
        return str(path) if path else None


def get(name: str) -> Entrant:
    """The entrant of that name, `NAME` or `NAME@ENVIRONMENT`; a ValueError with the nearest where there is none."""
    base, at, place = name.partition("@")
    if at:
        environment = virtual_environments.get(place)
        items = virtual_environments.inventory(environment, plugins.loaded()).items
        if base not in items:
            raise registry.unknown(f"solver of {place}", base, items)
        return _there(name, environment, items[base])
    own = registry.solvers().get(name)
    if own and own.missing is None:
        return _here(own)
    elsewhere = {environment: items[name] for environment, items in _environments().items() if name in items}
    able = [environment for environment, item in elsewhere.items() if item.missing is None]
    if len(able) == 1:
        return _there(name, able[0], elsewhere[able[0]])
    if own is None and not elsewhere:
        raise ValueError("; ".join([str(registry.unknown("solver", name, names())), *faults()]))
    entrant = _here(own) if own else _there(name, *next(iter(elsewhere.items())))
    if not able:
        return entrant
    choices = " or ".join(f"{name}@{environment.name}" for environment in able)
    return Entrant(name, entrant.solver, f"runs in several environments; say {choices}", entrant.versions)


def entrants() -> dict[str, Entrant]:
    """Every entrant by name, missing ones included; not those that an environment has as well as the harness."""
    return {name: get(name) for name in names()}


def names() -> list[str]:
    return sorted({*registry.solvers(), *(name for items in _environments().values() for name in items)})


def faults() -> list[str]:
    """Why there are environments whose solvers are not among the entrants."""
    return [found for found in _asked().values() if isinstance(found, str)]


def _here(solver: Solver) -> Entrant:
    return Entrant(solver.name, solver, solver.missing, inventory.versions(solver))


def _there(name: str, environment: Environment, item: Item) -> Entrant:
    base = name.partition("@")[0]
    solver = registry.solvers().get(base) or item.stand_in(base, f"the environment {environment.name}")
    return Entrant(name, solver, item.missing, item.versions, environment)


def _environments() -> dict[Environment, Mapping[str, Item]]:
    """What each environment has that can be asked."""
    return {environment: found for environment, found in _asked().items() if not isinstance(found, str)}


def _asked() -> dict[Environment, Mapping[str, Item] | str]:
    """What each environment has, or why it cannot be asked."""
    found: dict[Environment, Mapping[str, Item] | str] = {}
    for environment in virtual_environments.known().values():
        try:
            found[environment] = virtual_environments.inventory(environment, plugins.loaded()).items
        except Unusable as error:
            found[environment] = str(error)
    return found
