"""`lapmark check`: check that a solver keeps the contract."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import completion, options
from .base import app, plain_console, user_errors

if TYPE_CHECKING:
    from lapmark.bench.environments.available_solvers import AvailableSolver

#: Terminal styles of the statuses of a check.
STYLES = {"pass": "green", "fail": "bold red", "skipped": "dim"}


@app.command(
    examples={
        "lapmark check jv": "run all checks for its kind of problem",
        "lapmark check --plugin mine.py mine": "check your own solver in a file",
        "lapmark check --plugin mine.py mine -k brute-force -k duals": "run only some checks",
        "lapmark check scipy@old": "check a solver in an environment",
    },
)
def check(
    solver: Annotated[
        list[str],
        typer.Argument(
            metavar="SOLVER",
            help="Solver, `name` or `name@environment`.",
            show_default=False,
            autocompletion=completion.solver_names,
        ),
    ],
    plugin: Annotated[list[Path] | None, options.PLUGIN] = None,
    part: Annotated[
        list[str] | None,
        typer.Option("-k", metavar="NAME", help="Run only checks whose name contains this; may be repeated."),
    ] = None,
    timeout: Annotated[float, options.duration("Limit of one check.")] = "60s",  # type: ignore[assignment]
) -> None:
    """Check that solvers keep the contract: what every solver must do, and what their own capabilities promise.

    Each failure shows its input. A check of a capability that a solver does not claim is skipped, with the reason; it
    does not count as passed. The exit status is 1 if a check failed.
    """
    from lapmark.bench.contract import runner
    from lapmark.bench.environments import available_solvers
    from lapmark.solvers import plugins

    with user_errors():
        for path in plugin or ():
            plugins.load(path)
        chosen = [available_solvers.get(name) for name in solver]
        checks = [runner.select(each, part or ()) for each in chosen]
        failures = [_examine(*pair, timeout) for pair in zip(chosen, checks, strict=True)]
    if any(failures):
        raise typer.Exit(1)


def _examine(solver: AvailableSolver, checks: Sequence[str], timeout: float) -> int:
    """Run the checks of a solver and show a line for each; return the number that failed."""
    from rich.markup import escape

    from lapmark.bench.contract import runner

    console = plain_console()
    counts: Counter[str] = Counter()

    def show(event: str | runner.Finding) -> None:
        if isinstance(event, str):
            status.update(escape(f"{solver.name}: {event}"))
            return
        counts[event.status] += 1
        reason = f"  [dim]{escape(event.message)}[/]" if event.status == "skipped" else ""
        console.print(f"[{STYLES[event.status]}]{event.status:8}[/] {event.check}{reason}", soft_wrap=True)
        if event.status == "fail":
            console.print(textwrap.indent(event.message, " " * 9), markup=False, soft_wrap=True)

    with console.status(solver.name) as status:
        runner.examine(solver, checks, timeout, show)
    summary = ", ".join(f"{counts[word]} {word}" for word in runner.STATUSES if counts[word])
    console.print(f"{solver.name}: {summary}", markup=False)
    return counts["fail"]
