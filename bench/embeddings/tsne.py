"""t-SNE of images, or of any vectors: principal components first, then scikit-learn's Barnes–Hut t-SNE."""

from __future__ import annotations

from importlib.metadata import version

import numpy as np
from numpy.typing import ArrayLike
from rich.console import Console

from .. import cache

COMPONENTS = 100
PERPLEXITY = 30.0
SEED = 777


def tsne(data: ArrayLike, threads: int = 1) -> np.ndarray:
    """Embed vectors in the plane.

    Parameters
    ----------
    data : array_like, shape (n, ...)
        One vector, or image, per entry of the first axis, n ≥ 2. Bytes are brightnesses: divided by 255.
    threads : int
        Threads to compute with. Another number takes the sums in another order, and the embedding differs visibly; with
        one thread it is the same on every run on the same machine.

    Returns
    -------
    (n, 2) float32
        Kept in the cache under the data, the parameters and the versions of what computes it.

    Raises
    ------
    ValueError
        Where there are fewer than two vectors, or an entry is not finite.

    Notes
    -----
    L. van der Maaten, Accelerating t-SNE using tree-based algorithms, JMLR 15 (2014). Up to 100 principal components,
    then perplexity 30 (less where n is too small for it), started from the first two components.
    """
    array = np.asarray(data)
    if array.ndim < 2 or len(array) < 2:
        raise ValueError(f"data has shape {array.shape}; t-SNE takes at least two vectors, as an (n, d) array")
    vectors = array.reshape(len(array), -1)
    if not np.isfinite(vectors).all():
        i, k = np.argwhere(~np.isfinite(vectors))[0]
        raise ValueError(f"entry {k} of vector {i} is {vectors[i, k]}; t-SNE takes finite numbers")
    versions = [version(name) for name in ("numpy", "scipy", "scikit-learn")]
    name = "tsne-" + cache.key(vectors, COMPONENTS, PERPLEXITY, SEED, threads, versions)
    return cache.array(name, lambda: _compute(vectors, threads))


def _compute(vectors: np.ndarray, threads: int) -> np.ndarray:
    # Imported here: scikit-learn takes a second to load, and most problems do without it.
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    n, d = vectors.shape
    if vectors.dtype == np.uint8:
        vectors = vectors / 255
    components = min(COMPONENTS, n, d)
    with (
        Console(stderr=True).status(f"t-SNE of {n} vectors; kept in {cache.folder()} for the next time"),
        threadpool_limits(threads),
    ):
        reduced = PCA(components, random_state=SEED).fit_transform(vectors)
        perplexity = min(PERPLEXITY, (n - 1) / 3)
        return TSNE(init="pca", perplexity=perplexity, random_state=SEED).fit_transform(reduced).astype(np.float32)
