"""`lapmark solvers`, `lapmark problems` and `lapmark suites`: lists of what can be run."""

from typing import Annotated

import typer

from . import completion
from .base import app, plain_console, user_errors


@app.command(
    examples={
        "lapmark solvers": "list all solvers",
        "lapmark solvers sinkhorn": "show the options, counters and source of one",
    },
)
def solvers(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="Show details of this solver: its source, options and counters.",
            autocompletion=completion.solver_names,
        ),
    ] = None,
) -> None:
    """List the solvers: what each can do, and why one is missing."""
    from .catalogue import solver_page, solver_table

    with user_errors():
        plain_console().print(solver_page(name) if name else solver_table())


@app.command(
    examples={
        "lapmark problems": "list all families with their default cases",
        "lapmark run -p geometric:d=3 -n 1000": "use one, with a setting and a size",
    },
)
def problems() -> None:
    """List the families of problems: sizes, settings and sources."""
    from .catalogue import problem_table

    plain_console().print(problem_table())


@app.command(
    examples={
        "lapmark suites": "list all named configurations",
        "lapmark run --config grid -n 2500": "run one at one size only",
    },
)
def suites() -> None:
    """List the named configurations: what each is for, and its number of cells."""
    from .catalogue import suite_table

    plain_console().print(suite_table())
