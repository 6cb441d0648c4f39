"""Images of a page: charts, and pictures of answers reduced to the size of a screen."""

import io
import urllib.parse
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PIL import Image

from lapmark.reports.pictures.albums import Album

from .html import data_url

#: A picture of more bytes than this is reduced to so many pixels a side.
PICTURE_BYTES, PICTURE_SIDE = 800_000, 1400

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
    is_reduced : bool
    """

    source: str
    width: int
    height: int
    still: str = ""
    file: str = ""
    is_reduced: bool = False

    @property
    def wide(self) -> bool:
        """Whether it takes the width of the page; at half of it, the text of panels side by side would be too small."""
        return self.is_reduced or self.width > WIDE * self.height


def album_images(album: Album, directory: Path) -> list[tuple[str, PageImage]]:
    """Return the captions and images of an album, for a page in `directory`."""
    return [
        (caption, replace(_picture(path), file=urllib.parse.quote(path.relative_to(directory).as_posix())))
        for caption, path in album.captioned
    ]


def _picture(path: Path) -> PageImage:
    with Image.open(path) as image:
        if path.suffix == ".gif":
            size = image.size
            image.seek(getattr(image, "n_frames", 1) - 1)
            still = data_url("image/webp", _webp(image, lossless=True))
            return PageImage(data_url("image/gif", path.read_bytes()), *size, still)
        content = _webp(image, lossless=True)
        if len(content) > PICTURE_BYTES:
            reduced = image.convert("RGB")
            reduced.thumbnail((PICTURE_SIDE, PICTURE_SIDE), Image.Resampling.LANCZOS)
            return PageImage(data_url("image/webp", _webp(reduced, quality=85)), *reduced.size, is_reduced=True)
        return PageImage(data_url("image/webp", content), *image.size)


def _webp(image: Image.Image, **settings: Any) -> bytes:
    with io.BytesIO() as file:
        image.convert("RGB").save(file, "WEBP", **settings)
        return file.getvalue()
