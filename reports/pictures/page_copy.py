"""The copy of a picture for a page: a WebP file beside it, reduced to the size of a screen if it is large.

Of an animation it is the last frame. It is made with the picture, since compressing takes seconds.
"""

import io
from pathlib import Path
from typing import Any

from PIL import Image

from lapmark.bench.util.atomic_write import write_atomically

#: A picture of more bytes than this is reduced to so many pixels a side.
PICTURE_BYTES, PICTURE_SIDE = 800_000, 1400


def of(picture: Path) -> Path:
    """Return the path of the copy of a picture."""
    return picture.with_suffix(".webp")


def write(picture: Path) -> Path:
    """Write the copy of a picture, PNG or GIF."""
    with Image.open(picture) as image:
        image.seek(getattr(image, "n_frames", 1) - 1)
        content = _webp(image, lossless=True)
        if len(content) > PICTURE_BYTES and picture.suffix != ".gif":
            reduced = image.convert("RGB")
            reduced.thumbnail((PICTURE_SIDE, PICTURE_SIDE), Image.Resampling.LANCZOS)
            content = _webp(reduced, quality=85)
    return write_atomically(of(picture), content)


def _webp(image: Image.Image, **settings: Any) -> bytes:
    with io.BytesIO() as file:
        image.convert("RGB").save(file, "WEBP", **settings)
        return file.getvalue()
