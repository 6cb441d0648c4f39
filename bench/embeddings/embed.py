"""Embeddings behind one interface: checked, seeded, and cached by all that they depend on."""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from lapmark.bench.util import cache
from lapmark.bench.util.status_line import doing
from lapmark.solvers import registry
from lapmark.solvers.validation import check_threads

from .methods import METHODS, Method, Task

SEED = 777

#: Squares of numbers outside these bounds exceed the range of float64, so such vectors are scaled first.
SMALLEST, LARGEST = 1e-100, 1e100


@dataclass(frozen=True)
class Embedding:
    """Points that are computed when they are asked for, unless they are kept in the cache under a name."""

    name: str
    compute: Callable[[], np.ndarray]

    @property
    def is_kept(self) -> bool:
        """Whether the cache has the points."""
        return cache.has(self.name)

    def points(self) -> np.ndarray:
        """Return the points, (n, components) float32."""
        return cache.array(self.name, self.compute)


def methods() -> dict[str, Method]:
    """Return all methods by name; `.missing` gives the reason why one cannot be used here."""
    return METHODS


def embed(
    data: ArrayLike, method: str = "tsne", *, components: int = 2, seed: int = SEED, threads: int | None = 1
) -> np.ndarray:
    """Embed vectors in few dimensions.

    Parameters
    ----------
    data : array_like, shape (n, ...)
        A vector or image per entry of the first axis, n ≥ 2, of any real dtype. Bytes are brightnesses, divided by 255.
    method : str
        "tsne", "tsne-sklearn", "tsne-opentsne", "umap", "isomap", "lle" or "pca"; see `methods`.
    components : int
        Coordinates of a point. If the data have fewer dimensions, the last ones are 0.
    seed : int
        For the random methods: t-SNE and UMAP.
    threads : int or None
        Number of threads; −1 or None for one per core of this process. The order of sums depends on it, and t-SNE
        differs visibly; one thread repeats the same result on the same machine.

    Returns
    -------
    (n, components) float32
        Cached by the data, the parameters and the versions of the libraries. If all vectors are equal, all points are
        the origin.

    Raises
    ------
    ValueError
        There is no such method, there are fewer than two vectors, they are empty, or an entry is not a finite real
        number.
    ImportError
        The package of the method is not installed.

    Notes
    -----
    t-SNE and UMAP start from up to 100 principal components. The perplexity of t-SNE is 30, or less for small n.
    """
    return embedding(data, method, components=components, seed=seed, threads=threads).points()


def embedding(
    data: ArrayLike, method: str = "tsne", *, components: int = 2, seed: int = SEED, threads: int | None = 1
) -> Embedding:
    """Return what `embed` computes, or finds in the cache; parameters and errors as there."""
    if method not in METHODS:
        raise registry.unknown("method of embedding", method, METHODS)
    chosen = METHODS[method]
    if chosen.missing:
        raise ImportError(f"{method}: {chosen.missing}")
    if components < 1:
        raise ValueError(f"components = {components}; a point has at least one coordinate")
    threads = check_threads(threads)
    array = _vectors(data)
    fast = METHODS["tsne-opentsne"]
    versions = chosen.versions + (fast.versions if method == "tsne" and not fast.missing else [])
    name = f"{method}-" + cache.key(array, components, seed, threads, versions)
    return Embedding(name, functools.partial(_computed, chosen, array, components, seed, threads))


def _vectors(data: ArrayLike) -> np.ndarray:
    """Return the data as (n, d), in their type."""
    array = np.asarray(data)
    if array.dtype.kind not in "buif":
        raise ValueError(f"data are of type {array.dtype}; an embedding needs real numbers")
    if array.ndim < 2 or len(array) < 2 or array.size == 0:
        raise ValueError(f"data have shape {array.shape}; an embedding needs at least two vectors, as an (n, d) array")
    array = array.reshape(len(array), -1)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        i, k = np.argwhere(~np.isfinite(array))[0]
        raise ValueError(f"entry {k} of vector {i} is {array[i, k]}; an embedding needs finite numbers")
    return array


def _computed(chosen: Method, array: np.ndarray, components: int, seed: int, threads: int) -> np.ndarray:
    if (array == array[0]).all():
        return np.zeros((len(array), components), np.float32)
    from threadpoolctl import threadpool_limits

    vectors = array / 255 if array.dtype == np.uint8 else array.astype(np.float64)
    largest = np.abs(vectors).max()
    if not SMALLEST < largest < LARGEST:
        vectors /= largest
    kept = f"embedding {len(array):,} vectors, cached in {cache.folder()}"
    with doing(kept), doing(chosen.about) as say, threadpool_limits(threads):
        points = chosen.compute(Task(vectors, components, seed, threads, say))
    points = np.pad(points, ((0, 0), (0, components - points.shape[1])))
    return np.ascontiguousarray(points, np.float32)
