"""Private folders for temporary files, removed with what they are for or, at the latest, at the next start.

Whoever uses a folder holds a lock on it, which ends with the process that holds it, however that dies.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from . import cgroup
from .keeper import remove_folder, remove_group

PREFIX = "lapmark-scratch-"


def make() -> tuple[Path, int]:
    """Make a folder; return it and the descriptor that holds its lock, for others to inherit."""
    _sweep()
    while True:
        folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
        if (lock := _locked(folder)) is not None:
            return folder, lock


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A folder for this process, for as long as the `with` statement lasts."""
    made, lock = make()
    try:
        yield made
    finally:
        remove_folder(str(made))
        os.close(lock)


def _locked(folder: Path) -> int | None:
    """A descriptor that holds the lock of a folder; None where another process has it, or the folder is gone."""
    with contextlib.suppress(OSError):
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if folder.exists() and os.fstat(lock).st_uid == os.geteuid():
                return lock
        except OSError:
            pass
        os.close(lock)
    return None


@functools.cache
def _sweep() -> None:
    """Remove folders and control groups whose users died before they could."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if (lock := _locked(folder)) is not None:
            for above, _ in cgroup.places():
                remove_group(str(above / folder.name))
            remove_folder(str(folder))
            os.close(lock)
