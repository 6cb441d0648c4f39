"""Locally linear embedding with an inverse: an estimator in scikit-learn's conventions.

Each point is approximated by its nearest neighbours, with weights that sum to one. The embedded points are approximated
best by the same weights: they are eigenvectors of (I − W)ᵀ(I − W), without the constant one. A new point is expressed
by its neighbours among the points of the fit, and its embedded point by theirs; the inverse uses neighbours among the
embedded points. The results equal scikit-learn's and take a fraction of the time.
"""

import warnings
from typing import Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.neighbors import NearestNeighbors
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from lapmark.solvers.validation import check_threads

from .neighbours import largest, nearest
from .null_space import closed_classes, lowest
from .threads import allowed, in_threads

#: Bounds of magnitudes whose squares can be summed in float64.
SMALLEST, LARGEST = 1e-140, 1e140

#: Entries of neighbours that are gathered at once.
GATHERED = 1 << 20


class LocallyLinearEmbedding(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Locally linear embedding (S. Roweis, L. Saul, Science 290 (2000) 2323–2326).

    Parameters
    ----------
    n_components : int
        Coordinates of an embedded point; below the number of points.
    n_neighbors : int
        Neighbours of a point; below the number of points.
    reg : float
        Regularization: added to the diagonal of the neighbours' Gram matrix, in units of its trace. It must be above 0
        with more neighbours than dimensions, or coinciding neighbours; 0 is the textbook's method.
    n_jobs : int or None
        Threads; −1 for all cores, None for as many as the linear algebra may use.

    Attributes
    ----------
    embedding_vectors_ : (n_samples, n_components) float64
        The embedded points; columns of length one, orthogonal to each other and to constant ones, the largest entry
        of each positive.
    nbrs_X_, nbrs_y_ : NearestNeighbors
        Search of neighbours among the points, and among the embedded points.
    M_ : (n_samples, n_samples) scipy.sparse.csr_array
        (I − W)ᵀ(I − W).
    eigenvalues_ : (n_components + 1,) float64
        The lowest of M_, ascending; the first, of the constant vector, is 0 up to rounding.
    reconstruction_error_ : float
        The sum of `eigenvalues_` after the first: Σ_i |y_i − Σ_j w_ij y_j|² over the embedded points y.
    feature_names_in_ : (n_features_in_,) array of str
        If the points came with column names.

    Notes
    -----
    If the graph of neighbours has s parts that no path leaves, there is a warning: the first s − 1 components then only
    distinguish these parts and are constant on each, as in any implementation.

    The residual of every eigenvector is checked.
    """

    def __init__(
        self, n_components: int = 2, *, n_neighbors: int = 5, reg: float = 1e-3, n_jobs: int | None = None
    ) -> None:
        self.n_components = n_components
        self.n_neighbors = n_neighbors
        self.reg = reg
        self.n_jobs = n_jobs

    def fit(self, X: ArrayLike, y: None = None) -> Self:
        """Embed points.

        Parameters
        ----------
        X : (n_samples, n_features) array_like
            Finite real numbers.
        y : ignored

        Raises
        ------
        ValueError
            The points are not finite numbers, they are too few for the neighbours or the components, a parameter is out
            of range, or reg = 0 does not determine the weights of a point.
        ArithmeticError
            An eigenvector has a large residual.
        """
        x: np.ndarray = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
        n = len(x)
        self._check_parameters(n)
        if (most := largest(x)) > 0 and not SMALLEST < most < LARGEST:
            raise ValueError(f"X has entries up to {most:.2g}, whose squares overflow or vanish; scale it")
        threads = allowed() if self.n_jobs is None else check_threads(self.n_jobs, "n_jobs")
        neighbours = nearest(x, self.n_neighbors, threads)
        w = _sparse(barycentric(x, x, neighbours, self.reg, threads), neighbours, n)
        closed = closed_classes(w)
        if len(closed) > 1:
            warnings.warn(
                f"the graph of {self.n_neighbors} neighbours has {len(closed)} parts that no path leaves: "
                f"{min(len(closed) - 1, self.n_components)} of {self.n_components} components only distinguish them; "
                "more neighbours may connect them",
                stacklevel=2,
            )
        a = sp.csr_array(sp.eye_array(n, format="csr") - w)
        self.eigenvalues_, vectors = lowest(a, self.n_components + 1, closed)
        self.embedding_vectors_ = vectors[:, 1:]
        self.reconstruction_error_ = float(self.eigenvalues_[1:].sum())
        self.M_ = sp.csr_array(a.T @ a)
        self.nbrs_X_ = NearestNeighbors(n_neighbors=self.n_neighbors, n_jobs=self.n_jobs).fit(x)
        self.nbrs_y_ = NearestNeighbors(n_neighbors=self.n_neighbors, n_jobs=self.n_jobs).fit(self.embedding_vectors_)
        return self

    def fit_transform(self, X: ArrayLike, y: None = None) -> np.ndarray:
        """Embed points and return the embedded ones, (n_samples, n_components)."""
        return self.fit(X).embedding_vectors_

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Embed points that were not in the fit.

        Parameters
        ----------
        X : (k, n_features) array_like

        Returns
        -------
        (k, n_components) float64
            Weighted sums of the embedded neighbours, with the weights of each point.
        """
        check_is_fitted(self)
        x: np.ndarray = validate_data(self, X, dtype=np.float64, reset=False)
        return _made(x, self.nbrs_X_, self.embedding_vectors_, self.reg)

    def inverse_transform(self, y: ArrayLike) -> np.ndarray:
        """Return points for embedded ones, which may lie anywhere.

        Parameters
        ----------
        y : (k, n_components) array_like

        Returns
        -------
        (k, n_features) float64
            Weighted sums of the points whose embedded points are the neighbours of y, with the weights of y.
        """
        check_is_fitted(self)
        embedded: np.ndarray = check_array(y, dtype=np.float64, input_name="y")
        if embedded.shape[1] != self.n_components:
            raise ValueError(f"y has {embedded.shape[1]} columns; embedded points have {self.n_components}")
        return _made(embedded, self.nbrs_y_, self.nbrs_X_._fit_X, self.reg)

    @property
    def _n_features_out(self) -> int:
        return self.embedding_vectors_.shape[1]

    def _check_parameters(self, n: int) -> None:
        for name in ("n_components", "n_neighbors"):
            value = getattr(self, name)
            if not isinstance(value, int | np.integer) or isinstance(value, bool) or not 1 <= value < n:
                raise ValueError(f"{name} = {value!r}; with {n} points it is a whole number from 1 to {n - 1}")
        if not (np.isreal(self.reg) and np.isfinite(self.reg) and self.reg >= 0):
            raise ValueError(f"reg = {self.reg!r}; it is a finite number, 0 or above")


def barycentric(x: np.ndarray, others: np.ndarray, neighbours: np.ndarray, reg: float, threads: int = 1) -> np.ndarray:
    """Return the weights, of sum one, with which neighbours approximate points best.

    Parameters
    ----------
    x : (n, d) float64
    others : (m, d) float64
    neighbours : (n, k) array of int
        Indices of the neighbours of each point.
    reg : float
        See `LocallyLinearEmbedding`.

    Returns
    -------
    (n, k) float64

    Raises
    ------
    ValueError
        reg is 0 and the neighbours of a point are linearly dependent.
    """
    n, k = neighbours.shape
    weights = np.empty((n, k))
    step = max(1, GATHERED // (k * x.shape[1]))

    def weigh(start: int) -> None:
        part = slice(start, start + step)
        apart = others[neighbours[part]]
        apart -= x[part, None]
        gram = apart @ apart.swapaxes(1, 2)
        trace = np.trace(gram, axis1=1, axis2=2)
        gram[:, range(k), range(k)] += np.where(trace > 0, reg * trace, reg)[:, None]
        if reg == 0:
            _check_regular(gram, start)
        weights[part] = np.linalg.solve(gram, np.ones((len(gram), k, 1)))[:, :, 0]

    in_threads(weigh, threads, range(0, n, step))
    return weights / weights.sum(axis=1, keepdims=True)


def _check_regular(gram: np.ndarray, first: int) -> None:
    singular = np.flatnonzero(np.linalg.matrix_rank(gram, hermitian=True) < gram.shape[1])
    if len(singular):
        raise ValueError(
            f"reg = 0 does not determine the weights of point {first + singular[0]}: its {gram.shape[1]} neighbours "
            "are linearly dependent; set reg above 0, such as 1e-3"
        )


def _made(x: np.ndarray, nbrs: NearestNeighbors, images: np.ndarray, reg: float) -> np.ndarray:
    """Return weighted sums of images (m, e), with the weights of x among the points that `nbrs` searches."""
    neighbours = nbrs.kneighbors(x, return_distance=False)
    weights = barycentric(x, nbrs._fit_X, neighbours, reg)
    return _sparse(weights, neighbours, len(images)) @ images


def _sparse(weights: np.ndarray, columns: np.ndarray, m: int) -> sp.csr_array:
    """Return weights (n, k) as rows of an (n, m) matrix."""
    n, k = weights.shape
    return sp.csr_array((weights.ravel(), columns.ravel(), np.arange(0, n * k + 1, k)), shape=(n, m))
