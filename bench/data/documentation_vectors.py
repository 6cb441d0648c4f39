"""Vectors of words made from text that comes with Python: what its manual and its docstrings say.

Words are alike that keep the same company (O. Levy, Y. Goldberg, NIPS 2014): how often two words stand near each other
is counted, weighted by how surprising that is, and factored.
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
from .word_vectors import Vectors

if TYPE_CHECKING:
    import scipy.sparse

#: Words that occur less often have no vector; two words at most so many apart are near each other.
LEAST_OFTEN, WINDOW = 3, 5

#: Numbers of a vector.
DIMENSION = 100

#: Words that are common are near everything; a power below one lets them count for less.
SMOOTHING = 0.75

#: Changes with the recipe, so that no cache holds vectors of an older one.
EDITION = 2

#: Parts of the standard library that are tests, games and other people's.
PASSED_OVER = {"__pycache__", "ensurepip", "idlelib", "lib2to3", "site-packages", "test", "tests", "turtledemo"}


def python_topics() -> Mapping[str, str]:
    """The topics of Python's manual that `help("if")` shows: texts by name.

    Raises
    ------
    MissingData
        Where this Python was installed without its manual.
    """
    try:
        from pydoc_data.topics import topics
    except ImportError:
        raise MissingData(
            "this Python has no pydoc_data.topics; install it in full, or name texts of your own"
        ) from None
    return topics


def from_python() -> Vectors:
    """Vectors of length one of the words of this Python's documentation.

    Takes seconds, once: they are cached. Another version of Python has other words, and other vectors.
    """
    name = cache.key("words", EDITION, sys.version, LEAST_OFTEN, WINDOW, DIMENSION, SMOOTHING)
    words = cache.array(f"words-{name}", lambda: _made()[0])
    matrix = cache.array(f"vectors-{name}", lambda: _made()[1])
    return Vectors(tuple(words.tolist()), matrix)


def tokens(text: str) -> list[str]:
    """The words of a text: two letters or more, without those that are in every text, as they are written."""
    return [word for word in re.findall(r"[^\W\d_]{2,}", text) if word.lower() not in _stop_words()]


@functools.cache
def _stop_words() -> frozenset[str]:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return ENGLISH_STOP_WORDS


@functools.cache
def _made() -> tuple[np.ndarray, np.ndarray]:
    """Words, and their vectors (k, d) float32."""
    texts = [[word.lower() for word in tokens(text)] for text in (*python_topics().values(), *_docstrings())]
    often = Counter(word for text in texts for word in text)
    words = sorted(word for word, count in often.items() if count >= LEAST_OFTEN)
    place = {word: k for k, word in enumerate(words)}
    placed = [np.array([place.get(word, -1) for word in text]) for text in texts]
    return np.array(words), _factored(_company(placed, len(words)))


def _docstrings() -> Iterator[str]:
    """Of everything in the standard library, in the order of its files."""
    root = Path(sysconfig.get_path("stdlib"))
    for path in sorted(root.rglob("*.py")):
        if PASSED_OVER.isdisjoint(path.relative_to(root).parts):
            try:
                with warnings.catch_warnings(action="ignore"):
                    tree = ast.parse(path.read_bytes())
            except (SyntaxError, ValueError):
                continue
            for node in ast.walk(tree):
                if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                    yield ast.get_docstring(node) or ""


def _company(texts: list[np.ndarray], k: int) -> scipy.sparse.csr_array:
    """Positive pointwise mutual information of near words, (k, k); in a text, −1 stands for a word without a place."""
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


def _factored(company: scipy.sparse.csr_array) -> np.ndarray:
    from scipy.sparse.linalg import svds

    # A start of its own makes the iteration, and with it the vectors, the same each time.
    left, strength, _ = svds(company, DIMENSION, v0=np.ones(company.shape[0]))
    # The sign of an axis is anybody's choice, and that of rounding unless it is made here.
    largest = left[np.abs(left).argmax(axis=0), np.arange(DIMENSION)]
    points = left * (np.sqrt(strength) * np.sign(largest))
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)
