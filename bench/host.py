"""One measurement at a time on a host: two at once would measure each other."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from filelock import FileLock, Timeout


def alone() -> FileLock:
    """The lock that whoever measures holds, across all processes of this user. Use it in a `with` statement.

    It is a file, $LAPMARK_LOCK or one in the system's folder for temporary files; it is free again when its holder
    dies, however that dies.
    """
    return FileLock(os.environ.get("LAPMARK_LOCK") or Path(tempfile.gettempdir(), f"lapmark-{os.getuid()}.lock"))


def busy() -> bool:
    """Whether somebody measures at this moment."""
    try:
        alone().acquire(blocking=False).lock.release()
    except Timeout:
        return True
    return False
