"""Thumbnails of images: one to draw and one to embed, or the reason why an image cannot be read.

A folder of photographs is read by several threads, an image at a time each, and only the thumbnails are kept.
"""

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

#: Images with a longer side are scaled to a square of this side, to be compared pixel by pixel.
COMPARED = 32

#: Transparent images are put on white, or on black if their mean luminance has a lower contrast to white than this, by
#: the definition of WCAG: white, yellow and light grey drawings.
LEAST_CONTRAST = 1.5

#: Luminance of each of the 256 values of red, green and blue, (3, 256).
LUMINANCE = np.array([[0.2126], [0.7152], [0.0722]]) * np.array(
    [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in np.arange(256) / 255]
)

#: Endings of images that Pillow reads with the package pillow-heif only; phones write them.
HEIF = (".heic", ".heif", ".hif")

HOW_TO_READ_HEIF = "to read it, pip install 'lapmark[heif]'"

#: Size of Pillow's memory blocks, in bytes. The C library keeps smaller freed blocks for the thread that freed them, so
#: that each thread would hold the memory of the largest image it has read.
BLOCK = 64 << 20

#: Pixels of a transparent image that are processed at a time.
STRIP = 1 << 20

#: Smallest side to which a JPEG is reduced by decoding a fraction of its size. It is fixed, since the embedding should
#: not depend on the size of the drawing.
DRAFT = 256


@dataclass(frozen=True, eq=False)
class Thumbnail:
    """The thumbnails of an image.

    Attributes
    ----------
    sprite : (height, width) or (height, width, 3) uint8
        To draw; grey if the image is.
    compared : (height, width) or (height, width, 3) uint8
        To compare with others: unchanged up to 32 pixels a side, else scaled to a square of 32.
    """

    sprite: np.ndarray
    compared: np.ndarray


def find(folder: Path) -> tuple[list[Path], list[Path], list[tuple[Path, str]]]:
    """Find the images below a folder.

    Links to folders are followed, each folder once. Hidden files and folders are ignored.

    Returns
    -------
    images, others : list of Path
        Files that are images by the endings of their names, and other files; sorted.
    unread : list of (Path, str)
        Folders that were not searched, each with the reason.
    """
    endings, above = _endings(), folder.resolve().parents
    images: list[Path] = []
    others: list[Path] = []
    unread: list[tuple[Path, str]] = []
    seen: set[Path] = set()

    def cannot(error: OSError) -> None:
        unread.append((Path(error.filename), str(error.strerror)))

    roots = [folder]
    for root in roots:  # grows in the loop: links come after the folders themselves, so that folders keep their names
        if (real := root.resolve()) in seen or real in above:
            unread.append((root, "it is a link to a folder that was read already, or that contains it"))
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
    """Return the endings of names of images."""
    Image.init()
    with contextlib.suppress(ImportError):
        from pillow_heif import register_heif_opener

        register_heif_opener()
    return frozenset(HEIF).union(ending for ending, kind in Image.registered_extensions().items() if kind in Image.OPEN)


def read(paths: Sequence[Path], side: int, threads: int | None = None, crop: bool = False) -> list[Thumbnail | str]:
    """Read image files.

    Parameters
    ----------
    side : int
        Longest side of a sprite in pixels.
    threads : int, optional
        Files that are read at the same time; default, and −1: one per core of this process.
    crop : bool
        Whether sprites are the middle squares of images.

    Returns
    -------
    list of Thumbnail or str
        One per file, in order; for a file that cannot be read, the reason.
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
                    # Animated formats open at the first frame. The image is rotated as the camera was held.
                    ImageOps.exif_transpose(image, in_place=True)
                    return thumbnail(image, side, crop)
        except Image.UnidentifiedImageError:
            missing = path.suffix.lower() in HEIF and HEIF[0] not in Image.registered_extensions()
            return HOW_TO_READ_HEIF if missing else "it is not an image, although its name says so"
        except Exception as error:  # readers of damaged images raise errors of many types
            return str(error).replace(str(path), path.name) or type(error).__name__

    _endings()
    return list(_each(one, paths, "reading images", check_threads(threads)))


class _Budget:
    """Memory, in pixels, that threads share; a request for more than the total gets all of it."""

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
    """Open an image file, and a JPEG even if Pillow refuses its size, since only a part of it is decoded."""
    try:
        return Image.open(path)
    except Image.DecompressionBombError:
        try:
            return JpegImagePlugin.JpegImageFile(path)
        except SyntaxError:
            raise ValueError(f"it has more than {bounded_reading.MOST_PIXELS:,} pixels; make it smaller") from None


def _decoded_pixels(image: Image.Image, side: int) -> int:
    """Set a JPEG to be decoded at a fraction of its size, and return the number of pixels that take memory."""
    full = math.prod(image.size)
    image.draft("", (max(DRAFT, side),) * 2)
    # A progressive JPEG keeps all coefficients until the last is read.
    return full if image.info.get("progressive") else math.prod(image.size)


def thumbnails(images: Sequence[np.ndarray] | np.ndarray, side: int, crop: bool = False) -> list[Thumbnail]:
    """Return thumbnails of images in memory: bytes, (height, width), or with 1, 3 or 4 channels, the 4th opacity."""

    def one(image: np.ndarray) -> Thumbnail:
        return thumbnail(Image.fromarray(image[..., 0] if image.shape[2:] == (1,) else image), side, crop)

    return list(_each(one, images, "making thumbnails"))


def thumbnail(image: Image.Image, side: int, crop: bool = False) -> Thumbnail:
    """Return the thumbnails of an image in any mode of Pillow; the image itself may be reduced, to save memory."""
    image = _plain(image)
    compared = _pixels(image if max(image.size) <= COMPARED else _squeezed(image))
    if crop:
        least = min(image.size)
        left, top = ((length - least) // 2 for length in image.size)
        image = image.crop((left, top, left + least, top + least))
    # Half the time of Lanczos's filter, which takes longer than reading the file, and as sharp.
    image.thumbnail((side, side), Image.Resampling.HAMMING)
    return Thumbnail(_pixels(image), compared)


def vectors(images: Sequence[Thumbnail]) -> np.ndarray:
    """Return the vectors of images to embed: pixels, (n, d) uint8, in three channels if any image is coloured.

    Images of different sizes are scaled to the square.
    """
    chosen = [image.compared for image in images]
    if len({pixels.shape[:2] for pixels in chosen}) > 1:
        chosen = [np.asarray(_squeezed(Image.fromarray(pixels))) for pixels in chosen]
    if any(pixels.ndim == 3 for pixels in chosen):
        chosen = [pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2) for pixels in chosen]
    return np.stack(chosen).reshape(len(chosen), -1)


def _each(make: Callable[[Item], Made], items: Collection[Item], what: str, threads: int = 1) -> Iterator[Made]:
    """Yield the results of a function, in order, and show the progress. Ctrl-C cancels calls that have not begun."""
    pool = ThreadPoolExecutor(threads)
    with doing(what) as say, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd metadata and large images, without the file's name
        try:
            for count, made in enumerate(pool.map(make, items)):
                if count % 100 == 0:
                    say(f"{what}: {count:,} of {len(items):,}")
                yield made
        finally:
            pool.shutdown(cancel_futures=True)


def _plain(image: Image.Image) -> Image.Image:
    """Convert an image to bytes, and a transparent one to a background on which it is visible."""
    if image.mode.startswith(("I", "F")):
        return Image.fromarray(as_bytes(np.asarray(image)))
    if image.has_transparency_data:
        return _on_ground(image)
    mode = "L" if image.mode in ("1", "L") else "RGB"
    return image if image.mode == mode else image.convert(mode)


def _on_ground(image: Image.Image) -> Image.Image:
    """Put a transparent image on a background on which it is visible, in strips to save memory."""
    ground = "black" if _is_pale(image) else "white"
    flat = Image.new("RGB", image.size)
    for top, strip in _strips(image):
        flat.paste(Image.alpha_composite(Image.new("RGBA", strip.size, ground), strip).convert("RGB"), (0, top))
    return flat


def _is_pale(image: Image.Image) -> bool:
    """Return whether the visible part would hardly be seen on white."""
    count, total = 0, 0.0
    for _, strip in _strips(image):
        pixels = np.asarray(strip)
        shown = pixels[pixels[..., 3] > 0]
        count += len(shown)
        total += sum(float(LUMINANCE[k] @ np.bincount(shown[:, k], minlength=256)) for k in range(3))
    return count > 0 and 1.05 / (total / count + 0.05) < LEAST_CONTRAST


def _strips(image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    """Yield the strips of an image in RGBA, each with its first row."""
    rows = max(1, STRIP // image.width)
    for top in range(0, image.height, rows):
        bottom = min(top + rows, image.height)
        yield top, image.crop((0, top, image.width, bottom)).convert("RGBA")


def _squeezed(image: Image.Image) -> Image.Image:
    return image.resize((COMPARED, COMPARED), Image.Resampling.BOX)


def _pixels(image: Image.Image) -> np.ndarray:
    """Return the pixels, in one channel if all three are equal: many grey images are stored in colour."""
    pixels = np.asarray(image)
    if pixels.ndim == 2:
        return pixels
    # The first row settles it for most coloured images.
    is_coloured = any((part[..., 1:] != part[..., :1]).any() for part in (pixels[:1], pixels))
    return pixels if is_coloured else pixels[..., 0]


def as_bytes(values: np.ndarray) -> np.ndarray:
    """Convert brightnesses to bytes: the high ones of 8, 12 or 16 bits, other ranges scaled from smallest to largest.

    Cameras and scanners store 12 bits in 16, which would be nearly black.
    """
    if values.dtype.kind in "iu" and values.min() >= 0 and values.max() < 2**16:
        return (values >> next(shift for shift in (0, 4, 8) if values.max() < 2 ** (8 + shift))).astype(np.uint8)
    low, high = float(values.min()), float(values.max())
    if not np.isfinite([low, high]).all():
        raise ValueError("it has brightnesses that are not finite")
    return ((values - low) * (255 / ((high - low) or 1))).astype(np.uint8)
