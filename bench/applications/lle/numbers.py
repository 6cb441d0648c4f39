"""The numbers behind the pictures of locally linear embedding."""

import copy
import itertools
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.linalg import eigvalsh
from scipy.ndimage import rotate
from sklearn.manifold import LocallyLinearEmbedding as Peer
from sklearn.metrics import pairwise_distances_argmin_min
from sklearn.neighbors import NearestNeighbors

from lapmark.bench.embeddings import LocallyLinearEmbedding
from lapmark.bench.embeddings.threads import allowed
from lapmark.bench.problems.applied.images_emd import SOURCES, Source

#: Most and fewest unseen images; the fewest contain each digit.
UNSEEN, FEWEST_UNSEEN = 300, 100

#: Fewest images of a fit.
FEWEST = 100

#: Standard deviation of the noise on the images of the fit, in grey levels of 255.
NOISE = 1e-4

#: Numbers of neighbours and components for which errors are measured.
NEIGHBOURS = 5, 10, 15, 20, 30
COMPONENTS = 1, 2, 4, 8, 16, 32

#: Most points for which all eigenvalues are computed, within seconds.
DENSE = 2000

#: Images of a blend, both ends included.
STEPS = 11

#: Digits that are rotated, and the angles in degrees.
TURNED = 6, 8
ANGLES = np.arange(0, 360, 5)


@dataclass(frozen=True, eq=False)
class Embedded:
    """Images of a fit, embedded, and unseen images.

    Attributes
    ----------
    shape : (int, int)
        Height and width of an image.
    x, unseen : (n, d) and (m, d) float64
        The pixels of the images of the fit, with the noise, and of the others; 1 is white.
    label, unseen_label : (n,) and (m,) uint8
    peer : (n, c) float64
        The points embedded by scikit-learn, with our signs.
    seconds : (float, float)
        Time of the fit, by our estimator and by scikit-learn's.
    """

    source: str
    shape: tuple[int, int]
    x: np.ndarray
    label: np.ndarray
    unseen: np.ndarray
    unseen_label: np.ndarray
    fitted: LocallyLinearEmbedding
    peer: np.ndarray
    seconds: tuple[float, float]

    @property
    def y(self) -> np.ndarray:
        """The points embedded by our estimator, (n, c)."""
        return self.fitted.embedding_vectors_

    @property
    def difference(self) -> tuple[float, float]:
        """Mean and largest difference between the coordinates of the two embeddings."""
        apart = np.abs(self.y - self.peer)
        return float(apart.mean()), float(apart.max())

    @property
    def agreeing(self) -> int:
        """Number of unseen images with the label of their nearest embedded neighbour."""
        nearest = self.fitted.nbrs_y_.kneighbors(self.fitted.transform(self.unseen), 1, return_distance=False)[:, 0]
        return int((self.label[nearest] == self.unseen_label).sum())


@dataclass(frozen=True, eq=False)
class Errors:
    """Reconstruction errors by number of neighbours (rows) and of components (columns).

    Attributes
    ----------
    neighbours, components : tuple of int
    unseen : (rows, columns) float64
        Mean of |x − inverse_transform(transform(x))| / |x| over the unseen images.
    fit : (rows, columns) float64
        The estimator's `reconstruction_error_`.
    """

    neighbours: tuple[int, ...]
    components: tuple[int, ...]
    unseen: np.ndarray
    fit: np.ndarray


@dataclass(frozen=True, eq=False)
class Magnitudes:
    """|M| with the images sorted by label, then by first coordinate.

    Attributes
    ----------
    pixels : (side, side) float64
        Sums over `step` × `step` entries.
    sizes : (10,) int
        Number of images of each label.
    within : float
        Share of pairs of the same label in the sum over all off-diagonal entries.
    """

    pixels: np.ndarray
    step: int
    sizes: np.ndarray
    within: float


@dataclass(frozen=True, eq=False)
class Blend:
    """A path from one image of the fit to another.

    Attributes
    ----------
    ends : (int, int)
        Indices of the two images.
    straight, along : (STEPS, d) float64
        Images between them, by pixels, and of points on the line between the two embedded ones.
    off : (2, STEPS) float64
        Their distances from the nearest image of the fit, relative to the distance between the ends.
    """

    ends: tuple[int, int]
    straight: np.ndarray
    along: np.ndarray
    off: np.ndarray


@dataclass(frozen=True, eq=False)
class Turn:
    """An unseen image rotated counter-clockwise, (angles, d), and its embedded points, (angles, c)."""

    label: int
    angles: np.ndarray
    images: np.ndarray
    at: np.ndarray


def embed(n: int, seed: int, source: Source, neighbours: int, components: int) -> Embedded:
    """Embed the first n images of a permutation, by our estimator and by scikit-learn's; see `study`."""
    images = SOURCES[source]()
    most = len(images.label) - FEWEST_UNSEEN
    if not FEWEST <= n <= most:
        raise ValueError(f"n = {n}; with the images of {source} take {FEWEST} to {most}, which leaves some unseen")
    if components < 2:
        raise ValueError(f"components = {components}; the pictures show a plane; take two or more")
    rng = np.random.default_rng(seed)
    index = rng.permutation(len(images.label))[: n + UNSEEN]
    pixels, label = images.pixels[index], images.label[index]
    x = pixels.reshape(len(index), -1) / 255
    x[:n] += rng.normal(scale=NOISE / 255, size=x[:n].shape)
    ours = LocallyLinearEmbedding(components, n_neighbors=neighbours)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours.fit(x[:FEWEST])  # compiles code on first use, before the clock starts
    here = _timed(lambda: ours.fit(x[:n]))
    peer = Peer(n_components=components, n_neighbors=neighbours, tol=1e-12, random_state=0, n_jobs=allowed())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        there = _timed(lambda: peer.fit(x[:n]))
    signs = np.sign((peer.embedding_ * ours.embedding_vectors_).sum(axis=0))
    return Embedded(
        source=source,
        shape=pixels.shape[1:],
        x=x[:n],
        label=label[:n],
        unseen=x[n:],
        unseen_label=label[n:],
        fitted=ours,
        peer=peer.embedding_ * signs,
        seconds=(here, there),
    )


def errors(of: Embedded, neighbours: tuple[int, ...] = NEIGHBOURS, components: tuple[int, ...] = COMPONENTS) -> Errors:
    """Measure the reconstruction errors for each number of neighbours and components."""
    unseen, fit = np.empty((2, len(neighbours), len(components)))
    size = np.linalg.norm(of.unseen, axis=1)
    for row, k in enumerate(neighbours):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "the graph of")
            most = LocallyLinearEmbedding(max(components), n_neighbors=k).fit(of.x)
        for column, c in enumerate(components):
            fewer = _first(most, c)
            back = fewer.inverse_transform(fewer.transform(of.unseen))
            unseen[row, column] = (np.linalg.norm(of.unseen - back, axis=1) / size).mean()
            fit[row, column] = fewer.eigenvalues_[1:].sum()
    return Errors(neighbours, components, unseen, fit)


def magnitudes(of: Embedded, side: int) -> Magnitudes:
    """Sum |M| by label over blocks, into at most `side` pixels a side."""
    n = len(of.x)
    step = -(-n // side)
    order = np.lexsort((of.y[:, 0], of.label))
    m = sp.coo_array(abs(of.fitted.M_)[order][:, order])
    i, j = m.coords
    pixels = sp.coo_array((m.data, (i // step, j // step)), shape=(-(-n // step),) * 2).toarray()
    label, off = of.label[order], i != j
    within = m.data[off & (label[i] == label[j])].sum() / m.data[off].sum()
    return Magnitudes(pixels, step, np.bincount(label, minlength=10), float(within))


def spectrum(of: Embedded) -> tuple[np.ndarray, np.ndarray]:
    """Return all eigenvalues of M, ascending, and those of the estimator; of the first DENSE points if more."""
    fitted = of.fitted
    if len(of.x) > DENSE:
        fitted = LocallyLinearEmbedding(fitted.n_components, n_neighbors=fitted.n_neighbors).fit(of.x[:DENSE])
    return eigvalsh(fitted.M_.toarray()), fitted.eigenvalues_


def blends(of: Embedded) -> list[Blend]:
    """Return two blends: along the digit with the longest extent in the embedding, and between two digits.

    The two digits are the pair for which the path along the embedding stays closest to images of the fit, relative to
    the straight path between their middles.
    """
    middle, along = [], []
    for value in np.unique(of.label):
        members = np.flatnonzero(of.label == value)
        place = of.y[members] - np.median(of.y[members], axis=0)
        middle.append(members[np.linalg.norm(place, axis=1).argmin()])
        order = members[np.argsort(place @ np.linalg.svd(place, full_matrices=False)[2][0])]
        along.append((order[len(order) // 20], order[-1 - len(order) // 20]))
    longest = max(along, key=lambda ends: np.linalg.norm(of.y[ends[1]] - of.y[ends[0]]))
    first, *others = _blends(of, [longest, *itertools.combinations(middle, 2)])
    return [first, max(others, key=lambda blend: blend.off[0].sum() - blend.off[1].sum())]


def turns(of: Embedded) -> list[Turn]:
    """Return the first unseen 6 and 8, rotated."""
    made = []
    for value in TURNED:
        image = of.unseen[np.argmax(of.unseen_label == value)].reshape(of.shape)
        images = np.stack([rotate(image, angle, reshape=False, order=3) for angle in ANGLES]).clip(0, 1)
        flat = images.reshape(len(ANGLES), -1)
        made.append(Turn(value, ANGLES, flat, of.fitted.transform(flat)))
    return made


def summary(of: Embedded) -> str:
    """Return the main numbers of the embedding in a few sentences."""
    (here, there), (mean, most) = of.seconds, of.difference
    n, m, c = len(of.x), len(of.unseen), of.fitted.n_components
    _, lowest, *_, highest = of.fitted.eigenvalues_
    return (
        f"{n:,} images ({of.source}) of {of.x.shape[1]} pixels embedded in {c} dimensions with {of.fitted.n_neighbors} "
        f"neighbours in {here:.2g} s, by scikit-learn in {there:.2g} s, within {most:.1g} of each other "
        f"({mean:.1g} on average). Its eigenvalues run from {lowest:.2g} to {highest:.2g}. "
        f"{of.agreeing} of {m} unseen images have the label of their nearest embedded neighbour."
    )


def _timed(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def _first(fitted: LocallyLinearEmbedding, components: int) -> LocallyLinearEmbedding:
    """Return the estimator with its first components only, which do not depend on the others."""
    fewer = copy.copy(fitted)
    fewer.n_components = components
    fewer.eigenvalues_ = fitted.eigenvalues_[: components + 1]
    fewer.embedding_vectors_ = fitted.embedding_vectors_[:, :components]
    fewer.nbrs_y_ = NearestNeighbors(n_neighbors=fitted.n_neighbors).fit(fewer.embedding_vectors_)
    return fewer


def _blends(of: Embedded, pairs: list[tuple[int, int]]) -> list[Blend]:
    ends = np.array(pairs).T
    share = np.linspace(0, 1, STEPS)[:, None]
    straight, line = ((1 - share) * rows[ends[0], None] + share * rows[ends[1], None] for rows in (of.x, of.y))
    along = of.fitted.inverse_transform(line.reshape(-1, line.shape[2])).reshape(straight.shape)
    both = np.stack([straight, along], axis=1)
    _, off = pairwise_distances_argmin_min(both.reshape(-1, of.x.shape[1]), of.x)
    off = off.reshape(both.shape[:3]) / np.linalg.norm(of.x[ends[0]] - of.x[ends[1]], axis=1)[:, None, None]
    return [Blend(*each) for each in zip(pairs, straight, along, off, strict=True)]
