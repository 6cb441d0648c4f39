"""The figures of a report as files, drawn by processes of their own while the pages are written."""

import pickle
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self


class FigureProcess:
    """A process that draws figures. It starts at once, since loading Matplotlib takes as long as drawing a chart."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "lapmark.reports.charts"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE)

    def draw(self, charts: Sequence[tuple[str, Any]], folder: Path) -> None:
        """Draw charts into a folder, once: the name of each with its panels or the cells, the largest first."""
        folder.mkdir(parents=True, exist_ok=True)
        assert self._process.stdin is not None
        pickle.dump((str(folder), list(charts)), self._process.stdin)
        self._process.stdin.close()
        self._process.stdin = None  # it is closed: `communicate` would flush it

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is not None:
            self._process.kill()
        _, told = self._process.communicate()
        if kind is None and self._process.returncode:
            raise RuntimeError(f"the figures were not drawn:\n{told.decode(errors='replace')}")
