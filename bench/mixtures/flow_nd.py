"""The flow in any dimension: distances by batches of eigenvalues, computed only for pairs that the plan may use.

The eigenvalue problem of each pair is nearly all of the work. But W is a metric: after a component has moved by δ, it
is nearer to a target by at most δ, which gives each pair a lower bound on its distance. The plan is computed with
bounds in place of unknown distances, the distances of pairs that it uses, or nearly uses, are computed, and so on. A
plan that uses known pairs only is optimal for the true costs too, since these are never below the bounds.
"""

import numpy as np

from . import bures_distance
from .gradient_step import ROUNDING, adam, logit_gradient, softmax
from .transport_plan import centre, first_duals, optimal_plan

#: Pairs whose reduced cost is below this share of the plan's mean cost are computed with those that it uses: most of
#: them would be used next, and one batch is cheaper than many small ones.
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
    """Compute the flow as `flow_2d.descend` does, in d dimensions, with d + d² + 1 parameters per Gaussian."""
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
        # The distance of the roots is at least the Bures distance of the covariances.
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
    """Return the distance to the target for parameters `now`, and write its `gradient`.

    `targets` are means, covariances and their `bures_distance.factors`. `bound` (n, m) are lower bounds on each W, and
    `u` (n,) duals to start from. They, `v` (m,) and `plan` (n, m) are overwritten by new bounds and optimal values.
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
    """Return views of the means (n, d), covariances (n, d, d) and logits (n,) of one step of a path."""
    n = len(row) // (d + d * d + 1)
    return row[: n * d].reshape(n, d), row[n * d : -n].reshape(n, d, d), row[-n:]


def project(covs: np.ndarray, least: float) -> tuple[np.ndarray, np.ndarray]:
    """Return symmetric matrices with eigenvalues raised to `least`, and their roots; (n, d, d) each."""
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
    """Return lower bounds on W², (n, m), exact for pairs of the optimal plan; write that plan and its duals.

    `bound` (n, m) are known lower bounds on W; `u` are the duals of the previous step.
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
            wanted = unknown  # the centre of the duals depends on all costs
        else:
            return cost
        rows, columns = np.nonzero(wanted)
        cost[rows, columns] = bures_distance.of_pairs(means, covs, *targets, rows, columns)
        unknown &= ~wanted
