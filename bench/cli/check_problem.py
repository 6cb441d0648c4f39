"""`lapmark check-problem`: check that a family of problems keeps the contract."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Annotated

import typer

from . import completion, options
from .base import app, plain_console, user_errors
from .check import show_findings


@app.command(
    "check-problem",
    examples={
        "lapmark check-problem --plugin mine.py steps": "check your own family in a file",
        "lapmark check-problem --plugin mine.py steps:height=2 -k seed": "run only some checks, with these settings",
        "lapmark check-problem uniform --memory 1GiB": "check within another limit",
    },
)
def check_problem(
    problem: Annotated[
        list[str],
        typer.Argument(
            metavar="PROBLEM",
            help="Family of problems, `name` or `name:setting=value,…`.",
            show_default=False,
            autocompletion=completion.problems,
        ),
    ],
    plugin: Annotated[list[Path] | None, options.plugin()] = None,
    part: Annotated[list[str] | None, options.CHECKS] = None,
    timeout: Annotated[float, options.duration("Limit of one check.")] = "60s",  # type: ignore[assignment]
    memory: Annotated[int, options.memory("Limit of memory for building problems.")] = "8GiB",  # type: ignore[assignment]
) -> None:
    """Check that families of problems keep the contract, so that what is measured on them means the same everywhere.

    The same size, seed and settings must give the same bytes in every process, and other seeds other problems; sizes
    and settings must be what they say, and a small instance must have an answer that can be certified. Each failure
    shows its case. The exit status is 1 if a check failed, or if no instance could be built.
    """
    from lapmark.bench import problems
    from lapmark.bench.contract import runner
    from lapmark.bench.system import measuring_support
    from lapmark.bench.util import spec

    with user_errors():
        measuring_support.check()
        options.load_plugins(plugin)
        checks = runner.select_problem_checks(part or ())
        jobs = {}
        for text in problem:
            name, settings = spec.parse(text)
            family = problems.get(name)
            if unsuitable := {"n", "seed"} & settings.keys():
                raise ValueError(f"{text}: leave {' and '.join(sorted(unsuitable))} out: the checks choose them")
            _ = family.kind  # a wrong annotation is an error of usage: no command takes such a family
            spec.check(text, family.build, 2, settings)
            variants = (settings,) if settings else family.variants
            jobs[text] = functools.partial(runner.examine_family, family, variants, checks, timeout, memory)
        counts = {name: show_findings(name, job) for name, job in jobs.items()}
    unbuilt = [name for name, each in counts.items() if each.keys() == {"skipped"} and checks != ["settings"]]
    for name in unbuilt:
        plain_console().print(f"{name}: no instance could be built, so that nothing was checked", markup=False)
    if unbuilt or any(each["fail"] for each in counts.values()):
        raise typer.Exit(1)
