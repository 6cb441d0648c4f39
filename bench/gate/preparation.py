"""Preparation of a gate: the builds of both commits, their files, and the workload."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from lapmark.bench.compare.comparison import Comparison, current
from lapmark.bench.problems.case import NO_PROBLEM
from lapmark.bench.results.record import Record
from lapmark.bench.system import scratch_folders
from lapmark.bench.system.commit_build import build
from lapmark.bench.system.git_repository import Repository
from lapmark.bench.util.units import show_count_of, show_duration

from . import workload as workloads
from .choose_workload import Chosen, choose
from .commit_side import Side
from .settings import Settings
from .workload import Workload

Say = Callable[[str], None]


@contextlib.contextmanager
def sides(
    repository: Repository, revisions: Sequence[tuple[str, str]], settings: Settings, say: Say
) -> Iterator[tuple[Side, Side]]:
    """Build two commits; yield both, the old one first, with their files in a scratch folder.

    `revisions` are the names of both, with their full hashes.
    A plugin file of the project is that of the commit, or of the new one where the old one does not have it yet.
    Raise a BuildError, or a ValueError for a commit that is no Python project.
    """
    builds = []
    for revision, commit in revisions:
        say(f"building {revision} ({commit[:10]})")
        builds.append(build(repository, commit))
    with scratch_folders.folder() as scratch:
        folders = [scratch / name / repository.project_folder for name in ("old", "new")]
        if settings.plugins or settings.commands:
            for name, (_, commit) in zip(("old", "new"), revisions, strict=True):
                repository.check_out(commit, scratch / name)
        root = repository.project_root
        plugins = [tuple(_place(file, root, [folder, folders[1]]) for file in settings.plugins) for folder in folders]
        old, new = (
            Side(build, folder, its_plugins, settings.commands)
            for build, folder, its_plugins in zip(builds, folders, plugins, strict=True)
        )
        yield old, new


def _place(file: str, root: Path, folders: list[Path]) -> str:
    """Return the path of a plugin file in the first folder of a commit that has it, or else where it is."""
    path = (root / file).resolve()
    if path.is_relative_to(root.resolve()):
        for folder in folders:
            if (found := folder / path.relative_to(root.resolve())).exists():
                return str(found)
    return str(path)


def prepare(repository: Repository, sides: tuple[Side, Side], settings: Settings, say: Say) -> Chosen:
    """Return the workload of two commits."""
    if repository.is_lapmark(sides[1].build.commit):
        return Chosen(workloads.of_lapmark(settings), ())
    return choose(sides, settings, say)


def announcement(workload: Workload) -> str:
    """Return a sentence on how much is measured, and how long that takes at most."""
    cells = show_count_of(workload.cells, "cell")
    if workload.total == float("inf"):
        return f"Measuring {cells} of each commit in {show_count_of(workload.rounds, 'round')}."
    return f"Measuring {cells} of each commit for up to {show_duration(workload.total)} (--total)."


def faults(comparison: Comparison) -> list[str]:
    """Return why a comparison says nothing, or not all that the project asked for; empty if it does.

    No cell has an answer of both commits, or a command or function fails in both: a misspelt one would guard nothing.
    """
    new = current(comparison.new.records)
    unanswered = [new[cell.key] for cell in comparison.cells if not cell.changes]
    if not comparison.has_answers:
        return [_failure(record) for record in unanswered[:1]]
    return [_failure(record) for record in unanswered if record.problem == NO_PROBLEM]


def _failure(record: Record) -> str:
    name = record.solver if record.problem == NO_PROBLEM else f"{record.solver} on {record.case}"
    return f"{name} has no answer of either commit: {record.status}, {record.message}"
