"""From the store to figures, tables and one self-contained page."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from lapmark.bench.applications.grid_map.pipeline import Layout
from lapmark.bench.results.record import Record
from lapmark.bench.results.store import Store

from . import charts, style, tables
from .map import assignment_table, drawing
from .page import gallery_page, report_page
from .pictures import albums


def write(directory: Path) -> Path:
    """Write the report of the store in a directory beside it.

    Parameters
    ----------
    directory : Path
        What `lapmark run --to` wrote to.

    Returns
    -------
    Path
        `index.html`. Beside it: `results.csv`, `results.parquet` and `figures/*.png`, `figures/*.svg`.

    Raises
    ------
    ValueError
        Where the store holds no results yet.
    FileNotFoundError
        Where there is no store.
    """
    return write_records(read(directory), directory)


def read(directory: Path) -> list[Record]:
    """The records of a store, at least one; the errors of `write`."""
    with Store.open(directory, create=False) as store:
        records = store.records()
    if not records:
        raise ValueError(f"{directory} holds no results yet; fill it with: lapmark run --to {directory}")
    return records


def write_records(records: Sequence[Record], directory: Path) -> Path:
    """The same for records from anywhere."""
    cells = tables.frame(records)
    put(directory / "results.csv", tables.csv(cells).encode())
    put(directory / "results.parquet", cells.to_parquet(None, index=False))

    drawings = [
        report_page.Drawing(chart, style.png(figure), style.svg(figure))
        for chart in charts.ALL
        if (figure := chart.draw(cells)) is not None
    ]
    for made in drawings:
        put(directory / "figures" / f"{made.chart.name}.png", made.png)
        put(directory / "figures" / f"{made.chart.name}.svg", made.svg)
    pictures = albums.albums(cells, directory / "figures")
    return put(directory / "index.html", report_page.render(cells, drawings, pictures, directory).encode())


def write_gallery(directory: Path) -> Path:
    """Write `index.html`, the page of all pictures that `pictures.album` drew into a directory, beside them."""
    return put(directory / "index.html", gallery_page.render(albums.found(directory), directory).encode())


def write_map(layout: Layout, path: Path, title: str, side: int) -> Path:
    """Draw a collection on its grid, with so many pixels to a cell's side: `.png`, `.svg` or `.html` by the name."""
    return put(path, drawing.Map(layout, side, title).render(path.suffix.lower()))


def write_assignment(layout: Layout, path: Path) -> Path:
    """Write which thing is at which node: `.csv`, `.json`, `.npy` or `.parquet` by the name."""
    return put(path, assignment_table.encode(layout.table(), path.suffix.lower()))


def put(path: Path, content: bytes) -> Path:
    """Write a file whole or not at all: a reader never sees half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Named before it is made: Ctrl-C between the two would leave a file that nobody knows of.
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path
