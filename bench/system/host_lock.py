"""One measurement at a time on a host: two at once would measure each other."""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
from pathlib import Path

import platformdirs

from . import file_lock

#: Names the lock's file.
VARIABLE = "LAPMARK_LOCK"


def lock_file() -> Path:
    """Return the file that whoever measures holds the lock of, the same for all processes of this user.

    It is $LAPMARK_LOCK, or else one in the system's folder for temporary files. Every user can write to that, so where
    another has taken the name, the file is in this user's folder for state.

    Raises
    ------
    lapmark.bench.system.file_lock.LockError
        Where there can be no lock. It names the file and the cure.
    """
    if named := os.environ.get(VARIABLE):
        return _checked(Path(named))
    # Not the session's runtime folder: a job of cron, or a shell by ssh, often has none, and would use another lock.
    usual = Path(tempfile.gettempdir(), f"lapmark-{os.getuid()}.lock")
    try:
        file_lock.check(usual, private=True)
    except file_lock.LockError:
        # Home folders are often shared by several hosts.
        state = platformdirs.user_state_path("lapmark", appauthor=False)
        return _checked(state / f"{socket.gethostname()}.lock")
    return usual


def alone() -> contextlib.AbstractContextManager[None]:
    """Hold the host's lock; use it in a `with` statement. It is free again when its holder dies, however that dies."""
    return file_lock.hold(lock_file())


def busy() -> bool:
    """Whether somebody measures at this moment."""
    try:
        with file_lock.hold(lock_file(), wait=False):
            return False
    except file_lock.Busy:
        return True


def _checked(path: Path) -> Path:
    try:
        file_lock.check(path)
    except file_lock.LockError as error:
        raise file_lock.LockError(f"{error}, or name another file with {VARIABLE}") from None
    return path
