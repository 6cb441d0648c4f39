"""The lowest eigenvectors of M = (I − W)ᵀ(I − W), from one sparse factorization of I − W.

W holds the weights of the neighbours of every point, and each row sums to one. So A = I − W is singular, with constant
vectors in its null space. If the graph of neighbours has several closed classes, sets of points that no path leaves, A
has as many null vectors on each side: on the right, the share of each point that ends in a class; on the left, a vector
per class, which is zero outside of it.

Adding one to the diagonal at a point of each class makes a regular B, and B x = b solves A x = b for every b for which
a solution exists. Null vectors of both sides come from solves with B and are projected out around every solve; without
those of the left the eigenvalues would be wrong. Lanczos iteration on the inverse of M gives the eigenvectors. Factors
of A have a fraction of the entries of those of M, and twice the digits.
"""

import warnings

import numpy as np
import scipy.sparse as sp
from scipy.linalg import eigh
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import LinearOperator, eigsh, splu

#: Most points for which a dense matrix is used: it is as fast, and the iteration may need more vectors than exist.
SMALL = 200

#: Largest residual of an eigenvector, in units of the norm of M.
RESIDUAL = 1e-9


def lowest(a: sp.csr_array, count: int, closed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest eigenvalues of AᵀA and their vectors.

    Parameters
    ----------
    a : (n, n) sparse float64
        I − W, with rows that sum to zero.
    count : int
        From 1 to n.
    closed : (s,) array of int
        A point of each closed class of W, from `closed_classes`.

    Returns
    -------
    values : (count,) float64
        Ascending.
    vectors : (n, count) float64
        Orthonormal; the first is constant, and the largest entry of each is positive. With more null vectors than
        `count`, those that distinguish the classes in which most points end.

    Raises
    ------
    ArithmeticError
        The residual of an eigenvector is too large with both methods.
    """
    n = a.shape[0]
    if n > SMALL and 4 * count < n:
        try:
            return _checked(a, _by_factors(a, count, closed))
        except (ArithmeticError, RuntimeError) as error:  # SuperLU raises the latter for a zero pivot
            warnings.warn(f"{error}; using a dense matrix, which is slower", stacklevel=2)
    return _checked(a, _dense(a, count))


def closed_classes(w: sp.csr_array) -> np.ndarray:
    """Return a point of each set of points that no path along the nonzero entries of w (n, n) leaves."""
    count, part = connected_components(w, connection="strong")
    row = np.repeat(np.arange(w.shape[0]), np.diff(w.indptr))
    is_left = np.zeros(count, bool)
    is_left[part[row[part[row] != part[w.indices]]]] = True
    _, first = np.unique(part, return_index=True)
    return first[~is_left]


def _checked(a: sp.csr_array, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the vectors and their eigenvalues in ascending order; an ArithmeticError if a residual is large."""
    applied = a @ vectors
    values = np.einsum("ij,ij->j", applied, applied)
    order = np.argsort(values[1:], kind="stable") + 1  # the constant one stays first
    vectors[:, 1:], values[1:] = vectors[:, order], values[order]
    residual = np.linalg.norm(a.T @ (a @ vectors) - values * vectors, axis=0).max()
    # AᵀA has no larger eigenvalue than this product of norms.
    norm = abs(a).sum(axis=0).max() * abs(a).sum(axis=1).max()
    if not residual <= RESIDUAL * norm:
        raise ArithmeticError(
            f"an eigenvector has a residual of {residual:.2g}; at most {RESIDUAL * norm:.2g} is allowed"
        )
    largest = vectors[np.abs(vectors).argmax(axis=0), np.arange(vectors.shape[1])]
    return values, vectors * np.sign(largest)


def _dense(a: sp.csr_array, count: int) -> np.ndarray:
    n = a.shape[0]
    constant = np.full((n, 1), n**-0.5)
    if count == 1:
        return constant
    m = (a.T @ a).toarray()
    # The constant vector is moved from the lowest eigenvalue to the highest, so that the others are orthogonal to it.
    m += (np.abs(m).sum(axis=1).max() + 1) / n
    return np.hstack([constant, eigh(m, subset_by_index=(0, count - 2))[1]])


def _by_factors(a: sp.csr_array, count: int, closed: np.ndarray) -> np.ndarray:
    n = a.shape[0]
    grounded = sp.csr_array((np.ones(len(closed)), (closed, closed)), shape=(n, n))
    # A and its transpose have nearly the same pattern, and the diagonal is nearly always large enough for a pivot.
    ordering = {"permc_spec": "MMD_AT_PLUS_A", "diag_pivot_thresh": 0.1, "options": {"SymmetricMode": True}}
    factors = splu((a + grounded).tocsc(), **ordering)

    def transposed(b: np.ndarray) -> np.ndarray:
        return factors.solve(b, "T")

    crowded = np.argsort(-transposed(np.ones(n))[closed], kind="stable")[:count]
    ones_at = np.zeros((n, len(crowded)))
    ones_at[closed[crowded], range(len(crowded))] = 1
    # The right null vectors sum to a constant one: all but one of them, with a constant vector, span the same space.
    right = _orthonormal(np.column_stack([np.ones(n), factors.solve(ones_at)[:, : min(len(closed), count) - 1]]))
    if len(closed) >= count:
        return right
    left = _orthonormal(transposed(ones_at))

    def inverse(x: np.ndarray) -> np.ndarray:
        y = _without(left, transposed(_without(right, x)))
        return _without(right, factors.solve(_without(left, y)))

    start = _without(right, np.random.default_rng(0).standard_normal(n))
    wanted = count - len(closed)
    operator = LinearOperator((n, n), inverse, dtype=np.float64)
    # This number of Lanczos vectors mostly suffices without a restart; each costs two solves.
    _, others = eigsh(operator, wanted, which="LA", ncv=2 * wanted + 8, v0=start, tol=0)
    return np.hstack([right, _orthonormal(others[:, ::-1])])


def _orthonormal(vectors: np.ndarray) -> np.ndarray:
    return np.linalg.qr(vectors)[0]


def _without(null: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the part of x that is orthogonal to orthonormal vectors (n, s)."""
    return x - null @ (null.T @ x)
