"""Builds of commits: each a folder to put first on PYTHONPATH, with the project at that commit.

All other packages, such as NumPy, are those installed now, so that two builds differ only in the project. Builds are
kept in the cache folder, and commits that differ only in files that affect no measurement share one.
"""

import contextlib
import importlib.metadata
import os
import shutil
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement

from lapmark.bench.util import cache
from lapmark.bench.util.plain_text import plain

from . import file_lock, host_lock
from .git_repository import Repository
from .process_tree import ProcessTree

#: Content of the build's `sitecustomize`, which Python runs at the start of every process: an editable installation
#: may put its own finder before the path, and would be imported in place of the build.
CUSTOMISATION = """\
import sys

sys.meta_path.sort(key=lambda finder: not isinstance(finder, type))  # the interpreter's own finders are classes
"""

#: Lines to show of a failed build; its log has all of them.
EXCERPT_LINES = 20


class BuildError(RuntimeError):
    """A commit cannot be built. The text has an excerpt of the error, such as a compiler's."""


class CommandError(RuntimeError):
    """A command ended with another status than 0; the text is its output."""


@dataclass(frozen=True)
class Build:
    """A commit, the folder to import it from, and folders that are hidden from its code (`run`)."""

    commit: str
    folder: Path
    hidden: tuple[Path, ...] = ()

    def python(self, arguments: Sequence[str]) -> None:
        """Run an interpreter that imports from this build; raise a `CommandError` with an excerpt of its output."""
        path = os.pathsep.join(filter(None, (str(self.folder), os.environ.get("PYTHONPATH"))))
        # It has its own folder for temporary files, but must use the same lock of the host.
        variables = {"PYTHONPATH": path, host_lock.VARIABLE: str(host_lock.lock_file())}
        try:
            run([sys.executable, "-P", *arguments], variables, self.hidden)
        except CommandError as error:
            raise CommandError(f"{self.commit[:12]} cannot be measured:\n{error_excerpt(error)}") from None


def key(repository: Repository, commit: str) -> str:
    """Return the key of a build: commits with equal keys differ only in files that affect no measurement."""
    return cache.key(repository.sources(commit), sys.version, importlib.metadata.version("numpy"))


def build(repository: Repository, commit: str) -> Build:
    """Return the build of a commit, made if needed; raise a BuildError, or a ValueError if it is no Python project."""
    builds = cache.folder() / "builds"
    folder = builds / key(repository, commit)
    builds.mkdir(parents=True, exist_ok=True)
    with file_lock.hold(builds / "lock"):
        if not folder.exists():
            _install(repository, commit, folder)
    return Build(commit, folder)


def _install(repository: Repository, commit: str, folder: Path) -> None:
    """Build in a new folder, and move the result into place once it is complete.

    Other builds are hidden from the commit's code, which runs here for the first time.
    """
    workspace, log = folder.with_suffix(".part"), folder.with_suffix(".log")
    source, wheels, part = workspace / "source", workspace / "wheels", workspace / "build"
    hidden = [other for other in folder.parent.iterdir() if other.is_dir() and other != workspace]
    shutil.rmtree(workspace, ignore_errors=True)
    repository.check_out(commit, source)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    try:
        settings = _settings(repository.project(commit).get("build-system"), workspace / "objects")
        run([*pip, "wheel", "--no-deps", *settings, "--wheel-dir", str(wheels), str(source)], hidden=hidden)
        run([*pip, "install", "--no-deps", "--no-index", "--target", str(part), *map(str, wheels.iterdir())])
    except CommandError as error:
        log.write_text(str(error), encoding="utf-8")
        raise BuildError(f"{commit[:12]} cannot be built; see {log}\n{error_excerpt(error)}") from None
    (part / "sitecustomize.py").write_text(CUSTOMISATION)
    os.replace(part, folder)
    shutil.rmtree(workspace, ignore_errors=True)


def _settings(system: Any, folder: Path) -> list[str]:
    """Return options of pip: build with the installed packages if they suffice, and with Meson in a given folder."""
    required = system.get("requires", ()) if isinstance(system, Mapping) else ()
    settings = ["--no-build-isolation"] if required and all(map(_is_met, required)) else []
    if settings and system.get("build-backend") == "mesonpy":
        settings.append(f"--config-settings=build-dir={folder}")
    return settings


def _is_met(requirement: str) -> bool:
    try:
        wanted = Requirement(requirement)
        return wanted.specifier.contains(importlib.metadata.version(wanted.name), prereleases=True)
    except (InvalidRequirement, importlib.metadata.PackageNotFoundError):
        return False


def error_excerpt(error: CommandError) -> str:
    """Return the part of a build's output with the error: from the failed step or compiler error, else the end."""
    lines = str(error).rstrip().splitlines()
    starts = (k for mark in ("FAILED:", ": error:") for k, line in enumerate(lines) if mark in line)
    start = next(starts, len(lines) - EXCERPT_LINES)
    return "\n".join(lines[max(start, 0) :][:EXCERPT_LINES])


def run(command: Sequence[str], variables: Mapping[str, str] | None = None, hidden: Collection[Path] = ()) -> None:
    """Run a command and wait for it; raise a `CommandError` if it fails. None of its processes stays behind.

    Folders in `hidden` look empty to it, where the system supports that. A change in them is an error everywhere.
    """
    with (
        _check_unchanged(hidden),
        ThreadPoolExecutor(1) as pool,
        ProcessTree(command, variables or {}, hidden=hidden) as tree,
    ):
        output = pool.submit(tree.output.read)
        status = tree.wait()
        tree.end()  # otherwise a process left behind could keep the output open forever
        text = plain(output.result().decode(errors="replace")).strip()
    if status:
        raise CommandError(text or f"{command[0]} ended with exit status {status}")


@contextlib.contextmanager
def _check_unchanged(folders: Collection[Path]) -> Iterator[None]:
    """Raise a `CommandError` if a file below these folders has changed at the end of the `with` statement."""
    before = {folder: _listed(folder) for folder in folders}
    yield
    for folder, known in before.items():
        if changed := known ^ _listed(folder):
            raise CommandError(f"it has changed a file of another build: {folder / min(changed)[0]}")


def _listed(folder: Path) -> set[tuple[str, int, int, int]]:
    """Return every file below a folder with its size and the times of the last change of content and status."""
    found = set()
    for path in folder.rglob("*"):
        status = path.lstat()
        found.add((str(path.relative_to(folder)), status.st_size, status.st_mtime_ns, status.st_ctime_ns))
    return found
