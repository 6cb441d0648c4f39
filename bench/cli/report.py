"""`lapmark report`: pages, figures and tables of the results of a run."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from . import options
from .base import RESULTS, app, user_errors


class Form(StrEnum):
    """Formats of a report."""

    html = "html"
    markdown = "markdown"
    pdf = "pdf"


@app.command(
    examples={
        "lapmark report": "report on the folder results",
        "lapmark report grid --open": "report on another folder, and open the page",
        "lapmark report grid --against old": "also compare the run with an earlier one in the page",
        "lapmark report grid --format markdown": "print the verdict and a table, for a README or an issue",
        "lapmark report grid --format pdf": "write grid/report.pdf, to be printed",
        "lapmark report --pictures": "draw pictures of the answers, too",
        "lapmark report --open": "links keep the selection: #solver=jv&n=2500&sort=seconds",
    },
)
def report(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the results.")] = RESULTS,
    form: Annotated[
        Form, typer.Option("--format", help="Pages with charts, Markdown on the standard output, or a PDF.")
    ] = Form.html,
    against: Annotated[
        str | None,
        typer.Option(metavar="A", help="Earlier results to compare with: a folder, commit or `FOLDER@COMMIT`."),
    ] = None,
    pictures: Annotated[
        bool | None,
        typer.Option(
            "--pictures/--no-pictures",
            help="Draw missing pictures of answers, or show none; default: show those that are drawn.",
            show_default=False,
        ),
    ] = None,
    show: Annotated[bool, options.OPEN] = False,
) -> None:
    """Write a report of the results: pages, charts, tables and pictures.

    The page index.html holds all that it shows and needs no network. Beside it are a page for each solver and problem,
    the figures (PNG, SVG) and the tables (results.csv, results.parquet). With --pictures the largest case of each
    application is solved again, to draw its answer; later reports show it, too.
    """
    import shlex
    import webbrowser

    from lapmark.bench.results.store import Store
    from lapmark.bench.util.status_line import doing

    with user_errors():
        if form is not Form.html and against:
            raise ValueError(f"--against is for pages, not --format {form}; `lapmark compare` writes Markdown")
        if form is Form.markdown and show:
            raise ValueError("--open opens a file, and --format markdown writes none")
        if form is not Form.html and pictures is not None:
            raise ValueError(f"--pictures and --no-pictures are for pages, not --format {form}")
        Store.open(directory, create=False).close()

    if form is Form.markdown:
        from lapmark.reports import summary, tables
        from lapmark.reports.report import read_records

        with user_errors():
            text = summary.markdown(tables.frame(read_records(directory)))
        typer.echo(text)
        return
    with user_errors(), doing("drawing"):
        page = _pdf(directory) if form is Form.pdf else _html(directory, against, pictures)
        missing = _undrawn(directory) if form is Form.html and pictures is None else []
    typer.echo(page)
    if missing:
        command = f"lapmark report {shlex.quote(str(directory))} --pictures"
        typer.echo(f"Pictures of {', '.join(missing)}: {command}", err=True)
    if show:
        webbrowser.open(page.resolve().as_uri())


def _html(directory: Path, against: str | None, pictures: bool | None) -> Path:
    from lapmark.reports.report import write_report

    if not against:
        return write_report(directory, pictures=pictures)
    from lapmark.bench.compare import comparison, result_sets

    old, new = result_sets.read(against, directory), result_sets.read(str(directory), directory)
    return write_report(directory, comparison.compare(old, new, comparison.Criteria()), pictures)


def _undrawn(directory: Path) -> list[str]:
    """Return the applications whose pictures are not drawn yet."""
    from lapmark.reports.report import undrawn

    return list(dict.fromkeys(case.problem for case in undrawn(directory)))


def _pdf(directory: Path) -> Path:
    from lapmark.bench.util.atomic_write import write_atomically
    from lapmark.reports import summary, tables
    from lapmark.reports.report import read_records

    return write_atomically(directory / "report.pdf", summary.pdf(tables.frame(read_records(directory))))
