"""A collection of what a program has in memory: points, vectors, images, their paths, or a table."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageOps

from . import collection, item_table, picture_size, thumbnails
from .collection import Collection
from .columns import UNNAMED, Choice
from .thumbnails import Thumbnail

if TYPE_CHECKING:
    import pandas as pd


def collect(
    data: Any,
    images: Any = None,
    labels: Any = None,
    names: Any = None,
    *,
    side: int | None = None,
    crop: bool = False,
    threads: int | None = None,
    choice: Choice = UNNAMED,
) -> Collection:
    """Return a collection of data in memory, or read it from a file or a folder.

    Parameters
    ----------
    data : path, data frame, array_like or sequence of images
        As for `lapmark.map`.
    images : sequence of images, optional
        What is drawn; default: `data`, if these are images.
    labels, names : array_like of n, optional
    side, crop, threads, choice
        As for `collection.read`.

    Raises
    ------
    ValueError, TypeError
        It is none of these, or the lengths differ. The message names the entry.
    """
    drawn = collection.Drawn(side, threads, crop)
    if isinstance(data, str | os.PathLike):
        read = collection.read(Path(data), side, threads, None, choice, crop)
    elif (frame := _as_frame(data)) is not None:
        read = _of_frame(frame, drawn, choice)
    elif choice:
        raise ValueError("features, label and name are names of columns, for a table; give labels and names as lists")
    else:
        read = _of_arrays(data, drawn)
    return _with(read, images, labels, names, drawn)


def _as_frame(data: Any) -> pd.DataFrame | None:
    """Return a table of pandas, or of another library as one of pandas; None for other data."""
    import pandas as pd

    if hasattr(data, "to_pandas") and hasattr(data, "columns"):
        data = data.to_pandas()
    return data if isinstance(data, pd.DataFrame) else None


def _of_frame(frame: pd.DataFrame, drawn: collection.Drawn, choice: Choice) -> Collection:
    from lapmark.bench.data import csv_file

    if frame.columns.nlevels > 1:
        raise ValueError("the table has columns of several levels; give one level of names")
    frame = frame.rename(columns=str)
    csv_file.check_names(frame)
    return collection.of_table(item_table.split(frame, choice=choice), Path(), drawn)


def _of_arrays(data: Any, drawn: collection.Drawn) -> Collection:
    if _are_images(data):
        made, originals = _thumbnails(data, drawn)
        names = [path.name for path in originals] if originals else [str(i) for i in range(len(made))]
        sprites = tuple(image.sprite for image in made)
        return Collection(thumbnails.vectors(made), tuple(names), sprites, originals=originals)
    array = _numbers(data, "data")
    if array.ndim > 2:
        array = as_bytes(array)
    return collection.of_arrays({"data": array}, drawn)


def _with(read: Collection, images: Any, labels: Any, names: Any, drawn: collection.Drawn) -> Collection:
    """Return a collection with images, labels and names of its items in place of its own."""
    if images is not None:
        if not _are_images(images):
            images = list(as_bytes(_numbers(images, "images")))
        if len(images) != len(read):
            raise ValueError(f"there are {len(images):,} images for {len(read):,} items; give one for each")
        made, originals = _thumbnails(images, drawn)
        read = replace(read, images=tuple(image.sprite for image in made), originals=originals)
        if names is None and originals and read.names == tuple(map(str, range(len(read)))):
            names = [path.name for path in originals]
    if names is not None:
        read = replace(read, names=collection.words({"names": _entries(names)}, ["names"], len(read)) or ())
    if labels is not None:
        read = replace(read, labels=collection.words({"labels": _entries(labels)}, ["labels"], len(read)))
    return read


def _entries(words: Any) -> np.ndarray:
    """Return labels or names as an array of one dimension."""
    array = np.asarray(words)
    if array.dtype.kind in "OUS" and array.ndim == 1:
        return array
    return array if array.dtype.kind in "biufM" else np.asarray(list(words), dtype=object)


def _are_images(data: Any) -> bool:
    """Return whether data are a sequence of images of Pillow, of paths, or of images as arrays of several sizes."""
    if isinstance(data, np.ndarray) and data.dtype != object:
        return False
    if not isinstance(data, Sequence | np.ndarray) or len(data) == 0:
        return False
    # Rows of numbers are vectors; of arrays of several sizes NumPy makes no array.
    return all(isinstance(item, Image.Image | str | os.PathLike) or np.ndim(item) in (2, 3) for item in data)


def _thumbnails(images: Sequence[Any], drawn: collection.Drawn) -> tuple[list[Thumbnail], tuple[Path, ...] | None]:
    """Return thumbnails, and the paths if all images are paths."""
    if len(images) < 2:
        raise ValueError("there is 1 image; a map needs at least two")
    side = drawn.side or picture_size.default_side(len(images))
    if all(isinstance(image, str | os.PathLike) for image in images):
        paths = [Path(image) for image in images]
        outcomes = thumbnails.read(paths, side, drawn.threads, drawn.crop)
        for i, outcome in enumerate(outcomes):
            if isinstance(outcome, str):
                raise ValueError(f"images[{i}], {paths[i]}: {outcome}")
        return [outcome for outcome in outcomes if not isinstance(outcome, str)], tuple(paths)
    return [_thumbnail(image, i, side, drawn) for i, image in enumerate(images)], None


def _thumbnail(image: Any, i: int, side: int, drawn: collection.Drawn) -> Thumbnail:
    if isinstance(image, str | os.PathLike):
        (made,) = thumbnails.read([Path(image)], side, 1, drawn.crop)
        if isinstance(made, str):
            raise ValueError(f"images[{i}], {image}: {made}")
        return made
    if isinstance(image, Image.Image):
        # A copy, since a thumbnail reduces its image.
        return thumbnails.thumbnail(ImageOps.exif_transpose(image.copy()), side, drawn.crop)
    pixels = as_bytes(_numbers(image, f"images[{i}]")[None])
    if pixels.ndim == 4 and pixels.shape[3] not in (1, 3, 4):
        raise ValueError(
            f"images[{i}] has shape {pixels.shape[1:]}; it must be (height, width), or with 1, 3 or 4 channels"
        )
    (made,) = thumbnails.thumbnails(pixels, side, drawn.crop)
    return made


def as_bytes(images: np.ndarray) -> np.ndarray:
    """Return images (n, …) as bytes: truth values, 8 to 16 bits, or real numbers up to 1, or else up to the largest."""
    if images.dtype == np.uint8 or images.size == 0:
        return images
    if images.dtype.kind == "b":
        return images.astype(np.uint8) * np.uint8(255)
    if not np.isfinite(images).all():
        i = int(np.argwhere(~np.isfinite(images))[0, 0])
        raise ValueError(f"image {i} has a brightness that is not finite")
    if images.dtype.kind in "iu" and images.min() >= 0 and images.max() < 256:
        return images.astype(np.uint8)
    if images.dtype.kind == "f" and images.min() >= 0:
        return np.rint(images * (255 / max(1.0, float(images.max())))).astype(np.uint8)
    return thumbnails.as_bytes(images)


def _numbers(data: Any, what: str) -> np.ndarray:
    """Return data as an array of real numbers."""
    try:
        array = np.asarray(data)
    except ValueError:
        raise ValueError(f"{what} is not an array: its rows have different lengths") from None
    if array.dtype.kind not in "buif" or isinstance(data, np.ma.MaskedArray):
        kind = "a masked array" if isinstance(data, np.ma.MaskedArray) else f"of type {array.dtype}"
        raise TypeError(
            f"{what} is {kind}; give points (n, 2), vectors (n, d), images (n, height, width), a list of images or "
            "paths, a data frame, or a path"
        )
    return array
