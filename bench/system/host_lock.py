"""Lock of the host: one measurement at a time, since two at once would disturb each other."""

import contextlib
import os
import socket
import tempfile
from pathlib import Path

import platformdirs

from . import file_lock

#: Environment variable with the path of the lock file.
VARIABLE = "LAPMARK_LOCK"


def lock_file() -> Path:
    """Return the lock file, the same for all processes of this user.

    It is $LAPMARK_LOCK, or else in the system's folder for temporary files. Every user can write there, so if another
    user has taken the name, it is in this user's state folder. Raise a LockError where it cannot be used as a lock.
    """
    if named := os.environ.get(VARIABLE):
        return _checked(Path(named))
    # Not the session's runtime folder: cron jobs and ssh shells often have none, and would use another lock.
    usual = Path(tempfile.gettempdir(), f"lapmark-{os.getuid()}.lock")
    try:
        file_lock.check(usual, private=True)
    except file_lock.LockError:
        # Home folders are often shared by several hosts.
        state = platformdirs.user_state_path("lapmark", appauthor=False)
        return _checked(state / f"{socket.gethostname()}.lock")
    return usual


def hold() -> contextlib.AbstractContextManager[None]:
    """Hold the lock of the host during a `with` statement; the system releases it if the process dies."""
    return file_lock.hold(lock_file())


def is_held() -> bool:
    """Return whether a process is measuring now."""
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
