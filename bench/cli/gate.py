"""`lapmark gate`: a check whether a commit is worse than another."""

import contextlib
import functools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from . import completion, options
from .base import INTERRUPTED, RESULTS, app, plain_console, user_errors
from .compare import ALLOWED, AllowCounters, Every, Form, Format, show

#: Headings of the help.
WHAT, LIMITS, VERDICT, WHERE = "What", "Limits", "Verdict", "Where"


@app.command(
    examples={
        "lapmark gate --init": "write a start for this project: settings, and a workflow for CI",
        "lapmark gate origin/main": "check the current commit against the main branch",
        "lapmark gate v1.0 v1.1 --format markdown": "compare two releases, as Markdown",
        "lapmark gate HEAD~1 -s mine -p uniform -n 100 --rounds 20": "check one solver on one problem",
        "lapmark gate HEAD~1 -p data/jobs.npy --total 1m": "check on your own data, in a minute",
    },
    note="The exit status is 1 if HEAD is certainly worse, 2 if nothing of the project could be compared, else 0.",
)
def gate(
    base: Annotated[
        str | None, typer.Argument(metavar="BASE", help="Commit to compare with: any git revision.")
    ] = None,
    head: Annotated[str, typer.Argument(metavar="HEAD", help="Commit to judge.")] = "HEAD",
    init: Annotated[
        bool, typer.Option("--init", help="Write settings and a workflow for this project, and measure nothing.")
    ] = False,
    config: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|NAME",
            help="Settings: a TOML file, or a named configuration. Default: [tool.lapmark.gate] in pyproject.toml.",
            autocompletion=completion.suites,
            rich_help_panel=WHAT,
        ),
    ] = None,
    solver: Annotated[
        list[str] | None,
        options.solver(
            "Solver, `name` or `name:option=value,…`; may be repeated. Default: the project's own, and its commands "
            "and functions.",
            panel=WHAT,
        ),
    ] = None,
    problem: Annotated[
        list[str] | None,
        options.problem(
            "Family of problems, or a file of costs; may be repeated. Default: families that the solvers take.",
            panel=WHAT,
        ),
    ] = None,
    size: Annotated[
        list[int] | None,
        options.size("Size; may be repeated. Default: chosen so that a call takes milliseconds.", panel=WHAT),
    ] = None,
    plugin: Annotated[list[Path] | None, options.plugin("solvers, problems or benchmarks", WHAT)] = None,
    total: Annotated[
        float | None, options.duration("Time of measuring, without the builds; default: 5m.", panel=LIMITS)
    ] = None,
    rounds: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Processes for each cell and commit; default: 10, up to 30 where times are noisy.",
            rich_help_panel=LIMITS,
        ),
    ] = None,
    budget: Annotated[
        float | None, options.duration("Time to sample each cell, in all rounds together; default: 2s.", LIMITS)
    ] = None,
    timeout: Annotated[float | None, options.duration("Limit of one call; default: 30s.", LIMITS)] = None,
    memory: Annotated[
        int | None, options.memory("Limit of one call, on top of the problem; default: 4GiB.", LIMITS)
    ] = None,
    threshold: Annotated[
        float | None,
        options.share("Smallest relative change of time, memory or error that counts; default: 5%.", VERDICT),
    ] = None,
    confidence: Annotated[
        float | None, options.share("Probability that no verdict on a time is wrong; default: 95%.", VERDICT)
    ] = None,
    allow_counters: AllowCounters = False,
    form: Form = Format.text,
    every: Every = False,
    to: Annotated[Path, options.folder("Folder of the results; an interrupted gate is continued.", WHERE)] = RESULTS
    / "gate",
    output: Annotated[
        Path | None,
        options.folder(
            "Also write reports for CI there: gate.json, gate.md, gate.junit.xml and gate.metrics.txt.", WHERE
        ),
    ] = None,
    history: Annotated[
        Path | None,
        options.folder("Also add the results of HEAD to this history of the project (`lapmark history`).", WHERE),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Discard earlier measurements.", rich_help_panel=WHERE)
    ] = False,
) -> None:
    """Build two commits of this repository, measure them alternately, and fail if HEAD is worse than BASE.

    HEAD fails if a work counter rises, an answer breaks, or a time is certainly slower. In any Python project it
    measures the solvers that the project registers, and the commands and functions that its settings name. The code of
    both commits is built and run with your permissions.
    """
    from lapmark.bench.compare.comparison import Comparison, Criteria
    from lapmark.bench.gate import ci_reports, gate_run, github_report, preparation
    from lapmark.bench.gate import settings as gate_settings
    from lapmark.bench.history.project_commit import commit_of
    from lapmark.bench.history.record_snapshots import append_records
    from lapmark.bench.system import measuring_support
    from lapmark.bench.system.git_repository import Repository

    console = plain_console(stderr=True)
    with user_errors():
        if init:
            from lapmark.bench.gate.start import write_start

            for line in write_start(Path.cwd()):
                typer.echo(line)
            return
        measuring_support.check()
        if base is None:
            raise ValueError(
                "name the commit to compare with, such as “lapmark gate origin/main”; “lapmark gate --init” sets one up"
            )
        repository = Repository.here()
        commits = [repository.commit(revision) for revision in (base, head)]
        revisions = list(zip((base, head), commits, strict=True))
        settings = gate_settings.load(config, repository.project_root).with_options(
            {
                "solvers": tuple(solver or ()),
                "problems": gate_settings.resolve_problems(problem or (), Path.cwd()),
                "sizes": tuple(size or ()),
                "plugins": tuple(str(path.resolve()) for path in plugin or ()),
                **{"total": total, "rounds": rounds, "budget": budget, "timeout": timeout, "memory": memory},
                **{"threshold": threshold, "confidence": confidence},
            }
        )
        if head == "HEAD" and repository.is_changed():
            console.print("HEAD is measured without the uncommitted changes.", soft_wrap=True)
        if repository.sources(commits[0]) == repository.sources(commits[1]):
            typer.echo(f"{base} and {head} differ in nothing that affects measurements.")
            return
        reasons = (*(ALLOWED if allow_counters else ()), *repository.reasons(*commits))
    criteria = Criteria(
        threshold=settings.threshold or Criteria.threshold,
        confidence=settings.confidence or Criteria.confidence,
        reasons=reasons,
    )
    with _progress(console) as say, user_errors(), preparation.sides(repository, revisions, settings, say) as sides:
        prepared = preparation.prepare(repository, sides, settings, say)
        for note in dict.fromkeys((*sides[0].build.notes, *sides[1].build.notes, *prepared.notes)):
            console.print(note, markup=False, soft_wrap=True)
        console.print(preparation.announcement(prepared.workload), markup=False, soft_wrap=True)
        folder = gate_run.folder_of(to, sides, prepared.workload)
        if fresh:
            shutil.rmtree(folder, ignore_errors=True)
        elif kept := gate_run.finished_blocks(folder):
            console.print(f"Continuing: {kept} measurements of an earlier gate are kept.", soft_wrap=True)
        comparison: Comparison | None = None
        last = 0
        for event in gate_run.run(sides, (base, head), prepared.workload, criteria, folder):
            if isinstance(event, Comparison):
                comparison = event
            elif console.is_terminal or event.round != last:  # a log has one line for each round
                say(str(event))
                last = event.round
    assert comparison is not None
    show(comparison, form, every)
    with user_errors():
        if output is not None:
            ci_reports.write_reports(comparison, output)
        github_report.report_to_github(comparison, os.environ, functools.partial(typer.echo, err=True))
        if history is not None:
            append_records(history, comparison.new.records, commit_of(commits[1]))
    console.print(f"Results: {folder}", markup=False, soft_wrap=True)
    if comparison.worse:
        raise typer.Exit(1)
    if faults := preparation.faults(comparison):
        console.print("\n".join(faults), markup=False, soft_wrap=True)
        raise typer.Exit(2)


@contextlib.contextmanager
def _progress(console: Any) -> Iterator[Any]:
    """Show what the gate does in a status line, and turn its end by Ctrl-C or a failed command into an exit status."""
    from rich.markup import escape

    from lapmark.bench.system.commit_build import BuildError, CommandError

    with console.status("") as status:

        def say(what: str) -> None:
            status.update(escape(what))
            if not console.is_terminal:  # a log shows no status
                console.print(what, markup=False, soft_wrap=True)

        try:
            yield say
        except KeyboardInterrupt:
            console.print("Stopped. The same command continues.")
            raise typer.Exit(INTERRUPTED) from None
        except (BuildError, CommandError) as error:
            console.print(str(error), markup=False, soft_wrap=True)
            raise typer.Exit(2) from None
