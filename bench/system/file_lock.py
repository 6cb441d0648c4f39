"""Locks between processes: a file that one of them at a time holds, free again when its holder dies, however it dies.

The file is never written to. What stands in its place may be another user's doing, in a folder that all can write to,
so a link is not followed, and what is no plain file is an error instead of a wait.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from pathlib import Path


class LockError(OSError):
    """A path cannot serve as a lock; the text names the path, the reason and the cure."""


class Busy(Exception):
    """Another process holds the lock."""


@contextlib.contextmanager
def hold(path: Path, wait: bool = True) -> Iterator[None]:
    """Hold a lock.

    Parameters
    ----------
    path : Path
        The file, which is made, with its folder, where there is none.
    wait : bool
        Whether to wait until another holder has let go.

    Raises
    ------
    Busy
        Where another holds it and `wait` is False.
    LockError
        Where there can be no lock at this path.
    """
    while True:
        handle = _open(path)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                raise Busy from None
            except OSError as error:
                raise LockError(_fault(path, error.strerror, "use a file on another file system")) from None
            if not _is_at(handle, path):  # removed while this process waited: others lock a new file
                continue
            yield
            return
        finally:
            os.close(handle)


def check(path: Path, private: bool = False) -> None:
    """Raise a LockError unless there can be a lock at this path.

    Parameters
    ----------
    path : Path
    private : bool
        Whether the file must belong to this user, and be closed to others, who could hold the lock for ever.
    """
    handle = _open(path)
    try:
        if private and os.fstat(handle).st_uid != os.geteuid():
            raise LockError(_fault(path, "it belongs to another user", "remove it"))
        if private:
            _close_to_others(handle, path)
    finally:
        os.close(handle)


def _open(path: Path) -> int:
    """Return a descriptor of the file, which is made where there is none."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LockError(_fault(path, f"its folder cannot be made ({error.strerror})", _cure(path, error))) from None
    try:
        try:
            # Without O_CREAT, by which some systems refuse another user's file in a folder such as /tmp.
            handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    except OSError as error:
        reason = "it is a link" if os.path.islink(path) else error.strerror
        raise LockError(_fault(path, reason, _cure(path, error))) from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise LockError(_fault(path, "it is no plain file", "remove it"))
    return handle


def _close_to_others(handle: int, path: Path) -> None:
    try:
        os.fchmod(handle, 0o600)
    except OSError as error:
        raise LockError(_fault(path, f"it cannot be closed to others ({error.strerror})", "remove it")) from None


def _is_at(handle: int, path: Path) -> bool:
    """Whether an open file is the one that the path names."""
    try:
        return os.path.samestat(os.fstat(handle), os.lstat(path))
    except FileNotFoundError:
        return False


def _cure(path: Path, error: OSError) -> str:
    """Return what helps where a lock, or its folder, cannot be made or opened."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "free some space on its disk"
    if not os.path.isdir(path.parent):
        return "make that folder"
    if os.path.isfile(path) and not os.path.islink(path):
        return "make it writable"
    return "remove it" if os.path.lexists(path) else "make its folder writable"


def _fault(path: Path, reason: str | None, cure: str) -> str:
    return f"{path} cannot be a lock: {reason}; {cure}"
