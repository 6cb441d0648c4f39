"""`lapmark env`: environments for packages that exclude each other."""

import os
from typing import Annotated

import typer

from . import completion, options
from .base import INTERRUPTED, group, plain_console, user_errors

env = group(
    "env",
    "Make, list and remove environments for packages that exclude each other.",
    {
        'lapmark env add lapx "lapx>=0.11"': "install lapx, which is imported by the same name as lap",
        "lapmark env list": "list the packages and solvers of each",
        "lapmark run -s lap -s lapx-lapjvr": "run solvers of both environments",
    },
)


@env.command(
    examples={
        'lapmark env add lapx "lapx>=0.11"': "install lapx, which is imported by the same name as lap",
        'lapmark env add old "scipy<1.16"': "install an older SciPy",
        "lapmark run -s scipy -s scipy@old": "compare two versions in one run",
        "lapmark env add theirs ./their-package": "install a package with solvers from a folder",
        "lapmark env add lapx --again": "update lapx",
    },
)
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the new environment.", show_default=False)],
    requirement: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PACKAGE",
            help="Package to install, as for pip; default with --again: the previous ones.",
            show_default=False,
        ),
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Replace an existing environment.")] = False,
) -> None:
    """Make an environment on top of this one, and install packages in it.

    Packages that it does not install itself, Lapmark included, come from this one. Every command can then use the
    solvers that run in it.
    """
    from rich.markup import escape

    from lapmark.bench.environments import virtual_environments
    from lapmark.bench.system import measuring_support

    from .catalogue import environment_facts
    from .catalogue_tables import environment_page

    console = plain_console()
    with user_errors():
        measuring_support.check()  # only measuring uses environments
        try:
            with console.status(f"{name}: making the environment") as status:
                made = virtual_environments.add(
                    name, requirement or (), again, lambda line: status.update(escape(f"{name}: {line}"))
                )
        except KeyboardInterrupt:
            console.print(f"Stopped; the environment {name} was not made.", markup=False)
            raise typer.Exit(INTERRUPTED) from None
        console.print(environment_page(environment_facts(made)))


#: The argument for an existing environment.
Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME", autocompletion=completion.environments, help="Name of the environment.", show_default=False
    ),
]


@env.command(
    "list",
    examples={
        "lapmark env list": "list all environments",
        "lapmark env list lapx": "show one",
        "lapmark env list --format json": "write all facts, for a program",
    },
)
def list_(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="Show this environment only.", autocompletion=completion.environments),
    ] = None,
    form: options.ListFormat = "text",
) -> None:
    """List the environments: their packages, their solvers, and the path of their Python."""
    from lapmark.bench.environments import virtual_environments

    from .catalogue import environment_facts
    from .catalogue_tables import environment_page
    from .listing import print_facts

    with user_errors():
        chosen = [virtual_environments.get(name)] if name else virtual_environments.known().values()
        known = [environment_facts(environment) for environment in chosen]
    if form == "json":
        print_facts(known[0] if name else known, "", form)
        return
    for number, facts in enumerate(known):
        plain_console().print(*[""] * (number > 0), environment_page(facts), sep="\n")
    if not known:
        text = "No environment exists yet. “lapmark env add NAME PACKAGE…” makes one."
        plain_console().print(text, markup=False)


@env.command(examples={"lapmark env remove old": "remove it, but not its results"})
def remove(name: Name) -> None:
    """Remove an environment and its packages. Results measured in it stay."""
    from lapmark.bench.environments import virtual_environments

    with user_errors():
        virtual_environments.remove(name)
    typer.echo(f"removed the environment {name}")


@env.command(examples={"lapmark env python lapx": "use it as $(lapmark env python lapx) script.py"})
def python(name: Name) -> None:
    """Print the path of an environment's Python, for use in a command."""
    from lapmark.bench.environments import virtual_environments

    with user_errors():
        # As bytes: a path must be right in every locale.
        typer.echo(os.fsencode(virtual_environments.get(name).python))
