"""Lock of an open file, which the system releases when the process ends."""

import os
import sys
import time

#: Seconds between two attempts on Windows, which cannot wait for a lock without end.
PAUSE = 0.05


def lock(descriptor: int, wait: bool = True) -> None:
    """Lock an open file, or raise a BlockingIOError where another process holds it and `wait` is False.

    Raise another OSError on a file system without locks.
    """
    if sys.platform != "win32":
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        return
    import msvcrt

    os.lseek(descriptor, 0, os.SEEK_SET)  # the byte that is locked is the one at this position
    while True:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            return
        except PermissionError as error:  # another process holds it
            if not wait:
                raise BlockingIOError(error.errno, "another process holds the lock") from None
        time.sleep(PAUSE)
