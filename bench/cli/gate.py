"""`lapmark gate`: whether a commit is worse than another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import completion
from .base import INTERRUPTED, RESULTS, app, examples, memory_option, time_option, user_errors
from .compare import ALLOWED, AllowCounters, Confidence, Every, Form, Format, Threshold, tell


@app.command(
    epilog=examples(
        {
            "lapmark gate origin/main": "what is committed here against where it started from",
            "lapmark gate v1.0 v1.1 --format markdown": "two releases, for people to read",
            "lapmark gate HEAD~1 -s jv-avx2 -p uniform -n 1000 --rounds 20": "one solver on one problem, at length",
            "lapmark gate HEAD~1 --config mine.toml": "a suite of your own",
        }
    )
    + "\n\nThe exit status is 1 where the second commit is certain to be worse, and 0 where it is not."
)
def gate(
    base: Annotated[str, typer.Argument(metavar="BASE", help="Commit to compare with, as git names it.")],
    head: Annotated[str, typer.Argument(metavar="HEAD", help="Commit to judge.")] = "HEAD",
    config: Annotated[
        str,
        typer.Option(
            metavar="NAME|FILE",
            help="TOML file with what is measured, or one of `lapmark run`'s.",
            autocompletion=completion.suites,
        ),
    ] = "gate",
    solver: Annotated[
        list[str] | None,
        typer.Option(
            "--solver",
            "-s",
            metavar="SOLVER",
            autocompletion=completion.solvers,
            help="Solver, `name` or `name:option=value,…`.",
        ),
    ] = None,
    problem: Annotated[
        list[str] | None,
        typer.Option(
            "--problem",
            "-p",
            metavar="PROBLEM",
            autocompletion=completion.problems,
            help="Problem, `name` or `name:setting=value,…`.",
        ),
    ] = None,
    size: Annotated[list[int] | None, typer.Option("-n", metavar="N", min=1, help="Size; may be repeated.")] = None,
    rounds: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Processes of each cell and side; more see more.")
    ] = None,
    budget: Annotated[float | None, time_option("Sample each cell for so long, in all its rounds together.")] = None,
    timeout: Annotated[float | None, time_option("Limit of one call.")] = None,
    memory: Annotated[int | None, memory_option("Limit of one call, on top of the problem.")] = None,
    threshold: Threshold = "5%",  # type: ignore[assignment]
    confidence: Confidence = "95%",  # type: ignore[assignment]
    allow_counters: AllowCounters = False,
    form: Form = Format.text,
    every: Every = False,
    to: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder of the results; continues an earlier gate stored there.")
    ] = RESULTS / "gate",
    fresh: Annotated[bool, typer.Option("--fresh", help="Measure every turn again.")] = False,
) -> None:
    """Build two commits of this repository, measure them in turns, and say whether the second is worse.

    More work by the counters fails, and so does a broken answer. A time fails only where it is certain to be slower.
    Works on Lapmark itself, and on any Python project that brings solvers of its own. The code of both commits is built
    and run with your rights.
    """
    import shutil

    from rich.console import Console
    from rich.markup import escape

    from lapmark.bench.compare import gate as gates
    from lapmark.bench.compare.comparison import Terms
    from lapmark.bench.system.commit_build import BuildError, Failed, build
    from lapmark.bench.system.git_repository import Repository

    console = Console(highlight=False, stderr=True)
    with user_errors():
        repository = Repository.here()
        commits = [repository.commit(revision) for revision in (base, head)]
        limits = {"rounds": rounds, "budget": budget, "timeout": timeout, "memory": memory}
        suite = gates.suite(config, solver or (), problem or (), size or (), limits)
        if repository.sources(commits[0]) == repository.sources(commits[1]):
            typer.echo(f"{base} and {head} are the same but for what decides no measurement.")
            return
        reasons = (*(ALLOWED if allow_counters else ()), *repository.reasons(*commits))
    if head == "HEAD" and repository.is_changed():
        console.print("HEAD is measured as it is committed, without the changes since.", soft_wrap=True)
    terms = Terms(threshold=threshold, confidence=confidence, reasons=reasons)
    comparison = None
    with console.status("") as status, user_errors():

        def say(what: str) -> None:
            status.update(escape(what))
            if not console.is_terminal:  # a log shows no status
                console.print(what, markup=False, soft_wrap=True)

        try:
            builds = []
            for revision, commit in zip((base, head), commits, strict=True):
                say(f"building {revision} ({commit[:10]})")
                builds.append(build(repository, commit))
            old, new = builds
            folder = gates.folder_of(to, old, new, suite)
            if fresh:
                shutil.rmtree(folder, ignore_errors=True)
            for event in gates.run((old, new), (base, head), suite, terms, folder):
                if isinstance(event, str):
                    say(event)
                else:
                    comparison = event
        except KeyboardInterrupt:
            console.print("Stopped. The same command goes on from there.")
            raise typer.Exit(INTERRUPTED) from None
        except (BuildError, Failed) as error:
            console.print(str(error), markup=False, soft_wrap=True)
            raise typer.Exit(2) from None
    assert comparison is not None
    tell(comparison, form, every)
    console.print(f"Results: {folder}", markup=False, soft_wrap=True)
    raise typer.Exit(comparison.worse)
