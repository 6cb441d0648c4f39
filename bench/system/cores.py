"""Cores that a process may use. Linux tells and changes them; macOS does neither."""

import contextlib
import os
from collections.abc import Iterator


def usable() -> list[int]:
    """Return the numbers of the cores that this process may use, sorted; empty where the system does not tell."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def of_threads(pid: int) -> Iterator[set[int]]:
    """Yield the cores that each thread of a process may use, where the system tells."""
    if hasattr(os, "sched_getaffinity"):
        with contextlib.suppress(OSError):
            for thread in os.listdir(f"/proc/{pid}/task"):
                yield os.sched_getaffinity(int(thread))


def pin_to_last() -> None:
    """Keep this process to the last of its cores, where the system allows it: the first serve interrupts."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, usable()[-1:])
