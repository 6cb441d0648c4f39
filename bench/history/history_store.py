"""Store of a history: a folder with a small file for each commit, machine and tool.

Files of different commits never touch each other, so that the folder may be kept on a branch and merged, or as an
artifact. Each is written whole or not at all, and checked when it is read: a damaged file is named, and the others
still count.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from lapmark.bench.util.atomic_write import write_atomically
from lapmark.bench.util.descriptor_lock import lock

from .measurement import SOURCES, Snapshot
from .snapshot_file import SnapshotError, from_json, to_json

#: Names of files: the commit, the machine and the tool. Other files in the folder, such as a page, are left alone.
_NAME = re.compile(f"[0-9a-f]{{12}}-[0-9a-f]{{6}}-({'|'.join(SOURCES)})\\.json")


@dataclass(frozen=True)
class History:
    """The snapshots of a folder, the oldest commit first, and a sentence about each damaged file."""

    snapshots: tuple[Snapshot, ...]
    faults: tuple[str, ...] = ()


def read(folder: Path) -> History:
    """Read a history; raise a ValueError where there is no folder, or it has no file of a history."""
    if not folder.is_dir():
        raise ValueError(
            f"{folder} is not a folder; `lapmark run --history {folder}` makes it, with the current commit"
        )
    names = sorted(name for name in os.listdir(folder) if _NAME.fullmatch(name))
    snapshots, faults = [], []
    for name in names:
        try:
            snapshots.append(_read_file(folder / name))
        except (SnapshotError, OSError) as error:
            faults.append(str(error))
    if not names:
        raise ValueError(
            f"{folder} has no history yet: `lapmark run --history {folder}` adds this commit, "
            f"and `lapmark history {folder} --import FILE` what another tool measured"
        )
    snapshots.sort(key=lambda each: (_moment(each), each.commit.hash))
    return History(tuple(snapshots), tuple(faults))


def append(folder: Path, snapshot: Snapshot) -> Path:
    """Add a snapshot to a history, and return its file.

    The folder is made if needed. A cell that the file of the same commit, machine and tool already has is replaced.
    Raise a SnapshotError, and change nothing, where that file is damaged or the snapshot has a value out of range.
    """
    path = folder / f"{snapshot.commit.hash[:12]}-{snapshot.machine_key}-{snapshot.source}.json"
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder):
        if path.exists():
            earlier = _read_file(path)
            known = {each.name: each for each in (*earlier.measurements, *snapshot.measurements)}
            versions = {**earlier.versions, **snapshot.versions}
            snapshot = dataclasses.replace(snapshot, measurements=tuple(known.values()), versions=versions)
        content = to_json(snapshot)
        from_json(content)  # what could not be read again is an error now
        return write_atomically(path, content.encode())


def _read_file(path: Path) -> Snapshot:
    try:
        return from_json(path.read_bytes())
    except SnapshotError as error:
        raise SnapshotError(f"{path} is damaged: {error}; restore or delete it") from None


def _moment(snapshot: Snapshot) -> float:
    return datetime.fromisoformat(snapshot.commit.time).timestamp()


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep other processes from adding to a folder; the folder itself is locked, so that no extra file stays in it."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # Windows opens no folders, and some file systems have no locks
            handle = os.open(folder, os.O_RDONLY)
            stack.callback(os.close, handle)
            lock(handle)
        yield
