"""Vectors of words, in the text format of word2vec, GloVe and fastText: a word and its numbers on each line.

    the 0.418 0.24968 -0.41242
    of 0.70853 0.57088 -0.4716

A first line of two whole numbers, as word2vec writes it, says how many vectors there are, and of how many numbers each.
"""

from __future__ import annotations

import codecs
import gzip
import warnings
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from . import bounded_reading


@dataclass(frozen=True, eq=False)
class Vectors:
    """Words and where they lie.

    Attributes
    ----------
    words : tuple of str
        Distinct.
    matrix : (k, d) float32
        A row a word.
    """

    words: tuple[str, ...]
    matrix: np.ndarray

    @cached_property
    def _row(self) -> dict[str, int]:
        return {word: row for row, word in enumerate(self.words)}

    def find(self, word: str) -> int | None:
        """The row of a word, as it is written or else in lower case; None where it has no vector."""
        row = self._row.get(word)
        return self._row.get(word.lower()) if row is None else row


def read(path: str | Path, only: Collection[str] | None = None) -> Vectors:
    """Read a file of vectors.

    Parameters
    ----------
    path : path
        Text in UTF-8, gzipped if its name ends in `.gz`.
    only : collection of str, optional
        Words to read; the lines of all others are passed over unread, which makes a file of millions bearable.

    Returns
    -------
    Vectors
        In the order of the file; empty where it has none of the words.

    Raises
    ------
    OSError
        Where there is no such file.
    ValueError
        Where a line is no word with as many finite numbers as the first, or where the header promises something else.
        It names the file and the line.

    Warns
    -----
    UserWarning
        Where a word comes twice: the first vector is taken, as by gensim.
    """
    path = Path(path)
    words: dict[str, int] = {}
    rows: list[np.ndarray] = []
    first_again, again = "", 0
    is_packed = path.suffix == ".gz"
    promised = dimension = None
    count = 0
    for number, line in _lines(path):
        where = f"{path}, line {number}"
        fields = line.split()
        if number == 1 and len(fields) == 2 and all(field.isdigit() for field in fields):
            promised, dimension = int(fields[0]), int(fields[1])
            continue
        if dimension is None:
            dimension = len(fields) - 1
        # Some of GloVe's words have blanks in them; but a number before the last ones is one too many.
        surplus = len(fields) - dimension - 1
        if dimension < 1 or surplus < 0 or (surplus > 0 and _is_number(fields[surplus])):
            raise ValueError(f"{where}: {_amount(dimension)} expected, not {_shown(line)}")
        count += 1
        word = _text(b" ".join(fields[:-dimension]), where)
        if only is not None and word not in only:
            continue
        if word in words:
            first_again = first_again or f"{word!r} on line {number}, after line {words[word]}"
            again += 1
            continue
        words[word] = number
        rows.append(_numbers(fields[-dimension:], where))
        if is_packed:
            bounded_reading.check_unpacked(f"{where}: the file", len(rows) * rows[-1].nbytes, "unpack it with gunzip")
    if dimension is None:
        raise ValueError(f"{path} is empty; a line of vectors is a word and its numbers")
    if promised is not None and count != promised:
        raise ValueError(f"{path} has {count} vectors, but its first line promises {promised}; get it again")
    if again:
        more = f", and {again - 1:,} more" if again > 1 else ""
        warnings.warn(
            f"{path}: the first vector is taken of each word that has several: {first_again}{more}", stacklevel=2
        )
    return Vectors(tuple(words), np.array(rows, np.float32).reshape(len(rows), dimension))


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Lines that are not blank, with their numbers. As bytes, lest a blank of Unicode's in a word divide it."""
    number = 0
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            for number, line in enumerate(iter(lambda: file.readline(bounded_reading.MOST_LINE + 1), b""), 1):
                if len(line) > bounded_reading.MOST_LINE:
                    raise ValueError(
                        f"{path}, line {number} has more than {bounded_reading.MOST_LINE:,} bytes; is it text?"
                    )
                if line := line.removeprefix(codecs.BOM_UTF8 if number == 1 else b"").strip():
                    yield number, line
    except bounded_reading.DAMAGED as error:
        raise ValueError(f"{path} is damaged after line {number}: {error}; get it again") from None


def _text(word: bytes, where: str) -> str:
    try:
        return word.decode()
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{where}: byte {word[error.start]:#04x} is not UTF-8; a file of vectors that is not text must be converted"
        ) from None


def _numbers(fields: list[bytes], where: str) -> np.ndarray:
    """The numbers of one vector, as (d,) float32."""
    try:
        numbers = [float(field) for field in fields]
    except ValueError:
        wrong = next(field for field in fields if not _is_number(field))
        raise ValueError(f"{where}: {_shown(wrong)} is not a number") from None
    with np.errstate(over="ignore"):
        row = np.array(numbers).astype(np.float32)
    if not np.isfinite(row).all():
        first = fields[int(np.argmin(np.isfinite(row)))]
        raise ValueError(f"{where}: {_shown(first)} is not a finite number of 32 bits")
    return row


def _is_number(text: bytes) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _amount(dimension: int) -> str:
    return f"a word and {dimension} number{'s'[: dimension != 1]}" if dimension > 0 else "a word and its numbers"


def _shown(line: bytes) -> str:
    text = line.decode(errors="replace")
    return repr(text if len(text) <= 40 else text[:39] + "…")
