"""A commit of a project as a folder to put first on PYTHONPATH: the project as it was then, all else as it is now.

Whatever else is installed, numpy above all, is the same for every commit that is built so: two of them differ in the
project alone. Builds are kept in the cache folder, and nothing that decides a measurement is built twice.
"""

from __future__ import annotations

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
from .process_tree import Tree

#: An editable installation may put a finder of its own before the path, and would be imported in place of the build.
#: Python runs a module of this name in every process, before any other import.
CUSTOMISATION = """\
import sys

sys.meta_path.sort(key=lambda finder: not isinstance(finder, type))  # the interpreter's own finders are classes
"""

#: Lines shown of a build that failed; all of them are in its log.
LAST_WORDS = 20


class BuildError(RuntimeError):
    """A commit cannot be built. The text has the last words of whatever failed, a compiler's for one."""


class Failed(RuntimeError):
    """A command ended with another status than 0; the text is what it had said."""


@dataclass(frozen=True)
class Build:
    """A commit, the folder where it is importable from, and folders that are hidden from its code (`run`)."""

    commit: str
    folder: Path
    hidden: tuple[Path, ...] = ()

    def python(self, arguments: Sequence[str]) -> None:
        """Run an interpreter that imports from this build; a `Failed` with the end of its output where it fails."""
        path = os.pathsep.join(filter(None, (str(self.folder), os.environ.get("PYTHONPATH"))))
        # Its folder for temporary files is its own, but there is one lock for the host.
        variables = {"PYTHONPATH": path, host_lock.VARIABLE: str(host_lock.lock_file())}
        try:
            run([sys.executable, "-P", *arguments], variables, self.hidden)
        except Failed as error:
            raise Failed(f"{self.commit[:12]} cannot be measured:\n{last_words(error)}") from None


def key(repository: Repository, commit: str) -> str:
    """What identifies a build: commits of equal keys are the same but for what decides no measurement."""
    return cache.key(repository.sources(commit), sys.version, importlib.metadata.version("numpy"))


def build(repository: Repository, commit: str) -> Build:
    """Build a commit, or find it built.

    Raises
    ------
    BuildError
    ValueError
        Where the commit is no Python project.
    """
    builds = cache.folder() / "builds"
    folder = builds / key(repository, commit)
    builds.mkdir(parents=True, exist_ok=True)
    with file_lock.hold(builds / "lock"):
        if not folder.exists():
            _install(repository, commit, folder)
    return Build(commit, folder)


def _install(repository: Repository, commit: str, folder: Path) -> None:
    """Build in a workshop that no other commit has touched, and put the result in place once it is whole.

    Other builds are hidden from the commit's code, which runs here for the first time.
    """
    workshop, log = folder.with_suffix(".part"), folder.with_suffix(".log")
    source, wheels, part = workshop / "source", workshop / "wheels", workshop / "build"
    hidden = [other for other in folder.parent.iterdir() if other.is_dir() and other != workshop]
    shutil.rmtree(workshop, ignore_errors=True)
    repository.check_out(commit, source)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    try:
        settings = _settings(repository.project(commit).get("build-system"), workshop / "objects")
        run([*pip, "wheel", "--no-deps", *settings, "--wheel-dir", str(wheels), str(source)], hidden=hidden)
        run([*pip, "install", "--no-deps", "--no-index", "--target", str(part), *map(str, wheels.iterdir())])
    except Failed as error:
        log.write_text(str(error), encoding="utf-8")
        raise BuildError(f"{commit[:12]} cannot be built; all of the output is in {log}\n{last_words(error)}") from None
    (part / "sitecustomize.py").write_text(CUSTOMISATION)
    os.replace(part, folder)
    shutil.rmtree(workshop, ignore_errors=True)


def _settings(system: Any, folder: Path) -> list[str]:
    """Build with what is installed, where that is all that is asked for, and in one folder, where the tool has one."""
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


def last_words(error: Failed) -> str:
    """Of what a build has said, where it failed: from the step that a build tool or a compiler names, or the end."""
    lines = str(error).rstrip().splitlines()
    starts = (k for mark in ("FAILED:", ": error:") for k, line in enumerate(lines) if mark in line)
    start = next(starts, len(lines) - LAST_WORDS)
    return "\n".join(lines[max(start, 0) :][:LAST_WORDS])


def run(command: Sequence[str], variables: Mapping[str, str] | None = None, hidden: Collection[Path] = ()) -> None:
    """Run a command to its end. When this is left, however it is, no process of the command is left behind.

    Folders in `hidden` look empty to it, where the system can do that. A change to them is an error everywhere.

    Raises
    ------
    Failed
    """
    with _untouched(hidden), ThreadPoolExecutor(1) as pool, Tree(command, variables or {}, hidden=hidden) as tree:
        output = pool.submit(tree.output.read)
        status = tree.wait()
        tree.end()  # or what it leaves behind could keep the output open for ever
        words = plain(output.result().decode(errors="replace")).strip()
    if status:
        raise Failed(words or f"{command[0]} left with exit status {status}")


@contextlib.contextmanager
def _untouched(folders: Collection[Path]) -> Iterator[None]:
    """Raise a `Failed` that names a file below these folders that has changed by the end of the `with` statement."""
    before = {folder: _listed(folder) for folder in folders}
    yield
    for folder, known in before.items():
        if changed := known ^ _listed(folder):
            raise Failed(f"it has changed what is not its own: {folder / min(changed)[0]}")


def _listed(folder: Path) -> set[tuple[str, int, int, int]]:
    """Every file below a folder, its size, and when it was last changed: its content, or anything about it."""
    found = set()
    for path in folder.rglob("*"):
        status = path.lstat()
        found.add((str(path.relative_to(folder)), status.st_size, status.st_mtime_ns, status.st_ctime_ns))
    return found
