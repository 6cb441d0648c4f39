"""`lapmark gate`: a check whether a commit is worse than another."""

from pathlib import Path
from typing import Annotated

import typer

from . import completion, options
from .base import INTERRUPTED, RESULTS, app, plain_console, user_errors
from .compare import ALLOWED, AllowCounters, Confidence, Every, Form, Format, Threshold, show


@app.command(
    examples={
        "lapmark gate origin/main": "check the current commit against the main branch",
        "lapmark gate v1.0 v1.1 --format markdown": "compare two releases, as Markdown",
        "lapmark gate HEAD~1 -s jv-avx2 -p uniform -n 1000 --rounds 20": "check one solver on one problem",
        "lapmark gate HEAD~1 --config mine.toml": "measure your own configuration",
    },
    note="The exit status is 1 if HEAD is certainly worse, else 0.",
)
def gate(
    base: Annotated[str, typer.Argument(metavar="BASE", help="Commit to compare with: any git revision.")],
    head: Annotated[str, typer.Argument(metavar="HEAD", help="Commit to judge.")] = "HEAD",
    config: Annotated[
        str,
        typer.Option(
            metavar="NAME|FILE",
            help="What to measure: a TOML file or a named configuration.",
            autocompletion=completion.suites,
        ),
    ] = "gate",
    solver: Annotated[
        list[str] | None,
        options.solver("Solver, `name` or `name:option=value,…`; may be repeated. Default: the configuration's."),
    ] = None,
    problem: Annotated[
        list[str] | None,
        options.problem("Problem, `name` or `name:setting=value,…`; may be repeated. Default: the configuration's."),
    ] = None,
    size: Annotated[list[int] | None, options.size("Size; may be repeated. Default: the configuration's.")] = None,
    rounds: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Processes for each cell and commit; default: 10.")
    ] = None,
    budget: Annotated[
        float | None, options.duration("Time to sample each cell, in all rounds together; default: 500ms.")
    ] = None,
    timeout: Annotated[float | None, options.duration("Limit of one call; default: 30s.")] = None,
    memory: Annotated[int | None, options.memory("Limit of one call, on top of the problem; default: 4GiB.")] = None,
    threshold: Threshold = "5%",  # type: ignore[assignment]
    confidence: Confidence = "95%",  # type: ignore[assignment]
    allow_counters: AllowCounters = False,
    form: Form = Format.text,
    every: Every = False,
    to: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder of the results; an interrupted gate is continued.")
    ] = RESULTS / "gate",
    fresh: Annotated[bool, typer.Option("--fresh", help="Discard earlier measurements.")] = False,
) -> None:
    """Build two commits of this repository, measure them alternately, and fail if HEAD is worse than BASE.

    HEAD fails if a work counter rises, an answer breaks, or a time is certainly slower. It works on Lapmark itself and
    on any Python project with its own solvers. The code of both commits is built and run with your permissions.
    """
    import shutil

    from rich.markup import escape

    from lapmark.bench.compare.comparison import Criteria
    from lapmark.bench.gate import gate_run as gates
    from lapmark.bench.system.commit_build import BuildError, CommandError, build
    from lapmark.bench.system.git_repository import Repository

    console = plain_console(stderr=True)
    with user_errors():
        repository = Repository.here()
        commits = [repository.commit(revision) for revision in (base, head)]
        limits = {"rounds": rounds, "budget": budget, "timeout": timeout, "memory": memory}
        workload = gates.workload(config, solver or (), problem or (), size or (), limits)
        if repository.sources(commits[0]) == repository.sources(commits[1]):
            typer.echo(f"{base} and {head} differ in nothing that affects measurements.")
            return
        reasons = (*(ALLOWED if allow_counters else ()), *repository.reasons(*commits))
    if head == "HEAD" and repository.is_changed():
        console.print("HEAD is measured without the uncommitted changes.", soft_wrap=True)
    criteria = Criteria(threshold=threshold, confidence=confidence, reasons=reasons)
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
            folder = gates.folder_of(to, old, new, workload)
            if fresh:
                shutil.rmtree(folder, ignore_errors=True)
            for event in gates.run((old, new), (base, head), workload, criteria, folder):
                if isinstance(event, str):
                    say(event)
                else:
                    comparison = event
        except KeyboardInterrupt:
            console.print("Stopped. The same command continues.")
            raise typer.Exit(INTERRUPTED) from None
        except (BuildError, CommandError) as error:
            console.print(str(error), markup=False, soft_wrap=True)
            raise typer.Exit(2) from None
    assert comparison is not None
    show(comparison, form, every)
    console.print(f"Results: {folder}", markup=False, soft_wrap=True)
    raise typer.Exit(comparison.worse)
