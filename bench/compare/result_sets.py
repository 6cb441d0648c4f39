"""Sets of results by name: the records of a folder, or of one commit in it.

results          every cell of a folder, the last record of each
results@v1.2     the cells that a commit measured: any revision that git knows, or the start of a commit's hash
HEAD~1           the same in a default folder
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from lapmark.bench.results.record import Record
from lapmark.bench.results.store import NAME, Store
from lapmark.bench.system.git_repository import Repository
from lapmark.bench.util.units import show_count_of


@dataclass(frozen=True)
class ResultSet:
    """Records with a name for them."""

    name: str
    records: tuple[Record, ...]


def read(text: str, folder: Path) -> ResultSet:
    """Read the set that a text names; a revision without a folder is looked up in `folder`.

    Raise a ValueError where there is no such folder, or it has no record of that commit; the text lists its commits.
    """
    if is_folder(text):
        return ResultSet(text, _records(Path(text)))
    at, sign, revision = text.rpartition("@")
    if sign and is_folder(at):
        return _of_commit(text, Path(at), revision)
    if not is_folder(folder):
        raise ValueError(
            f"{text} is not a folder of results, and there is none at {folder} to find a commit of that name in "
            "(--in); make one with `lapmark run --to FOLDER`"
        )
    return _of_commit(text, folder, text)


def is_folder(path: Path | str) -> bool:
    return (Path(path) / NAME).exists()


def commit_of(revision: str) -> str | None:
    """Return the commit that git knows by this name in the current folder, or None."""
    try:
        return Repository.here().commit(revision)
    except ValueError:
        return None


def _of_commit(name: str, folder: Path, revision: str) -> ResultSet:
    records = _records(folder)
    commits = Counter(record.commit for record in records if record.commit)
    resolved = commit_of(revision)
    # Only the commit itself: records made with uncommitted changes have a + after the hash, and are not part of it.
    chosen = {commit for commit in commits if commit in (resolved, revision)}
    chosen = chosen or {commit for commit in commits if len(revision) > 3 and commit.startswith(revision)}
    if len(chosen) > 1:
        raise ValueError(f"{revision} is the start of {len(chosen)} commits in {folder}: {', '.join(sorted(chosen))}")
    if not chosen:
        known = ", ".join(
            f"{commit[:12]}{commit[40:]} ({show_count_of(count, 'cell')})" for commit, count in commits.items()
        )
        meaning = f"which is {resolved[:12]}" if resolved else "which git does not know"
        raise ValueError(f"{folder} has no record of {revision}, {meaning}; it has {known or 'none with a commit'}")
    return ResultSet(name, tuple(record for record in records if record.commit in chosen))


def _records(folder: Path) -> tuple[Record, ...]:
    with Store.open(folder, create=False) as store:
        return tuple(store.records())
