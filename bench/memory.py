"""The memory that a process tree holds, as the system counts it from outside, against a limit that may change.

A control group counts all of it exactly (`bench.cgroup`). Where there is none it is added up over the processes: their
resident pages, and the memory files that they have open, which need not be in any process's pages. What several
processes share is told apart only where it matters, since that takes a walk through their pages.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from .tree import Tree

#: Seconds between two looks at which processes there are, which takes a walk through all of the system's.
FAMILY_TICK = 0.5

#: Part of an allowance that the kernel allows on top, so that a look from here comes first.
SLACK = 8

#: Where the names of files in memory begin.
_IN_MEMORY = ("/memfd:", "/dev/shm/")


class Meter:
    """Measures what a tree takes beside what it held when it was last told what it may take.

    Attributes
    ----------
    allowance : int
        Bytes.
    processes : list of psutil.Process
        Those of the tree, as of at most half a second ago.
    """

    def __init__(self, tree: Tree, allowance: int) -> None:
        self._tree = tree
        self._next_look = 0.0
        self.processes: list[psutil.Process] = []
        self.allowance = allowance
        self._held = self._held_at_most = 0

    def allow(self, size: int) -> None:
        """Let the tree take so many bytes from now on."""
        self.allowance = size
        self._look()
        self._held, self._held_at_most = self._exactly(), self._at_most()
        if self._tree.group:
            self._tree.group.limit(self._held + size + size // SLACK)

    def taken(self) -> int:
        """Bytes taken since: exactly where that is more than allowed, and otherwise at most."""
        self._look()
        most = self._at_most() - self._held_at_most
        return most if most <= self.allowance else self._exactly() - self._held

    def _look(self) -> None:
        if (now := time.monotonic()) >= self._next_look:
            self._next_look = now + FAMILY_TICK
            self.processes = self._tree.members()

    def _at_most(self) -> int:
        if self._tree.group:
            return self._tree.group.used()
        total = _in_files(self.processes)
        for process in self.processes:
            with contextlib.suppress(psutil.Error):
                total += process.memory_info().rss
        return total

    def _exactly(self) -> int:
        if self._tree.group:
            return self._tree.group.used()
        pages = shared = 0
        for process in self.processes:
            own, of_files = _proportional(process)
            pages, shared = pages + own, shared + of_files
        return pages - shared + max(shared, _in_files(self.processes))


def _proportional(process: psutil.Process) -> tuple[int, int]:
    """Bytes of a process's pages, a page that several share divided among them; and those of them in memory files."""
    try:
        lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()[1:]
        sizes = {name: int(number) << 10 for name, number, *_ in map(str.split, lines)}
        return sizes["Pss:"], sizes.get("Pss_Shmem:", 0)
    except (OSError, KeyError):
        with contextlib.suppress(psutil.Error):
            return process.memory_info().rss, 0
    return 0, 0


def _in_files(processes: Sequence[psutil.Process]) -> int:
    """Bytes of the memory files that processes have open, each file once."""
    sizes = {}
    for process in processes:
        folder = f"/proc/{process.pid}/fd"
        with contextlib.suppress(OSError):
            for name in os.listdir(folder):
                with contextlib.suppress(OSError):
                    if os.readlink(f"{folder}/{name}").startswith(_IN_MEMORY):
                        file = os.stat(f"{folder}/{name}")
                        sizes[file.st_dev, file.st_ino] = file.st_blocks * 512
    return sum(sizes.values())
