"""`lapmark solvers` and `lapmark problems`: what there is."""

from __future__ import annotations

from typing import Annotated

import typer

from .base import app, user_errors


@app.command()
def solvers(
    name: Annotated[
        str | None, typer.Argument(help="Show this one at length: its source, options and counters.")
    ] = None,
) -> None:
    """List the solvers: what each can do, and what is missing here and why."""
    from rich.console import Console

    from ..catalogue import solver_page, solver_table

    with user_errors():
        Console(highlight=False).print(solver_page(name) if name else solver_table())


@app.command()
def problems() -> None:
    """List the families of problems: their sizes, their settings and where they come from."""
    from rich.console import Console

    from ..catalogue import problem_table

    Console().print(problem_table())
