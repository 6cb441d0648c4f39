"""`lapmark env`: environments for packages that cannot live together."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from . import completion
from .base import INTERRUPTED, examples, group, user_errors

env = group(
    "env",
    "Make environments for packages that cannot live together, and list and remove them.",
    examples(
        {
            'lapmark env add lapx "lapx>=0.11"': "lapx, which is imported by the same name as lap",
            "lapmark env list": "what is in each, and which solvers run in it",
            "lapmark run -s lap -s lapx-lapjvr": "solvers of both, in one run",
        }
    ),
)


@env.command(
    epilog=examples(
        {
            'lapmark env add lapx "lapx>=0.11"': "lapx, which is imported by the same name as lap",
            'lapmark env add old "scipy<1.16"': "an older SciPy",
            "lapmark run -s scipy -s scipy@old": "two versions in one run",
            "lapmark env add theirs ./their-package": "a package with solvers of its own, from a folder",
            "lapmark env add lapx --again": "the newest lapx",
        }
    )
)
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the new environment.", show_default=False)],
    requirement: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PACKAGE",
            help="What to install, as pip takes it; default with --again: what it had.",
            show_default=False,
        ),
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Make one that is there already anew.")] = False,
) -> None:
    """Make an environment, laid over this one, and install packages in it.

    What it does not install itself it has from here, Lapmark included. The solvers that can run in it are then there
    for every command.
    """
    from rich.console import Console
    from rich.markup import escape

    from lapmark.bench.environments import virtual_environments

    from .catalogue import environment_page

    console = Console(highlight=False)
    with user_errors():
        try:
            with console.status(f"{name}: making the environment") as status:
                made = virtual_environments.add(
                    name, requirement or (), again, lambda line: status.update(escape(f"{name}: {line}"))
                )
        except KeyboardInterrupt:
            console.print(f"Stopped; there is no environment {name} of these packages.", markup=False)
            raise typer.Exit(INTERRUPTED) from None
        console.print(environment_page(made))


@env.command("list", epilog=examples({"lapmark env list": "all of them"}))
def list_() -> None:
    """List the environments: what is in each, which solvers run in it, and its Python, which can be used directly."""
    from rich.console import Console

    from lapmark.bench.environments import virtual_environments

    from .catalogue import environment_page

    console = Console(highlight=False)
    with user_errors():
        there = virtual_environments.known()
        for environment in there.values():
            console.print(environment_page(environment), "")
    if not there:
        console.print("There is none yet. “lapmark env add NAME PACKAGE…” makes one.", markup=False)


@env.command(epilog=examples({"lapmark env remove old": "what was measured in it stays"}))
def remove(
    name: Annotated[
        str, typer.Argument(metavar="NAME", autocompletion=completion.environments, help="Which.", show_default=False)
    ],
) -> None:
    """Remove an environment with all that is in it. What was measured in it stays."""
    from lapmark.bench.environments import virtual_environments

    with user_errors():
        virtual_environments.remove(name)
    typer.echo(f"removed the environment {name}")


@env.command(epilog=examples({"lapmark env python lapx": "for use in a command: $(lapmark env python lapx) script.py"}))
def python(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", autocompletion=completion.environments, help="Of which environment.", show_default=False
        ),
    ],
) -> None:
    """Say where an environment's Python is, for use in a command."""
    from lapmark.bench.environments import virtual_environments

    with user_errors():
        # As bytes: a path in a command must be right in every locale.
        typer.echo(os.fsencode(virtual_environments.get(name).python))
