"""`lapmark check`: check that a solver keeps the contract."""

from __future__ import annotations

import functools
import textwrap
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import completion, options
from .base import app, plain_console, user_errors

if TYPE_CHECKING:
    from lapmark.bench.contract.runner import Finding
    from lapmark.bench.environments.available_solvers import AvailableSolver

    #: Is called with the name of each check when it begins, and with its finding.
    Show = Callable[[str | Finding], None]

#: Bytes of memory that a solver may take on a problem of the user.
MEMORY = 8 << 30

#: Terminal styles of the statuses of a check.
STYLES = {"pass": "green", "fail": "bold red", "skipped": "dim"}


@app.command(
    examples={
        "lapmark check jv": "run all checks for its kind of problem",
        "lapmark check --plugin mine.py mine": "check your own solver in a file",
        "lapmark check --plugin mine.py mine -k brute-force -k duals": "run only some checks",
        "lapmark check --plugin mine.py mine -p costs.npy -p uniform:n=50": "certify its answers to these instead",
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
    plugin: Annotated[list[Path] | None, options.plugin()] = None,
    part: Annotated[list[str] | None, options.CHECKS] = None,
    problem: Annotated[
        list[str] | None,
        options.problem(
            "Problem, `name:n=N,setting=value,…`, or a file, to certify the answer to it in place of the contract's "
            "checks; may be repeated."
        ),
    ] = None,
    timeout: Annotated[float, options.duration("Limit of one check.")] = "60s",  # type: ignore[assignment]
) -> None:
    """Check that solvers keep the contract: what every solver must do, and what their own capabilities promise.

    Each failure shows its input. A check of a capability that a solver does not claim is skipped, with the reason; it
    does not count as passed. The exit status is 1 if a check failed, 2 if no problem of -p could be certified.
    """
    from lapmark.bench.contract import runner
    from lapmark.bench.environments import available_solvers
    from lapmark.bench.system import measuring_support

    with user_errors():
        measuring_support.check()
        options.load_plugins(plugin)
        chosen = [available_solvers.get(name) for name in solver]
        if problem:
            if part:
                raise ValueError("-k chooses among the checks of the contract, in whose place -p certifies answers")
            jobs = [functools.partial(_certify, each, problem, timeout) for each in chosen]
        else:
            checks = [runner.select(each, part or ()) for each in chosen]
            jobs = [
                functools.partial(runner.examine, each, mine, timeout)
                for each, mine in zip(chosen, checks, strict=True)
            ]
        counts = [show_findings(each.name, job) for each, job in zip(chosen, jobs, strict=True)]
        for each, found in zip(chosen, counts, strict=True):
            if problem and not found["pass"] + found["fail"]:
                raise ValueError(f"nothing was certified: {each.name} answered none of the problems")
    if any(each["fail"] for each in counts):
        raise typer.Exit(1)


def _certify(solver: AvailableSolver, problems: Sequence[str], timeout: float, show: Show) -> None:
    """Solve problems as a run does, and certify the answers."""
    from lapmark.bench.contract.runner import Finding
    from lapmark.bench.run import built_case
    from lapmark.bench.run.cells import plan
    from lapmark.bench.run.certify_answer import Certifier, KnownBounds
    from lapmark.bench.run.measure import RunSettings, measure
    from lapmark.bench.run.progress import named_size, show_errors
    from lapmark.bench.worker.protocol import BUILD_MATRIX
    from lapmark.bench.worker.resource_limits import Limits

    if solver.missing:
        raise ValueError(f"solver {solver.name} cannot run here: {solver.missing}")
    settings = RunSettings(limits=Limits(timeout=timeout, memory=MEMORY), budget=0)
    certifier = Certifier(KnownBounds(), settings.limits)
    for cell in plan([solver.name], problems):
        if cell.solver == BUILD_MATRIX:
            continue
        show(str(cell.case))
        record = measure(cell, functools.partial(built_case.build, cell.case), settings, certifier)
        name = " ".join([named_size(record), *(f"({error})" for error in show_errors(record))])
        status = {"ok": "pass", "skipped": "skipped", "unproven": "skipped"}.get(record.status, "fail")
        message = record.message if record.status == "skipped" else f"{record.status}: {record.message}"
        show(Finding(name if cell.solver == solver.name else f"{name}, {cell.solver}", status, message))


def show_findings(name: str, examine: Callable[[Show], None]) -> Counter[str]:
    """Examine a solver or a family and show a line for each check; return the number of checks of each status."""
    from rich.markup import escape

    from lapmark.bench.contract import runner

    console = plain_console()
    counts: Counter[str] = Counter()

    def show(event: str | runner.Finding) -> None:
        if isinstance(event, str):
            status.update(escape(f"{name}: {event}"))
            return
        counts[event.status] += 1
        reason = f"  [dim]{escape(event.message)}[/]" if event.status == "skipped" else ""
        console.print(f"[{STYLES[event.status]}]{event.status:8}[/] {escape(event.check)}{reason}", soft_wrap=True)
        if event.status == "fail":
            console.print(textwrap.indent(event.message, " " * 9), markup=False, soft_wrap=True)

    with console.status(escape(name)) as status:
        examine(show)
    summary = ", ".join(f"{counts[word]} {word}" for word in runner.STATUSES if counts[word])
    console.print(f"{name}: {summary}", markup=False)
    return counts
