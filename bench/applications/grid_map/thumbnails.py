"""Images made small on the way in: what is drawn of each, and what is embedded; one that is broken says why.

A folder of photographs is read an image at a time in several threads, and only the small ones are kept.
"""

from __future__ import annotations

import contextlib
import functools
import math
import os
import threading
import warnings
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image, ImageOps, JpegImagePlugin

from lapmark.bench.data import bounded_reading
from lapmark.bench.util.status_line import doing
from lapmark.solvers.validation import check_threads

Item = TypeVar("Item")
Made = TypeVar("Made")

#: Images of more pixels to a side are squeezed into a square of so many, to be compared pixel by pixel.
COMPARED = 32

#: An image that is transparent is put on white, but for one of which all colours are as pale as this: on black.
PALE = 208

#: Endings of images that Pillow reads with the plugin pillow-heif only; telephones write them.
HEIF = (".heic", ".heif", ".hif")

#: Bytes of the blocks that Pillow takes memory in. Smaller ones, once freed, are kept by the C library for the thread
#: that freed them, so that each thread would hold the largest image that it has read.
BLOCK = 64 << 20

#: Pixels of a transparent image that are worked on at a time.
STRIP = 1 << 20

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

    budget = _Budget(bounded_reading.PIXELS_AT_A_TIME)
    Image.core.set_block_size(BLOCK)

    def one(path: Path) -> Thumbnail | str:
        try:
            if path.stat().st_size == 0:
                return "it is empty"
            with _open(path) as image:
                pixels = _decoded_pixels(image, side)
                bounded_reading.check_pixels(pixels, bounded_reading.MOST_PIXELS)
                with budget.take(pixels):
                    # Formats with frames open at the first; turned as the camera was held.
                    ImageOps.exif_transpose(image, in_place=True)
                    return thumbnail(image, side)
        except Image.UnidentifiedImageError:
            missing = path.suffix.lower() in HEIF and HEIF[0] not in Image.registered_extensions()
            return "reading it takes pip install pillow-heif" if missing else "it is no image, whatever its name says"
        except Exception as error:  # a damaged file makes readers of images raise whatever there is
            return str(error).replace(str(path), path.name) or type(error).__name__

    _endings()
    return list(_each(one, paths, "reading images", check_threads(threads)))


class _Budget:
    """What threads may take together at a time; whoever wants more than there is gets all of it, alone."""

    def __init__(self, most: int) -> None:
        self._most = self._left = most
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def take(self, share: int) -> Iterator[None]:
        share = min(share, self._most)
        with self._changed:
            self._changed.wait_for(lambda: self._left >= share)
            self._left -= share
        try:
            yield
        finally:
            with self._changed:
                self._left += share
                self._changed.notify_all()


def _open(path: Path) -> Image.Image:
    """Open an image file; one that Pillow refuses by its size if it is a JPEG, of which only a part is decoded."""
    try:
        return Image.open(path)
    except Image.DecompressionBombError:
        try:
            return JpegImagePlugin.JpegImageFile(path)
        except SyntaxError:
            raise ValueError(f"it has more than {bounded_reading.MOST_PIXELS:,} pixels; make it smaller") from None


def _decoded_pixels(image: Image.Image, side: int) -> int:
    """Have a JPEG decoded at a fraction of its size, and return how many pixels take memory then."""
    full = math.prod(image.size)
    image.draft("", (max(DRAFT, side),) * 2)
    # Of a progressive JPEG all coefficients are kept until the last is read.
    return full if image.info.get("progressive") else math.prod(image.size)


def thumbnails(images: Sequence[np.ndarray] | np.ndarray, side: int) -> list[Thumbnail]:
    """The same of images at hand, as bytes: (height, width), or with 1, 3 or 4 channels, the last an opacity."""

    def one(image: np.ndarray) -> Thumbnail:
        return thumbnail(Image.fromarray(image[..., 0] if image.shape[2:] == (1,) else image), side)

    return list(_each(one, images, "making images small"))


def thumbnail(image: Image.Image, side: int) -> Thumbnail:
    """An image in any of Pillow's modes, made small; the image itself may be, too, since a copy takes memory."""
    image = _plain(image)
    compared = _pixels(image if max(image.size) <= COMPARED else _squeezed(image))
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    return Thumbnail(_pixels(image), compared)


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
        return _on_ground(image)
    mode = "L" if image.mode in ("1", "L") else "RGB"
    return image if image.mode == mode else image.convert(mode)


def _on_ground(image: Image.Image) -> Image.Image:
    """A transparent image on a ground that does not hide it, made a strip at a time to save memory."""
    ground = "black" if _is_pale(image) else "white"
    flat = Image.new("RGB", image.size)
    for top, strip in _strips(image):
        flat.paste(Image.alpha_composite(Image.new("RGBA", strip.size, ground), strip).convert("RGB"), (0, top))
    return flat


def _is_pale(image: Image.Image) -> bool:
    """Whether all colours of what is not transparent are nearly white, on average."""
    count = total = 0
    for _, strip in _strips(image):
        pixels = np.asarray(strip)
        shown = pixels[pixels[..., 3] > 0, :3]
        count += len(shown)
        total += int(shown.min(axis=1).sum(dtype=np.int64))
    return count > 0 and total / count > PALE


def _strips(image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    """The strips of an image in RGBA, each with the row at which it begins."""
    rows = max(1, STRIP // image.width)
    for top in range(0, image.height, rows):
        bottom = min(top + rows, image.height)
        yield top, image.crop((0, top, image.width, bottom)).convert("RGBA")


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
