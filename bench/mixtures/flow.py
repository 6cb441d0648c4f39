"""Gradient flow of a Gaussian mixture to another: descent on their distance, by Adam.

With weights w = softmax(logits), the loss is L = min ⟨P, W²⟩ over plans P between w and the target's weights, where
W²_ij is the squared Bures–Wasserstein distance of component i to target j. At the optimal plan P and duals u, v the
envelope theorem gives every gradient without differentiating P:

    in mean i        2 Σ_j P_ij (m_i − n_j)
    in covariance i  Σ_j P_ij (I − A_ij)        A_ij the matrix of the optimal map, see `bures_distance`
    in logit i       w_i (u_i − Σ_k w_k u_k)

Every entry takes Adam's step; then eigenvalues of the covariances below 10⁻⁶ are raised to 10⁻⁶. Means have twice the
learning rate. It is the flow of POT's gallery, "Gradient Flow for GMM-OT distance" (E. Tanguy, R. Flamary, J. Delon),
and its losses equal those of POT and torch in float64 up to rounding, unless a plan is degenerate; see
`transport_plan`.
"""

from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np

from lapmark.solvers.errors import place
from lapmark.solvers.validation import as_numeric, check_entries, check_masses, check_number, first

#: Smallest eigenvalue of a covariance.
SMALLEST_VARIANCE = 1e-6

#: Largest number: products of four do not overflow.
LARGEST = 1e70

#: Largest asymmetry of a covariance, relative to its largest entry: float32 rounds by less.
ASYMMETRY = 1e-6


@dataclass(frozen=True, eq=False)
class Flow:
    """The path of a mixture of n Gaussians in d dimensions, from the start to the last of `steps` steps.

    Attributes
    ----------
    losses : (steps,) float64
        Distance of the mixture to its target before each step, in squared units of length.
    means : (steps + 1, n, d) float64
    covs : (steps + 1, n, d, d) float64
    weights : (steps + 1, n) float64
        Each row sums to 1.
    """

    losses: np.ndarray
    means: np.ndarray
    covs: np.ndarray
    weights: np.ndarray


def flow(
    means: Any,
    covs: Any,
    logits: Any,
    target_means: Any,
    target_covs: Any,
    target_weights: Any,
    steps: int = 100,
    lr: float = 0.03,
) -> Flow:
    """Compute the flow of a Gaussian mixture to another.

    Parameters
    ----------
    means, covs : array_like, (n, d) and (n, d, d)
        The mixture that moves. Covariances are symmetric and positive definite.
    logits : array_like, (n,)
        The weights are softmax(logits).
    target_means, target_covs : array_like, (m, d) and (m, d, d)
    target_weights : array_like, (m,)
        At least 0, of sum 1.
    steps : int
        At least 0.
    lr : float
        Learning rate of covariances and logits, > 0; means take twice that.

    Returns
    -------
    Flow

    Raises
    ------
    TypeError, ValueError
        An argument is invalid; the message names the entry.

    Notes
    -----
    In two dimensions, a compiled loop uses closed forms; in other dimensions, batches of eigenvalues are computed. The
    first call in an environment compiles for some seconds and caches the code.
    """
    from . import flow_2d, flow_nd  # on first use: numba takes long to load

    mixture = _gaussians(means, covs, "means", "covs")
    target = _gaussians(target_means, target_covs, "target_means", "target_covs")
    (n, d), (m, other) = mixture[0].shape, target[0].shape
    if d != other:
        raise ValueError(f"means has {d} coordinates, target_means has {other}")
    weights = check_masses(target_weights, "target_weights", m)
    if abs(weights.sum() - 1) > 1e-6:
        raise ValueError(f"target_weights sums to {weights.sum():.9g}; divide by the sum")
    if not isinstance(steps, Integral) or isinstance(steps, bool) or steps < 0:
        raise ValueError(f"steps = {steps!r}; it must be a whole number of at least 0")
    lr = check_number(lr, "lr", positive=True)
    if lr * (int(steps) + 1) > LARGEST / 100:  # a step of Adam is at most a few times the rate
        raise ValueError(f"lr = {lr:g} would lead {steps} steps beyond {LARGEST:g}; give a smaller one")

    path = np.empty((int(steps) + 1, n * (d + d * d + 1)))
    path[0] = np.concatenate([*(each.ravel() for each in mixture), _finite(logits, "logits", (n,))])
    rate = np.full(path.shape[1], lr)
    rate[: n * d] *= 2
    losses = np.empty(int(steps))
    descend = flow_2d.descend if d == 2 else flow_nd.descend
    descend(path, losses, rate, *target, weights / weights.sum(), SMALLEST_VARIANCE)
    along = path[:, : n * d].reshape(-1, n, d), path[:, n * d : -n].reshape(-1, n, d, d)
    powers = np.exp(path[:, -n:] - path[:, -n:].max(axis=1, keepdims=True))
    return Flow(losses, *along, powers / powers.sum(axis=1, keepdims=True))


def _gaussians(means: Any, covs: Any, *names: str) -> tuple[np.ndarray, np.ndarray]:
    """Return means (n, d) and symmetric, positive definite covariances (n, d, d), in float64."""
    means = _finite(means, names[0], (None, None))
    n, d = means.shape
    if n == 0 or d == 0:
        raise ValueError(f"{names[0]} has shape {means.shape}; a mixture has at least one component and one coordinate")
    covs = _finite(covs, names[1], (n, d, d))
    turned = covs.swapaxes(1, 2)
    skew = np.abs(covs - turned) > ASYMMETRY * np.abs(covs).max(axis=(1, 2), keepdims=True)
    if skew.any():
        k, i, j = first(skew)
        raise ValueError(
            f"{names[1]}[{k}] is not symmetric: entry [{i}, {j}] is {covs[k, i, j]:g}, [{j}, {i}] is {covs[k, j, i]:g}"
        )
    covs = (covs + turned) / 2
    values = np.linalg.eigvalsh(covs)
    flat = values[:, 0] <= np.maximum(2 * d * np.finfo(float).eps * values[:, -1], 1 / LARGEST)
    if flat.any():
        (k,) = first(flat)
        raise ValueError(
            f"{names[1]}[{k}] is not positive definite: its eigenvalues go from {values[k, 0]:g} to {values[k, -1]:g}; "
            "add a multiple of the identity"
        )
    return means, covs


def _finite(values: Any, name: str, shape: tuple[int | None, ...]) -> np.ndarray:
    """Return `values` as finite float64 of a shape, in which None is any number; at most `LARGEST`."""
    array = as_numeric(values, name)
    if array.ndim != len(shape) or any(want not in (None, have) for want, have in zip(shape, array.shape, strict=True)):
        wanted = ", ".join("nd"[k] if want is None else str(want) for k, want in enumerate(shape))
        wanted += "," if len(shape) == 1 else ""
        raise ValueError(f"{name} has shape {array.shape}; expected ({wanted})")
    check_entries(array, name)
    array = array.astype(np.float64, order="C")
    large = ~(np.abs(array) <= LARGEST)
    if large.any():
        where = first(large)
        raise ValueError(f"{name}{place(where)} is {array[where]:g}; give finite numbers of at most {LARGEST:g}")
    return array
