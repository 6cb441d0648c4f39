"""Value and gradients of a transport problem from its potentials, and the values that its plan carries.

By the envelope theorem the optimal potentials are the gradient with respect to the masses, and a sum over the plan is
that with respect to the points, so that a flow or a registration needs no automatic differentiation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lapmark.solvers.costs import PointCost
from lapmark.solvers.costs.cost import BLOCK_ENTRIES
from lapmark.solvers.deadline import Deadline
from lapmark.solvers.errors import Unsupported
from lapmark.solvers.problem import Transport
from lapmark.solvers.result import Plan
from lapmark.solvers.validation import check_threads

from .iteration import Entropic
from .kernel_sums import PRECISION as CARRIED
from .kernel_sums import Ordered, in_place, weighted

if TYPE_CHECKING:
    import scipy.sparse

#: Relative error of the gradients with respect to points: still in float32, and good enough to descend by.
PRECISION = 4e-6

#: Ratio of ε to the largest cost above which a sum near 1 needs more digits than float64 has.
LARGE = 1e3


@dataclass(frozen=True)
class Gradients:
    """Value and gradients of a problem, up to constants of its masses; attributes as in `Loss`.

    In a balanced problem the masses have sum 1.
    """

    value: float
    a: np.ndarray
    b: np.ndarray
    x: Any = None
    y: Any = None


def gradients_of(problem: Transport, plan: Plan, follows: bool, threads: int, mirrored: bool = True) -> Gradients:
    """Return value and gradients of a problem; the one with respect to y only if `mirrored`.

    With g = T(f), the best g for f, the mass that the plan moves is known, and the dual is, up to constants,

        ρ Σ a (1 − exp(−f / ρ)) + (ρ + ε) Σ b (1 − exp(−g / ρ)) + ε (Σ a − Σ b) / 2,    or Σ a f + Σ b g.

    GeomLoss takes ρ + ε / 2 on both sides, from potentials that need not be the best ones (`follows`).
    """
    (a, b), epsilon, rho = problem.masses, problem.epsilon, problem.rho
    if plan.f is None or plan.g is None:
        raise Unsupported("the solver returns no potentials, which gradients need; choose another one")
    if plan.mass is not None:
        return Gradients(plan.cost, plan.f, plan.g, *_pulls(problem.cost, plan.mass))
    solved = SolvedPairs.of(problem, plan, PRECISION, threads)
    rows, cols = solved.ordered.rows, solved.ordered.cols
    f, g = in_place(solved.f, rows), in_place(solved.g, cols)
    best_f, best_g = solved.updated()
    if follows:
        value = float(a @ _gain(f, rho, epsilon / 2) + b @ _gain(g, rho, epsilon / 2))
    else:
        given, f, g = f, in_place(best_f, rows), in_place(best_g, cols)
        value = float(a @ _gain(given, rho, 0.0) + b @ _gain(g, rho, epsilon))
        value += 0.0 if math.isinf(rho) else epsilon / 2 * float(a.sum() - b.sum())
    of_a, of_b = _gain(f, rho, epsilon), _gain(g, rho, epsilon)
    if not isinstance(problem.cost, PointCost):
        return Gradients(value, of_a, of_b)
    pull_x = a[:, None] * solved.pull(best_f)
    pull_y = b[:, None] * solved.mirrored().pull(best_g) if mirrored else None
    return Gradients(value, of_a, of_b, pull_x, pull_y)


def carried_values(problem: Transport, plan: Plan, table: np.ndarray, threads: int) -> np.ndarray:
    """Return Σ_j π_ij table_jk / a_i, (n, k), for finite values table (m, k) of the columns."""
    if plan.mass is not None:
        return _carried_exactly(problem, plan, table)
    solved = SolvedPairs.of(problem, plan, CARRIED, check_threads(threads))
    return solved.carried(solved.f, table)


def _carried_exactly(problem: Transport, plan: Plan, table: np.ndarray) -> np.ndarray:
    """Return `carried_values` of a sparse plan."""
    (a, b), mass = problem.masses, plan.mass
    assert mass is not None
    # Exact solvers move whole units of mass, whose rounding may be most of a very small mass.
    own = a if problem.surplus else np.where(a > 0, mass.sum(axis=1), 0.0)
    moved = mass @ table
    carried = np.divide(moved, own[:, None], out=np.zeros_like(moved), where=own[:, None] > 0)
    lost = np.flatnonzero((a > 0) & (own == 0))
    if len(lost) and plan.g is not None:
        # Masses below a unit go to the column that the duals choose.
        g = np.where(b > 0, plan.g, -np.inf)
        blocks = problem.cost.part(lost, np.arange(len(b))).blocks()
        carried[lost] = table[np.concatenate([(block - g).argmin(axis=1) for _, block in blocks])]
    return carried


def _gain(potential: np.ndarray, rho: float, epsilon: float) -> np.ndarray:
    """Return (ρ + ε) (1 − exp(−f / ρ)), which is f for ρ = ∞."""
    return potential if math.isinf(rho) else -(rho + epsilon) * np.expm1(-potential / rho)


def _pulls(cost: Any, mass: scipy.sparse.csr_array) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Return the gradients of a sparse plan with respect to the points; None unless the cost is a `PointCost`."""
    if not isinstance(cost, PointCost):
        return None, None
    moved = mass.tocoo()
    i, j = moved.coords
    pull = moved.data[:, None] * _slope(cost, cost.x[i].astype(np.float64) - cost.y[j])
    grad_x, grad_y = np.zeros(cost.x.shape), np.zeros(cost.y.shape)
    np.add.at(grad_x, i, pull)
    np.subtract.at(grad_y, j, pull)
    return grad_x, grad_y


def _slope(cost: PointCost, apart: np.ndarray) -> np.ndarray:
    """Return the gradient of scale · |d|^p at differences d (…, d), 0 at 0."""
    if cost.p == 2:
        return 2 * cost.scale * apart
    length = np.linalg.norm(apart, axis=-1, keepdims=True)
    power = np.power(length, cost.p - 2, out=np.zeros_like(length), where=length > 0)
    return cost.scale * cost.p * power * apart


@dataclass(frozen=True)
class SolvedPairs:
    """Potentials of a problem in the order of its pairs; in a balanced problem masses have sum 1."""

    cost: Any
    ordered: Ordered
    f: np.ndarray
    g: np.ndarray
    epsilon: float
    rho: float

    @classmethod
    def of(cls, problem: Transport, plan: Plan, precision: float, threads: int) -> SolvedPairs:
        if plan.f is None or plan.g is None:
            raise Unsupported("the plan has neither mass nor potentials; choose a solver that returns one of them")
        balanced = problem.reach is None
        ordered = Ordered.of(problem, Deadline(None), precision, threads, normalised=balanced)
        f, g = plan.f[ordered.rows], plan.g[ordered.cols]
        if balanced:
            f = f + problem.epsilon * math.log(problem.masses[1].sum())
        return cls(problem.cost, ordered, f, g, problem.epsilon, problem.rho)

    def mirrored(self) -> SolvedPairs:
        return SolvedPairs(self.cost.mirrored(), self.ordered.mirrored(), self.g, self.f, self.epsilon, self.rho)

    def updated(self) -> tuple[np.ndarray, np.ndarray]:
        """Return each side's update from the other."""
        entropic, epsilon = Entropic(self.ordered.pairs, Deadline(None), self.rho), self.epsilon
        if max(np.abs(self.cost.span())) * LARGE > epsilon:
            return entropic.both(self.f, self.g, epsilon, careful=True)
        rows, cols = self.ordered.rows, self.ordered.cols
        f, g = in_place(self.f, rows), in_place(self.g, cols)
        a, b = in_place(self.ordered.pairs.a, rows), in_place(self.ordered.pairs.b, cols)
        f, g = _soft_minima_near_0(self.cost, f, g, a, b, epsilon)
        if self.rho < math.inf:  # otherwise the masses sum to 1 up to rounding
            f, g = f - epsilon * math.log(b.sum()), g - epsilon * math.log(a.sum())
        return entropic.damped(f, epsilon)[rows], entropic.damped(g, epsilon)[cols]

    def carried(self, f: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Return Σ_j b_j e_ij values_jk (n, k), for potentials of the rows in the order of the pairs."""
        carried = self.ordered.pairs.carried(f, self.g, self.epsilon, values[self.ordered.cols])
        return in_place(carried, self.ordered.rows)

    def pull(self, f: np.ndarray) -> np.ndarray:
        """Return the gradient (n, d) of the cost with respect to the points of the rows, per unit of their mass."""
        cost = self.cost
        x, y = (points.astype(np.float64) - cost.x.mean(axis=0) for points in (cost.x, cost.y))
        if cost.p == 2:
            ones = np.ones((len(y), 1))
            carried = self.carried(f, np.hstack([ones, y]))
            return 2 * cost.scale * (carried[:, :1] * x - carried[:, 1:])
        # Other powers need a weight for every pair, computed in blocks.
        g = in_place(weighted(self.g, self.ordered.pairs.b, self.epsilon), self.ordered.cols)
        f, pull = in_place(f, self.ordered.rows), np.empty(x.shape)
        height = max(1, BLOCK_ENTRIES // (len(y) * x.shape[1]))
        for start in range(0, len(x), height):
            part = slice(start, start + height)
            apart = x[part, None] - y
            weight = np.exp((f[part, None] + g - cost.block(part.start, min(part.stop, len(x)))) / self.epsilon)
            pull[part] = (weight[:, :, None] * _slope(cost, apart)).sum(axis=1)
        return pull


def _soft_minima_near_0(
    cost: Any, f: np.ndarray, g: np.ndarray, a: np.ndarray, b: np.ndarray, epsilon: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return −ε log Σ_j b_j exp((g_j − c_ij) / ε) / Σ b of the rows, and the same of the columns, for exponents near 0.

    The means are near 1, so that only their differences from 1 are summed.
    """
    a, b, f_0, g_0 = a / a.sum(), b / b.sum(), float(f.mean()), float(g.mean())
    rows, cols = np.empty(len(f)), np.zeros(len(g))
    for start, block in cost.blocks():
        part = slice(start, start + len(block))
        rows[part] = np.expm1((g - g_0 - block) / epsilon) @ b
        cols += a[part] @ np.expm1((f[part, None] - f_0 - block) / epsilon)
    return -g_0 - epsilon * np.log1p(rows), -f_0 - epsilon * np.log1p(cols)
