"""The chart of README: time of the main job against its size, by solver."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt

from lapmark.bench.results.store import Store
from lapmark.reports import tables
from lapmark.reports.charts import time_and_memory

#: The solvers that are drawn: the fastest at this size, of a matrix whose rows are the points.
SHOWN, SIZE, LABEL = 8, 2500, "cost=dense,rows=points"


def write_chart(store: Path, path: Path) -> None:
    """Draw the cells of the suite `grid` in the store of a folder, and write the picture."""
    with Store.open(store) as open_store:
        cells = tables.frame(open_store.records())
    ok = tables.certified(cells)
    ok = ok[ok["problem"].eq("tsne-grid") & ok["label"].str.contains(LABEL) & ok["exact"]]
    fastest = ok[ok["n"] == SIZE].nsmallest(SHOWN, "seconds")["solver"]
    figure = time_and_memory.TIME.draw(ok[ok["solver"].isin(fastest)])
    if figure is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=150)
        plt.close(figure)
