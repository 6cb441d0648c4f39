"""The flow in two dimensions, in one compiled loop: 2 × 2 matrices have closed forms.

The root of a 2 × 2 matrix with eigenvalues p, q ≥ 0 has the trace h = √p + √q = √(p + q + 2√(pq)). So with
s = √(det C · det D), tr (C^½ D C^½)^½ = h = √(tr CD + 2s), and the optimal map is A = (D + s C⁻¹)/h.
"""

import numpy as np

from lapmark.bench.util.jit import compiled

from .gradient_step import ROUNDING, adam, logit_gradient, softmax
from .transport_plan import centre, first_duals, optimal_plan

#: Pairs of components that are processed before Python gets control: some hundredths of a second.
PAIRS_AT_ONCE = 1 << 20

#: A determinant below this share of the squared trace is rounding.
FLAT = np.finfo(float).eps / 4


@compiled
def squared_distance(mean: np.ndarray, cov: np.ndarray, target_mean: np.ndarray, target_cov: np.ndarray) -> float:
    """Return W² between two Gaussians in the plane, given by means (2,) and covariances (2, 2)."""
    x, y = mean[0] - target_mean[0], mean[1] - target_mean[1]
    spread = cov[0, 0] + cov[1, 1] + target_cov[0, 0] + target_cov[1, 1]
    return max(x * x + y * y + spread - 2 * _overlap(cov, target_cov), 0.0)


@compiled
def squared_distances(
    means: np.ndarray, covs: np.ndarray, target_means: np.ndarray, target_covs: np.ndarray
) -> np.ndarray:
    """Return W² between each of n Gaussians and each of m, (n, m)."""
    n, m = len(means), len(target_means)
    squared = np.empty((n, m))
    for i in range(n):
        for j in range(m):
            squared[i, j] = squared_distance(means[i], covs[i], target_means[j], target_covs[j])
    return squared


@compiled
def add_gradient(
    mass: float,
    mean: np.ndarray,
    cov: np.ndarray,
    target_mean: np.ndarray,
    target_cov: np.ndarray,
    to_mean: np.ndarray,
    to_cov: np.ndarray,
) -> None:
    """Add `mass` times the gradient of W²: in the mean to `to_mean` (2,), in the covariance to `to_cov` (2, 2)."""
    for k in range(2):
        to_mean[k] += 2 * mass * (mean[k] - target_mean[k])
    ours, theirs = _determinant(cov), _determinant(target_cov)
    overlap, ratio = _overlap(cov, target_cov), np.sqrt(theirs / ours)
    for k in range(2):
        for t in range(2):
            inverse = ratio * (cov[1 - k, 1 - k] if k == t else -cov[k, t])
            away = (1.0 if k == t else 0.0) - (target_cov[k, t] + inverse) / overlap
            if abs(away) > ROUNDING:
                to_cov[k, t] += mass * away


@compiled
def project(cov: np.ndarray, least: float) -> None:
    """Raise the eigenvalues of a symmetric 2 × 2 matrix to at least `least`, in place."""
    middle = (cov[0, 0] + cov[1, 1]) / 2
    half = np.hypot((cov[0, 0] - cov[1, 1]) / 2, cov[0, 1])
    low, high = middle - half, middle + half
    if low >= least:
        return
    scale = (max(high, least) - least) / (high - low) if high > low else 0.0
    for k in range(2):
        cov[k, k] = least + scale * (cov[k, k] - low)
    cov[0, 1] *= scale
    cov[1, 0] = cov[0, 1]


def descend(
    path: np.ndarray,
    losses: np.ndarray,
    rate: np.ndarray,
    target_means: np.ndarray,
    target_covs: np.ndarray,
    target_weights: np.ndarray,
    least: float,
) -> None:
    """Compute the flow of n Gaussians to m in the plane.

    Parameters
    ----------
    path : (steps + 1, 7 n) float64
        All parameters, a step per row: means, covariances, logits. The first row is given, the others are written.
    losses : (steps,) float64
        Written.
    rate : (7 n,) float64
        Learning rate of each parameter.
    least : float
        Smaller eigenvalues of the covariances are raised to it after each step.
    """
    n, m = path.shape[1] // 7, len(target_weights)
    cost = squared_distances(*_gaussians(path[0], n), target_means, target_covs)
    u = first_duals(cost, softmax(path[0, 6 * n :]), target_weights)
    moments = np.zeros((2, path.shape[1]))
    # Ctrl-C takes effect only when native code returns.
    at_once = max(1, PAIRS_AT_ONCE // (n * m))
    for start in range(0, len(losses), at_once):
        stop = min(start + at_once, len(losses))
        _steps(path, losses, moments, rate, target_means, target_covs, target_weights, least, u, start, stop)


@compiled
def _steps(
    path: np.ndarray,
    losses: np.ndarray,
    moments: np.ndarray,
    rate: np.ndarray,
    target_means: np.ndarray,
    target_covs: np.ndarray,
    target_weights: np.ndarray,
    least: float,
    u: np.ndarray,
    start: int,
    stop: int,
) -> None:
    """Compute steps start to stop; Adam's `moments` and the duals `u` continue from the previous steps."""
    n, m = len(u), len(target_weights)
    plan, v = np.empty((n, m)), np.empty(m)
    gradient = np.empty(path.shape[1])
    for step in range(start, stop):
        now, after = path[step], path[step + 1]
        losses[step] = loss(now, target_means, target_covs, target_weights, u, v, plan, gradient)
        adam(now, gradient, moments, rate, step + 1, after)
        for i in range(n):
            project(_gaussians(after, n)[1][i], least)


@compiled
def loss(
    now: np.ndarray,
    target_means: np.ndarray,
    target_covs: np.ndarray,
    target_weights: np.ndarray,
    u: np.ndarray,
    v: np.ndarray,
    plan: np.ndarray,
    gradient: np.ndarray,
) -> float:
    """Return the distance to the target for parameters `now`, (7 n,), and write its `gradient`.

    `u` (n,) are duals to start from. They, `v` (m,) and `plan` (n, m) are overwritten by optimal ones.
    """
    n, m = plan.shape
    means, covs = _gaussians(now, n)
    to_means, to_covs = _gaussians(gradient, n)
    weights = softmax(now[6 * n :])
    cost = squared_distances(means, covs, target_means, target_covs)
    optimal_plan(cost, weights, target_weights, u, v, plan)
    centre(cost, u, v, plan)
    gradient[:] = 0.0
    total = 0.0
    for i in range(n):
        for j in range(m):
            if plan[i, j] > 0:
                total += plan[i, j] * cost[i, j]
                add_gradient(plan[i, j], means[i], covs[i], target_means[j], target_covs[j], to_means[i], to_covs[i])
    logit_gradient(weights, u, cost.max(), gradient[6 * n :])
    return total


@compiled
def _gaussians(parameters: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return views of the means (n, 2) and covariances (n, 2, 2) of a step."""
    return parameters[: 2 * n].reshape(n, 2), parameters[2 * n : 6 * n].reshape(n, 2, 2)


@compiled
def _determinant(cov: np.ndarray) -> float:
    trace = cov[0, 0] + cov[1, 1]
    return max(cov[0, 0] * cov[1, 1] - cov[0, 1] * cov[1, 0], FLAT * trace * trace)


@compiled
def _overlap(cov: np.ndarray, target_cov: np.ndarray) -> float:
    product = cov[0, 0] * target_cov[0, 0] + 2 * cov[0, 1] * target_cov[0, 1] + cov[1, 1] * target_cov[1, 1]
    return np.sqrt(product + 2 * np.sqrt(_determinant(cov) * _determinant(target_cov)))
