"""Word vectors computed from Python's documentation: the topics of its manual, and docstrings.

Words that occur near the same words get similar vectors: the positive pointwise mutual information of pairs of near
words is factored by a truncated SVD (O. Levy and Y. Goldberg, NIPS 2014).
"""

from __future__ import annotations

import ast
import functools
import re
import sys
import sysconfig
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lapmark.bench.util import cache

from .datasets import MissingData
from .word_vectors import WordVectors

if TYPE_CHECKING:
    import scipy.sparse

#: Words that occur less often get no vector; the largest distance of two near words.
LEAST_OFTEN, WINDOW = 3, 5

#: Length of a vector.
DIMENSION = 100

#: Power of the word frequencies, below one so that common words, which are near everything, count less.
SMOOTHING = 0.75

#: Part of the cache key; raised when the computation changes.
VERSION = 2

#: Folders of the standard library to skip: tests, games and third-party code.
SKIPPED_FOLDERS = {"__pycache__", "ensurepip", "idlelib", "lib2to3", "site-packages", "test", "tests", "turtledemo"}


def python_topics() -> Mapping[str, str]:
    """Return the topics of Python's manual, which `help("if")` shows: texts by name.

    Raise a MissingData if this Python was installed without its manual.
    """
    try:
        from pydoc_data.topics import topics
    except ImportError:
        raise MissingData("this Python has no pydoc_data.topics; install it in full, or use your own texts") from None
    return topics


def from_python() -> WordVectors:
    """Return unit vectors of the words in the documentation of this Python.

    They take seconds to compute and are cached. Another version of Python has other words and vectors.
    """
    name = cache.key("words", VERSION, sys.version, LEAST_OFTEN, WINDOW, DIMENSION, SMOOTHING)
    words = cache.array(f"words-{name}", lambda: _computed()[0])
    matrix = cache.array(f"vectors-{name}", lambda: _computed()[1])
    return WordVectors(tuple(words.tolist()), matrix)


def tokens(text: str) -> list[str]:
    """Return the words of a text with two or more letters, without stop words, in their original case."""
    return [word for word in re.findall(r"[^\W\d_]{2,}", text) if word.lower() not in _stop_words()]


@functools.cache
def _stop_words() -> frozenset[str]:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return ENGLISH_STOP_WORDS


@functools.cache
def _computed() -> tuple[np.ndarray, np.ndarray]:
    """Return the words, and their vectors (k, d) float32."""
    texts = [[word.lower() for word in tokens(text)] for text in (*python_topics().values(), *_docstrings())]
    often = Counter(word for text in texts for word in text)
    words = sorted(word for word, count in often.items() if count >= LEAST_OFTEN)
    place = {word: k for k, word in enumerate(words)}
    placed = [np.array([place.get(word, -1) for word in text]) for text in texts]
    return np.array(words), _factored(_mutual_information(placed, len(words)))


def _docstrings() -> Iterator[str]:
    """Yield the docstrings of the standard library, in the order of its files."""
    root = Path(sysconfig.get_path("stdlib"))
    for path in sorted(root.rglob("*.py")):
        if SKIPPED_FOLDERS.isdisjoint(path.relative_to(root).parts):
            try:
                with warnings.catch_warnings(action="ignore"):
                    tree = ast.parse(path.read_bytes())
            except (SyntaxError, ValueError):
                continue
            for node in ast.walk(tree):
                if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                    yield ast.get_docstring(node) or ""


def _mutual_information(texts: list[np.ndarray], k: int) -> scipy.sparse.csr_array:
    """Return the positive pointwise mutual information of near words, (k, k); −1 in a text is a word to ignore."""
    import scipy.sparse

    near = scipy.sparse.csr_array((k, k))
    for apart in range(1, WINDOW + 1):
        pairs = np.concatenate([np.stack([text[:-apart], text[apart:]]) for text in texts if len(text) > apart], axis=1)
        one, other = pairs[:, (pairs >= 0).all(axis=0)]
        near += scipy.sparse.coo_array((np.full(len(one), 1 / apart), (one, other)), shape=(k, k)).tocsr()
    near = (near + near.T).tocoo()
    often = near.sum(axis=0)
    chance = often**SMOOTHING / (often**SMOOTHING).sum()
    one, other = near.coords
    information = np.log(near.data / (often[one] * chance[other]))
    some = information > 0
    return scipy.sparse.csr_array((information[some], (one[some], other[some])), shape=(k, k))


def _factored(information: scipy.sparse.csr_array) -> np.ndarray:
    from scipy.sparse.linalg import svds

    # A fixed start vector makes the result reproducible.
    left, strength, _ = svds(information, DIMENSION, v0=np.ones(information.shape[0]))
    # The sign of an axis is arbitrary, and would depend on rounding.
    largest = left[np.abs(left).argmax(axis=0), np.arange(DIMENSION)]
    points = left * (np.sqrt(strength) * np.sign(largest))
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)
