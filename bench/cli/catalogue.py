"""Tables of the solvers, the families of problems, the environments and the named configurations."""

import inspect
from collections.abc import Mapping

from rich import box
from rich.markup import escape
from rich.table import Column, Table

from lapmark.bench.environments import available_solvers, inventory, virtual_environments
from lapmark.bench.environments.available_solvers import AvailableSolver
from lapmark.bench.environments.virtual_environments import Environment
from lapmark.bench.problems import families
from lapmark.bench.run import configuration, configurations
from lapmark.bench.run.cells import plan
from lapmark.bench.util import spec
from lapmark.solvers import plugins

#: Legend of the table of solvers.
_LEGEND = (
    "inf: forbidden pairs. limit: largest cost of a pair. partial: sums of masses may differ. "
    "time: keeps a time limit. @: its environment. “lapmark solvers NAME” shows details."
)


def solver_table() -> Table:
    """Return the table of all solvers."""
    columns = ("costs", "takes", "duals", "idea", "here")
    table = Table(Column("solver", no_wrap=True), *(Column(name, overflow="fold") for name in columns), box=box.SIMPLE)
    for name, solver in available_solvers.solvers().items():
        able = solver.capabilities
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
            f"[yellow]missing: {escape(solver.missing)}[/]" if solver.missing else f"[green]{escape(_here(solver))}[/]",
        )
    table.caption = "\n".join([_LEGEND, *map(escape, available_solvers.faults())])
    return table


def _here(solver: AvailableSolver) -> str:
    """Return the versions of a solver's own packages, and its environment after an @."""
    packages = [name for name in solver.versions if name not in inventory.own_versions()] or ["lapmark"]
    shown = ", ".join(f"{name} {solver.versions[name]}" for name in packages)
    return f"{shown} @{solver.environment.name}" if solver.environment else shown


def solver_page(name: str) -> Table:
    """Return the details of one solver; a ValueError with the nearest name if none has this name."""
    solver = available_solvers.get(name)
    able, function = solver.capabilities, solver.solver.function
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
        "here": f"missing: {solver.missing}" if solver.missing else _here(solver),
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
    """Return the table of all families."""
    table = Table(Column("problem", no_wrap=True), "sizes", "settings", "default cases", "source")
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
    """Return the details of an environment: its packages, the solvers that it adds, and the path of its Python."""
    try:
        found = virtual_environments.inventory(environment, plugins.loaded())
        able = [name for name, item in found.items.items() if item.missing is None]
        added = [name for name in able if available_solvers.get(name).environment == environment]
        fault = "\n".join(found.warnings)
    except virtual_environments.Unusable as error:
        added, fault = [], str(error)
    facts = {
        "environment": environment.name,
        "asked for": " ".join(environment.requirements),
        "packages": ", ".join(f"{package} {version}" for package, version in environment.packages.items()),
        "solvers": ", ".join(added) or f"no additional ones; any as NAME@{environment.name}",
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
    """Return the table of all named configurations."""
    table = Table(Column("suite", no_wrap=True), "what it is for", Column("cells", justify="right"), box=box.SIMPLE)
    for name in configurations.names():
        given = configuration.load(name)
        cells = plan(given.solvers, given.sized(given.problems), threads=given.threads or (1,))
        table.add_row(name, escape(given.description), f"{len(cells):,}")
    table.caption = (
        f"“lapmark run --config NAME” runs one. The files are in {configurations.FOLDER}; yours can look the same."
    )
    return table
