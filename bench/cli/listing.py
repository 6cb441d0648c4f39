"""`lapmark solvers`, `lapmark problems` and `lapmark suites`: what there is."""

from __future__ import annotations

from typing import Annotated

import typer

from . import completion
from .base import app, examples, user_errors


@app.command(
    epilog=examples(
        {
            "lapmark solvers": "a table of all of them",
            "lapmark solvers sinkhorn": "one at length: what its options mean, what it counts, who published it",
        }
    )
)
def solvers(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="Show this one at length: its source, options and counters.",
            autocompletion=completion.solver_names,
        ),
    ] = None,
) -> None:
    """List the solvers: what each can do, what is missing and why."""
    from rich.console import Console

    from .catalogue import solver_page, solver_table

    with user_errors():
        Console(highlight=False).print(solver_page(name) if name else solver_table())


@app.command(
    epilog=examples(
        {
            "lapmark problems": "all families, and the cases of each that a run takes by default",
            "lapmark run -p geometric:d=3 -n 1000": "a setting goes behind a colon, a size into -n",
        }
    )
)
def problems() -> None:
    """List the families of problems: sizes, settings and sources."""
    from rich.console import Console

    from .catalogue import problem_table

    Console().print(problem_table())


@app.command(
    epilog=examples(
        {
            "lapmark suites": "the runs that are written down, and what each is for",
            "lapmark run --config grid -n 2500": "one of them, at one size only",
        }
    )
)
def suites() -> None:
    """List the runs that have a name: what each is for, and how many cells it has."""
    from rich.console import Console

    from .catalogue import suite_table

    Console().print(suite_table())
