"""The report of a run: its page, figures and tables, written beside the results."""

from collections.abc import Sequence
from pathlib import Path

from lapmark.bench.results.record import Record
from lapmark.bench.results.store import Store
from lapmark.bench.util.atomic_write import write_atomically

from . import charts, style, tables
from .page import report_page
from .pictures import albums


def write_report(directory: Path) -> Path:
    """Write the report of the results in a directory.

    Parameters
    ----------
    directory : Path
        The folder that `lapmark run --to` wrote to.

    Returns
    -------
    Path
        `index.html`. Beside it: `results.csv`, `results.parquet` and `figures/*.png`, `figures/*.svg`.

    Raises
    ------
    ValueError
        The directory holds no results yet.
    FileNotFoundError
        The directory has no store.
    """
    return write_report_of(read_records(directory), directory)


def read_records(directory: Path) -> list[Record]:
    """Return the records of a store, at least one; raises the errors of `write_report`."""
    with Store.open(directory, create=False) as store:
        records = store.records()
    if not records:
        raise ValueError(f"{directory} holds no results yet; fill it with: lapmark run --to {directory}")
    return records


def write_report_of(records: Sequence[Record], directory: Path) -> Path:
    """Write the report of records to a directory, as `write_report` does."""
    cells = tables.frame(records)
    write_atomically(directory / "results.csv", tables.csv(cells).encode())
    write_atomically(directory / "results.parquet", cells.to_parquet(None, index=False))

    drawn = [
        report_page.DrawnChart(chart, style.png(figure), style.svg(figure))
        for chart in charts.ALL
        if (figure := chart.draw(cells)) is not None
    ]
    for each in drawn:
        write_atomically(directory / "figures" / f"{each.chart.name}.png", each.png)
        write_atomically(directory / "figures" / f"{each.chart.name}.svg", each.svg)
    pictures = albums.albums(cells, directory / "figures")
    page = report_page.render(cells, drawn, pictures, directory)
    return write_atomically(directory / "index.html", page.encode())
