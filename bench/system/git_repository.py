"""The git repository that a command runs in: its commits, what they hold, and a copy of one in a folder of ours.

Nothing of the user's is touched: neither the working tree, nor the index, nor any reference.
"""

from __future__ import annotations

import os
import subprocess
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from lapmark.bench.util.plain_text import plain

from .machine import SOURCES

#: Stands at the end of the message of a commit that changes an algorithm on purpose, with the reason behind it.
TRAILER = "Counters-Changed"


@dataclass(frozen=True)
class Repository:
    """A repository, by the topmost folder of its working tree."""

    root: Path

    @classmethod
    def here(cls) -> Self:
        """The one that the current folder is in; a ValueError where it is in none."""
        try:
            return cls(Path(_git(Path.cwd(), "rev-parse", "--show-toplevel")))
        except ValueError:
            raise ValueError(f"{Path.cwd()} is in no git repository, whose commits could be built") from None

    def commit(self, revision: str) -> str:
        """The full name of a commit; a ValueError where git knows no such revision."""
        try:
            return _git(self.root, "rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}")
        except ValueError:
            hint = ""
            if _git(self.root, "rev-parse", "--is-shallow-repository") == "true":
                hint = "; the clone is shallow: fetch the history (`git fetch --unshallow`, `fetch-depth: 0`)"
            raise ValueError(f"{revision}: no such commit in {self.root}{hint}") from None

    def is_changed(self) -> bool:
        """Whether the working tree holds changes that no commit has."""
        return bool(_git(self.root, "status", "--porcelain", "--untracked-files=no"))

    def project(self, commit: str) -> Mapping[str, object]:
        """What pyproject.toml says in a commit; a ValueError where it has none, or none that can be read."""
        try:
            return tomllib.loads(_git(self.root, "show", f"{commit}:pyproject.toml"))
        except ValueError as error:
            raise ValueError(f"{commit[:12]} is no Python project that could be built: {error}") from None

    def sources(self, commit: str) -> str:
        """The objects in a commit that decide a measurement: those of Lapmark itself, or else everything."""
        table = self.project(commit).get("project")
        is_ours = isinstance(table, Mapping) and table.get("name") == "lapmark"
        return _git(self.root, "ls-tree", commit, *(SOURCES if is_ours else ()))

    def check_out(self, commit: str, folder: Path) -> None:
        """Write the files of a commit to a new folder, by way of an index beside it."""
        folder.mkdir(parents=True)
        places = {"GIT_WORK_TREE": str(folder), "GIT_INDEX_FILE": f"{folder}.index"}
        places["GIT_DIR"] = _git(self.root, "rev-parse", "--absolute-git-dir")
        _git(folder, "read-tree", "--reset", "-u", commit, **places)

    def reasons(self, base: str, head: str) -> list[str]:
        """Why the counters have changed between two commits, as their messages say (`TRAILER`): commit and reason."""
        form = f"--format=%h %(trailers:key={TRAILER},valueonly,unfold,separator=; )"
        told = [line.partition(" ") for line in _git(self.root, "log", form, f"{base}..{head}").splitlines()]
        return [f"{commit} says “{plain(reason.strip())}”" for commit, _, reason in told if reason.strip()]


def _git(folder: Path, *arguments: str, **environment: str) -> str:
    """What git prints; a ValueError with what it says instead."""
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, env={**os.environ, **environment})
    except OSError as error:
        raise ValueError(f"git cannot be run: {error}") from None
    # Paths must lead to the same files, and messages of commits be text, in a locale that cannot encode them, too.
    if done.returncode:
        raise ValueError(os.fsdecode(done.stderr).strip() or f"git {arguments[0]} failed")
    return os.fsdecode(done.stdout).strip()
