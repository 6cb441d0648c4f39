"""Quadrature of a cloud of points: a few nodes for each group of neighbours, with its mass, mean and covariance.

Two nodes per axis, at mean ± √d L_k with L Lᵀ the covariance of the group, integrate every polynomial of degree 2
exactly, and of degree 3 if the group is symmetric. For a Gaussian kernel of width σ and a group of spread s, sums have
a relative error of O((s/σ)³); centroids would give O((s/σ)²).

Groups are as large as a bound on their spread allows; points that are in no group are nodes themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Points in the smallest groups in 2 and 3 dimensions: at least twice as many as their nodes.
SMALLEST = {2: 8, 3: 16}

#: Largest number of groups to take the typical spread of a cloud from.
FEW = 128


@dataclass(frozen=True)
class Moments:
    """Mass (k,), mean (k, d) and covariance (k, d, d) of each aligned run of `size` points; the last may have less."""

    size: int
    mass: np.ndarray
    mean: np.ndarray
    covariance: np.ndarray

    @property
    def spread(self) -> np.ndarray:
        """Root mean square (k,) of the distance from the mean along an axis."""
        d = self.mean.shape[1]
        return np.sqrt(np.trace(self.covariance, axis1=1, axis2=2) / d)

    def merged(self) -> Moments:
        """Return the moments of runs twice as long."""
        pairs = len(self.mass) // 2
        even, odd, rest = slice(0, 2 * pairs, 2), slice(1, 2 * pairs, 2), slice(2 * pairs, None)
        total = self.mass[even] + self.mass[odd]
        share = self.mass[odd] / total
        apart = self.mean[odd] - self.mean[even]
        mean = self.mean[even] + share[:, None] * apart
        covariance = self.covariance[even] + share[:, None, None] * (self.covariance[odd] - self.covariance[even])
        covariance += (share * (1 - share))[:, None, None] * apart[:, :, None] * apart[:, None, :]
        if 2 * pairs == len(self.mass):
            return Moments(2 * self.size, total, mean, covariance)
        return Moments(
            2 * self.size,
            np.concatenate([total, self.mass[rest]]),
            np.concatenate([mean, self.mean[rest]]),
            np.concatenate([covariance, self.covariance[rest]]),
        )


@dataclass(frozen=True)
class Cloud:
    """Points (n, d) in the order of `neighbours`, their masses (n,), and moments of runs, each twice as long."""

    points: np.ndarray
    mass: np.ndarray
    runs: list[Moments]

    @classmethod
    def of(cls, points: np.ndarray, mass: np.ndarray) -> Cloud:
        n, d = points.shape
        size = SMALLEST[d]
        short = [(0, -n % size)]
        weight = np.pad(mass, short).reshape(-1, size)
        x = np.pad(points, [*short, (0, 0)], mode="edge").reshape(-1, size, d)
        total = weight.sum(axis=1)
        share = weight / total[:, None]
        mean = np.einsum("kp,kpd->kd", share, x)
        x = x - mean[:, None]
        runs = [Moments(size, total, mean, np.einsum("kp,kpi,kpj->kij", share, x, x))]
        while len(runs[-1].mass) > 1:
            runs.append(runs[-1].merged())
        return cls(points, mass, runs)

    def typical_spread(self) -> float:
        """Return the median spread of about a hundred groups of equal size."""
        return float(np.median(next(run for run in self.runs if len(run.mass) <= FEW).spread))

    def singles(self) -> Nodes:
        """Return the points themselves as nodes."""
        n, d = self.points.shape
        each = np.arange(n)
        return Nodes(each, self.points, np.zeros((n, d, d)), each, self.points, self.mass, each)

    def nodes(self, spread: float) -> Nodes:
        """Return nodes for the largest runs of at most this spread, and the points that are in none."""
        n, d = self.points.shape
        free = np.ones(n, dtype=bool)
        starts, means, roots = [], [], []
        for run in reversed(self.runs):
            begin = np.arange(len(run.mass)) * run.size
            taken = free[begin] & (run.spread <= spread) & (begin + run.size <= n)
            free &= ~np.repeat(taken, run.size)[:n]
            starts.append(begin[taken])
            means.append(run.mean[taken])
            roots.append(_roots(run.covariance[taken]))
        alone = np.flatnonzero(free)
        start = np.concatenate([*starts, alone])
        order = np.argsort(start)
        root = np.concatenate([*roots, np.zeros((len(alone), d, d))])[order]
        each = np.concatenate([np.full(len(start) - len(alone), 2 * d), np.ones(len(alone), dtype=int)])[order]
        middle = np.concatenate([*means, self.points[alone]])[order]
        return Nodes.of(start[order], middle, root, each, np.add.reduceat(self.mass, start[order]))


@dataclass(frozen=True)
class Nodes:
    """Nodes of groups of points, those of a group together, all in the order of the points.

    Attributes
    ----------
    start, middle, root : (k,), (k, d), (k, d, d)
        First point, mean, and lower triangular root of the covariance of each group.
    first : (k,)
        First node of each group.
    points, mass, group : (N, d), (N,), (N,)
        Position, mass and group of each node: one for a single point, otherwise 2 d, two along each axis.
    """

    start: np.ndarray
    middle: np.ndarray
    root: np.ndarray
    first: np.ndarray
    points: np.ndarray
    mass: np.ndarray
    group: np.ndarray

    @classmethod
    def of(cls, start: np.ndarray, middle: np.ndarray, root: np.ndarray, each: np.ndarray, mass: np.ndarray) -> Nodes:
        d = middle.shape[1]
        group = np.repeat(np.arange(len(start)), each)
        first = np.cumsum(each) - each
        arm = np.arange(len(group)) - first[group]
        away = np.sqrt(d) * root[group, :, arm // 2] * (1 - 2 * (arm % 2))[:, None]
        return cls(start, middle, root, first, middle[group] + away, (mass / each)[group], group)

    def holding(self, point: np.ndarray) -> np.ndarray:
        """Return the group of each of these points, by index."""
        return np.searchsorted(self.start, point, side="right") - 1

    def means(self, values: np.ndarray) -> np.ndarray:
        """Return the mean over each group of values (N,) at the nodes."""
        return np.add.reduceat(values, self.first) / np.diff(np.append(self.first, len(values)))

    def extended(self, values: np.ndarray, group: np.ndarray, points: np.ndarray) -> np.ndarray:
        """Return values (N,) at the nodes, extended linearly in each group to other points (n, d) of it."""
        d = self.middle.shape[1]
        several = np.diff(np.append(self.first, len(values))) > 1
        slope = np.zeros((len(self.start), d))
        for k in range(d):
            at = self.first[several] + 2 * k
            slope[several, k] = (values[at] - values[at + 1]) / (2 * np.sqrt(d))  # in units of the root's columns
        gradient = _solved(self.root, slope)
        return self.means(values)[group] + ((points - self.middle[group]) * gradient[group]).sum(axis=1)


def _roots(matrices: np.ndarray) -> np.ndarray:
    """Return Cholesky roots (k, d, d) of symmetric matrices that may be singular, 0 in singular directions."""
    d = matrices.shape[1]
    roots = np.zeros_like(matrices)
    for j in range(d):
        pivot = matrices[:, j, j] - np.square(roots[:, j, :j]).sum(axis=1)
        # In a singular direction the pivot is rounding error.
        roots[:, j, j] = np.sqrt(np.where(pivot > 1e-12 * matrices[:, j, j], pivot, 0.0))
        for i in range(j + 1, d):
            rest = matrices[:, i, j] - (roots[:, i, :j] * roots[:, j, :j]).sum(axis=1)
            roots[:, i, j] = np.divide(rest, roots[:, j, j], out=np.zeros(len(rest)), where=roots[:, j, j] > 0)
    return roots


def _solved(roots: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    """Return gradients (k, d) with rootᵀ · gradient = slope, 0 in singular directions."""
    d = roots.shape[1]
    gradient = np.zeros_like(slopes)
    for j in reversed(range(d)):
        rest = slopes[:, j] - (roots[:, j + 1 :, j] * gradient[:, j + 1 :]).sum(axis=1)
        gradient[:, j] = np.divide(rest, roots[:, j, j], out=np.zeros(len(rest)), where=roots[:, j, j] > 0)
    return gradient
