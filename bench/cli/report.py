"""`lapmark report`: figures, tables and a page of the results of a run."""

from pathlib import Path
from typing import Annotated

import typer

from . import options
from .base import RESULTS, app, user_errors


@app.command(
    examples={
        "lapmark report": "report on the folder results",
        "lapmark report grid --open": "report on another folder, and open the page",
        "lapmark report --open": "links keep the selection: #solver=jv&n=2500&sort=seconds",
    },
)
def report(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the results.")] = RESULTS,
    show: Annotated[bool, options.OPEN] = False,
) -> None:
    """Write a report of the results: figures, tables and a page.

    Figures (PNG, SVG) and tables (results.csv, results.parquet) are written beside the results, and one page,
    index.html, that shows them all.
    """
    import webbrowser

    from lapmark.bench.results.store import Store
    from lapmark.bench.util.status_line import doing

    with user_errors():
        Store.open(directory, create=False).close()

    from lapmark.reports.report import write_report  # after the check: drawing takes seconds to load

    with user_errors(), doing("drawing"):
        page = write_report(directory)
    typer.echo(page)
    if show:
        webbrowser.open(page.resolve().as_uri())
