"""Files of the user's, unpacked within bounds: what a header announces is checked before memory is taken for it.

A few megabytes of zeros unpack to as many gigabytes. A file that is not compressed is its own bound.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import lzma
import math
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

import numpy as np
import psutil

from lapmark.bench.util.units import show_size

#: Bytes that the arrays, or the vectors, of one compressed file may unpack to.
MOST_UNPACKED = 4 << 30

#: Bytes that a compressed table may unpack to: a text of short numbers takes twelve times as much while it is parsed.
MOST_TEXT = 512 << 20

#: Characters of a line of a table, and bytes of one of vectors: a row of a million numbers.
MOST_LINE = 16 << 20

#: Pixels of an image that is decoded; Pillow refuses to open a larger one. 4 to 17 bytes are taken for each.
MOST_PIXELS = 178_956_970

#: Pixels that are decoded at a time, by all threads together; a larger image is decoded while no other is.
PIXELS_AT_A_TIME = 64 << 20

#: What a file that is damaged may raise beside a ValueError.
DAMAGED = (EOFError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, lzma.LZMAError)


def check_unpacked(name: str, size: int, cure: str, left: int | None = None) -> None:
    """Raise a ValueError where what is compressed unpacks to more than `MOST_UNPACKED`, or what is left of that."""
    if size > (MOST_UNPACKED if left is None else left):
        raise ValueError(
            f"{name} unpacks to {show_size(size)}; from one compressed file at most {show_size(MOST_UNPACKED)} are "
            f"read; {cure}"
        )


def check_pixels(pixels: int, most: int) -> None:
    """Raise a ValueError where an image is too large to be decoded."""
    if pixels > most:
        raise ValueError(f"it has {pixels:,} pixels, more than {most:,}; make it smaller")


def read_npy(path: Path) -> np.ndarray:
    """Read an array from a `.npy` file.

    Raises
    ------
    ValueError
        Where it is none, holds Python objects, announces more than it holds, or more than there is memory for.
    """
    with path.open("rb") as file:
        _check_announced(file, "the array", path.stat().st_size)
        return np.lib.format.read_array(file, allow_pickle=False)


class Archive(Mapping[str, np.ndarray]):
    """The arrays of a `.npz` file by name, each read when asked for. Use it in a `with` statement.

    What is read from one archive is bounded as a whole. A ValueError names the array that is damaged or too large.
    """

    def __init__(self, path: Path) -> None:
        self._file = zipfile.ZipFile(path)
        self._members = {member.filename.removesuffix(".npy"): member for member in self._file.infolist()}
        self._left = MOST_UNPACKED

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def __contains__(self, name: object) -> bool:
        return name in self._members  # that of Mapping would read the array

    def __getitem__(self, name: str) -> np.ndarray:
        with self._open(name) as file:
            return np.lib.format.read_array(file, allow_pickle=False)

    def check(self) -> None:
        """Raise a ValueError unless all arrays together are within bounds, for a library that reads them itself."""
        for name in self:
            with self._open(name):
                pass

    @contextlib.contextmanager
    def _open(self, name: str) -> Iterator[IO[bytes]]:
        """Open the file of an array that is within bounds, for which there is less room thereafter."""
        member = self._members[name]
        is_packed = member.compress_type != zipfile.ZIP_STORED
        try:
            with self._file.open(member) as file:
                announced = _check_announced(file, name, member.file_size, self._left if is_packed else None)
                self._left -= announced * is_packed
                yield file
        except (*DAMAGED, RuntimeError) as error:  # the last is of an encrypted member, or an unknown compression
            raise ValueError(f"{name} cannot be read: {error}") from None


def open_gzip(path: Path) -> io.BufferedReader:
    """Open a gzipped table; a ValueError where it is read beyond `MOST_TEXT` bytes."""
    return io.BufferedReader(_Bounded(gzip.open(path), MOST_TEXT))


class _Bounded(io.RawIOBase):
    """A file of which so many bytes may be read."""

    def __init__(self, file: gzip.GzipFile, most: int) -> None:
        self._file = file
        self._most = self._left = most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        content = self._file.read(len(buffer))
        self._left -= len(content)
        if self._left < 0:
            raise ValueError(f"it unpacks to more than {show_size(self._most)}; unpack it with gunzip first")
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        self._file.close()
        super().close()


def _check_announced(file: IO[bytes], name: str, size: int, most: int | None = None) -> int:
    """Return the bytes that an array's header announces, in a file of `size` bytes that is at its beginning.

    Raises
    ------
    ValueError
        Where they are more than are there, than `most`, which is None for a file that is not compressed, or than there
        is memory for.
    """
    announced, where = _announced(file)
    if not 0 <= announced <= size - where:
        raise ValueError(f"{name} is announced to have {announced:,} bytes, but {size - where:,} are there")
    if most is not None:
        check_unpacked(name, announced, "np.savez saves it uncompressed", most)
    if announced > (free := psutil.virtual_memory().available):
        raise ValueError(f"{name} takes {show_size(announced)} of memory, of which {show_size(free)} are free")
    file.seek(0)
    return announced


def _announced(file: IO[bytes]) -> tuple[int, int]:
    """Return the bytes that an array's header announces, and where they begin."""
    try:
        version = np.lib.format.read_magic(file)
    except ValueError:
        raise ValueError("it holds no numbers that np.load reads; write them with np.save") from None
    # Version 3 differs from 2 in the names of fields only.
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    if dtype.hasobject:
        raise ValueError("it holds Python objects, which are not loaded; save numbers")
    return math.prod(shape) * dtype.itemsize, file.tell()
