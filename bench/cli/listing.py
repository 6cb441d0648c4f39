"""`lapmark solvers`, `lapmark problems` and `lapmark suites`: what can be run, as a list or one in full."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import completion, options
from .base import app, plain_console, user_errors

if TYPE_CHECKING:
    from rich.console import RenderableType


@app.command(
    examples={
        "lapmark solvers": "list all solvers",
        "lapmark solvers sinkhorn": "show one in full: its source, options and counters",
        "lapmark solvers | grep missing": "list those that cannot run here, and why",
        "lapmark solvers --format json": "write all facts, for a program",
    },
)
def solvers(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="Show this solver in full: its source, options and counters.",
            autocompletion=completion.solver_names,
        ),
    ] = None,
    plugin: Annotated[list[Path] | None, options.plugin()] = None,
    form: options.ListFormat = "text",
) -> None:
    """List the solvers: what each can do, and why one is missing."""
    from lapmark.bench.environments import available_solvers

    from .catalogue import solver_facts
    from .catalogue_tables import solver_page, solver_table

    with user_errors():
        options.load_plugins(plugin)
        if name:
            facts = solver_facts(available_solvers.get(name))
            print_facts(facts, solver_page(facts), form)
            return
        known = [solver_facts(solver) for solver in available_solvers.solvers().values()]
        faults = available_solvers.faults()
    print_facts(known, solver_table(known), form)
    for fault in faults:
        plain_console(stderr=True).print(fault, markup=False, style="yellow")


@app.command(
    examples={
        "lapmark problems": "list all families",
        "lapmark problems geometric": "show one in full: its settings, default cases and source",
        "lapmark run -p geometric:d=3 -n 1000": "use one, with a setting and a size",
        "lapmark problems --format json": "write all facts, for a program",
    },
)
def problems(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="Show this family in full: its settings, default cases and source.",
            autocompletion=completion.problem_names,
        ),
    ] = None,
    plugin: Annotated[list[Path] | None, options.plugin()] = None,
    form: options.ListFormat = "text",
) -> None:
    """List the families of problems: sizes, settings and sources."""
    from lapmark.bench.problems import families, get

    from .catalogue import family_facts
    from .catalogue_tables import problem_page, problem_table

    with user_errors():
        options.load_plugins(plugin)
        if name:
            facts = family_facts(get(name))
            print_facts(facts, problem_page(facts), form)
            return
        known = [family_facts(family) for family in families().values()]
    print_facts(known, problem_table(known), form)


@app.command(
    examples={
        "lapmark suites": "list all named configurations",
        "lapmark suites grid": "show one in full: its solvers, problems and file",
        "lapmark run --config grid -n 2500": "run one at one size only",
    },
)
def suites(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="Show this configuration in full: its solvers, problems and file.",
            autocompletion=completion.suites,
        ),
    ] = None,
    form: options.ListFormat = "text",
) -> None:
    """List the named configurations: what each is for, and its number of cells."""
    from lapmark.bench.run import configurations

    from .catalogue import suite_facts
    from .catalogue_tables import suite_page, suite_table

    with user_errors():
        if name:
            facts = suite_facts(name)
            print_facts(facts, suite_page(facts), form)
            return
        known = [suite_facts(each) for each in configurations.names()]
    print_facts(known, suite_table(known), form)


def print_facts(facts: Any, shown: RenderableType, form: str) -> None:
    """Print facts as JSON, or what shows them to people."""
    if form == "json":
        typer.echo(json.dumps(facts, indent=2, ensure_ascii=False, allow_nan=False, default=str))
    else:
        plain_console().print(shown)
