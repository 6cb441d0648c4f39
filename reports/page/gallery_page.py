"""The page of the gallery: the applications drawn in a folder, each with the command that draws it."""

from pathlib import Path

from lapmark.bench.applications import gallery
from lapmark.bench.problems import Case
from lapmark.bench.util.atomic_write import write_atomically
from lapmark.bench.util.units import show_duration
from lapmark.reports.pictures import albums
from lapmark.reports.pictures.albums import Album

from .html import fill
from .images import album_images


def write_gallery(directory: Path) -> Path:
    """Write `index.html`, a page of all albums in a directory, into it."""
    exhibits = [_exhibit(album, directory) for album in albums.found(directory)]
    return write_atomically(directory / "index.html", fill("gallery.html", exhibits=exhibits).encode())


def _exhibit(album: Album, directory: Path) -> dict[str, object]:
    case = Case.read(album.case)
    application = gallery.get(case.problem)
    return {
        "label": f"{case.label}, n = {case.n:,}",
        "about": application.about,
        "source": application.source,
        "command": gallery.command(case),
        "took": show_duration(album.seconds),
        "album": album,
        "pictures": album_images(album, directory),
    }
