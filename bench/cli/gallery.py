"""`lapmark gallery`: pictures of every application."""

import os
from pathlib import Path
from typing import Annotated

import typer

from . import completion, options
from .base import INTERRUPTED, RESULTS, app, plain_console, user_errors


@app.command(
    examples={
        "lapmark gallery": "draw all applications, with MNIST if the data folder has it",
        "lapmark gallery images-emd:source=mnist,p=2 -n 784 --data FOLDER": "draw one application with settings",
        "lapmark gallery words:texts=FOLDER,vectors=glove.6B.100d.txt": "draw your own texts and vectors",
    },
)
def gallery(
    name: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME",
            help="Application, `name` or `name:setting=value,…`; default: all.",
            show_default=False,
            autocompletion=completion.applications,
        ),
    ] = None,
    size: Annotated[int | None, options.size("Size; default: the size that suits the gallery.")] = None,
    data: Annotated[Path | None, options.data()] = None,
    to: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the pictures.")] = RESULTS / "gallery",
    address: Annotated[
        str,
        typer.Option("--url", metavar="URL", help="Where the folder will be published, for cards in shared links."),
    ] = "",
    show: Annotated[bool, options.OPEN] = False,
) -> None:
    """Draw pictures of every application.

    The problems are solved, the answers certified, and the pictures collected on one page, index.html. Each application
    has a page and a card to share in its folder, too.
    """
    import webbrowser

    from lapmark.bench.applications import gallery as applications
    from lapmark.bench.system import measuring_support
    from lapmark.bench.util.status_line import doing
    from lapmark.bench.util.units import show_count_of, show_duration

    if data is not None:
        os.environ["LAPMARK_DATA"] = str(data.resolve())
    with user_errors():
        measuring_support.check()
        cases = applications.cases(name or (), size)

    from lapmark.reports.page.gallery_page import write_gallery  # after the check: drawing takes seconds to load
    from lapmark.reports.pictures import albums

    console = plain_console()
    drawn: list[albums.Album] = []
    stopped = False
    with user_errors():
        try:
            for case in cases:
                with doing(f"{len(drawn) + 1} of {len(cases)}: {case}"):
                    made = albums.album(case, "auto", to, redraw=True)
                drawn.append(made)
                known = [text for text in (made.text, *made.notes) if text] or ["has no pictures"]
                took = show_duration(made.seconds or 0)
                for text in known:
                    console.print(f"{case} ({took}): {text}", markup=False)
        except KeyboardInterrupt:
            stopped = True
        page = write_gallery(to, address)
    if stopped:
        kept = f"Stopped after {len(drawn)} of {show_count_of(len(cases), 'application')}, which are kept in {to}."
        console.print(kept, markup=False, soft_wrap=True)
        raise typer.Exit(INTERRUPTED)
    console.print(page, markup=False, soft_wrap=True)
    if any(album.pictures for album in drawn):
        console.print(f"Cards to share: {to / '*' / albums.CARD}", markup=False, soft_wrap=True)
    if show:
        webbrowser.open(page.resolve().as_uri())
    if not all(album.pictures for album in drawn):
        raise typer.Exit(1)
