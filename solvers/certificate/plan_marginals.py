"""Marginals and cost of a transport plan, in float64 and O(n + m) memory plus a block.

The certificate of a plan looks at every pair here only. The kernels of solvers are not used, so that their faults show.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse

from lapmark.solvers.costs import Cost, PointCost
from lapmark.solvers.problem import Transport


@dataclass(frozen=True, eq=False)
class Sums:
    """Sums of a plan π: Σ_j π_ij (n,), Σ_i π_ij (m,), ⟨π, C⟩ and ⟨π, |C|⟩; NaN or inf if the plan is not finite."""

    rows: np.ndarray
    cols: np.ndarray
    cost: float
    size: float

    @property
    def finite(self) -> bool:
        return bool(np.isfinite(self.cost) and np.isfinite(self.rows).all() and np.isfinite(self.cols).all())


def spread(problem: Transport, f: np.ndarray, g: np.ndarray) -> Sums:
    """Return the sums of the plan π_ij = a_i b_j exp((f_i + g_j − c_ij) / ε) of finite potentials (n,), (m,), ε > 0."""
    (a, b), scale = problem.masses, 1 / problem.epsilon
    # Rows and columns without mass take no part, however large their potentials.
    f, g = np.where(a > 0, f, -np.inf), np.where(b > 0, g, -np.inf)
    rows, cols, cost, size = np.zeros(len(a)), np.zeros(len(b)), 0.0, 0.0
    signed = problem.cost.span()[0] < 0
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        for start, block in problem.cost.blocks():
            part = slice(start, start + len(block))
            share = np.subtract(g, block, dtype=np.float64)
            share += f[part, None]
            share *= scale
            np.exp(share, out=share)
            rows[part] = a[part] * (share @ b)
            cols += a[part] @ share
            if problem.cost.forbids:
                block = np.where(np.isfinite(block), block, 0.0)  # their share is 0
            share *= block
            cost += float(a[part] @ (share @ b))
            size += float(a[part] @ (np.abs(share, out=share) @ b)) if signed else 0.0
        cols *= b
    return Sums(rows, cols, cost, size if signed else cost)


def gathered(cost: Cost, mass: scipy.sparse.coo_array) -> Sums:
    """Return the sums of a sparse plan (n, m)."""
    rows, cols = mass.coords
    some = mass.data > 0
    entries = cost.entries(rows[some], cols[some])
    n, m = cost.shape
    with np.errstate(over="ignore", invalid="ignore"):
        spent, size = float(mass.data[some] @ entries), float(mass.data[some] @ np.abs(entries))
    return Sums(np.bincount(rows, mass.data, n), np.bincount(cols, mass.data, m), spent, size)


def product(cost: Cost, e: np.ndarray, d: np.ndarray) -> float:
    """Return Σ_ij e_i d_j c_ij, the cost of the product of two measures (n,), (m,) ≥ 0."""
    rows, cols = e > 0, d > 0
    if not rows.any() or not cols.any():
        return 0.0
    if isinstance(cost, PointCost) and cost.p == 2:
        # Two variances and the distance between the means, without looking at pairs.
        e, d = e[rows], d[cols]
        x, y = cost.x[rows].astype(np.float64), cost.y[cols].astype(np.float64)
        of_x, of_y = e @ x / e.sum(), d @ y / d.sum()
        variances = e @ np.square(x - of_x).sum(axis=1) / e.sum() + d @ np.square(y - of_y).sum(axis=1) / d.sum()
        return float(cost.scale * (variances + np.square(of_x - of_y).sum()) * e.sum() * d.sum())
    total = 0.0
    for start, block in cost.blocks():
        part = rows[start : start + len(block)]
        if part.any():
            total += float(e[start : start + len(block)][part] @ (block[part][:, cols].astype(np.float64) @ d[cols]))
    return total
