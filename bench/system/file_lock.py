"""Locks between processes: a file that one process at a time holds; the system releases it when the process ends.

The file is never written to. In a folder that every user can write to, another user may have put something in its
place: links are not followed, and anything but a plain file is an error.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from lapmark.bench.util.descriptor_lock import lock


class LockError(OSError):
    """A path cannot be used as a lock; the text names the path, the reason and the remedy."""


class Busy(Exception):
    """Another process holds the lock."""


@contextlib.contextmanager
def hold(path: Path, wait: bool = True) -> Iterator[None]:
    """Hold the lock of a file during a `with` statement; the file and its folder are made if needed.

    Raise a LockError where the path cannot be used as a lock, and Busy if another process holds it and `wait` is False.
    """
    while True:
        handle = _open(path)
        try:
            try:
                lock(handle, wait)
            except BlockingIOError:
                raise Busy from None
            except OSError as error:
                raise _error(path, error.strerror, "use a file on another file system") from None
            if not _is_at(handle, path):  # removed while this process waited: others now lock a new file
                continue
            yield
            return
        finally:
            os.close(handle)


def check(path: Path, private: bool = False) -> None:
    """Raise a LockError unless the path can be used as a lock.

    A `private` file must belong to this user and be inaccessible to others, who could hold the lock forever.
    """
    handle = _open(path)
    try:
        if private and os.fstat(handle).st_uid != os.geteuid():
            raise _error(path, "it belongs to another user", "remove it")
        if private:
            _close_to_others(handle, path)
    finally:
        os.close(handle)


def _open(path: Path) -> int:
    """Open the file, made if needed, and return its descriptor."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _error(path, f"its folder cannot be created ({error.strerror})", _remedy(path, error)) from None
    try:
        try:
            # Without O_CREAT, with which some systems refuse another user's file in a folder such as /tmp.
            handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    except OSError as error:
        reason = "it is a link" if os.path.islink(path) else error.strerror
        raise _error(path, reason, _remedy(path, error)) from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise _error(path, "it is not a plain file", "remove it")
    return handle


def _close_to_others(handle: int, path: Path) -> None:
    try:
        os.fchmod(handle, 0o600)
    except OSError as error:
        reason = f"its permissions cannot be restricted to this user ({error.strerror})"
        raise _error(path, reason, "remove it") from None


def _is_at(handle: int, path: Path) -> bool:
    """Return whether an open file is the one that the path names."""
    try:
        return os.path.samestat(os.fstat(handle), os.lstat(path))
    except FileNotFoundError:
        return False


def _remedy(path: Path, error: OSError) -> str:
    """Return the remedy where a lock or its folder cannot be created or opened."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "free some space on its disk"
    if not os.path.isdir(path.parent):
        return "create that folder"
    if os.path.isfile(path) and not os.path.islink(path):
        return "make it writable"
    return "remove it" if os.path.lexists(path) else "make its folder writable"


def _error(path: Path, reason: str | None, remedy: str) -> LockError:
    return LockError(f"{path} cannot be used as a lock: {reason}; {remedy}")
