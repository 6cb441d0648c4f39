"""The pages of the gallery: one of all applications drawn in a folder, and one of each, to share."""

import urllib.parse
from collections.abc import Sequence
from pathlib import Path

from lapmark.bench.applications import gallery
from lapmark.bench.problems import Case
from lapmark.bench.util.atomic_write import write_atomically
from lapmark.bench.util.units import show_duration
from lapmark.reports.pictures import albums, card
from lapmark.reports.pictures.albums import Album

from .html import fill
from .images import album_images, link

PAGE = "index.html"


def write_gallery(directory: Path, address: str = "") -> Path:
    """Write `index.html`, a page of all albums in a directory, into it, and a page of each into its folder.

    Parameters
    ----------
    directory : Path
    address : str
        Where the directory will be published; sites that show a card of a link need it.
    """
    found = albums.found(directory)
    for album in found:
        write_atomically(album.folder / PAGE, _page([album], directory, album.folder, address).encode())
    return write_atomically(directory / PAGE, _page(found, directory, directory, address).encode())


def _page(shown: Sequence[Album], gallery_folder: Path, folder: Path, address: str) -> str:
    """Return a page of albums, for a folder that is the gallery's or in it."""
    is_part = folder != gallery_folder
    return fill(
        "gallery.html",
        looks=("page.css", "gallery.css"),
        title=shown[0].title if is_part else "Lapmark gallery",
        all=f"../{PAGE}" if is_part else "",
        preview=_preview(shown[0], gallery_folder, folder, address) if shown else None,
        exhibits=[_exhibit(album, folder) for album in shown],
    )


def _exhibit(album: Album, folder: Path) -> dict[str, object]:
    case = Case.read(album.case)
    application = gallery.get(case.problem)
    first, *others = album_images(album, folder)
    has_card = (album.folder / albums.CARD).exists()
    return {
        "id": album.folder.name,
        "label": album.title,
        "about": application.about,
        "source": application.source,
        "command": gallery.command(case),
        "took": show_duration(album.seconds),
        "album": album,
        "first": first,
        "others": others,
        "card": link(album.folder / albums.CARD, folder) if has_card else "",
        "name": f"lapmark-{case.problem}-n{case.n}.png",
        "page": "" if folder == album.folder else link(album.folder / PAGE, folder),
    }


def _preview(album: Album, gallery_folder: Path, folder: Path, address: str) -> dict[str, object] | None:
    """Return what sites show of a link to the page: the card of an album, with an absolute address if that is known."""
    path = album.folder / albums.CARD
    if not path.exists():
        return None
    relative = link(path, folder)
    base = f"{address.rstrip('/')}/" if address else ""
    return {
        "title": f"{album.title} · Lapmark",
        "what": f"{album.what}." if album.what else album.text,
        "card": urllib.parse.urljoin(base, link(path, gallery_folder)) if base else relative,
        "width": card.WIDTH,
        "height": card.HEIGHT,
        "alt": album.pictures[0].alt,
    }
