"""Builds of commits: each a folder to put first on PYTHONPATH, with the project at that commit.

pip builds in isolation, in a checkout of the commit. All other packages, such as NumPy, are those installed now, so
that two builds differ only in the project. Builds are kept in the cache folder, and commits that differ only in files
that affect no measurement share one.
"""

import importlib.metadata
import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from lapmark.bench.util import cache

from . import build_tools, file_lock, host_lock
from .build_tools import PIP, BuildTools, BuildToolsError
from .commands import CommandError, error_excerpt, run
from .git_command import REPOSITORY_VARIABLES
from .git_repository import Repository

#: Content of the build's `sitecustomize`, which Python runs at the start of every process: an editable installation
#: may put its own finder before the path, and would be imported in place of the build.
CUSTOMISATION = """\
import sys

sys.meta_path.sort(key=lambda finder: not isinstance(finder, type))  # the interpreter's own finders are classes
"""


class BuildError(RuntimeError):
    """A commit cannot be built. The text has an excerpt of the error, such as a compiler's."""


@dataclass(frozen=True)
class Build:
    """A commit, the folder to import it from, and folders that are hidden from its code (`run`).

    `notes` are sentences about the build that its user should read.
    """

    commit: str
    folder: Path
    hidden: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()

    def python(self, arguments: Sequence[str]) -> None:
        """Run an interpreter that imports from this build; raise a `CommandError` with an excerpt of its output."""
        path = _prepended(self.folder, "PYTHONPATH")
        # It has its own folder for temporary files, but must use the same lock of the host.
        variables = {"PYTHONPATH": path, host_lock.VARIABLE: str(host_lock.lock_file())}
        variables["PATH"] = _prepended(self.folder / "bin", "PATH")  # the project's own commands
        try:
            run([sys.executable, "-P", *arguments], variables, self.hidden)
        except CommandError as error:
            raise CommandError(f"{self.commit[:12]} cannot be measured:\n{error_excerpt(error)}") from None


def _prepended(folder: Path, variable: str) -> str:
    return os.pathsep.join(filter(None, (str(folder), os.environ.get(variable))))


def key(repository: Repository, commit: str, tools: BuildTools) -> str:
    """Return the key of a build: commits with equal keys differ only in files that affect no measurement."""
    packages = (tools.packages, tools.is_isolated, importlib.metadata.version("numpy"))
    return cache.key(repository.sources(commit), sys.version, *packages, build_tools.compilers())


def build(repository: Repository, commit: str) -> Build:
    """Return the build of a commit, made if needed.

    Raise a BuildError, or a ValueError if it is no Python project or cannot be checked out.
    """
    try:
        tools = build_tools.choose(repository.project(commit).get("build-system"))
    except BuildToolsError as error:
        raise BuildError(f"{commit[:12]} cannot be built: {error}") from None
    builds = cache.folder() / "builds"
    folder = builds / key(repository, commit, tools)
    builds.mkdir(parents=True, exist_ok=True)
    with file_lock.hold(builds / "lock"):
        if not folder.exists():
            _install(repository, commit, tools, folder)
    notes = (tools.note, *_check_dependencies(commit, folder))
    return Build(commit, folder, notes=tuple(filter(None, notes)))


def _install(repository: Repository, commit: str, tools: BuildTools, folder: Path) -> None:
    """Build in a new folder, and move the result into place once it is complete."""
    workspace, log = folder.with_suffix(".part"), folder.with_suffix(".log")
    shutil.rmtree(workspace, ignore_errors=True)
    try:
        _build_in(workspace, repository, commit, tools)
        (workspace / "build" / "sitecustomize.py").write_text(CUSTOMISATION)
        os.replace(workspace / "build", folder)
    except CommandError as error:
        log.write_text(str(error), encoding="utf-8")
        reason = f"{error_excerpt(error)}{_hint(repository, tools, str(error))}"
        raise BuildError(f"{commit[:12]} cannot be built; see {log}\n{reason}") from None
    finally:
        shutil.rmtree(workspace, ignore_errors=True)


def _build_in(workspace: Path, repository: Repository, commit: str, tools: BuildTools) -> None:
    """Build a commit in a new folder, and install it to `build` in there; raise a CommandError if pip fails.

    Other builds are hidden from the commit's code, which runs here for the first time.
    """
    source, wheels = workspace / "source", workspace / "wheels"
    hidden = [other for other in workspace.parent.iterdir() if other.is_dir() and other != workspace]
    repository.check_out(commit, source)
    backend = _backend(repository.project(commit).get("build-system"))
    settings = [f"--config-settings=build-dir={workspace / 'objects'}"] if backend == "mesonpy" else []
    settings += [] if tools.is_isolated else ["--no-build-isolation"]
    variables = build_tools.constraints(tools, workspace / "constraints.txt") if tools.is_isolated else {}
    wheel = [*PIP, "wheel", "--no-deps", "--use-pep517", *settings, "--wheel-dir", str(wheels)]
    run([*_without_repository(), *wheel, str(source / repository.project_folder)], variables, hidden)
    install = [*PIP, "install", "--no-deps", "--no-index", "--target", str(workspace / "build")]
    run([*install, *map(str, wheels.iterdir())])


def _backend(system: Any) -> object:
    return system.get("build-backend") if isinstance(system, dict) else None


def _without_repository() -> list[str]:
    """Return the start of a command whose calls of git see the folder's own repository, in a git hook as well."""
    given = [name for name in REPOSITORY_VARIABLES if name in os.environ]
    return ["env", *(f"--unset={name}" for name in given)] if given else []


def _hint(repository: Repository, tools: BuildTools, output: str) -> str:
    """Return a line with the likely cure of a failed build, or nothing."""
    if tools.is_isolated and (found := re.search(r"ModuleNotFoundError: No module named '([\w.]+)'", output)):
        return f"\nIf the build imports {found[1]}, list its package in build-system.requires of pyproject.toml."
    if repository.is_shallow():
        return (
            "\nThe clone is shallow: a version that comes from git needs the history and its tags "
            "(`git fetch --unshallow --tags`, `fetch-depth: 0`)."
        )
    return ""


def _check_dependencies(commit: str, folder: Path) -> Iterator[str]:
    """Yield a note for each package that a build needs in another version than the installed one.

    Raise a BuildError where one is not installed.
    """
    required = list(_dependencies(folder))
    missing = [requirement for requirement in required if _installed_version(requirement.name) is None]
    if missing:
        names = ", ".join(map(str, missing))
        raise BuildError(
            f"{commit[:12]} needs {names}, which must be installed; it is measured with the packages that are here. "
            f"Run `pip install {shlex.join(map(_without_marker, missing))}`."
        )
    for requirement in required:
        version = _installed_version(requirement.name)
        if version and not requirement.specifier.contains(version, prereleases=True):
            yield f"{commit[:12]} asks for {requirement}; {version} is installed and used."


def _dependencies(folder: Path) -> Iterator[Requirement]:
    """Yield what the packages in a folder require here, apart from extras and each other."""
    distributions = list(importlib.metadata.distributions(path=[str(folder)]))
    own = {canonicalize_name(distribution.metadata["Name"]) for distribution in distributions}
    for text in (text for distribution in distributions for text in distribution.requires or ()):
        requirement = Requirement(text)
        applies = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if applies and canonicalize_name(requirement.name) not in own:
            yield requirement


def _installed_version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _without_marker(requirement: Requirement) -> str:
    return str(requirement).partition(";")[0].strip()
