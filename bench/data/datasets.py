"""Data sets that problems are built from: digits, MNIST and OR-Library; none of them ships with Lapmark.

Files are searched in the folder that `--data` or the variable LAPMARK_DATA names, and in its subfolders `mnist` and
`orlib`. Data that are missing or damaged raise an error that says how to get them.
"""

import gzip
import math
import os
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lapmark.bench.util import cache
from lapmark.solvers.costs import Cost

from . import bounded_reading, problem_text

#: Environment variable with the folder of data files.
VARIABLE = "LAPMARK_DATA"

_GET_ORLIB = "from OR-Library, https://people.brunel.ac.uk/~mastjjb/jeb/orlib/assigninfo.html"


class MissingData(FileNotFoundError):
    """A data set is not on this machine."""


@dataclass(frozen=True, eq=False)
class Images:
    """Labelled images."""

    pixels: np.ndarray  # (n, height, width) uint8; 0 is black, 255 white
    label: np.ndarray  # (n,) uint8


def has(name: str) -> bool:
    """Return whether the images `digits` or `mnist` are available without the network."""
    return name == "digits" or (name == "mnist" and None not in _mnist_files())


def digits() -> Images:
    """Return the 1797 handwritten digits of 8×8 pixels in scikit-learn (E. Alpaydin, C. Kaynak, UCI, 1998)."""
    from sklearn.datasets import load_digits

    data = load_digits()
    # Brightness is given in sixteenths; times 15 fills a byte without rounding.
    return Images((data.images * 15).astype(np.uint8), data.target.astype(np.uint8))


def mnist(download: bool = True) -> Images:
    """Return the MNIST test set: 10 000 handwritten digits of 28×28 pixels (Y. LeCun, C. Cortes, C. Burges).

    With `download` it is fetched from OpenML if no data folder is set. Raise a MissingData where it is in neither, and
    a ValueError if a file is damaged.
    """
    images, labels = _mnist_files()
    if images and labels:
        return _paired(read_idx(images, 3), read_idx(labels, 1), f"{images} and {labels}")
    # If a folder is set, no download: it would hide a misspelt path.
    if download and not os.environ.get(VARIABLE):
        return _mnist_from_openml()
    missing = " and ".join(
        name for name, path in (("t10k-images-idx3-ubyte", images), ("t10k-labels-idx1-ubyte", labels)) if not path
    )
    raise MissingData(
        f"MNIST: no {missing} (.gz or not) in {_searched('mnist')}; "
        f"set --data or {VARIABLE} to the folder that has them, "
        "or leave both unset to let scikit-learn download them from OpenML"
    )


def read_idx(path: Path, dimensions: int) -> np.ndarray:
    """Return the uint8 array of an IDX file, read-only; the file is gzipped if its name ends in `.gz`.

    `dimensions` is the required number of axes: 3 for images, 1 for labels. Raise a ValueError that names the file and
    the fault where the magic number or the length is wrong.
    """
    is_packed = path.suffix == ".gz"
    most = bounded_reading.MOST_UNPACKED if is_packed else path.stat().st_size
    try:
        with gzip.open(path) if is_packed else path.open("rb") as file:
            start = file.read(4 + 4 * dimensions)
            shape = _idx_shape(path, start, dimensions)
            declared = math.prod(shape)
            if is_packed:
                bounded_reading.check_unpacked(str(path), declared, "unpack it with gunzip")
            # One byte more than declared shows that there are too many; a compressed file may have far too many.
            content = file.read(min(declared, most) + 1)
    except bounded_reading.DAMAGED as error:
        raise ValueError(f"{path} is damaged: {error}; get it again") from None
    if len(content) != declared:
        more = " or more" if len(content) > declared else ""
        raise ValueError(
            f"{path} has {len(content)}{more} bytes of data; "
            f"its header declares {' × '.join(map(str, shape))}; get it again"
        )
    return np.frombuffer(content, dtype=np.uint8).reshape(shape)


def _idx_shape(path: Path, start: bytes, dimensions: int) -> tuple[int, ...]:
    """Return the shape in the header of an IDX file."""
    magic = bytes((0, 0, 8, dimensions))
    if start[:4] != magic:
        raise ValueError(
            f"{path} begins with {start[:4].hex(' ') or 'nothing'}; "
            f"an IDX file of bytes with {dimensions} axes begins with {magic.hex(' ')}; get it again"
        )
    if len(start) < 4 + 4 * dimensions:
        raise ValueError(f"{path} ends within its header, at byte {len(start)}; get it again")
    return struct.unpack(f">{dimensions}I", start[4:])


def orlib(name: str) -> Cost:
    """Return the costs of an assignment problem of OR-Library (J. E. Beasley), such as `assign100` or `assignp800`.

    Raise a MissingData if its file is not in the data folder, and a ValueError if that is damaged.
    """
    path = _find(f"{name}.txt", folder="orlib")
    if path is None:
        raise MissingData(
            f"OR-Library: no {name}.txt in {_searched('orlib')}; "
            f"get it {_GET_ORLIB} and set --data or {VARIABLE} to its folder"
        )
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            content = file.read(bounded_reading.MOST_UNPACKED)
        cost = problem_text.orlib(content.decode("ascii", errors="replace"))
    except (ValueError, *bounded_reading.DAMAGED) as error:
        raise ValueError(f"{path} is damaged: {error}; get it again {_GET_ORLIB}") from None
    size = int(name.removeprefix("assign").removeprefix("p"))
    if cost.shape != (size, size):
        raise ValueError(f"{path} has n = {cost.shape[0]}, not {size}; get it again {_GET_ORLIB}")
    return cost


def _paired(pixels: np.ndarray, label: np.ndarray, source: str) -> Images:
    if len(pixels) != len(label):
        raise ValueError(f"{source}: {len(pixels)} images, but {len(label)} labels; get both again")
    return Images(pixels, label)


def _mnist_files() -> tuple[Path | None, Path | None]:
    """Return the paths of the images and the labels of the test set."""
    return (
        _find("t10k-images-idx3-ubyte", "t10k-images.idx3-ubyte", folder="mnist"),
        _find("t10k-labels-idx1-ubyte", "t10k-labels.idx1-ubyte", folder="mnist"),
    )


def _mnist_from_openml() -> Images:
    from sklearn.datasets import fetch_openml

    try:
        data = fetch_openml("mnist_784", version=1, as_frame=False, data_home=str(cache.folder() / "openml"))
    except OSError as error:  # includes the errors of urllib
        raise MissingData(
            f"MNIST: {VARIABLE} is not set, and OpenML cannot be reached ({error}); set --data or {VARIABLE} "
            "to a folder that has t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz"
        ) from error
    # Its 70 000 images are the training set, then the test set.
    test = slice(60_000, 70_000)
    pixels, label = np.asarray(data.data[test]), np.asarray(data.target[test])
    return _paired(pixels.astype(np.uint8).reshape(-1, 28, 28), label.astype(np.uint8), "OpenML's mnist_784")


def _folders(subfolder: str) -> list[Path]:
    named = os.environ.get(VARIABLE)
    return [Path(named), Path(named) / subfolder] if named else []


def _find(*names: str, folder: str) -> Path | None:
    """Return the first of these files, plain or gzipped, that the data folder has."""
    for place in _folders(folder):
        for name in names:
            for path in (place / name, place / f"{name}.gz"):
                if path.is_file():
                    return path
    return None


def _searched(subfolder: str) -> str:
    return " or ".join(map(str, _folders(subfolder))) or f"any folder ({VARIABLE} is not set)"
