"""The commit that measurements belong to: the one that is checked out, or one that is named."""

from __future__ import annotations

import os
import re
from pathlib import Path

from lapmark.bench.system.git_command import git
from lapmark.bench.util.plain_text import plain

from .measurement import Commit
from .snapshot_file import HASH

#: Variables in which CI names the branch, whose checkout has none.
_BRANCH_VARIABLES = ("GITHUB_HEAD_REF", "GITHUB_REF_NAME", "CI_COMMIT_REF_NAME")

#: The address of a repository on GitHub or GitLab, by https or ssh; a password in it is left out.
_REMOTE = re.compile(
    r"(?:https?://(?:[^/@]*@)?|ssh://(?:[^/@]*@)?|[\w.-]+@)(?P<host>github\.com|gitlab\.[\w.-]+)(?::\d+)?[/:]"
    r"(?P<path>[\w./-]+?)(?:\.git)?/?"
)

#: Most changed files that a message lists.
MOST_LISTED = 3


def head_commit(history: Path, folder: Path | None = None) -> Commit:
    """Return the commit that is checked out in a folder, by default the current one.

    Raise a ValueError outside of a git repository, and where files have changed since the commit: what is measured
    then is not the commit. New files, and those of the `history` itself, may be there.
    """
    folder = folder or Path.cwd()
    commit = commit_of("HEAD", folder)
    if changed := _changed_files(folder, besides=history):
        listed = ", ".join(changed[:MOST_LISTED]) + (" and more" if len(changed) > MOST_LISTED else "")
        raise ValueError(
            f"the working tree differs from commit {commit.hash[:10]} ({listed}), so that its measurements are not "
            "those of the commit: commit or undo the changes to record them in a history"
        )
    return commit


def commit_of(revision: str, folder: Path | None = None) -> Commit:
    """Return the commit of a revision in the repository of a folder; raise a ValueError where git does not know it."""
    folder = folder or Path.cwd()
    try:
        git(folder, "rev-parse", "--git-dir")
    except ValueError as error:
        raise ValueError(f"a history belongs to a git repository, and {folder} is in none ({error})") from None
    try:
        found = git(folder, "rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}")
    except ValueError:
        raise ValueError(f"{revision}: no such commit in the repository of {folder}") from None
    is_head = found == git(folder, "rev-parse", "HEAD")
    return Commit(**_time_and_subject(found, folder), hash=found, branch=_branch(folder) if is_head else "")


def known_commit(hash: str, time: str, branch: str = "") -> Commit:
    """Return a commit that a file names, with its subject where the repository of the current folder knows it."""
    if HASH.fullmatch(hash) is None:
        raise ValueError(f"{plain(hash)!r} is not the full hash of a commit")
    try:
        return Commit(**_time_and_subject(hash, Path.cwd()), hash=hash, branch=branch)
    except ValueError:
        return Commit(hash=hash, time=time, branch=branch)


def commit_url(folder: Path | None = None) -> str:
    """Return the address of a commit without its hash, if the remote `origin` is on GitHub or GitLab, else ""."""
    try:
        remote = git(folder or Path.cwd(), "remote", "get-url", "origin")
    except ValueError:
        return ""
    found = _REMOTE.fullmatch(remote)
    if not found:
        return ""
    return f"https://{found['host']}/{found['path']}{'/-' * ('gitlab' in found['host'])}/commit/"


def _time_and_subject(commit: str, folder: Path) -> dict[str, str]:
    shown = git(folder, "log", "-1", "--no-show-signature", "--format=%cI%n%s", "--end-of-options", commit, "--")
    time, _, subject = shown.partition("\n")
    return {"time": time, "subject": plain(subject)}


def _branch(folder: Path) -> str:
    """Return the branch that is checked out, or that CI names; "" for another detached HEAD."""
    name = git(folder, "rev-parse", "--abbrev-ref", "HEAD")
    in_ci = next(filter(None, map(os.environ.get, _BRANCH_VARIABLES)), "")
    return plain(in_ci if name == "HEAD" else name)


def _changed_files(folder: Path, besides: Path) -> list[str]:
    """Return the files with uncommitted changes, besides those in a folder; new files are none."""
    root = Path(git(folder, "rev-parse", "--show-toplevel")).resolve()
    history = besides.resolve()
    exclude = [f":(exclude,top,literal){history.relative_to(root)}"] if root in history.parents else []
    changed = git(folder, "diff", "--name-only", "-z", "HEAD", "--", ":(top)", *exclude)
    return [plain(name) for name in changed.split("\0") if name]
