"""The memory that a process tree holds, as the system counts it from outside, against a limit that may change.

A control group counts all of it exactly (`bench.system.control_group`). Where there is none it is added up over the processes: their
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

from .process_tree import Tree

#: Seconds between two looks at which processes there are, which takes a walk through all of the system's.
FAMILY_TICK = 0.5

#: Part of an allowance that the kernel allows on top, so that a look from here comes first.
SLACK = 8

#: Where the names of files in memory begin.
_IN_MEMORY = ("/memfd:", "/dev/shm/")


class Meter:
    """Memory of a tree above a baseline, against an allowance.

    Attributes
    ----------
    allowance : int
        Bytes above the baseline.
    processes : list of psutil.Process
        Those of the tree, as of at most half a second ago.
    """

    def __init__(self, tree: Tree, allowance: int) -> None:
        self._tree = tree
        self._next_look = 0.0
        self.processes: list[psutil.Process] = []
        self.allowance = allowance
        self._baseline = self._rough_baseline = 0

    def start(self) -> int:
        """Have the baseline be what the tree holds now; return by how much that is above the last one."""
        self._next_look = 0.0  # or a process that has just been started would be missing
        self._look()
        before = self._baseline
        self._baseline, self._rough_baseline = self._exact(), self._rough()
        self.allow(self.allowance)
        return max(self._baseline - before, 0)

    def allow(self, size: int) -> None:
        """Let the tree take so many bytes above the baseline."""
        self.allowance = size
        if self._tree.group:
            self._tree.group.limit(self._baseline + size + size // SLACK)

    def taken(self) -> int:
        """Bytes above the baseline. What processes share counts once where it matters: above the allowance."""
        self._look()
        rough = self._rough() - self._rough_baseline
        return max(rough if rough <= self.allowance else self._exact() - self._baseline, 0)

    def _look(self) -> None:
        if (now := time.monotonic()) >= self._next_look:
            self._next_look = now + FAMILY_TICK
            self.processes = self._tree.members()

    def _rough(self) -> int:
        if self._tree.group:
            return self._tree.group.used()
        total = _in_files(self.processes)
        for process in self.processes:
            with contextlib.suppress(psutil.Error):
                total += process.memory_info().rss
        return total

    def _exact(self) -> int:
        if self._tree.group:
            return self._tree.group.used()
        pages = shared = 0
        is_told = True
        for process in self.processes:
            own, of_files = _proportional(process)
            pages, shared, is_told = pages + own, shared + (of_files or 0), is_told and of_files is not None
        in_files = _in_files(self.processes)
        # Where the system does not tell which pages are of memory files, they may be counted already.
        return pages - shared + max(shared, in_files) if is_told else max(pages, in_files)


def _proportional(process: psutil.Process) -> tuple[int, int | None]:
    """Bytes of a process's pages, one that several share divided among them; and of those in memory files, if known."""
    try:
        lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()[1:]
        sizes = {name: int(number) << 10 for name, number, *_ in map(str.split, lines)}
        return sizes["Pss:"], sizes.get("Pss_Shmem:")
    except (OSError, KeyError):
        with contextlib.suppress(psutil.Error):
            return process.memory_info().rss, None
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
