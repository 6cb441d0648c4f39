"""What there is, as tables: the solvers with what each can do and why one is missing, and the families of problems."""

from __future__ import annotations

import inspect

from rich import box
from rich.markup import escape
from rich.table import Column, Table

from solvers import registry

from . import spec
from .problems import families


def solver_table() -> Table:
    columns = ("costs", "takes", "duals", "idea", "here")
    table = Table(Column("solver", no_wrap=True), *(Column(name, overflow="fold") for name in columns), box=box.SIMPLE)
    for name, solver in registry.solvers().items():
        able = solver.capabilities
        takes = {
            "n ≠ m": able.rectangular,
            "inf": able.forbidden,
            "limit": able.limit,
            "partial": able.partial,
            "time": able.time_limit,
            "transport": able.problem != "assignment",
        }
        versions = ", ".join(f"{package} {version}" for package, version in solver.versions.items())
        table.add_row(
            name,
            ", ".join(sorted(able.costs)),
            ", ".join(word for word, is_so in takes.items() if is_so),
            "yes" if able.duals else "no",
            escape(able.family if able.exact else f"{able.family}, approximate"),
            f"[yellow]missing: {escape(solver.missing)}[/]" if solver.missing else f"[green]{escape(versions)}[/]",
        )
    table.caption = (
        "inf: forbidden pairs. limit: most that a pair may cost. partial: sums of masses may differ. "
        "time: can be stopped in time. “lapmark solvers NAME” shows one solver at length."
    )
    return table


def solver_page(name: str) -> Table:
    """All that is known of one solver; a ValueError with the nearest names where there is none."""
    solver = registry.get(name)
    able = solver.capabilities
    options = list(inspect.signature(solver.function).parameters.values())[1:]
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
        "here": f"missing: {solver.missing}" if solver.missing else "can run",
        "source": able.source,
        "solves": "assignment and transport" if able.problem == "both" else able.problem,
        "takes": "; ".join(words for words, is_so in takes.items() if is_so),
        "duals": "yes" if able.duals else "no",
        "exact types": ", ".join(sorted(able.dtypes)),
        "counters": ", ".join(sorted(able.counters)) or "none",
        "run at": ", ".join(f"{option} = {value:g}" for option, values in able.curve.items() for value in values),
        "options": ", ".join(f"{option.name}={option.default}" for option in options),
        "about": inspect.cleandoc(solver.function.__doc__ or ""),
    }
    table = Table.grid("", "", padding=(0, 2))
    for fact, text in facts.items():
        if text:
            table.add_row(f"[bold]{fact}[/]", escape(text))
    return table


def problem_table() -> Table:
    table = Table(Column("problem", no_wrap=True), "sizes", "settings", "cases of a run", "source")
    for name, family in families().items():
        settings = list(inspect.signature(family.build).parameters.values())[2:]
        table.add_row(
            name,
            ", ".join(map(str, family.sizes)),
            escape("\n".join(f"{setting.name}={setting.default}" for setting in settings)),
            escape("\n".join(spec.show(name, variant) for variant in family.variants)),
            escape(family.source),
        )
    return table
