"""The transport problem between two Gaussian mixtures, and the gradient flow from one to the other.

n Gaussians and two thirds as many targets are drawn at random. The problem moves the weights of the one mixture onto
those of the other at squared Bures–Wasserstein distances; `flow` descends along its gradient
(`lapmark.bench.mixtures`).
"""

from dataclasses import dataclass

import numpy as np

from lapmark.bench.mixtures import Flow, flow, squared_distances
from lapmark.bench.problems import family
from lapmark.solvers import DenseCost, Transport, solve

__all__ = ["Flow", "Mixtures", "build", "flow", "mixtures"]

#: Standard deviations of components, along their axes.
WIDTHS = 0.25, 1.25


@dataclass(frozen=True, eq=False)
class Mixtures:
    """The arguments of `flow`: n Gaussians in d dimensions, and m targets.

    Attributes
    ----------
    means, covs, logits : (n, d), (n, d, d) and (n,) float64
    target_means, target_covs, target_weights : (m, d), (m, d, d) and (m,) float64
    """

    means: np.ndarray
    covs: np.ndarray
    logits: np.ndarray
    target_means: np.ndarray
    target_covs: np.ndarray
    target_weights: np.ndarray

    @property
    def weights(self) -> np.ndarray:
        """softmax(logits), (n,)."""
        powers = np.exp(self.logits - self.logits.max())
        return powers / powers.sum()

    def flow(self, steps: int = 100, lr: float = 0.03) -> Flow:
        """Compute the flow from the mixture to the target."""
        target = self.target_means, self.target_covs, self.target_weights
        return flow(self.means, self.covs, self.logits, *target, steps=steps, lr=lr)

    def last_loss(self, way: Flow) -> float:
        """Return the squared distance to the target after the last step of a flow."""
        cost = squared_distances(way.means[-1], way.covs[-1], self.target_means, self.target_covs)
        return solve(Transport(DenseCost(cost), way.weights[-1], self.target_weights, blur=0)).cost


def mixtures(n: int, seed: int = 0, d: int = 2) -> Mixtures:
    """Draw n Gaussians and two thirds as many targets, with normal means and axes of random direction and length."""
    if n < 1:
        raise ValueError(f"n = {n}; a mixture has at least one component")
    if d < 1:
        raise ValueError(f"d = {d}; Gaussians have at least one dimension")
    rng = np.random.default_rng(seed)
    m = max(1, round(2 * n / 3))
    means, target_means = (1.5 * rng.standard_normal((k, d)) for k in (n, m))
    covs, target_covs = (_covariances(rng, k, d) for k in (n, m))
    masses = rng.uniform(1, 3, m)
    return Mixtures(means, covs, rng.standard_normal(n) / 2, target_means, target_covs, masses / masses.sum())


def _covariances(rng: np.random.Generator, k: int, d: int) -> np.ndarray:
    axes = np.linalg.qr(rng.standard_normal((k, d, d)))[0]
    return (axes * rng.uniform(*WIDTHS, (k, 1, d)) ** 2) @ axes.swapaxes(1, 2)


@family(
    "gmm-flow",
    source="J. Delon, A. Desolneux, SIAM J. Imaging Sciences 13 (2020) 936–970; the flow: POT's gallery, "
    "“Gradient Flow for GMM-OT distance”",
    sizes=(3,),
    variants=({}, {"blur": 0.1}),
)
def build(n: int, seed: int = 0, d: int = 2, blur: float = 0) -> Transport:
    """Build the problem, which is the first step of the flow.

    Parameters
    ----------
    n : int
        Components of the mixture; the target has two thirds as many.
    d : int
        Dimensions.
    blur : float
        0 for the exact problem of the flow; above 0 for entropic solvers.
    """
    chosen = mixtures(n, seed, d)
    cost = squared_distances(chosen.means, chosen.covs, chosen.target_means, chosen.target_covs)
    return Transport(DenseCost(cost), chosen.weights, chosen.target_weights, blur=blur)
