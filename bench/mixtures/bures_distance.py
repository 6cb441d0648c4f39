"""The Bures–Wasserstein distance between Gaussians of any dimension, and its gradient; batched over pairs.

W²(N(m, C), N(n, D)) = |m − n|² + tr C + tr D − 2 tr (C^½ D C^½)^½. With a factor D = K Kᵀ, the last trace is that of
the root of M = Kᵀ C K, which has the same eigenvalues. So the factors of the fixed target are computed once, and C is
neither factored nor inverted. The gradient in C is I − A, where A = K M^(−½) Kᵀ is the matrix of the optimal map from
the one Gaussian to the other: A C A = D.

Source: R. Bhatia, T. Jain, Y. Lim, On the Bures–Wasserstein distance between positive definite matrices, Expositiones
Mathematicae 37 (2019) 165–191.
"""

import numpy as np

#: Entries of matrices of pairs that are computed at once, to bound the memory.
BATCH_ENTRIES = 1 << 22


def factors(covs: np.ndarray) -> np.ndarray:
    """Return K with K Kᵀ = C for each covariance, both (m, d, d)."""
    return np.linalg.cholesky(covs)


def squared_distances(
    means: np.ndarray, covs: np.ndarray, target_means: np.ndarray, target_covs: np.ndarray
) -> np.ndarray:
    """Return W² between each of n Gaussians and each of m, (n, m) float64.

    Parameters
    ----------
    means, covs : (n, d) and (n, d, d) float64
    target_means, target_covs : (m, d) and (m, d, d) float64
    """
    rows, columns = np.divmod(np.arange(len(means) * len(target_means)), len(target_means))
    flat = of_pairs(means, covs, target_means, target_covs, factors(target_covs), rows, columns)
    return flat.reshape(len(means), len(target_means))


def of_pairs(
    means: np.ndarray,
    covs: np.ndarray,
    target_means: np.ndarray,
    target_covs: np.ndarray,
    target_factors: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
) -> np.ndarray:
    """Return W² between Gaussian rows[k] of one mixture and columns[k] of the other, (k,) float64, at least 0."""
    height = max(1, BATCH_ENTRIES // covs[0].size)
    overlap = np.empty(len(rows))
    for start in range(0, len(rows), height):
        part = slice(start, start + height)
        values = np.linalg.eigvalsh(_between(covs[rows[part]], target_factors[columns[part]]))
        overlap[part] = np.sqrt(np.maximum(values, 0)).sum(axis=1)
    spread = np.trace(covs, axis1=1, axis2=2)[rows] + np.trace(target_covs, axis1=1, axis2=2)[columns]
    apart = ((means[rows] - target_means[columns]) ** 2).sum(axis=1)
    return np.maximum(apart + spread - 2 * overlap, 0)


def maps(covs: np.ndarray, target_factors: np.ndarray) -> np.ndarray:
    """Return the symmetric matrices A of the optimal maps, A C A = K Kᵀ, for k pairs: (k, d, d).

    The gradient of W² in C is I − A.
    """
    values, vectors = np.linalg.eigh(_between(covs, target_factors))
    # An eigenvalue below the rounding error of the largest may be anything from 0 to that error.
    least = np.finfo(float).eps * values[:, -1:]
    turned = target_factors @ vectors / np.maximum(values, least)[:, None, :] ** 0.25
    return turned @ turned.swapaxes(1, 2)


def bounds_below(means: np.ndarray, covs: np.ndarray, target_means: np.ndarray, target_covs: np.ndarray) -> np.ndarray:
    """Return a lower bound on every W², (n, m), without eigenvalues: tr (C^½ D C^½)^½ ≤ (tr C · tr D)^½."""
    apart = ((means[:, None] - target_means) ** 2).sum(axis=2)
    ours, theirs = (np.sqrt(np.trace(each, axis1=1, axis2=2)) for each in (covs, target_covs))
    return apart + (ours[:, None] - theirs) ** 2


def _between(covs: np.ndarray, target_factors: np.ndarray) -> np.ndarray:
    return target_factors.swapaxes(1, 2) @ covs @ target_factors
