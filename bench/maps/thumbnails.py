"""Images made small on the way in: what is drawn of each, and what is embedded; one that is broken says why.

A folder of photographs is read an image at a time in several threads, and only the small ones are kept.
"""

from __future__ import annotations

import contextlib
import functools
import os
import warnings
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image, ImageOps

from solvers.validation import check_threads

from ..status import doing

Item = TypeVar("Item")
Made = TypeVar("Made")

#: Images of more pixels to a side are squeezed into a square of so many, to be compared pixel by pixel.
COMPARED = 32

#: An image that is transparent is put on white, but for one of which all colours are as pale as this: on black.
PALE = 208

#: Endings of images that Pillow reads with the plugin pillow-heif only; telephones write them.
HEIF = (".heic", ".heif", ".hif")

#: A JPEG is decoded at an eighth of its size, or a quarter, as long as it stays this large; fixed, since what is
#: embedded should not depend on how large it is drawn.
DRAFT = 256


@dataclass(frozen=True, eq=False)
class Thumbnail:
    """An image, made small.

    Attributes
    ----------
    sprite : (height, width) or (height, width, 3) uint8
        To be drawn. Grey where the image is.
    compared : (height, width) or (height, width, 3) uint8
        To be compared with others: as it is where it has at most 32 pixels to a side, else all of it squeezed into a
        square of 32.
    """

    sprite: np.ndarray
    compared: np.ndarray


def find(folder: Path) -> tuple[list[Path], list[Path], list[tuple[Path, str]]]:
    """Find the images below a folder.

    Links to folders are followed, each folder once. What is hidden counts as nothing.

    Returns
    -------
    images, others : list of Path
        Files that are images by their names' endings, and those that are none; in order.
    unread : list of (Path, str)
        Folders that were not looked into, each with the reason.
    """
    endings, above = _endings(), folder.resolve().parents
    images: list[Path] = []
    others: list[Path] = []
    unread: list[tuple[Path, str]] = []
    seen: set[Path] = set()

    def cannot(error: OSError) -> None:
        unread.append((Path(error.filename), str(error.strerror)))

    roots = [folder]
    for root in roots:  # which gets longer: links come after the folders themselves, which so keep their names
        if (real := root.resolve()) in seen or real in above:
            unread.append((root, "it is a link to a folder that is read already, or that holds this one"))
            continue
        for place, folders, files in os.walk(root, onerror=cannot):
            seen.add(Path(place).resolve())
            paths = [Path(place, name) for name in sorted(folders) if not name.startswith(".")]
            folders[:] = [path.name for path in paths if path.resolve() not in seen]
            roots += [path for path in paths if path.is_symlink()]
            for path in (Path(place, name) for name in files if not name.startswith(".")):
                (images if path.suffix.lower() in endings else others).append(path)
    return sorted(images), sorted(others), unread


@functools.cache
def _endings() -> frozenset[str]:
    """How the names of images end."""
    Image.init()
    with contextlib.suppress(ImportError):
        from pillow_heif import register_heif_opener

        register_heif_opener()
    return frozenset(HEIF).union(ending for ending, kind in Image.registered_extensions().items() if kind in Image.OPEN)


def read(paths: Sequence[Path], side: int, threads: int | None = None) -> list[Thumbnail | str]:
    """Read image files.

    Parameters
    ----------
    paths : sequence of path
    side : int
        Pixels that a sprite has at most along either side.
    threads : int, optional
        Files that are read at a time; default, and −1: a thread for each core of this process.

    Returns
    -------
    list of Thumbnail or str
        For each file, in order; in place of one that cannot be read, the reason.
    """

    def one(path: Path) -> Thumbnail | str:
        try:
            if path.stat().st_size == 0:
                return "it is empty"
            with Image.open(path) as image:
                # Formats with frames open at the first; turned as the camera was held.
                image.draft("", (max(DRAFT, side),) * 2)
                return thumbnail(ImageOps.exif_transpose(image), side)
        except Image.UnidentifiedImageError:
            missing = path.suffix.lower() in HEIF and HEIF[0] not in Image.registered_extensions()
            return "reading it takes pip install pillow-heif" if missing else "it is no image, whatever its name says"
        except Exception as error:  # a damaged file makes readers of images raise whatever there is
            return str(error).replace(str(path), path.name) or type(error).__name__

    _endings()
    return list(_each(one, paths, "reading images", check_threads(threads)))


def thumbnails(images: Sequence[np.ndarray] | np.ndarray, side: int) -> list[Thumbnail]:
    """The same of images at hand, as bytes: (height, width), or with 1, 3 or 4 channels, the last an opacity."""

    def one(image: np.ndarray) -> Thumbnail:
        return thumbnail(Image.fromarray(image[..., 0] if image.shape[2:] == (1,) else image), side)

    return list(_each(one, images, "making images small"))


def thumbnail(image: Image.Image, side: int) -> Thumbnail:
    """An image in any of Pillow's modes, made small."""
    image = _plain(image)
    compared = image if max(image.size) <= COMPARED else _squeezed(image)
    sprite = image.copy()
    sprite.thumbnail((side, side), Image.Resampling.LANCZOS)
    return Thumbnail(_pixels(sprite), _pixels(compared))


def vectors(images: Sequence[Thumbnail]) -> np.ndarray:
    """What is embedded of images: (n, d) uint8, their pixels, in three channels if any is coloured.

    Where they are not all of one size, each is squeezed into the square.
    """
    chosen = [image.compared for image in images]
    if len({pixels.shape[:2] for pixels in chosen}) > 1:
        chosen = [np.asarray(_squeezed(Image.fromarray(pixels))) for pixels in chosen]
    if any(pixels.ndim == 3 for pixels in chosen):
        chosen = [pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2) for pixels in chosen]
    return np.stack(chosen).reshape(len(chosen), -1)


def _each(make: Callable[[Item], Made], items: Collection[Item], what: str, threads: int = 1) -> Iterator[Made]:
    """What is made of each, in order, while the status says how far it is. Ctrl-C leaves what has not begun."""
    pool = ThreadPoolExecutor(threads)
    with doing(what) as say, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd metadata and of large images, by name of neither
        try:
            for count, made in enumerate(pool.map(make, items)):
                if count % 100 == 0:
                    say(f"{what}: {count:,} of {len(items):,}")
                yield made
        finally:
            pool.shutdown(cancel_futures=True)


def _plain(image: Image.Image) -> Image.Image:
    """In bytes, and where it is transparent on a ground that does not hide it."""
    if image.mode.startswith(("I", "F")):
        return Image.fromarray(_bytes(np.asarray(image)))
    if image.has_transparency_data:
        pixels = np.asarray(image := image.convert("RGBA"))
        shown = pixels[pixels[..., 3] > 0, :3]
        ground = "black" if len(shown) and shown.min(axis=1).mean() > PALE else "white"
        image = Image.alpha_composite(Image.new("RGBA", image.size, ground), image)
    return image.convert("L" if image.mode in ("1", "L") else "RGB")


def _squeezed(image: Image.Image) -> Image.Image:
    return image.resize((COMPARED, COMPARED), Image.Resampling.BOX)


def _pixels(image: Image.Image) -> np.ndarray:
    """One channel where three are equal: many a grey image is kept as a coloured one."""
    pixels = np.asarray(image)
    return pixels if pixels.ndim == 2 or (pixels != pixels[..., :1]).any() else pixels[..., 0]


def _bytes(values: np.ndarray) -> np.ndarray:
    """Brightnesses of 16 bits with their last ones left out, any others stretched from the least to the largest."""
    if values.dtype.kind in "iu" and values.min() >= 0 and values.max() < 2**16:
        return (values >> 8).astype(np.uint8)
    low, high = float(values.min()), float(values.max())
    if not np.isfinite([low, high]).all():
        raise ValueError("it has brightnesses that are not finite")
    return ((values - low) * (255 / ((high - low) or 1))).astype(np.uint8)
