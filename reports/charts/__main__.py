"""Draws figures in processes of its own: reads a pickle of a folder, and of charts' names with what each shows."""

import functools
import multiprocessing
import os
import pickle
import sys
from pathlib import Path
from typing import Any

from lapmark.bench.system import cores
from lapmark.bench.util.atomic_write import write_atomically

from . import ALL, axes, drawing

#: Most processes: there are not many more charts that take long.
MOST = 4


def draw(folder: str, job: tuple[str, Any]) -> None:
    """Write the figure of a chart as PNG and SVG; a chart without panels gets the table of cells."""
    name, shown = job
    picture = {chart.name: chart for chart in ALL}[name].picture
    figure = picture(shown) if picture else drawing.draw(shown)
    if figure is not None:
        write_atomically(Path(folder, f"{name}.png"), axes.png(figure))
        write_atomically(Path(folder, f"{name}.svg"), axes.svg(figure))


def main() -> None:
    """Draw all charts, the first ones first."""
    folder, jobs = pickle.load(sys.stdin.buffer)
    count = min(len(cores.usable()) or os.cpu_count() or 1, MOST, max(len(jobs), 1))
    # Forks share what is loaded, and nothing here has started a thread.
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else None)
    with context.Pool(count) as pool:
        pool.map(functools.partial(draw, folder), jobs, chunksize=1)


if __name__ == "__main__":
    main()
