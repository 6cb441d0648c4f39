"""Available solvers: those of the harness's own Python, and those that run in another environment.

The registry lists what this process could call. The harness itself calls no solver, it starts workers, and a worker
may use another environment's Python. A solver that is missing here and can run in exactly one environment runs there
under its own name. `NAME@ENVIRONMENT` names an environment, so that two versions of a package can be compared in one
run.
"""

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
class AvailableSolver:
    """A solver and where it runs."""

    name: str  # as in a command, with its environment where that was named
    solver: Solver  # to plan with; a stand-in where only an environment has the solver
    missing: str | None  # why it cannot be measured on this machine
    versions: Mapping[str, str]  # of all packages that do the work, where it runs
    plugin: str | None  # the plugin file that registers it
    environment: Environment | None = None  # None for the harness's own

    @property
    def capabilities(self) -> Capabilities:
        return self.solver.capabilities

    @property
    def python(self) -> Path:
        """The interpreter of its workers."""
        return self.environment.python if self.environment else Path(sys.executable)


def get(name: str) -> AvailableSolver:
    """Return the solver of a name, `NAME` or `NAME@ENVIRONMENT`; a ValueError gives the nearest name if none has it."""
    base, at, place = name.partition("@")
    if at:
        environment = virtual_environments.get(place)
        found = virtual_environments.inventory(environment, plugins.loaded())
        items = found.items
        if base not in items:
            raise ValueError("; ".join([str(registry.unknown(f"solver of {place}", base, items)), *found.warnings]))
        return _in_environment(name, environment, items[base])
    own = registry.solvers().get(name)
    if own and own.missing is None:
        return _here(own)
    elsewhere = {environment: items[name] for environment, items in _usable_inventories().items() if name in items}
    able = [environment for environment, item in elsewhere.items() if item.missing is None]
    if len(able) == 1:
        return _in_environment(name, able[0], elsewhere[able[0]])
    if own is None and not elsewhere:
        raise ValueError("; ".join([str(registry.unknown("solver", name, names())), *faults()]))
    listed = _here(own) if own else _in_environment(name, *next(iter(elsewhere.items())))
    if not able:
        return listed
    choices = " or ".join(f"{name}@{environment.name}" for environment in able)
    reason = f"runs in several environments; choose {choices}"
    return AvailableSolver(name, listed.solver, reason, listed.versions, listed.plugin)


def solvers() -> dict[str, AvailableSolver]:
    """Return every solver by name, missing ones included.

    A solver that the harness has too is not listed again for each environment.
    """
    return {name: get(name) for name in names()}


def names() -> list[str]:
    """Return the names of all solvers, sorted."""
    return sorted({*registry.solvers(), *(name for items in _usable_inventories().values() for name in items)})


def faults() -> list[str]:
    """Return a message for each environment that cannot be used, so that its solvers are not listed."""
    return [found for found in _inventories().values() if isinstance(found, str)]


def _here(solver: Solver) -> AvailableSolver:
    return AvailableSolver(solver.name, solver, solver.missing, inventory.versions(solver), solver.origin.plugin)


def _in_environment(name: str, environment: Environment, item: Item) -> AvailableSolver:
    base = name.partition("@")[0]
    solver = registry.solvers().get(base) or item.stand_in(base, f"the environment {environment.name}")
    return AvailableSolver(name, solver, item.missing, item.versions, solver.origin.plugin, environment)


def _usable_inventories() -> dict[Environment, Mapping[str, Item]]:
    """Return the solvers of each environment that can be used."""
    return {environment: found for environment, found in _inventories().items() if not isinstance(found, str)}


def _inventories() -> dict[Environment, Mapping[str, Item] | str]:
    """Return the solvers of each environment, or why it cannot be used."""
    found: dict[Environment, Mapping[str, Item] | str] = {}
    for environment in virtual_environments.known().values():
        try:
            found[environment] = virtual_environments.inventory(environment, plugins.loaded()).items
        except Unusable as error:
            found[environment] = str(error)
    return found
