"""What a comparison is between, as a command names it: a folder of results, or what a commit measured in one.

results          every cell of a folder, the last record of each
results@v1.2     those that a commit measured: any revision that git knows, or the start of a commit's name
HEAD~1           the same in the folder that the command was given
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from lapmark.bench.results.record import Record
from lapmark.bench.results.store import NAME, Store
from lapmark.bench.system.git_repository import Repository

from .comparison import Side


def read(text: str, folder: Path) -> Side:
    """The side that a text names.

    Parameters
    ----------
    text : str
    folder : path
        Where the records of a bare revision are.

    Raises
    ------
    ValueError
        Where there is no such folder, or it holds nothing of that commit; says what it does hold.
    OSError
    """
    if is_folder(text):
        return Side(text, _records(Path(text)))
    at, sign, revision = text.rpartition("@")
    if sign and is_folder(at):
        return _of_commit(text, Path(at), revision)
    if not is_folder(folder):
        raise ValueError(
            f"{text} is no folder of results, and there is none at {folder} in which to look for a commit of that name "
            "(--in); make some with `lapmark run --to FOLDER`"
        )
    return _of_commit(text, folder, text)


def is_folder(path: Path | str) -> bool:
    return (Path(path) / NAME).exists()


def commit_of(revision: str) -> str | None:
    """The commit that git knows by that name in the current folder, or None."""
    try:
        return Repository.here().commit(revision)
    except ValueError:
        return None


def _of_commit(name: str, folder: Path, revision: str) -> Side:
    records = _records(folder)
    commits = Counter(record.commit for record in records if record.commit)
    resolved = commit_of(revision)
    # A commit is meant as it is: what was measured with changes on top of it bears its name and a + behind.
    chosen = {commit for commit in commits if commit in (resolved, revision)}
    chosen = chosen or {commit for commit in commits if len(revision) > 3 and commit.startswith(revision)}
    if len(chosen) > 1:
        raise ValueError(f"{revision} is the start of {len(chosen)} commits in {folder}: {', '.join(sorted(chosen))}")
    if not chosen:
        held = ", ".join(f"{commit[:12]}{commit[40:]} ({count} cells)" for commit, count in commits.items())
        meant = f"{revision} is {resolved[:12]}, of which" if resolved else f"of {revision}, which git does not know,"
        raise ValueError(f"{meant} {folder} holds nothing; it holds {held or 'no record with a commit'}")
    return Side(name, tuple(record for record in records if record.commit in chosen))


def _records(folder: Path) -> tuple[Record, ...]:
    with Store.open(folder, create=False) as store:
        return tuple(store.records())
