"""Draws figures in a process of its own: reads a pickle of a folder and of charts' names with what each shows."""

import pickle
import sys
from pathlib import Path

from lapmark.bench.util.atomic_write import write_atomically

from . import ALL, axes, drawing


def main() -> None:
    """Write the figures as PNG and SVG; a chart without panels gets the table of cells."""
    charts = {chart.name: chart for chart in ALL}
    folder, jobs = pickle.load(sys.stdin.buffer)
    for name, shown in jobs:
        picture = charts[name].picture
        figure = picture(shown) if picture else drawing.draw(shown)
        if figure is not None:
            write_atomically(Path(folder, f"{name}.png"), axes.png(figure))
            write_atomically(Path(folder, f"{name}.svg"), axes.svg(figure))


if __name__ == "__main__":
    main()
