"""Memory limit of a process tree: its memory above a baseline, counted from outside, against an allowance.

A control group counts it exactly (`control_group`). Without one it is added up over the processes: their resident
pages, and the memory files that they have open, which need not be in any process's pages. Shared pages are counted
once only where the sum exceeds the allowance, since that takes a walk through all pages.
"""

import contextlib
import os
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from .process_tree import ProcessTree

#: Seconds between two listings of the processes, which go through all processes of the system.
LISTING_INTERVAL = 0.5

#: The kernel's limit is higher by 1 / KERNEL_MARGIN, so that a check from here comes first.
KERNEL_MARGIN = 8

#: Prefixes of the paths of memory files.
_MEMORY_FILES = ("/memfd:", "/dev/shm/")


class MemoryLimit:
    """A limit on the memory of a tree: `allowance` is in bytes above a baseline.

    `processes` are those of the tree, at most half a second ago.
    """

    def __init__(self, tree: ProcessTree, allowance: int) -> None:
        self._tree = tree
        self._next_listing = 0.0
        self.processes: list[psutil.Process] = []
        self.allowance = allowance
        self._baseline = self._rough_baseline = 0

    def set_baseline(self) -> int:
        """Take the current memory of the tree as the baseline; return by how many bytes it has risen."""
        self._next_listing = 0.0  # otherwise a process that was just started would be missing
        self._list_processes()
        before = self._baseline
        self._baseline, self._rough_baseline = self._exact(), self._rough()
        self.set_allowance(self.allowance)
        return max(self._baseline - before, 0)

    def set_allowance(self, size: int) -> None:
        """Let the tree use `size` bytes above the baseline."""
        self.allowance = size
        if self._tree.group:
            self._tree.group.limit(self._baseline + size + size // KERNEL_MARGIN)

    def used(self) -> int:
        """Return the bytes above the baseline; above the allowance, with shared pages counted once."""
        self._list_processes()
        rough = self._rough() - self._rough_baseline
        return max(rough if rough <= self.allowance else self._exact() - self._baseline, 0)

    def _list_processes(self) -> None:
        if (now := time.monotonic()) >= self._next_listing:
            self._next_listing = now + LISTING_INTERVAL
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
        is_known = True
        for process in self.processes:
            own, of_files = _proportional(process)
            pages, shared, is_known = pages + own, shared + (of_files or 0), is_known and of_files is not None
        in_files = _in_files(self.processes)
        # Where the pages of memory files are not known, they may be included already.
        return pages - shared + max(shared, in_files) if is_known else max(pages, in_files)


def _proportional(process: psutil.Process) -> tuple[int, int | None]:
    """Return the bytes of a process's pages, shared ones divided by their users; and of those in memory files."""
    try:
        lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]
        sizes = {name: int(number) << 10 for name, number, *_ in map(str.split, lines)}
        return sizes["Pss:"], sizes.get("Pss_Shmem:")
    except (OSError, KeyError):
        with contextlib.suppress(psutil.Error):
            return process.memory_info().rss, None
    return 0, 0


def _in_files(processes: Sequence[psutil.Process]) -> int:
    """Return the bytes of the memory files that processes have open, each file once."""
    sizes = {}
    for process in processes:
        folder = f"/proc/{process.pid}/fd"
        with contextlib.suppress(OSError):
            for name in os.listdir(folder):
                with contextlib.suppress(OSError):
                    if os.readlink(f"{folder}/{name}").startswith(_MEMORY_FILES):
                        file = os.stat(f"{folder}/{name}")
                        sizes[file.st_dev, file.st_ino] = file.st_blocks * 512
    return sum(sizes.values())
