"""Word mover's distance between texts: the least cost of moving the words of one to those of the other.

A text is a set of words, each a point at its vector, with its share of the text as mass. The distance is the cost of
exact transport at Euclidean distance (M. Kusner et al., ICML 2015). With your own texts and vectors:

    from lapmark.bench.data import word_vectors
    from lapmark.bench.problems.applied import words

    known = word_vectors.read("glove.6B.100d.txt")  # the built-in vectors cover Python's documentation only
    words.distance("Obama speaks to the media in Illinois", "The President greets the press in Chicago", known)
    words.nearest(text, {"one": …, "another": …}, known)

The built-in texts are the topics of Python's manual, and the built-in vectors are made from its documentation
(`lapmark.bench.data.documentation_vectors`); both are those of the running Python.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lapmark.bench.data import documentation_vectors as embedding
from lapmark.bench.data import word_vectors as files
from lapmark.bench.data.word_vectors import WordVectors
from lapmark.bench.problems import family
from lapmark.solvers import DenseCost, PointCost, Transport, solve

#: The setting for texts and vectors of Python's documentation.
BUILT_IN = "built-in"


@dataclass(frozen=True, eq=False)
class Bag:
    """The words of a text that have a vector.

    Attributes
    ----------
    words : tuple of str
        Distinct words, in the order of the text.
    points : (n, d) float32
        Their vectors.
    mass : (n,) float64
        The share of each word in the text; of sum 1.
    """

    words: tuple[str, ...]
    points: np.ndarray
    mass: np.ndarray

    @property
    def centre(self) -> np.ndarray:
        """The mean of the words, (d,) float64. The distance of two texts is at least that of their means."""
        return self.mass @ self.points


@dataclass(frozen=True, eq=False)
class Texts:
    """Two texts of a library.

    Attributes
    ----------
    library : mapping of str to str
        All texts by name.
    vectors : WordVectors
    """

    library: Mapping[str, str]
    vectors: WordVectors
    names: tuple[str, str]
    bags: tuple[Bag, Bag]


@family(
    "words",
    source="M. Kusner, Y. Sun, N. Kolkin, K. Weinberger, ICML 2015, 957–966: word mover’s distance; texts and vectors "
    "from the documentation of Python",
    sizes=(32, 128, 512),
)
def build(n: int, seed: int = 0, vectors: str = BUILT_IN, texts: str = BUILT_IN) -> Transport:
    """Build the problem.

    Parameters
    ----------
    n : int
        Distinct words of each of the two texts, which are cut off after them.
    seed : int
        Selects one of the texts that are long enough; the other is the one whose beginning is most similar.
    vectors : str
        "built-in", or a file in the text format of word2vec and GloVe.
    texts : str
        "built-in", or a folder whose files `*.txt` are the texts.
    """
    return transport(*chosen_texts(n, seed, vectors, texts).bags)


def chosen_texts(n: int, seed: int = 0, vectors: str = BUILT_IN, texts: str = BUILT_IN) -> Texts:
    """Return the two texts of the problem, and all that they were chosen from; the parameters are those of `build`."""
    library, known = _open(vectors, texts)
    names = _pair(library, known, n, seed)
    one, other = (bag(library[name], known, n) for name in names)
    return Texts(library, known, names, (one, other))


def distance(one: str, other: str, vectors: WordVectors | None = None) -> float:
    """Return the word mover's distance between two texts.

    Parameters
    ----------
    one, other : str
        Words without a vector, and stop words, are ignored.
    vectors : WordVectors, optional
        From `lapmark.bench.data.word_vectors.read`; by default those of Python's documentation.

    Returns
    -------
    float
        In the unit of the vectors; those of Python's documentation have length 1.

    Raises
    ------
    ValueError
        No word of a text has a vector.
    """
    known = vectors or embedding.from_python()
    return solve(transport(bag(one, known), bag(other, known))).cost


def nearest(
    text: str, others: Mapping[str, str], vectors: WordVectors | None = None, k: int = 5
) -> list[tuple[str, float]]:
    """Return the k texts of least word mover's distance to one, nearest first: pairs of name and distance.

    Texts are visited by the distance between the means of their words, and lower bounds rule out most of them. Texts
    without a word that has a vector are left out.

    Raises
    ------
    ValueError
        No word of `text` has a vector.
    """
    if k < 1:
        raise ValueError(f"k = {k}; ask for one text or more")
    known = vectors or embedding.from_python()
    mine = bag(text, known)
    bags = {name: bag(other, known) for name, other in others.items() if known_words(other, known)}
    far = {name: float(np.linalg.norm(mine.centre - theirs.centre)) for name, theirs in bags.items()}
    found: list[tuple[str, float]] = []
    for name in sorted(far, key=far.__getitem__):
        largest = found[k - 1][1] if len(found) >= k else np.inf
        if far[name] > largest:
            break
        cost = transport(mine, bags[name]).cost.dense()
        # Moving each word to its nearest of the other text, without regard to masses, is a lower bound.
        if max(cost.min(axis=1) @ mine.mass, cost.min(axis=0) @ bags[name].mass) <= largest:
            moved = solve(Transport(DenseCost(cost), mine.mass, bags[name].mass, blur=0))
            found = sorted([*found, (name, moved.cost)], key=lambda pair: pair[1])[:k]
    return found


def bag(text: str, vectors: WordVectors, most: int | None = None) -> Bag:
    """Return the words of a text that have a vector, cut off before there are more than `most` distinct ones."""
    count: Counter[str] = Counter()
    for word in known_words(text, vectors):
        if word not in count and len(count) == most:
            break
        count[word] += 1
    if not count:
        start = text if len(text) <= 40 else text[:39] + "…"
        raise ValueError(f"no word of the text {start!r} has a vector")
    rows = [row for word in count if (row := vectors.find(word)) is not None]
    mass = np.array(list(count.values()), np.float64)
    return Bag(tuple(count), vectors.matrix[rows], mass / mass.sum())


def transport(one: Bag, other: Bag) -> Transport:
    """Return the problem whose least cost is the word mover's distance."""
    return Transport(PointCost(one.points, other.points, p=1), one.mass, other.mass, blur=0)


def known_words(text: str, vectors: WordVectors) -> list[str]:
    """Return the words of a text that have a vector, in the spelling of the vectors."""
    rows = (vectors.find(word) for word in embedding.tokens(text))
    return [vectors.words[row] for row in rows if row is not None]


def _open(vectors: str, texts: str) -> tuple[Mapping[str, str], WordVectors]:
    """Return the texts by name, and the vectors of their words."""
    library = embedding.python_topics() if texts == BUILT_IN else _folder(Path(texts))
    if vectors == BUILT_IN:
        return library, embedding.from_python()
    wanted = {word for text in library.values() for word in embedding.tokens(text)}
    return library, files.read(vectors, wanted | {word.lower() for word in wanted})


def _folder(folder: Path) -> Mapping[str, str]:
    if not folder.is_dir():
        raise ValueError(f"texts = {str(folder)!r}; it must be {BUILT_IN} or a folder of files *.txt")
    return {path.stem: path.read_text(encoding="utf-8", errors="replace") for path in sorted(folder.glob("*.txt"))}


def _pair(library: Mapping[str, str], vectors: WordVectors, n: int, seed: int) -> tuple[str, str]:
    """Return the names of a random text with at least n distinct words, and of the one with the most similar start."""
    if len(library) < 2:
        raise ValueError(f"two texts or more are needed, not {len(library)}; texts are the files *.txt of a folder")
    size = {name: len(set(known_words(text, vectors))) for name, text in sorted(library.items())}
    long = [name for name in size if size[name] >= n]
    if n < 1 or len(long) < 2:
        most = sorted(size.values())[-2]
        raise ValueError(
            f"n = {n}: fewer than two texts have that many distinct words with vectors; the second longest has {most}"
        )
    centre = {name: bag(library[name], vectors, n).centre for name in long}
    one = long[np.random.default_rng(seed).integers(len(long))]
    return one, min((name for name in long if name != one), key=lambda name: np.linalg.norm(centre[name] - centre[one]))
