"""A user's data to lay on a grid: a folder of images, or a file of images, features or points."""

import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lapmark.bench.data import bounded_reading, csv_file
from lapmark.bench.data.datasets import read_idx
from lapmark.solvers.grid_layout import fitting_shape

from . import columns, item_table, picture_size, thumbnails
from .columns import UNNAMED, Choice, Column
from .thumbnails import Thumbnail

#: Names of the arrays of an archive: data, of which the first that exists is embedded; labels; names.
DATA = ("points", "features", "data", "X", "images")
LABELS = columns.LABELS
NAMES = ("name", "names")

#: A label that is sorted as a number.
NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)")

READS = f"a folder of images, .npy, .npz, {', '.join(item_table.SUFFIXES)}, or MNIST's IDX files"


@dataclass(frozen=True, eq=False)
class Collection:
    """Items to lay on a grid.

    Attributes
    ----------
    vectors : (n, d) array
        Finite real numbers, n ≥ 2. With d = 2 they are points of the plane, which need no embedding.
    names : tuple of n str
    images : tuple of n (height, width) or (height, width, 3) uint8 arrays, or None
    labels : tuple of n str, or None
    skipped : tuple of (str, str)
        Names of images that could not be read, each with the reason.
    ignored : str
        What else was left out; empty if nothing.
    layout : str
        How a table was interpreted; empty for other data.
    columns : tuple of Column
        The role of each column of a table.
    feature_names : tuple of d str
        Names of the columns of `vectors`; empty for other data.
    have_units : bool
        Whether the features are quantities with units of their own, which an embedding should not compare.
    originals : tuple of n Path, or None
        Files of the images.
    """

    vectors: np.ndarray
    names: tuple[str, ...]
    images: tuple[np.ndarray, ...] | None = None
    labels: tuple[str, ...] | None = None
    skipped: tuple[tuple[str, str], ...] = ()
    ignored: str = ""
    layout: str = ""
    columns: tuple[Column, ...] = ()
    feature_names: tuple[str, ...] = ()
    have_units: bool = False
    originals: tuple[Path, ...] | None = None

    def __len__(self) -> int:
        return len(self.vectors)

    @property
    def are_points(self) -> bool:
        """Whether the vectors are points of the plane."""
        return self.vectors.shape[1] == 2

    @property
    def classes(self) -> tuple[str, ...]:
        """The distinct labels: numbers by size, then words alphabetically."""

        def order(label: str) -> tuple[bool, float, str]:
            return (False, float(label), label) if NUMBER.fullmatch(label) else (True, 0, label)

        return tuple(sorted(set(self.labels or ()), key=order))


@dataclass(frozen=True)
class Drawn:
    """How images are read to be drawn: their longest side in pixels, files at a time, and whether they are cropped."""

    side: int | None = None
    threads: int | None = None
    crop: bool = False


def read(
    path: Path | str,
    side: int | None = None,
    threads: int | None = None,
    header: bool | None = None,
    choice: Choice = UNNAMED,
    crop: bool = False,
) -> Collection:
    """Read a collection.

    Parameters
    ----------
    path : path
        One of: a folder with images at any depth, whose subfolders are their labels; an array (n, 2) of points, (n, d)
        of features, or (n, height, width) of images as bytes, with or without channels, as `.npy`, or in `.npz`
        together with `labels` and `names`; a table whose numeric columns are features, with optional columns `label`,
        `name`, and `image` for paths; an IDX file of images, with its labels beside it.
    side : int, optional
        Longest side of an image in pixels; default: by the number of images.
    threads : int, optional
        Files that are read at the same time; default, and −1: one per core.
    header : bool, optional
        Whether the first line of a table is a heading; default: detected.
    choice : Choice
        Columns of a table, or arrays of an archive, that the user names.
    crop : bool
        Whether only the middle squares of images are kept, to be drawn.

    Raises
    ------
    ValueError
        It is none of these, is damaged, has entries that are not finite, or has fewer than two items. The message names
        the file, the place and a remedy.
    OSError
        The file does not exist or cannot be opened.
    """
    path = Path(path)
    csv_file.check_header(path, header)
    if choice and (path.is_dir() or not path.name.lower().endswith((*item_table.SUFFIXES, ".npz"))):
        raise ValueError(f"{path} has no columns; --features, --label and --name are for tables and .npz")
    drawn = Drawn(side, threads, crop)
    if path.is_dir():
        return _folder(path, drawn)
    with path.open("rb") as file:
        if not (start := file.read(6)):
            raise ValueError(f"{path} is empty")
    try:
        return _file(path, start, drawn, header, choice)
    except (*bounded_reading.DAMAGED, ValueError, TypeError, MemoryError) as error:
        raise ValueError(f"{path}: {error}") from None


def _file(path: Path, start: bytes, drawn: Drawn, header: bool | None, choice: Choice) -> Collection:
    name = path.name.lower()
    if name.endswith(".npy"):
        if start != b"\x93NUMPY":
            raise ValueError("it is not a NumPy file, although its name says so")
        return of_arrays({"data": bounded_reading.read_npy(path)}, drawn)
    if name.endswith(".npz"):
        with bounded_reading.Archive(path) as archive:
            return of_arrays(archive, drawn, choice)
    if name.endswith(item_table.SUFFIXES):
        read = item_table.read(path, header, choice)
        with csv_file.errors_with_layout(read.layout):
            return of_table(read, path.parent, drawn)
    if "ubyte" in name:
        return of_arrays(_idx(path), drawn)
    raise ValueError(f"its format is unknown; give {READS}")


def _folder(folder: Path, drawn: Drawn) -> Collection:
    paths, others, unread = thumbnails.find(folder)
    left = tuple((_name(path, folder), reason) for path, reason in unread)
    if not paths:
        found = "no files"
        if others:
            found = f"{len(others):,} files, none of them an image ({_name(others[0], folder)}, …)"
        found += "".join(f"; {name}: {reason}" for name, reason in left[:1])
        raise ValueError(f"{folder} has {found}; give {READS}")
    names = [_name(path, folder) for path in paths]
    made, kept, skipped = _read_images(paths, names, drawn)
    if len(made) < 2:
        raise ValueError(f"{folder} has 1 readable image; a map needs at least two")
    subfolders = [Path(name).parts[0] if len(Path(name).parts) > 1 else "" for name in names]
    return Collection(
        thumbnails.vectors(made),
        tuple(names[i] for i in kept),
        tuple(image.sprite for image in made),
        tuple(subfolders[i] for i in kept) if all(subfolders) and len(set(subfolders)) > 1 else None,
        (*left, *skipped),
        f"files that are not images: {len(others):,}" if others else "",
        originals=tuple(paths[i] for i in kept),
    )


def _name(path: Path, folder: Path) -> str:
    """Return a path relative to a folder, with replacements for bytes that are not text."""
    return os.fsencode(path.relative_to(folder)).decode(errors="replace")


def _read_images(
    paths: Sequence[Path], names: Sequence[str], drawn: Drawn
) -> tuple[list[Thumbnail], Sequence[int], tuple[tuple[str, str], ...]]:
    """Return the readable images, their indices, and the names of the others with the reasons."""
    side = drawn.side or picture_size.default_side(len(paths))
    picture_size.check_size(math.prod(fitting_shape(len(paths))), side, *picture_size.MOST_PIXELS)
    made, kept, skipped = [], [], []
    for i, outcome in enumerate(thumbnails.read(paths, side, drawn.threads, drawn.crop)):
        if isinstance(outcome, str):
            skipped.append((names[i], outcome))
        else:
            made.append(outcome)
            kept.append(i)
    if not made:
        name, reason = skipped[0]
        raise ValueError(f"none of {len(paths):,} images can be read; the first, {name}: {reason}")
    return made, kept, tuple(skipped)


def of_table(read: item_table.Table, folder: Path, drawn: Drawn) -> Collection:
    n, features = read.numbers.shape
    names = read.names or read.paths or _numbered(n)
    vectors = read.numbers
    kept: Sequence[int] = range(n)
    images: tuple[np.ndarray, ...] | None = None
    skipped: tuple[tuple[str, str], ...] = ()
    _check_count(n)
    if read.paths is not None:
        files = [folder / path for path in read.paths]
        made, kept, skipped = _read_images(files, read.paths, drawn)
        images = tuple(image.sprite for image in made)
        vectors = vectors[kept] if features else thumbnails.vectors(made)
        _check_count(len(made))
    elif not features:
        raise ValueError(_nothing_to_embed(read))
    labels = tuple(read.labels[i] for i in kept) if read.labels else None
    return Collection(
        vectors,
        tuple(names[i] for i in kept),
        images,
        labels,
        skipped,
        layout=read.layout,
        columns=read.columns,
        feature_names=read.feature_names,
        have_units=read.have_units,
        originals=tuple(files[i] for i in kept) if read.paths is not None else None,
    )


def _nothing_to_embed(read: item_table.Table) -> str:
    """Return why a table has no features, as text."""
    roles = ", ".join(f"{column.name} ({column.reason})" for column in read.columns[:5])
    if len(read.columns) > 5:
        roles += ", …"
    paths = f"no column of paths, called {' or '.join(columns.PATHS)}"
    return f"it has no numeric column to embed, and {paths}: {roles}; --features takes columns of numbers anyway"


def _idx(path: Path) -> dict[str, np.ndarray]:
    labels = path.with_name(path.name.replace("images", "labels").replace("idx3", "idx1"))
    arrays = {"images": read_idx(path, 3)}
    return arrays | {"labels": read_idx(labels, 1)} if labels != path and labels.exists() else arrays


def of_arrays(arrays: Mapping[str, np.ndarray], drawn: Drawn, choice: Choice = UNNAMED) -> Collection:
    """Return the collection of named arrays; arrays that are not needed may hold anything and are not read."""
    labels, names = ((word,) if word else known for word, known in ((choice.label, LABELS), (choice.name, NAMES)))
    for wanted in (*filter(None, (choice.label, choice.name)), *(choice.features or ())):
        if wanted not in arrays:
            raise ValueError(f"it has no array {wanted!r}; it holds {', '.join(arrays) or 'nothing'}")
    if choice.features and len(choice.features) > 1:
        raise ValueError(f"--features {','.join(choice.features)}: name one array of an .npz")
    others = [name for name in arrays if name not in (*DATA, *labels, *names)]
    name = next((name for name in choice.features or DATA if name in arrays), others[0] if len(others) == 1 else None)
    if name is None:
        raise ValueError(f"it holds {', '.join(arrays) or 'nothing'}; call the array to embed {' or '.join(DATA)}")
    data = arrays[name]
    if data.ndim == 0 or data.dtype.kind not in "buif":
        raise ValueError(f"{name} has shape {data.shape} and type {data.dtype}; it must be an array of real numbers")
    _check_count(len(data))
    pixels = data if data.ndim > 2 else arrays.get("images")
    made = None if pixels is None else _made_small(pixels, len(data), drawn)
    ignored = [other for other in others if other != name]
    return Collection(
        thumbnails.vectors(made) if made and data.ndim > 2 else _vectors(data, name),
        words(arrays, names, len(data)) or tuple(_numbered(len(data))),
        tuple(image.sprite for image in made) if made else None,
        words(arrays, labels, len(data)),
        ignored=f"arrays of other names: {', '.join(ignored)}" if ignored else "",
    )


def _made_small(pixels: np.ndarray, n: int, drawn: Drawn) -> list[Thumbnail]:
    channels = pixels.shape[3:] in ((), (1,), (3,), (4,))
    if pixels.dtype != np.uint8 or pixels.ndim not in (3, 4) or not channels or 0 in pixels.shape:
        raise ValueError(
            f"images have shape {pixels.shape} and type {pixels.dtype}; they must be bytes, (n, height, width), or "
            f"with 1, 3 or 4 channels{_cure(pixels)}"
        )
    if len(pixels) != n:
        raise ValueError(f"there are {len(pixels):,} images for {n:,} items; give one for each")
    side = drawn.side or picture_size.default_side(n)
    picture_size.check_size(math.prod(fitting_shape(n)), side, *picture_size.MOST_PIXELS)
    return thumbnails.thumbnails(pixels, side, drawn.crop)


def _cure(pixels: np.ndarray) -> str:
    """Return how to convert an array to images."""
    if pixels.ndim == 4 and pixels.shape[1] in (1, 3, 4) and pixels.shape[3] not in (1, 3, 4):
        return "; np.moveaxis(images, 1, -1) puts channels last"
    if pixels.dtype == np.uint8:
        return ""
    if pixels.dtype.kind in "iu":
        return "; convert brightnesses up to 255 by images.astype(np.uint8)"
    return "; convert brightnesses up to 1 by (255 * images).astype(np.uint8)"


def _vectors(data: np.ndarray, name: str) -> np.ndarray:
    if data.ndim != 2 or data.shape[1] == 0:
        cure = "; reshape(-1, 1) makes vectors of length 1" if data.ndim == 1 else ""
        raise ValueError(f"{name} has shape {data.shape}; points are (n, 2), features (n, d){cure}")
    if data.dtype.kind == "f" and not np.isfinite(data).all():
        row, column = np.argwhere(~np.isfinite(data))[0]
        raise ValueError(f"{name}[{row}, {column}] is {data[row, column]}; every number must be finite")
    return data


def words(arrays: Mapping[str, np.ndarray], keys: Sequence[str], n: int) -> tuple[str, ...] | None:
    """Return the labels or names, None if there are none."""
    name = next((name for name in keys if name in arrays), None)
    if name is None:
        return None
    words = arrays[name]
    if words.shape != (n,):
        raise ValueError(f"{name} has shape {words.shape}; there must be one for each of {n:,}")
    if words.dtype.kind == "f" and np.isfinite(words).all() and (words % 1 == 0).all():
        words = words.astype(np.int64)
    return tuple(map(_text, words.tolist()))


def _text(word: object) -> str:
    """Return an entry of an array as text, with replacements for bytes that are not text."""
    return (word if isinstance(word, bytes) else str(word).encode(errors="surrogatepass")).decode(errors="replace")


def _numbered(n: int) -> list[str]:
    return [str(i) for i in range(n)]


def _check_count(n: int) -> None:
    if n < 2:
        raise ValueError(f"it holds {'1 item' if n else 'nothing'}; a map needs at least two")
