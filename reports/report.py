"""The report of a run: its pages, figures and tables, written beside the results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lapmark.bench.results.store import Store
from lapmark.bench.util.atomic_write import write_atomically

from .figures import FigureProcess

if TYPE_CHECKING:
    import pandas as pd

    from lapmark.bench.compare.comparison import Comparison
    from lapmark.bench.problems import Case
    from lapmark.bench.results.record import Record

    from .charts import Chart
    from .charts.panel import Panel


#: Folder of charts and pictures, beside the page.
FIGURES = "figures"


def write_report(directory: Path, against: Comparison | None = None, pictures: bool | None = None) -> Path:
    """Write the report of the results in a directory.

    Parameters
    ----------
    directory : Path
        The folder that `lapmark run --to` wrote to.
    against : Comparison, optional
        With an earlier run, to be shown in the page.
    pictures : bool, optional
        Whether to show pictures of answers, and draw those that are missing; by default, the drawn ones are shown.

    Returns
    -------
    Path
        `index.html`. Beside it: `results.csv`, `results.parquet`, `figures/*.png`, `figures/*.svg`, and a page for
        each solver and each problem in `solvers` and `problems`.

    Raises
    ------
    ValueError
        The directory holds no results yet.
    FileNotFoundError
        The directory has no store.
    """
    return write_report_of(read_records(directory), directory, against, pictures)


def read_records(directory: Path) -> list[Record]:
    """Return the records of a store, at least one; raises the errors of `write_report`."""
    with Store.open(directory, create=False) as store:
        records = store.records()
    if not records:
        raise ValueError(f"{directory} holds no results yet; fill it with: lapmark run --to {directory}")
    return records


def undrawn(directory: Path) -> list[Case]:
    """Return the cases whose pictures are not drawn yet; raises the errors of `write_report`."""
    from . import tables
    from .pictures import albums

    return albums.undrawn(tables.frame(read_records(directory)), directory / FIGURES)


def write_report_of(
    records: Sequence[Record], directory: Path, against: Comparison | None = None, pictures: bool | None = None
) -> Path:
    """Write the report of records to a directory, as `write_report` does."""
    with FigureProcess() as figures:
        # Loaded here, while the processes load Matplotlib.
        from . import charts, tables
        from .page import entry_pages, report_page, sections
        from .pictures import albums

        cells = tables.frame(records)
        shown = [(chart, list(chart.panels(cells))) for chart in charts.ALL]
        drawn = [(chart, panels) for chart, panels in shown if panels or chart.picture]
        largest_first = sorted(drawn, key=lambda each: -_marks(each[0], each[1], cells))
        jobs = [(chart.name, cells if chart.picture else panels) for chart, panels in largest_first]
        figures.draw(jobs, directory / FIGURES)
        write_atomically(directory / "results.csv", tables.csv(cells).encode())
        write_atomically(directory / "results.parquet", cells.to_parquet(None, index=False))
        made = [] if pictures is False else albums.albums(cells, directory / FIGURES, draw=bool(pictures))
        cases = sections.cases(cells)
        entry_pages.write(cells, drawn, cases, directory)
        page = report_page.render(cells, drawn, cases, made, directory, against)
    return write_atomically(directory / "index.html", page.encode())


def _marks(chart: Chart, panels: Sequence[Panel], cells: pd.DataFrame) -> int:
    """Return about how many marks a chart has, those of the axes included, which take most of its time."""
    return len(cells) if chart.picture else sum(40 + len(panel.curves) * 3 for panel in panels)
