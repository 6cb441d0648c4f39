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

from . import control_group
from .supervisor import remove_folder, remove_group

PREFIX = "lapmark-scratch-"


def make() -> tuple[Path, int]:
    """Make a folder; return it and the descriptor that holds its lock, for others to inherit.

    Where the file system has no locks, the folder is not locked, and no other process finds it unlocked either.
    """
    _sweep()
    while True:
        made = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
        try:
            lock = _open(made)
            with contextlib.suppress(OSError):
                _lock(lock)
            if made.exists():
                return made, lock
        except FileNotFoundError:  # another process took it for one that is left
            continue
        os.close(lock)


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A folder for this process, for as long as the `with` statement lasts."""
    made, lock = make()
    try:
        yield made
    finally:
        remove_folder(str(made))
        os.close(lock)


@functools.cache
def _sweep() -> None:
    """Remove folders and control groups whose users died before they could."""
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            if left.lstat().st_uid == os.geteuid():
                _remove_unused(left)


def _remove_unused(left: Path) -> None:
    """Remove a folder that nobody holds the lock of, and the control group of the same name."""
    with contextlib.suppress(OSError):
        left.chmod(0o700, follow_symlinks=False)
    lock = _open(left)
    try:
        _lock(lock)
        for group in control_group.named(left.name):
            remove_group(str(group))
        remove_folder(str(left))
    finally:
        os.close(lock)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)


def _lock(descriptor: int) -> None:
    """Raise an OSError where another process holds the lock, or there can be none."""
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
