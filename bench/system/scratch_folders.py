"""Private folders for temporary files, removed after use or, if that fails, at the next start.

The process that uses a folder holds a lock on it, which the system releases however the process ends.
"""

import contextlib
import functools
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lapmark.bench.util import descriptor_lock

from . import control_group
from .supervisor import remove_folder, remove_group

PREFIX = "lapmark-scratch-"


def make() -> tuple[Path, int]:
    """Make a folder; return it and the descriptor that holds its lock, which children may inherit.

    On a file system without locks the folder is not locked, and no other process can find it unlocked either.
    """
    _sweep()
    while True:
        made = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
        try:
            lock = _open(made)
            with contextlib.suppress(OSError):
                descriptor_lock.lock(lock, wait=False)
            if made.exists():
                return made, lock
        except FileNotFoundError:  # another process took it for an unused one
            continue
        os.close(lock)


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """Yield a folder that exists until the `with` statement ends."""
    made, lock = make()
    try:
        yield made
    finally:
        remove_folder(str(made))
        os.close(lock)


@functools.cache
def _sweep() -> None:
    """Remove folders and control groups of processes that died without removing them."""
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            if left.lstat().st_uid == os.geteuid():
                _remove_unused(left)


def _remove_unused(left: Path) -> None:
    """Remove a folder that is not locked, and the control groups of the same name."""
    with contextlib.suppress(OSError):
        left.chmod(0o700, follow_symlinks=False)
    lock = _open(left)
    try:
        descriptor_lock.lock(lock, wait=False)
        for group in control_group.groups_named(left.name):
            remove_group(str(group))
        remove_folder(str(left))
    finally:
        os.close(lock)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
