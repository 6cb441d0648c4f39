"""Draws figures in processes of its own: reads a pickle of a folder, and of charts' names with what each shows."""

import os
import pickle
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lapmark.bench.system import cores
from lapmark.bench.util.atomic_write import write_atomically

from . import ALL, axes, drawing

#: Most processes: there are not many more charts that take long.
MOST = 4


def draw(folder: str, name: str, shown: Any) -> None:
    """Write the figure of a chart as PNG and SVG; a chart without panels gets the table of cells."""
    picture = {chart.name: chart for chart in ALL}[name].picture
    figure = picture(shown) if picture else drawing.draw(shown)
    if figure is not None:
        write_atomically(Path(folder, f"{name}.png"), axes.png(figure))
        write_atomically(Path(folder, f"{name}.svg"), axes.svg(figure))


def draw_all(folder: str, jobs: Sequence[tuple[str, Any]]) -> bool:
    """Draw charts, the first ones first; return whether all processes succeeded.

    Forks share what is loaded, and nothing here has started a thread. Each takes the next number from a pipe until that
    is empty, and ends if its parent has.
    """
    numbers, end = os.pipe()
    os.write(end, bytes(range(len(jobs))))
    os.close(end)

    def work(parent: int) -> bool:
        try:
            while os.getppid() == parent and (number := os.read(numbers, 1)):
                draw(folder, *jobs[number[0]])
        except Exception:
            traceback.print_exc()
            return False
        return True

    own, count = os.getpid(), min(len(cores.usable()), MOST, len(jobs)) if sys.platform == "linux" else 1
    forks = []
    for _ in range(count - 1):
        fork = os.fork()
        if fork == 0:
            status = 1
            try:
                status = 0 if work(own) else 1
            finally:
                os._exit(status)
        forks.append(fork)
    succeeded = work(os.getppid())
    ends = [os.waitpid(fork, 0)[1] for fork in forks]
    return succeeded and not any(ends)


if __name__ == "__main__":
    sys.exit(not draw_all(*pickle.load(sys.stdin.buffer)))
