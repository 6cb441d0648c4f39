"""The figures of a report as files, drawn by processes of their own while the page is written."""

import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from lapmark.bench.system import cores

#: Most processes: there are not many more charts that take long.
MOST = 4


class FigureProcesses:
    """Processes that draw figures. They start at once, since loading Matplotlib takes as long as drawing a chart."""

    def __init__(self) -> None:
        count = min(len(cores.usable()) or os.cpu_count() or 1, MOST)
        command = [sys.executable, "-m", "lapmark.reports.charts"]
        pipe = subprocess.PIPE
        self._processes = [subprocess.Popen(command, stdin=pipe, stderr=pipe) for _ in range(count)]

    def draw(self, charts: Sequence[tuple[str, Any, int]], folder: Path) -> None:
        """Draw charts into a folder, once: the name of each, its panels or the cells, and its share of the work."""
        folder.mkdir(parents=True, exist_ok=True)
        shares: list[list[tuple[str, Any]]] = [[] for _ in self._processes]
        loads = [0] * len(shares)
        for name, shown, work in sorted(charts, key=lambda chart: -chart[2]):  # the largest first, to the least loaded
            least = loads.index(min(loads))
            loads[least] += work
            shares[least].append((name, shown))
        for process, share in zip(self._processes, shares, strict=True):
            assert process.stdin is not None
            pickle.dump((str(folder), share), process.stdin)
            process.stdin.close()
            process.stdin = None  # it is closed: `communicate` would flush it

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for process in self._processes:
            if kind is not None:
                process.kill()
            _, told = process.communicate()
            if kind is None and process.returncode:
                raise RuntimeError(f"the figures were not drawn:\n{told.decode(errors='replace')}")
