"""`lapmark site`: several runs as a folder of static pages."""

from pathlib import Path
from typing import Annotated

import typer

from . import options
from .base import app, user_errors
from .history import read_history


@app.command(
    examples={
        "lapmark site laptop server --to public": "publish the results of two machines",
        "lapmark site results --history history": "with a page of a project's history over commits",
        "lapmark site docs/measured/families.json": "from the kept results of a table of the documentation",
    },
    note="Any web server can serve the folder, GitHub Pages too.",
)
def site(
    stores: Annotated[
        list[Path],
        typer.Argument(metavar="STORE", help="Folders of results, or kept results of docs/measured (.json)."),
    ],
    to: Annotated[Path, typer.Option(metavar="DIR", help="Folder to write.")] = Path("site"),
    history: Annotated[Path | None, options.folder("Also a page of this history of a project over commits.")] = None,
    show: Annotated[bool, options.OPEN] = False,
) -> None:
    """Write a public benchmark: an index, problems, solvers, and the report of each run, as static pages."""
    import webbrowser

    from lapmark.bench.util.status_line import doing

    with user_errors():
        from lapmark.reports import site as sites

        runs = []
        for path in stores:
            with doing(f"reading {path}"):
                runs.append(sites.read_run(path))
        with doing(f"writing {len(runs)} reports"):
            page = sites.write_site(runs, to, _history(history) if history else "")
    typer.echo(page)
    if show:
        webbrowser.open(page.resolve().as_uri())


def _history(directory: Path) -> str:
    """Return the page of a history."""
    from lapmark.bench.history.project_commit import commit_url
    from lapmark.bench.history.series import timeline
    from lapmark.bench.history.standing import standing
    from lapmark.reports.history.history_page import render

    found = read_history(directory)
    return render(standing(timeline(found.snapshots), 0), found, commit_url())
