"""The methods of embedding. `embed` checks their input, calls them and caches their results.

A method takes vectors (n, d) in float64 that are not all equal, n ≥ 2. It imports its libraries when it is called,
since some of them take seconds to load.
"""

import importlib.util
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np

#: Most principal components for t-SNE and UMAP: further ones add noise and time.
PRINCIPAL = 100

#: Effective number of neighbours of t-SNE.
PERPLEXITY = 30.0

#: Neighbours of the methods that build a graph.
NEIGHBOURS = {"umap": 15, "isomap": 10, "lle": 10}

#: Fewest vectors for which openTSNE is the faster library.
MANY = 1000

#: Below this number of vectors, openTSNE uses exact neighbours and Barnes–Hut sums: for 10 000 images they take a third
#: of the time of approximate neighbours, and of forces interpolated on a grid.
LARGE = 20_000


@dataclass(frozen=True)
class Task:
    """The input of a method.

    Attributes
    ----------
    vectors : (n, d) float64
    components : int
        Coordinates of a point, at least 1.
    say : callable
        Shows what is being done, as text.
    """

    vectors: np.ndarray
    components: int
    seed: int
    threads: int
    say: Callable[[str], None]


@dataclass(frozen=True)
class Method:
    """A method of embedding.

    Attributes
    ----------
    modules : mapping of str to str
        The modules that it needs, with their packages.
    compute : callable
        `compute(task) -> (n, k) array`, with k ≤ components.
    """

    about: str
    modules: dict[str, str]
    compute: Callable[[Task], np.ndarray]

    @property
    def missing(self) -> str:
        """Reason why it cannot be used here; empty if it can."""
        absent = [package for module, package in self.modules.items() if importlib.util.find_spec(module) is None]
        return f"{', '.join(absent)} not installed: pip install {' '.join(absent)}" if absent else ""

    @property
    def versions(self) -> list[str]:
        """Versions of its libraries, for the cache key."""
        return [version(package) for package in ("numpy", "scipy", "scikit-learn", *self.modules.values())]


def _pca(task: Task, most: int) -> np.ndarray:
    from sklearn.decomposition import PCA

    return PCA(min(most, *task.vectors.shape), random_state=task.seed).fit_transform(task.vectors)


def _principal(task: Task) -> np.ndarray:
    """Return principal components for t-SNE and UMAP, at least two columns, of which the second may be zero."""
    task.say("principal components")
    return _widened(_pca(task, PRINCIPAL), 2)


def _widened(points: np.ndarray, columns: int) -> np.ndarray:
    return np.pad(points, ((0, 0), (0, max(0, columns - points.shape[1]))))


def _perplexity(n: int) -> float:
    return min(PERPLEXITY, (n - 1) / 3)


def _fewer(method: str, n: int) -> int:
    """Return the number of neighbours, at most n − 1."""
    return min(NEIGHBOURS[method], n - 1)


def pca(task: Task) -> np.ndarray:
    """Return the components of largest variance."""
    return _pca(task, task.components)


def tsne_sklearn(task: Task) -> np.ndarray:
    """L. van der Maaten, Accelerating t-SNE using tree-based algorithms, JMLR 15 (2014)."""
    from sklearn.manifold import TSNE

    vectors = _widened(_principal(task), task.components)
    task.say("Barnes–Hut t-SNE")
    few = "barnes_hut" if task.components < 4 else "exact"
    perplexity = _perplexity(len(vectors))
    settings = {"method": few, "perplexity": perplexity, "random_state": task.seed, "n_jobs": task.threads}
    return TSNE(task.components, init="pca", **settings).fit_transform(vectors)


def tsne_opentsne(task: Task) -> np.ndarray:
    """G. Linderman et al., Fast interpolation-based t-SNE for single-cell RNA-seq data, Nature Methods 16 (2019)."""
    from openTSNE import TSNE

    vectors = _principal(task)
    n = len(vectors)
    task.say("t-SNE, neighbours")

    def progress(iteration: int, error: float, embedding: np.ndarray) -> None:
        task.say(f"t-SNE, iteration {iteration}, Kullback–Leibler divergence {error:.3f}")

    return np.asarray(
        TSNE(
            task.components,
            perplexity=_perplexity(n),
            initialization="pca",
            neighbors="exact" if n < LARGE else "approx",
            negative_gradient_method="fft" if n >= LARGE and task.components < 3 else "bh",
            random_state=task.seed,
            n_jobs=task.threads,
            callbacks=progress,
            callbacks_every_iters=50,
        ).fit(vectors)
    )


def tsne(task: Task) -> np.ndarray:
    """Call the faster of the installed libraries."""
    fast = len(task.vectors) >= MANY and task.components < 3 and not METHODS["tsne-opentsne"].missing
    return tsne_opentsne(task) if fast else tsne_sklearn(task)


def umap(task: Task) -> np.ndarray:
    """L. McInnes, J. Healy, J. Melville, UMAP, arXiv:1802.03426. A seed restricts it to one thread."""
    n = len(task.vectors)
    if n < 3:
        raise ValueError(f"UMAP needs three vectors or more, not {n}; pca needs two")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Tensorflow not installed")
        from umap import UMAP
    vectors = _principal(task)
    task.say("UMAP")
    # The spectral start needs more points than this.
    start = "spectral" if n > 2 * task.components + 2 else "random"
    neighbours = _fewer("umap", n)
    return UMAP(neighbours, task.components, init=start, random_state=task.seed, n_jobs=1).fit_transform(vectors)


def isomap(task: Task) -> np.ndarray:
    """J. Tenenbaum, V. de Silva, J. Langford, Science 290 (2000). Separate parts are joined where nearest."""
    from sklearn.manifold import Isomap

    task.say("Isomap")
    n = len(task.vectors)
    return Isomap(n_neighbors=_fewer("isomap", n), n_components=min(task.components, n - 1)).fit_transform(task.vectors)


def lle(task: Task) -> np.ndarray:
    """S. Roweis, L. Saul, Science 290 (2000)."""
    from .lle import LocallyLinearEmbedding

    task.say("locally linear embedding")
    n = len(task.vectors)
    few = min(task.components, n - 1)
    return LocallyLinearEmbedding(few, n_neighbors=_fewer("lle", n), n_jobs=task.threads).fit_transform(task.vectors)


METHODS = {
    "tsne": Method("t-SNE, by openTSNE if it is installed and n is large, else by scikit-learn", {}, tsne),
    "tsne-sklearn": Method("t-SNE by scikit-learn", {}, tsne_sklearn),
    "tsne-opentsne": Method("t-SNE by openTSNE", {"openTSNE": "opentsne"}, tsne_opentsne),
    "umap": Method("uniform manifold approximation", {"umap": "umap-learn"}, umap),
    "isomap": Method("distances along the neighbour graph", {}, isomap),
    "lle": Method("locally linear embedding", {}, lle),
    "pca": Method("principal components", {}, pca),
}
