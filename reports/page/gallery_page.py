"""The page of the gallery: every application drawn in a folder, with the command that draws it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lapmark.bench.applications import gallery
from lapmark.bench.problems import Case
from lapmark.bench.util.units import show_duration
from lapmark.reports.pictures.albums import Album

from .report_page import fill, shown_pictures


def render(albums: Sequence[Album], directory: Path) -> str:
    """The page as HTML, which holds all it shows; pictures are links to their files, from a page in `directory`."""
    return fill("gallery.html", exhibits=[_exhibit(album, directory) for album in albums])


def _exhibit(album: Album, directory: Path) -> dict[str, object]:
    case = Case.read(album.case)
    application = gallery.get(case.problem)
    return {
        "label": f"{case.label}, n = {case.n:,}",
        "about": application.about,
        "source": application.source,
        "command": gallery.command(case),
        "took": "" if album.seconds is None else show_duration(album.seconds),
        "album": album,
        "pictures": shown_pictures(album, directory),
    }
