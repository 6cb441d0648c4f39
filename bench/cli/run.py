"""`lapmark run`: measure solvers on problems."""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import completion, options
from .base import INTERRUPTED, RESULTS, app, plain_console, typed_command, user_errors

if TYPE_CHECKING:
    from rich.console import Console

    from lapmark.bench.history.measurement import Commit
    from lapmark.bench.run.schedule import Finished

#: Defaults: seconds and bytes of a call, and seconds of calls per cell.
TIMEOUT, MEMORY, BUDGET = 60.0, 8 << 30, 0.25

#: The option that raises each limit.
_LIMIT_OPTIONS = {"time": "timeout", "memory": "memory"}

#: Headings of the help.
WHAT, LIMITS, WHERE = "What", "Limits", "Where"


@app.command(
    examples={
        "lapmark run": "run the demo: digits laid on a grid, with every solver",
        "lapmark run -s jv-avx2 -s lapjv -p uniform -n 1000 -n 4000": "compare two solvers at two sizes",
        "lapmark run -s sinkhorn:blur=0.02 -p tsne-grid:rows=points": "set options after a colon",
        "lapmark run costs.npy data/ -s cascade -s jv": "measure on your own files: each is a problem",
        "lapmark run --plugin mine.py -s mine -s jv": "compare your own solver with jv",
        "lapmark run --config families -n 500": "run a named configuration at one size only",
    },
)
def run(
    context: typer.Context,
    data_files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILE",
            help="Cost file or folder of them, as for -p: .npy, .npz, .csv, .parquet, .mat and others.",
            show_default=False,
            autocompletion=completion.problems,
        ),
    ] = None,
    config: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="Source of all options that are not given: a TOML file, or a named configuration (`lapmark suites`); "
            "default, if no problem is given: demo.",
            autocompletion=completion.suites,
            rich_help_panel=WHAT,
        ),
    ] = None,
    solver: Annotated[
        list[str] | None,
        options.solver("Solver, `name` or `name:option=value,…`; may be repeated. Default: all.", WHAT),
    ] = None,
    problem: Annotated[
        list[str] | None,
        options.problem(
            "Problem, `name` or `name:setting=value,…`, or a file; may be repeated. Default: the configuration's.",
            WHAT,
        ),
    ] = None,
    size: Annotated[
        list[int] | None, options.size("Size; may be repeated. Default: the sizes of each problem.", WHAT)
    ] = None,
    plugin: Annotated[list[Path] | None, options.plugin(panel=WHAT)] = None,
    timeout: Annotated[
        float | None, options.duration(f"Limit of one call, such as 500ms or 10m; default: {TIMEOUT:g}s.", LIMITS)
    ] = None,
    memory: Annotated[
        int | None, options.memory(f"Limit of one call, on top of the problem; default: {MEMORY >> 30}GiB.", LIMITS)
    ] = None,
    budget: Annotated[
        float | None, options.duration("Time in which the calls of a cell are repeated; default: 250ms.", LIMITS)
    ] = None,
    rounds: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Processes over which the calls of a cell are spread, alternating with other solvers; default: 1.",
            rich_help_panel=LIMITS,
        ),
    ] = None,
    threads: Annotated[
        list[int] | None,
        options.threads("Threads and cores of a solver, -1 for all cores; may be repeated. Default: 1.", LIMITS),
    ] = None,
    instructions: Annotated[
        str | None,
        typer.Option(
            metavar="HOW",
            help="Also count the instructions of a call: hardware, callgrind (slow), or auto for what is available.",
            rich_help_panel=LIMITS,
        ),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Measure on the machines of this Dask cluster, such as tls://10.0.0.2:8786.",
            rich_help_panel=WHERE,
        ),
    ] = None,
    to: Annotated[Path, options.folder("Folder of the results; an earlier run in it is continued.", WHERE)] = RESULTS,
    retry: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STATUS",
            help="Run cells again: those with a status such as timeout, all that failed, or all measured while loaded.",
            autocompletion=completion.statuses,
            rich_help_panel=WHERE,
        ),
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Run every cell again.", rich_help_panel=WHERE)] = False,
    history: Annotated[
        Path | None,
        options.folder(
            "Also add the results to this history of the project, as those of the commit that is checked out.", WHERE
        ),
    ] = None,
    data: Annotated[Path | None, options.data(WHERE)] = None,
) -> None:
    """Run solvers on problems, and certify every answer.

    Each solver runs on each problem in its own process, which is ended at the limits. Every finished cell is stored
    at once: after Ctrl-C or a crash, the same command continues.
    """
    from rich.markup import escape

    from lapmark.bench.history.project_commit import head_commit
    from lapmark.bench.problems import file_problems
    from lapmark.bench.results.statuses import STATUSES
    from lapmark.bench.results.store import Store, StoreError
    from lapmark.bench.run import configuration as configs
    from lapmark.bench.run import run_summary
    from lapmark.bench.run.cells import plan
    from lapmark.bench.run.cluster.cluster_run import ClusterError, ClusterRun
    from lapmark.bench.run.local_run import LocalRun
    from lapmark.bench.run.measure import RunSettings
    from lapmark.bench.run.progress import Board
    from lapmark.bench.run.schedule import Finished, Schedule
    from lapmark.bench.system import conditions, measuring_support
    from lapmark.bench.system import instruction_counts as counters
    from lapmark.bench.system.file_lock import LockError
    from lapmark.bench.util.plain_text import plain
    from lapmark.bench.util.units import show_count_of
    from lapmark.bench.worker.resource_limits import Limits
    from lapmark.solvers import plugins

    console = plain_console()
    files = tuple(str(path.resolve()) for path in plugin or ())
    problems = [*(data_files or ()), *(problem or ())]
    with user_errors():
        measuring_support.check()
        commit = head_commit(history) if history else None
        if os.path.lexists(to) and not to.is_dir():
            raise ValueError(f"--to {to} is no folder; name another place")
        counting = counters.choose_method(instructions) if instructions else ""
        again = STATUSES if fresh else _statuses(retry or ())
        for file in files:
            plugins.load(file)
        given = configs.Config() if problems and not config else configs.load(config or "demo")
        if folder := data or given.data:
            os.environ["LAPMARK_DATA"] = str(folder.resolve())
        cases = given.sized(problems or given.problems)
        reading = console.status("reading files") if any(map(file_problems.find, cases)) else contextlib.nullcontext()
        with reading:
            cells = plan(solver or given.solvers, cases, size or (), threads or given.threads or (1,))
        for note in file_problems.notes(cases):
            console.print(escape(plain(note)))
        store = Store.open(to)
    settings = RunSettings(
        limits=Limits(timeout=timeout or given.timeout or TIMEOUT, memory=memory or given.memory or MEMORY),
        budget=budget or given.budget or BUDGET,
        rounds=rounds or given.rounds or 1,
        plugins=(*given.plugins, *files),
        counting=counting,
    )
    schedule = Schedule(store=store, settings=settings, retry=again)

    def warn(text: str) -> None:
        console.print(f"[yellow]cluster[/] {escape(text)}")

    with user_errors():
        measuring = ClusterRun(schedule, scheduler, warn) if scheduler else LocalRun(schedule)
    if not scheduler:
        for warning in conditions.warnings():
            console.print(f"[yellow]noise[/] {escape(warning)}")
    done = []
    with store, Board(console, len(cells)) as board:
        try:
            with contextlib.closing(measuring.run(cells)) as events:
                for event in events:
                    board.show(event)
                    if isinstance(event, Finished):
                        done.append(event)
        except (KeyboardInterrupt, ClusterError, LockError, StoreError) as end:
            kept = f"Stopped after {len(done):,} of {show_count_of(len(cells), 'cell')}, which are kept in {to}."
            console.print(*end.args, kept, "The same command continues.", markup=False, soft_wrap=True)
            raise typer.Exit(1 if end.args else INTERRUPTED) from None
    _show_end(context, console, done, store.path, to)
    if history and commit:
        _add_to_history(console, done, history, commit)
    raise typer.Exit(run_summary.exit_status(event.record for event in done))


def _show_end(context: typer.Context, console: Console, done: Sequence[Finished], store: Path, to: Path) -> None:
    """Show the table, the failures and what to run next."""
    from lapmark.bench.run import run_summary
    from lapmark.bench.system import conditions
    from lapmark.bench.util.units import show_count_of

    records = [event.record for event in done]
    resumed = sum(event.resumed for event in done)
    console.print(run_summary.table(records), *[""] * console.is_terminal, sep="\n")
    earlier = f", {resumed:,} from an earlier run" if resumed else ""
    console.print(f"{show_count_of(len(done), 'cell')} in {store}{earlier}", markup=False, soft_wrap=True)
    if noisy := sum(conditions.is_loaded(record.conditions) for record in records):
        share = f"other processes took more than {conditions.LOADED:.0%} of their cores' time"
        were = "was measured" if noisy == 1 else "were measured"
        console.print(f"[yellow]{show_count_of(noisy, 'cell')} {were} under load[/]: {share}. To run them again:")
        console.print(_retry(context, "loaded"), markup=False, soft_wrap=True)
    for line in run_summary.reasons(records):
        console.print(line)
    if statuses := run_summary.failures(records):
        options = [f"--{_LIMIT_OPTIONS[limit]}" for limit in run_summary.limits_reached(records)]
        higher = f" (a higher {' or '.join(options)} may help)" if options else ""
        console.print(f"To run the failed cells again{higher}:")
        status = statuses[0] if len(statuses) == 1 else "failed"
        console.print(_retry(context, status), markup=False, soft_wrap=True)
    console.print(f"Figures and tables: lapmark report {shlex.quote(str(to))}", markup=False, soft_wrap=True)


def _add_to_history(console: Console, done: Sequence[Finished], history: Path, commit: Commit) -> None:
    """Add what this run measured of a commit to a history, without cells from an earlier run, perhaps of another."""
    from lapmark.bench.history.record_snapshots import append_records
    from lapmark.bench.util.units import show_count_of

    records = [event.record for event in done if not event.resumed or event.record.commit == commit.hash]
    with user_errors():
        if left := len(done) - len(records):
            cells = show_count_of(left, "cell")
            console.print(f"{cells} from an earlier run may be of another commit: not added. --fresh measures again.")
        for path in append_records(history, records, commit):
            console.print(f"Commit {commit.hash[:10]} is in {path}", markup=False, soft_wrap=True)


def _retry(context: typer.Context, status: str) -> str:
    """Return the command that runs the cells of a status again."""
    return "  " + typed_command(context, "--retry", status, without=("--fresh", "--retry="))


def _statuses(names: Sequence[str]) -> set[str]:
    """Return the statuses that --retry names.

    `failed` stands for every failure, and `loaded` for cells that were measured while others used their cores.
    """
    from lapmark.bench.results.statuses import FAILURES, STATUSES
    from lapmark.solvers import registry

    groups = {**{status: {status} for status in STATUSES}, "failed": set(FAILURES), "loaded": {"loaded"}}
    for name in names:
        if name not in groups:
            raise registry.unknown("status", name, groups)
    return set().union(*(groups[name] for name in names))
