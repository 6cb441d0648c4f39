"""`lapmark history`: results over commits, as a summary, a page and a badge."""

from __future__ import annotations

import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import options
from .base import app, plain_console, user_errors

if TYPE_CHECKING:
    from lapmark.bench.history.history_store import History
    from lapmark.bench.history.measurement import Commit
    from lapmark.bench.history.standing import Standing


@app.command(
    examples={
        "lapmark run --history history -s mine": "measure the commit that is checked out, and add it to a history",
        "lapmark history history": "list what changed, the worst first",
        "lapmark history history -o index.html --badge badge.svg": "write a page and a badge",
        "lapmark history history --import bench.json": "add what another tool measured",
        "lapmark history history --since v1.0": "compare the latest commit with a release",
    },
    note="A badge whose name ends in .json is an endpoint for shields.io.",
)
def history(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the history.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write a page that needs no network.")
    ] = None,
    badge: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Write a badge, an .svg or a .json; may be repeated."),
    ] = None,
    imported: Annotated[
        list[Path] | None,
        typer.Option(
            "--import",
            metavar="FILE",
            help="First add a file of pytest-benchmark, asv, Google Benchmark or hyperfine, or a folder of such files; "
            "may be repeated.",
        ),
    ] = None,
    commit: Annotated[
        str | None,
        typer.Option(metavar="COMMIT", help="Commit of imported files that name none; default: HEAD."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="COMMIT", help="Commit to compare the latest one with; default: the first in the history."
        ),
    ] = None,
    branch: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only commits of this branch; default: of all branches.")
    ] = None,
    show: Annotated[bool, options.OPEN] = False,
) -> None:
    """Show how a project's results changed over commits: a summary, a page, a badge.

    Counters change where their value does. A time changes where its level does, by more than 5 % and more than its
    noise, over at least three commits. Each kind of machine has a series of its own.
    """
    from lapmark.bench.history import project_commit, rendering
    from lapmark.bench.history.series import timeline
    from lapmark.bench.history.standing import place_of, standing
    from lapmark.bench.util.status_line import doing

    console = plain_console()
    with user_errors():
        _check_outputs(output, badge or (), show)
        if imported:
            _import(imported, directory, commit)
        elif commit:
            raise ValueError("--commit names the commit of imported files: use it with --import")
        found = read_history(directory, branch)
        with doing("finding changes"):
            whole = timeline(found.snapshots)
            start = place_of(whole.commits, project_commit.commit_of(since)) if since else 0
            state = standing(whole, start)
    for part in rendering.text(state, found.faults):
        console.print(part)
    with user_errors():
        _write_badges(state, badge or (), since or "")
        if output:
            _write_page(state, found, output)
    if output and show:
        webbrowser.open(output.resolve().as_uri())


def _check_outputs(output: Path | None, badges: Sequence[Path], show: bool) -> None:
    """Raise a ValueError for names of files that cannot be written."""
    if show and not output:
        raise ValueError("--open opens the page: name its file with -o page.html")
    if output and output.is_dir():
        raise ValueError(f"-o {output}: it is a folder; name a file, such as {output / 'index.html'}")
    for badge in badges:
        if badge.suffix.lower() not in (".svg", ".json"):
            raise ValueError(f"--badge {badge}: its name must end in .svg or .json")


def _import(paths: Sequence[Path], directory: Path, revision: str | None) -> None:
    """Add files of other tools to a history; all are read before the first is added."""
    from lapmark.bench.history.history_store import append
    from lapmark.bench.history.importers.import_file import files_of, snapshots
    from lapmark.bench.history.importers.origin import Origin
    from lapmark.bench.history.project_commit import commit_of, head_commit
    from lapmark.bench.util.status_line import doing

    def current() -> Commit:
        if revision:
            return commit_of(revision)
        try:
            return head_commit(directory)
        except ValueError as error:
            raise ValueError(f"{error}; or name the commit with --commit") from None

    origin = Origin(current, is_given=bool(revision))
    with doing("importing"):
        files = [file for path in paths for file in files_of(path)]
        read = list(snapshots(files, origin))
        for path, snapshot in read:
            append(directory, snapshot)
            cells = len(snapshot.measurements)
            typer.echo(f"{path}: {cells} cells of {snapshot.source}, commit {snapshot.commit.hash[:10]}")
    if not read:
        raise ValueError("no file to import holds results")


def read_history(directory: Path, branch: str | None = None) -> History:
    """Return a history, of one branch if that is named; raise a ValueError where it has no readable commit."""
    from lapmark.bench.history.history_store import History, read

    found = read(directory)
    kept = tuple(each for each in found.snapshots if branch in (None, each.commit.branch))
    if found.snapshots and not kept:
        names = ", ".join(sorted({each.commit.branch for each in found.snapshots if each.commit.branch})) or "none"
        raise ValueError(f"{directory} has no commit of the branch {branch}; it has {names}")
    if not kept:
        raise ValueError("; ".join(found.faults))
    return History(kept, found.faults)


def _write_badges(state: Standing, paths: Sequence[Path], since: str) -> None:
    from lapmark.bench.history.badge import badge
    from lapmark.bench.util.atomic_write import write_atomically

    made = badge(state, since)
    for path in paths:
        write_atomically(path, (made.svg() if path.suffix.lower() == ".svg" else made.json()).encode())
        typer.echo(path)


def _write_page(state: Standing, found: History, output: Path) -> None:
    from lapmark.bench.history.project_commit import commit_url
    from lapmark.bench.util.atomic_write import write_atomically
    from lapmark.bench.util.status_line import doing
    from lapmark.reports.history.history_page import render

    with doing("writing the page"):
        write_atomically(output, render(state, found, commit_url()).encode())
    typer.echo(output)
