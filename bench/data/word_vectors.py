"""Word vectors in the text format of word2vec, GloVe and fastText: a word and its numbers on each line.

    the 0.418 0.24968 -0.41242
    of 0.70853 0.57088 -0.4716

A first line of two integers, as in word2vec, is the number of vectors and their length.
"""

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
class WordVectors:
    """Distinct words and their vectors."""

    words: tuple[str, ...]
    matrix: np.ndarray  # (k, d) float32, one row per word

    @cached_property
    def _row(self) -> dict[str, int]:
        return {word: row for row, word in enumerate(self.words)}

    def find(self, word: str) -> int | None:
        """Return the row of a word, in its own or else in lower case; None for a word without a vector."""
        row = self._row.get(word)
        return self._row.get(word.lower()) if row is None else row


def read(path: str | Path, only: Collection[str] | None = None) -> WordVectors:
    """Read a file of vectors.

    Parameters
    ----------
    path : path
        Text in UTF-8, gzipped if its name ends in `.gz`.
    only : collection of str, optional
        Words to read; all other lines are skipped, which saves most of the time for a file of millions.

    Returns
    -------
    WordVectors
        In the order of the file; empty if it has none of the words.

    Raises
    ------
    ValueError
        A line is not a word with as many finite numbers as the first, or the header does not match. The text names
        the file and the line.

    Warns
    -----
    UserWarning
        A word occurs twice: its first vector is used, as in gensim.
    """
    path = Path(path)
    words: dict[str, int] = {}
    rows: list[np.ndarray] = []
    first_repeat, repeats = "", 0
    is_packed = path.suffix == ".gz"
    declared = dimension = None
    count = 0
    for number, line in _lines(path):
        where = f"{path}, line {number}"
        fields = line.split()
        if number == 1 and len(fields) == 2 and all(field.isdigit() for field in fields):
            declared, dimension = int(fields[0]), int(fields[1])
            continue
        if dimension is None:
            dimension = len(fields) - 1
        # Some words of GloVe contain blanks, but a number in their place means a surplus number.
        surplus = len(fields) - dimension - 1
        if dimension < 1 or surplus < 0 or (surplus > 0 and _is_number(fields[surplus])):
            raise ValueError(f"{where}: {_amount(dimension)} expected, not {_shown(line)}")
        count += 1
        word = _text(b" ".join(fields[:-dimension]), where)
        if only is not None and word not in only:
            continue
        if word in words:
            first_repeat = first_repeat or f"{word!r} on line {number}, after line {words[word]}"
            repeats += 1
            continue
        words[word] = number
        rows.append(_numbers(fields[-dimension:], where))
        if is_packed:
            bounded_reading.check_unpacked(f"{where}: the file", len(rows) * rows[-1].nbytes, "unpack it with gunzip")
    if dimension is None:
        raise ValueError(f"{path} is empty; each line must be a word and its numbers")
    if declared is not None and count != declared:
        raise ValueError(f"{path} has {count} vectors, but its first line declares {declared}; get it again")
    if repeats:
        more = f", and {repeats - 1:,} more" if repeats > 1 else ""
        warnings.warn(f"{path}: only the first vector of a word is used; repeated: {first_repeat}{more}", stacklevel=2)
    return WordVectors(tuple(words), np.array(rows, np.float32).reshape(len(rows), dimension))


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that are not blank with their numbers, as bytes: a Unicode blank does not separate words."""
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
    """Return the numbers of one vector, as (d,) float32."""
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
