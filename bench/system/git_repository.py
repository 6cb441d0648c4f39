"""Git repository of the current folder: its commits, the project in it, and what of a commit affects measurements.

The user's working tree, index and references are not changed.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from lapmark.bench.util.plain_text import plain

from . import commit_checkout, parent_references
from .git_command import git, git_lines
from .machine import SOURCES

#: Trailer in the message of a commit that changes an algorithm on purpose; its value is the reason.
TRAILER = "Counters-Changed"

#: Files that make a folder a Python project.
PROJECT_FILES = ("pyproject.toml", "setup.py")

#: Tables of a pyproject.toml that has a project; without any of them it only configures tools.
PROJECT_TABLES = (("project",), ("build-system",), ("tool", "poetry"))


@dataclass(frozen=True)
class Repository:
    """A repository, given by the top folder of its working tree, and the folder of the project within it."""

    root: Path
    project_folder: Path = Path()

    @classmethod
    def here(cls) -> Self:
        """Return the repository of the current folder; raise a ValueError outside of one.

        The project is in the nearest folder upwards that has one, within the repository; else in its top folder.
        """
        folder = Path.cwd()
        try:
            root, prefix = git(folder, "rev-parse", "--show-toplevel", "--show-prefix").partition("\n")[::2]
        except ValueError as error:
            if "safe.directory" in str(error) or "cannot be run" in str(error):
                raise
            raise ValueError(
                f"{folder} is not in a git repository's working tree: run this in the one whose commits to build"
            ) from None
        return cls(Path(root), _nearest_project(Path(root), Path(prefix)))

    def commit(self, revision: str) -> str:
        """Return the full hash of a commit; raise a ValueError where git knows no such revision."""
        try:
            return git(self.root, "rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}")
        except ValueError:
            raise ValueError(f"{revision}: no such commit in {self.root}{self._remedy(revision)}") from None

    def _remedy(self, revision: str) -> str:
        """Return how to get a revision that git does not know, or nothing."""
        if self.is_shallow():
            return "; the clone is shallow: fetch the history (`git fetch --unshallow`, `fetch-depth: 0`)"
        if revision.startswith(("HEAD~", "HEAD^")):
            return "; the history has no commit so far back"
        remotes = git(self.root, "remote").splitlines()
        if not remotes:
            return ""
        named = next((name for name in remotes if revision.startswith(f"{name}/")), "")
        return f"; `git fetch --tags{named and f' {named}'}` gets new branches and tags"

    def is_shallow(self) -> bool:
        """Return whether the clone has only the newest part of the history."""
        return git(self.root, "rev-parse", "--is-shallow-repository") == "true"

    def is_changed(self) -> bool:
        """Return whether the working tree has uncommitted changes."""
        return bool(git(self.root, "status", "--porcelain", "--untracked-files=no"))

    def project(self, commit: str) -> Mapping[str, object]:
        """Return the content of a commit's pyproject.toml, empty for a project that has only a setup.py.

        Raise a ValueError where there is neither, or it is unreadable.
        """
        files = {name: (self.project_folder / name).as_posix() for name in PROJECT_FILES}
        found = git_lines(self.root, "ls-tree", "-z", "--full-tree", "--name-only", commit, "--", *files.values())
        if files["pyproject.toml"] in found:
            try:
                return tomllib.loads(git(self.root, "show", f"{commit}:{files['pyproject.toml']}"))
            except ValueError as error:
                raise ValueError(f"{files['pyproject.toml']} at {commit[:12]} cannot be read: {error}") from None
        if not found:
            raise ValueError(f"{commit[:12]} cannot be built as a Python project: {self._missing_project(commit)}")
        return {}

    def _missing_project(self, commit: str) -> str:
        """Return what to do about a commit without a project."""
        place = "" if self.project_folder == Path() else f" in {self.project_folder}"
        missing = f"it has no pyproject.toml or setup.py{place}"
        files = [(self.project_folder / name).as_posix() for name in PROJECT_FILES]
        added = git(self.root, "log", "--diff-filter=A", "--format=%h", "HEAD", "--", *files).splitlines()
        if added:
            return f"{missing}; {added[-1]} added it: compare with that commit or a later one"
        others = git_lines(self.root, "ls-tree", "-rz", "--full-tree", "--name-only", commit)
        folders = sorted({str(Path(name).parent) for name in others if Path(name).name in PROJECT_FILES})
        if folders:
            return f"{missing}; run this in the project's folder ({', '.join(folders[:3])}{', …' * (len(folders) > 3)})"
        return f"{missing}; “lapmark gate --init” writes one, which is enough for plugin files"

    @property
    def project_root(self) -> Path:
        """The folder of the project in the working tree."""
        return self.root / self.project_folder

    def is_lapmark(self, commit: str) -> bool:
        """Return whether the project is Lapmark itself."""
        table = self.project(commit).get("project")
        return isinstance(table, Mapping) and table.get("name") == "lapmark"

    def sources(self, commit: str) -> str:
        """Return the objects of a commit that affect measurements.

        For Lapmark itself these are `SOURCES`, for another project all of its folder and all submodules. A project
        that may read files from a parent folder needs the whole repository.
        """
        if self.is_lapmark(commit):
            return self._tree(commit, *((self.project_folder / name).as_posix() for name in SOURCES))
        if self.project_folder == Path():
            return self._tree(commit)
        folder = self.project_folder.as_posix()
        if parent_references.has_any(self.root, commit, self.project_folder):
            return f"{folder}\n{self._tree(commit)}"
        files = self._tree(commit, "-r").splitlines()
        return "\n".join([self._tree(commit, "-d", folder), *(line for line in files if line.startswith("160000"))])

    def _tree(self, commit: str, *arguments: str) -> str:
        return git(self.root, "ls-tree", "--full-tree", commit, *arguments)

    def check_out(self, commit: str, folder: Path) -> None:
        """Write the files of a commit to a new folder, as a repository with the commit as its HEAD."""
        commit_checkout.check_out(self.root, commit, folder, self.project_folder)

    def reasons(self, base: str, head: str) -> list[str]:
        """Return the reasons for changed counters in the messages between two commits (`TRAILER`)."""
        form = f"--format=%h %(trailers:key={TRAILER},valueonly,unfold,separator=; )"
        lines = [line.partition(" ") for line in git(self.root, "log", form, f"{base}..{head}").splitlines()]
        return [f"{commit} says “{plain(reason.strip())}”" for commit, _, reason in lines if reason.strip()]


def _nearest_project(root: Path, folder: Path) -> Path:
    """Return the nearest folder with a project, of one within the repository and its parents; else the top folder."""
    return next((place for place in (folder, *folder.parents) if _has_project(root / place)), Path())


def _has_project(folder: Path) -> bool:
    """Return whether a folder has a setup.py, or a pyproject.toml that does more than to configure tools."""
    if (folder / "setup.py").is_file():
        return True
    try:
        content = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    except OSError:
        return False
    except ValueError:  # an error that a build reports
        return True
    return any(_has_table(content, names) for names in PROJECT_TABLES)


def _has_table(content: Mapping[str, object], names: tuple[str, ...]) -> bool:
    table: object = content
    for name in names:
        table = table.get(name) if isinstance(table, Mapping) else None
    return table is not None
