"""`lapmark check`: the contract put to a solver."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import completion
from .base import INTERRUPTED, app, examples, time_option, user_errors

if TYPE_CHECKING:
    from rich.console import Console

    from lapmark.bench.environments.available_solvers import Entrant

#: How the statuses of a check look.
STYLES = {"pass": "green", "fail": "bold red", "skipped": "dim"}


@app.command(
    epilog=examples(
        {
            "lapmark check jv": "everything that a solver of its kind must do",
            "lapmark check --plugin mine.py mine": "a solver of your own, from a file",
            "lapmark check --plugin mine.py mine -k brute-force -k duals": "some of it",
            "lapmark check scipy@old": "a solver in an environment",
        }
    )
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
    plugin: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Python file that registers solvers; may be repeated.")
    ] = None,
    part: Annotated[
        list[str] | None, typer.Option("-k", metavar="NAME", help="Only checks with this in their name; repeatable.")
    ] = None,
    timeout: Annotated[float, time_option("Limit of one check.")] = "60s",  # type: ignore[assignment]
) -> None:
    """Put solvers to the contract: what every solver must do, and what its own capabilities promise.

    Each failure shows its input. What a solver does not claim is skipped, with the reason, and is no pass. The exit
    status is 1 where a check failed.
    """
    from rich.console import Console

    from lapmark.bench.contract import runner
    from lapmark.bench.environments import available_solvers
    from lapmark.solvers import plugins

    console = Console(highlight=False)
    with user_errors():
        for path in plugin or ():
            plugins.load(path)
        chosen = [available_solvers.get(name) for name in solver]
        checks = [runner.select(entrant, part or ()) for entrant in chosen]
        try:
            failures = [_examine(console, *pair, timeout) for pair in zip(chosen, checks, strict=True)]
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
    if any(failures):
        raise typer.Exit(1)


def _examine(console: Console, entrant: Entrant, checks: Sequence[str], timeout: float) -> int:
    """Show the checks of a solver as they are made, a line for each; the number that failed."""
    from rich.markup import escape

    from lapmark.bench.contract import runner

    counts: Counter[str] = Counter()

    def show(news: str | runner.Finding) -> None:
        if isinstance(news, str):
            status.update(escape(f"{entrant.name}: {news}"))
            return
        counts[news.status] += 1
        reason = f"  [dim]{escape(news.message)}[/]" if news.status == "skipped" else ""
        console.print(f"[{STYLES[news.status]}]{news.status:8}[/] {news.check}{reason}", soft_wrap=True)
        if news.status == "fail":
            console.print(textwrap.indent(news.message, " " * 9), markup=False, soft_wrap=True)

    with console.status(entrant.name) as status:
        runner.examine(entrant, checks, timeout, show)
    told = ", ".join(f"{counts[word]} {word}" for word in runner.STATUSES if counts[word])
    console.print(f"{entrant.name}: {told}", markup=False)
    return counts["fail"]
