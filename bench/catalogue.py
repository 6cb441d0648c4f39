"""What there is, as tables: the solvers with what each can do and why one is missing, and the families of problems."""

from __future__ import annotations

import inspect

from rich.markup import escape
from rich.table import Table

from solvers import registry

from . import spec
from .problems import families


def solver_table() -> Table:
    table = Table("solver", "answer", "costs", "also takes", "duals", "idea", "here")
    for name, solver in registry.solvers().items():
        able = solver.capabilities
        also = {"n ≠ m": able.rectangular, "forbidden pairs": able.forbidden, "transport": able.problem != "assignment"}
        versions = ", ".join(f"{package} {version}" for package, version in solver.versions.items())
        table.add_row(
            name,
            "exact" if able.exact else "approximate",
            ", ".join(sorted(able.costs)),
            ", ".join(word for word, is_so in also.items() if is_so),
            "yes" if able.duals else "no",
            escape(able.family),
            f"[yellow]missing: {escape(solver.missing)}[/]" if solver.missing else f"[green]{escape(versions)}[/]",
        )
    return table


def problem_table() -> Table:
    table = Table("problem", "sizes", "settings", "cases of a run", "source")
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
