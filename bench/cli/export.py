"""`lapmark export`: results for other programs."""

from pathlib import Path
from typing import Annotated

import typer

from .base import RESULTS, app, user_errors


@app.command(
    examples={
        "lapmark export --to results.csv": "write a row per cell, for a spreadsheet",
        "lapmark export grid --to grid.parquet": "write typed columns, for pandas, Polars or DuckDB",
        "lapmark export grid --to - | head": "print CSV to the standard output",
        "lapmark export grid --format benchopt --to outputs/grid.parquet": "a row per call, for `benchopt plot`",
    },
)
def export(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the results.")] = RESULTS,
    to: Annotated[str, typer.Option(metavar="FILE", help="File to write; - is the standard output.")] = "-",
    form: Annotated[
        str | None,
        typer.Option("--format", metavar="csv|parquet|benchopt", help="Format; default: by the file's name."),
    ] = None,
) -> None:
    """Write the results as a table for other programs."""
    from lapmark.bench.util.atomic_write import write_atomically
    from lapmark.reports.export import formats
    from lapmark.reports.report import read_records

    with user_errors():
        chosen = formats.format_of(to, form)
        content = formats.content(read_records(directory), chosen)
        if to != "-":
            write_atomically(Path(to), content)
    # Outside: a pipe that closes early is not an error of the user. As bytes: a CSV file is UTF-8 in every locale.
    typer.echo(content if to == "-" else to, nl=to != "-")
