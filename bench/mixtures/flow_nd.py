"""The flow in any dimension: distances by eigenvalues, a batch of them at a time, and only where they may matter.

An eigenvalue problem for each pair is nearly all of the work. But W is a metric: a component that has moved by δ is
nearer to a target by at most δ. So a pair keeps a lower bound on its distance. The plan is found for costs that are
bounds where the distance is not known; the pairs that it uses, or nearly, are computed, and the plan is found again.
Once it uses known pairs alone it is optimal for the true costs too, since these are nowhere less.
"""

from __future__ import annotations

import numpy as np

from . import bures_distance
from .gradient_step import ROUNDING, adam, logit_gradient, softmax
from .transport_plan import centre, first_duals, optimal_plan

#: Beside the pairs that a plan uses, those are computed whose reduced cost is below this part of the mean cost of the
#: plan: most of them would be used next, and a batch is cheaper than many small ones.
NEARLY = 0.2


def descend(
    path: np.ndarray,
    losses: np.ndarray,
    rate: np.ndarray,
    target_means: np.ndarray,
    target_covs: np.ndarray,
    target_weights: np.ndarray,
    least: float,
) -> None:
    """The flow of n Gaussians to m, as `plane.descend`, for means in d dimensions: d + d² + 1 parameters for each."""
    m, d = target_means.shape
    n = path.shape[1] // (d + d * d + 1)
    targets = target_means, target_covs, bures_distance.factors(target_covs)
    v, plan, bound = np.empty(m), np.empty((n, m)), np.zeros((n, m))
    gradient, moments = np.empty(path.shape[1]), np.zeros((2, path.shape[1]))
    means, covs, logits = parameters(path[0], d)
    _, roots = project(covs, 0.0)
    u = first_duals(bures_distance.bounds_below(means, covs, *targets[:2]), softmax(logits), target_weights)
    for step in range(len(losses)):
        losses[step] = loss(path[step], targets, target_weights, bound, u, v, plan, gradient)
        adam(path[step], gradient, moments, rate, step + 1, path[step + 1])
        before, roots_before = means, roots
        means, covs, _ = parameters(path[step + 1], d)
        covs[:], roots = project(covs, least)
        # The roots' distance is no less than the Bures distance of the covariances.
        moved = np.sqrt(((means - before) ** 2).sum(axis=1) + ((roots - roots_before) ** 2).sum(axis=(1, 2)))
        np.maximum(bound - moved[:, None], 0, out=bound)


def loss(
    now: np.ndarray,
    targets: tuple[np.ndarray, np.ndarray, np.ndarray],
    target_weights: np.ndarray,
    bound: np.ndarray,
    u: np.ndarray,
    v: np.ndarray,
    plan: np.ndarray,
    gradient: np.ndarray,
) -> float:
    """The distance to the target with parameters `now`, and its `gradient` in them.

    `targets` are means, covariances and their `bures_distance.factors`. `bound` (n, m) are lower bounds on each W, 0 where
    nothing is known, and `u` (n,) duals to start from; they, `v` (m,) and `plan` (n, m) are overwritten by what is
    known now, and by the optimal ones.
    """
    d = targets[0].shape[1]
    means, covs, logits = parameters(now, d)
    weights = softmax(logits)
    cost = _costs_that_matter(means, covs, targets, bound, weights, target_weights, u, v, plan)
    np.sqrt(cost, out=bound)
    rows, columns = np.nonzero(plan)
    mass = plan[rows, columns]

    to_means, to_covs, to_logits = parameters(gradient, d)
    gradient[:] = 0
    np.add.at(to_means, rows, 2 * mass[:, None] * (means[rows] - targets[0][columns]))
    away = np.eye(d) - bures_distance.maps(covs[rows], targets[2][columns])
    away[np.abs(away) <= ROUNDING] = 0
    np.add.at(to_covs, rows, mass[:, None, None] * away)
    logit_gradient(weights, u, cost.max(), to_logits)
    return float(mass @ cost[rows, columns])


def parameters(row: np.ndarray, d: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means (n, d), covariances (n, d, d) and logits (n,) of one step of a path, as views."""
    n = len(row) // (d + d * d + 1)
    return row[: n * d].reshape(n, d), row[n * d : -n].reshape(n, d, d), row[-n:]


def project(covs: np.ndarray, least: float) -> tuple[np.ndarray, np.ndarray]:
    """Symmetric matrices with their eigenvalues raised to `least`, and the roots of them; (n, d, d) each."""
    values, vectors = np.linalg.eigh(covs)
    raised = np.maximum(values, least)
    low = values[:, 0] < least
    projected = covs.copy()
    projected[low] = (vectors[low] * raised[low, None, :]) @ vectors[low].swapaxes(1, 2)
    roots = (vectors * np.sqrt(raised)[:, None, :]) @ vectors.swapaxes(1, 2)
    return projected, roots


def _costs_that_matter(
    means: np.ndarray,
    covs: np.ndarray,
    targets: tuple[np.ndarray, np.ndarray, np.ndarray],
    bound: np.ndarray,
    weights: np.ndarray,
    target_weights: np.ndarray,
    u: np.ndarray,
    v: np.ndarray,
    plan: np.ndarray,
) -> np.ndarray:
    """Lower bounds on W², (n, m), exact where the optimal plan moves mass; and that plan and its duals, in place.

    `bound` (n, m) are known lower bounds on W; `u` are the duals of the step before.
    """
    target_means, target_covs, _ = targets
    cost = np.maximum(bound**2, bures_distance.bounds_below(means, covs, target_means, target_covs))
    traces, target_traces = (np.trace(each, axis1=1, axis2=2) for each in (covs, target_covs))
    cost = np.maximum(cost - ROUNDING * (cost + traces[:, None] + target_traces), 0)
    unknown = np.ones(cost.shape, dtype=bool)
    while True:
        optimal_plan(cost, weights, target_weights, u, v, plan)
        wanted = unknown & (plan > 0)
        if wanted.any():
            reduced = cost - u[:, None] - v
            wanted |= unknown & (reduced <= NEARLY * np.vdot(plan, cost))
        elif centre(cost, u, v, plan) and unknown.any():
            wanted = unknown  # which duals are the centre depends on all costs
        else:
            return cost
        rows, columns = np.nonzero(wanted)
        cost[rows, columns] = bures_distance.of_pairs(means, covs, *targets, rows, columns)
        unknown &= ~wanted
