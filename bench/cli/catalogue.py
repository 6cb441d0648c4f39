"""What there is, as tables: the solvers with what each can do and why one is missing, and the families of problems."""

from __future__ import annotations

import inspect
from collections.abc import Mapping

from rich import box
from rich.markup import escape
from rich.table import Column, Table

from lapmark.bench.environments import available_solvers, inventory, virtual_environments
from lapmark.bench.environments.available_solvers import Entrant
from lapmark.bench.environments.virtual_environments import Environment
from lapmark.bench.problems import families
from lapmark.bench.run import configuration, configurations
from lapmark.bench.run.cells import plan
from lapmark.bench.util import spec
from lapmark.solvers import plugins

#: What the words of the table of solvers stand for.
_LEGEND = (
    "inf: forbidden pairs. limit: most that a pair may cost. partial: sums of masses may differ. "
    "time: can be stopped in time. @: its environment. “lapmark solvers NAME” shows one at length."
)


def solver_table() -> Table:
    columns = ("costs", "takes", "duals", "idea", "here")
    table = Table(Column("solver", no_wrap=True), *(Column(name, overflow="fold") for name in columns), box=box.SIMPLE)
    for name, entrant in available_solvers.entrants().items():
        able = entrant.capabilities
        takes = {
            "n ≠ m": able.rectangular,
            "inf": able.forbidden,
            "limit": able.limit,
            "partial": able.partial,
            "time": able.time_limit,
            "transport": able.problem != "assignment",
        }
        table.add_row(
            name,
            ", ".join(sorted(able.costs)),
            ", ".join(word for word, is_so in takes.items() if is_so),
            "yes" if able.duals else "no",
            escape(able.family if able.exact else f"{able.family}, approximate"),
            _styled(entrant),
        )
    table.caption = "\n".join([_LEGEND, *map(escape, available_solvers.faults())])
    return table


def _styled(entrant: Entrant) -> str:
    if entrant.missing:
        return f"[yellow]missing: {escape(entrant.missing)}[/]"
    return f"[green]{escape(_here(entrant))}[/]"


def _here(entrant: Entrant) -> str:
    """The versions of what does the work, but for what is at work in every cell, and the environment after an @."""
    telling = [name for name in entrant.versions if name not in inventory.own_versions()] or ["lapmark"]
    shown = ", ".join(f"{name} {entrant.versions[name]}" for name in telling)
    return f"{shown} @{entrant.environment.name}" if entrant.environment else shown


def solver_page(name: str) -> Table:
    """All that is known of one solver; a ValueError with the nearest names where there is none."""
    entrant = available_solvers.get(name)
    able, function = entrant.capabilities, entrant.solver.function
    options = spec.parameters_of(function, 1)
    takes = {
        "costs as " + ", ".join(sorted(able.costs)): True,
        "n ≠ m": able.rectangular,
        "forbidden pairs": able.forbidden,
        "a limit on the cost of a pair": able.limit,
        "transport of unequal sums": able.partial,
        "a time limit": able.time_limit,
        "threads": able.threads,
    }
    facts = {
        "solver": name,
        "here": f"missing: {entrant.missing}" if entrant.missing else _here(entrant),
        "source": able.source,
        "solves": "assignment and transport" if able.problem == "both" else able.problem,
        "takes": "; ".join(words for words, is_so in takes.items() if is_so),
        "duals": "yes" if able.duals else "no",
        "exact types": ", ".join(sorted(able.dtypes)),
        "counters": ", ".join(sorted(able.counters)) or "none",
        "run at": ", ".join(f"{option} = {value:g}" for option, values in able.curve.items() for value in values),
        "options": ", ".join(f"{option.name}={option.default}" for option in options),
        "about": inspect.cleandoc(function.__doc__ or ""),
    }
    return _page(facts)


def problem_table() -> Table:
    table = Table(Column("problem", no_wrap=True), "sizes", "settings", "cases of a run", "source")
    for name, family in families().items():
        settings = spec.parameters_of(family.build, 2)
        table.add_row(
            name,
            ", ".join(map(str, family.sizes)),
            escape("\n".join(f"{setting.name}={setting.default}" for setting in settings)),
            escape("\n".join(spec.show(name, variant) for variant in family.variants)),
            escape(family.source),
        )
    return table


def environment_page(environment: Environment) -> Table:
    """What is in an environment, which solvers the harness has through it, and where its Python is."""
    try:
        found = virtual_environments.inventory(environment, plugins.loaded())
        able = [name for name, item in found.items.items() if item.missing is None]
        brought = [name for name in able if available_solvers.get(name).environment == environment]
        fault = "\n".join(found.warnings)
    except virtual_environments.Unusable as error:
        brought, fault = [], str(error)
    facts = {
        "environment": environment.name,
        "asked for": " ".join(environment.requirements),
        "packages": ", ".join(f"{package} {version}" for package, version in environment.packages.items()),
        "solvers": ", ".join(brought) or f"none of its own; any as NAME@{environment.name}",
        "python": str(environment.python),
        "fault": fault,
    }
    return _page(facts)


def _page(facts: Mapping[str, str]) -> Table:
    table = Table.grid("", "", padding=(0, 2))
    for fact, text in facts.items():
        if text:
            table.add_row(f"[bold]{fact}[/]", escape(text))
    return table


def suite_table() -> Table:
    table = Table(Column("suite", no_wrap=True), "what it is for", Column("cells", justify="right"), box=box.SIMPLE)
    for name in configurations.names():
        given = configuration.load(name)
        cells = plan(given.solvers, given.sized(given.problems), threads=given.threads or (1,))
        table.add_row(name, escape(given.description), f"{len(cells):,}")
    table.caption = (
        f"“lapmark run --config NAME” runs one. The files are in {configurations.FOLDER}; write your own like them."
    )
    return table
