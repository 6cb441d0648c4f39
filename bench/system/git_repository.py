"""Git repository of the current folder: its commits, their contents, and a checkout of one in another folder.

The user's working tree, index and references are not changed.
"""

import os
import subprocess
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from lapmark.bench.util.plain_text import plain

from .machine import SOURCES

#: Trailer in the message of a commit that changes an algorithm on purpose; its value is the reason.
TRAILER = "Counters-Changed"


@dataclass(frozen=True)
class Repository:
    """A repository, given by the top folder of its working tree."""

    root: Path

    @classmethod
    def here(cls) -> Self:
        """Return the repository of the current folder; raise a ValueError outside of one."""
        try:
            return cls(Path(_git(Path.cwd(), "rev-parse", "--show-toplevel")))
        except ValueError:
            raise ValueError(
                f"{Path.cwd()} is not in a git repository: run this in the one whose commits to build"
            ) from None

    def commit(self, revision: str) -> str:
        """Return the full hash of a commit; raise a ValueError where git knows no such revision."""
        try:
            return _git(self.root, "rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}")
        except ValueError:
            hint = ""
            if _git(self.root, "rev-parse", "--is-shallow-repository") == "true":
                hint = "; the clone is shallow: fetch the history (`git fetch --unshallow`, `fetch-depth: 0`)"
            raise ValueError(f"{revision}: no such commit in {self.root}{hint}") from None

    def is_changed(self) -> bool:
        """Return whether the working tree has uncommitted changes."""
        return bool(_git(self.root, "status", "--porcelain", "--untracked-files=no"))

    def project(self, commit: str) -> Mapping[str, object]:
        """Return the content of a commit's pyproject.toml; raise a ValueError where it is missing or unreadable."""
        try:
            return tomllib.loads(_git(self.root, "show", f"{commit}:pyproject.toml"))
        except ValueError as error:
            raise ValueError(f"{commit[:12]} cannot be built as a Python project: {error}") from None

    def sources(self, commit: str) -> str:
        """Return the objects of a commit that affect measurements: for Lapmark itself `SOURCES`, else everything."""
        table = self.project(commit).get("project")
        is_ours = isinstance(table, Mapping) and table.get("name") == "lapmark"
        return _git(self.root, "ls-tree", commit, *(SOURCES if is_ours else ()))

    def check_out(self, commit: str, folder: Path) -> None:
        """Write the files of a commit to a new folder, using an index beside it."""
        folder.mkdir(parents=True)
        places = {"GIT_WORK_TREE": str(folder), "GIT_INDEX_FILE": f"{folder}.index"}
        places["GIT_DIR"] = _git(self.root, "rev-parse", "--absolute-git-dir")
        _git(folder, "read-tree", "--reset", "-u", commit, **places)

    def reasons(self, base: str, head: str) -> list[str]:
        """Return the reasons for changed counters in the messages between two commits (`TRAILER`)."""
        form = f"--format=%h %(trailers:key={TRAILER},valueonly,unfold,separator=; )"
        lines = [line.partition(" ") for line in _git(self.root, "log", form, f"{base}..{head}").splitlines()]
        return [f"{commit} says “{plain(reason.strip())}”" for commit, _, reason in lines if reason.strip()]


def _git(folder: Path, *arguments: str, **environment: str) -> str:
    """Run git and return its output; raise a ValueError with its error message."""
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, env={**os.environ, **environment})
    except OSError as error:
        raise ValueError(f"git cannot be run: {error}") from None
    # Decoded like paths, so that they work even in a locale that cannot encode them.
    if done.returncode:
        raise ValueError(os.fsdecode(done.stderr).strip() or f"git {arguments[0]} failed")
    return os.fsdecode(done.stdout).strip()
