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
        "lapmark export --format aslib --to scenarios": "a folder per kind of problem, for algorithm selection",
        "lapmark export grid --format benchopt --to outputs/grid.parquet": "a row per call, for `benchopt plot`",
    },
)
def export(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the results.")] = RESULTS,
    to: Annotated[str, typer.Option(metavar="FILE", help="File to write; - is the standard output.")] = "-",
    form: Annotated[
        str | None,
        typer.Option("--format", metavar="csv|parquet|benchopt|aslib", help="Format; default: by the file's name."),
    ] = None,
) -> None:
    """Write the results as a table for other programs, or as scenarios of algorithm selection."""
    from lapmark.bench.util.atomic_write import write_atomically
    from lapmark.reports.export import formats
    from lapmark.reports.report import read_records

    if form == "aslib":
        with user_errors():
            _export_scenarios(directory, to)
        return
    with user_errors():
        chosen = formats.format_of(to, form)
        content = formats.content(read_records(directory), chosen)
        if to != "-":
            write_atomically(Path(to), content)
    # Outside: a pipe that closes early is not an error of the user. As bytes: a CSV file is UTF-8 in every locale.
    typer.echo(content if to == "-" else to, nl=to != "-")


def _export_scenarios(directory: Path, to: str) -> None:
    """Write scenarios of a folder of results, or of what ships with Lapmark if the default folder does not exist."""
    from lapmark.bench.advice import measurements, shipped_measurements
    from lapmark.bench.util.atomic_write import write_atomically
    from lapmark.bench.util.units import show_count_of
    from lapmark.reports.export import aslib
    from lapmark.reports.report import read_records

    if to == "-":
        raise ValueError("an ASlib scenario is a folder: name one, such as --to scenarios")
    is_shipped = directory == RESULTS and not directory.exists()
    cells = shipped_measurements.load() if is_shipped else measurements.table(read_records(directory))
    files = aslib.scenarios(cells)
    for name, content in files.items():
        write_atomically(Path(to) / name, content)
    count = len({name.partition("/")[0] for name in files})
    origin = "the measurements that ship with Lapmark" if is_shipped else str(directory)
    typer.echo(f"{to}: {show_count_of(count, 'scenario')} of {origin}")
