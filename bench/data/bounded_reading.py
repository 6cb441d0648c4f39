"""Bounded reading of a user's files: sizes in a header are checked before memory is allocated.

A few megabytes of compressed zeros unpack to as many gigabytes. An uncompressed file is limited by its own size.
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

#: Largest number of bytes that the arrays or vectors of a compressed file may unpack to.
MOST_UNPACKED = 4 << 30

#: Largest number of bytes that a compressed table may unpack to: parsing short numbers takes twelve times as much.
MOST_TEXT = 512 << 20

#: Largest number of characters of a line of a table, or bytes of a line of vectors: a row of a million numbers.
MOST_LINE = 16 << 20

#: Largest number of pixels of an image; Pillow refuses to open larger ones. Decoding takes 4 to 17 bytes for each.
MOST_PIXELS = 178_956_970

#: Pixels that all threads together decode at a time; a larger image is decoded alone.
PIXELS_AT_A_TIME = 64 << 20

#: What reading a damaged file may raise, apart from a ValueError.
DAMAGED = (EOFError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, lzma.LZMAError)


def check_unpacked(name: str, size: int, remedy: str, left: int | None = None) -> None:
    """Raise a ValueError where compressed data unpack to more than `MOST_UNPACKED`, or to more than is `left` of it."""
    if size > (MOST_UNPACKED if left is None else left):
        raise ValueError(
            f"{name} unpacks to {show_size(size)}; the limit for a compressed file is {show_size(MOST_UNPACKED)}; "
            f"{remedy}"
        )


def check_pixels(pixels: int, most: int) -> None:
    """Raise a ValueError for an image of more than `most` pixels."""
    if pixels > most:
        raise ValueError(f"it has {pixels:,} pixels, more than {most:,}; make it smaller")


def read_npy(path: Path) -> np.ndarray:
    """Read an array from a `.npy` file.

    Raise a ValueError for anything but numbers, or where the header declares more than the file or the free memory has.
    """
    with path.open("rb") as file:
        _check_size(file, "the array", path.stat().st_size)
        return np.lib.format.read_array(file, allow_pickle=False)


class Archive(Mapping[str, np.ndarray]):
    """The arrays of a `.npz` file by name, each read on access. Use it in a `with` statement.

    All reads from one archive together are bounded. A ValueError names the array that is damaged or too large.
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
        return name in self._members  # the method of Mapping would read the array

    def __getitem__(self, name: str) -> np.ndarray:
        with self._open(name) as file:
            return np.lib.format.read_array(file, allow_pickle=False)

    def check(self) -> None:
        """Raise a ValueError unless all arrays together are within bounds; for libraries that read the file."""
        for name in self:
            with self._open(name):
                pass

    @contextlib.contextmanager
    def _open(self, name: str) -> Iterator[IO[bytes]]:
        """Open the file of an array, checking its size and reducing what is left of the bound."""
        member = self._members[name]
        is_packed = member.compress_type != zipfile.ZIP_STORED
        try:
            with self._file.open(member) as file:
                declared = _check_size(file, name, member.file_size, self._left if is_packed else None)
                self._left -= declared * is_packed
                yield file
        except (*DAMAGED, RuntimeError) as error:  # RuntimeError: encrypted, or an unknown compression
            raise ValueError(f"{name} cannot be read: {error}") from None


def is_gzip(path: Path) -> bool:
    """Return whether a file is gzipped, whatever its name."""
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def open_gzip(path: Path) -> io.BufferedReader:
    """Open a gzipped table; reading more than `MOST_TEXT` bytes raises a ValueError."""
    return io.BufferedReader(_Bounded(gzip.open(path), MOST_TEXT))


class _Bounded(io.RawIOBase):
    """A file from which at most `most` bytes can be read."""

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


def _check_size(file: IO[bytes], name: str, size: int, most: int | None = None) -> int:
    """Return the bytes that an array's header declares, in a file of `size` bytes that is at its beginning.

    Raise a ValueError for more than the file, the free memory or, in a compressed file, `most`.
    """
    declared, where = _declared_size(file)
    if not 0 <= declared <= size - where:
        raise ValueError(f"the header of {name} declares {declared:,} bytes, but the file has {size - where:,}")
    if most is not None:
        check_unpacked(name, declared, "np.savez saves it uncompressed", most)
    if declared > (free := psutil.virtual_memory().available):
        raise ValueError(f"{name} takes {show_size(declared)} of memory, but only {show_size(free)} are free")
    file.seek(0)
    return declared


def _declared_size(file: IO[bytes]) -> tuple[int, int]:
    """Return the bytes that an array's header declares, and where they begin."""
    try:
        version = np.lib.format.read_magic(file)
    except ValueError:
        raise ValueError("it is not an array that np.load reads; write it with np.save") from None
    # Version 3 differs from 2 only in the names of fields.
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    if dtype.hasobject:
        raise ValueError("it contains Python objects, which are not loaded; save numbers")
    return math.prod(shape) * dtype.itemsize, file.tell()
