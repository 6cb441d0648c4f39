"""Images of a page: charts, and the copies of pictures of answers."""

import urllib.parse
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from lapmark.reports.pictures import page_copy
from lapmark.reports.pictures.albums import Album

from .html import data_url

#: The ratio of its sides from which a picture has the width of the page.
WIDE = 1.6


@dataclass(frozen=True)
class PageImage:
    """An image of a page, with its size in CSS pixels, so that nothing moves while the page loads.

    Attributes
    ----------
    source : str
        A data URL.
    still : str
        The last frame of an animation, for readers who asked for reduced motion; a data URL.
    file : str
        A link to the picture at its full size.
    alt : str
        What it shows, for readers who do not see it.
    is_reduced : bool
    """

    source: str
    width: int
    height: int
    still: str = ""
    file: str = ""
    alt: str = ""
    is_reduced: bool = False

    @property
    def wide(self) -> bool:
        """Whether it takes the width of the page; at half of it, the text of panels side by side would be too small."""
        return self.is_reduced or self.width > WIDE * self.height


def album_images(album: Album, directory: Path) -> list[tuple[str, PageImage]]:
    """Return the captions and images of an album, for a page in `directory`."""
    return [
        (each.caption, replace(_picture(each.path), file=link(each.path, directory), alt=each.alt))
        for each in album.pictures
    ]


def link(path: Path, directory: Path) -> str:
    """Return the link from a page in a directory to a file below it."""
    return urllib.parse.quote(path.relative_to(directory).as_posix())


def _picture(path: Path) -> PageImage:
    copy = page_copy.of(path)
    source = data_url("image/webp", copy.read_bytes())
    with Image.open(path) as image, Image.open(copy) as copied:
        if path.suffix == ".gif":
            return PageImage(data_url("image/gif", path.read_bytes()), *image.size, still=source)
        return PageImage(source, *copied.size, is_reduced=copied.size != image.size)
