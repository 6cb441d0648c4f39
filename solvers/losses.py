"""A transport problem as a loss: its value, the Sinkhorn divergence, gradients, and what the plan carries.

By the envelope theorem the optimal potentials are the gradient with respect to the masses, and a sum over the plan is
that with respect to the points; so a flow or a registration needs no automatic differentiation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .deadline import Deadline
from .pairs import PRECISION as CARRIED
from .pairs import Ordered, in_place
from .problem import BLOCK_ENTRIES, PointCost, Transport, Unsupported
from .registry import solve
from .result import Plan
from .validation import check_threads

if TYPE_CHECKING:
    import scipy.sparse

#: Gradients between points are told to this part: in float32 yet, and good enough to descend by.
PRECISION = 4e-6


@dataclass(frozen=True)
class Loss:
    """The value of a transport problem and what changes it.

    Attributes
    ----------
    value : float
        Of the plan: ⟨π, C⟩ + ε KL(π | a ⊗ b), and ρ KL for each marginal where there is a reach, as the potentials
        tell it: Σ a φ(f) + Σ b φ(g) − ε Σ π + ε Σ a Σ b, φ(f) = f or ρ (1 − exp(−f / ρ)). With `debias` half of the
        values of a and of b with themselves is taken off, and ε/2 (Σ a − Σ b)² added: the Sinkhorn divergence, which
        is 0 for a = b.
    a, b : (n,), (m,) float64
        Gradients with respect to the masses; of a balanced problem up to a constant, which no change of a at constant
        mass can feel.
    x, y : (n, d), (m, d) float64, or None
        Gradients with respect to the points of a `PointCost`.
    plan : Plan
        Of the problem itself.
    """

    value: float
    a: np.ndarray
    b: np.ndarray
    x: np.ndarray | None
    y: np.ndarray | None
    plan: Plan


def loss(problem: Transport, solver: str = "auto", *, debias: bool = True, **options: Any) -> Loss:
    """Solve a transport problem, and tell its value and gradients.

    Parameters
    ----------
    problem : Transport
        Its `blur` and `reach`, and the `p` of its cost, are those of GeomLoss's SamplesLoss, whose cost is a
        `PointCost` of scale 1/p.
    solver : str
    debias : bool
        Whether to tell the Sinkhorn divergence, J. Feydy et al., AISTATS 2019; T. Séjourné et al., 2019, where
        unbalanced. Without a blur there is no bias. It needs a `PointCost`: a matrix says nothing of costs within a.
    **options
        For the solver.

    Raises
    ------
    Unsupported
        To debias a problem whose cost is a matrix.
    """
    plan = solve(problem, solver, **options)
    whole = _parts(problem, plan)
    if not debias or problem.blur == 0:
        return Loss(*whole, plan)
    cost, a, b = problem.cost, problem.a, problem.b
    if not isinstance(cost, PointCost):
        raise Unsupported("debias needs the costs within each side too: give a PointCost, or debias=False")
    assert a is not None
    assert b is not None
    own = []
    for points, masses in ((cost.x, a), (cost.y, b)):
        same = PointCost(points, points, cost.p, cost.scale)
        alone = Transport(same, masses, masses, problem.blur, problem.reach)
        value, first, second, left, right = _parts(alone, solve(alone, solver, **options))
        assert left is not None
        assert right is not None
        # Both sides are the same points, each of which appears once on either.
        own.append((value / 2, (first + second) / 2, (left + right) / 2))
    (value_a, of_a, of_x), (value_b, of_b, of_y) = own
    value, grad_a, grad_b, grad_x, grad_y = whole
    assert grad_x is not None
    assert grad_y is not None
    surplus = float(a.sum() - b.sum())
    shift = problem.epsilon * surplus
    return Loss(
        value - value_a - value_b + problem.epsilon / 2 * surplus**2,
        grad_a - of_a + shift,
        grad_b - of_b - shift,
        grad_x - of_x,
        grad_y - of_y,
        plan,
    )


def carry(problem: Transport, plan: Plan, values: np.ndarray, threads: int = 1) -> np.ndarray:
    """What a plan brings to the rows of what the columns hold: Σ_j π_ij values_jk / a_i.

    Parameters
    ----------
    problem : Transport
    plan : Plan
    values : array_like, shape (m,) or (m, k)
        Labels, colours, coordinates: finite numbers.
    threads : int
        −1 for all cores.

    Returns
    -------
    carried : (n,) or (n, k) float64
        Means, where a row's mass is moved in full; where little of it is, next to nothing. 0 at a row without mass of
        a plan without blur.
    """
    given = np.asarray(values)
    n, m = problem.shape
    if given.dtype.kind not in "fiub" or given.ndim not in (1, 2) or len(given) != m:
        raise ValueError(f"values of shape {given.shape} and dtype {given.dtype}: expected numbers, ({m},) or ({m}, k)")
    table = np.ascontiguousarray(given.reshape(m, -1), dtype=np.float64)
    if not np.isfinite(table).all():
        raise ValueError("values must be finite")
    assert problem.a is not None
    if plan.mass is not None:
        moved = plan.mass @ table
        carried = np.divide(moved, problem.a[:, None], out=np.zeros_like(moved), where=problem.a[:, None] > 0)
    else:
        carried = _Entropic.of(problem, plan, CARRIED, check_threads(threads)).carried(table)
    return carried.reshape((n, *given.shape[1:]))


Parts = tuple[float, np.ndarray, np.ndarray, np.ndarray | None, np.ndarray | None]


def _parts(problem: Transport, plan: Plan) -> Parts:
    """Value and gradients with respect to a, b, x and y."""
    a, b, f, g, epsilon, rho = problem.a, problem.b, plan.f, plan.g, problem.epsilon, problem.rho
    if f is None or g is None:
        raise Unsupported("the solver states no potentials, which gradients are made of")
    assert a is not None
    assert b is not None
    if plan.mass is not None:
        return plan.cost, f, g, *_pulls(problem.cost, plan.mass)
    entropic = _Entropic.of(problem, plan, PRECISION)
    rows, cols = entropic.sums()
    mass_a, mass_b = float(a.sum()), float(b.sum())
    of_a, of_b = _conjugate(f, rho), _conjugate(g, rho)
    value = float(a @ of_a + b @ of_b - epsilon * (a @ rows - mass_a * mass_b))
    # What is left where the potentials are not yet optimal is in the sums.
    grad_a, grad_b = of_a - epsilon * (rows - mass_b), of_b - epsilon * (cols - mass_a)
    if not isinstance(problem.cost, PointCost):
        return value, grad_a, grad_b, None, None
    return value, grad_a, grad_b, a[:, None] * entropic.pull(), b[:, None] * entropic.mirrored().pull()


def _conjugate(potential: np.ndarray, rho: float) -> np.ndarray:
    return potential if math.isinf(rho) else -rho * np.expm1(-potential / rho)


def _pulls(cost: Any, mass: scipy.sparse.csr_array) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Gradients with respect to the points, of a plan of few pairs."""
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
    """Gradient of scale · |d|^p at differences d (…, d); 0 at 0, where for p ≤ 1 there is none."""
    if cost.p == 2:
        return 2 * cost.scale * apart
    length = np.linalg.norm(apart, axis=-1, keepdims=True)
    power = np.power(length, cost.p - 2, out=np.zeros_like(length), where=length > 0)
    return cost.scale * cost.p * power * apart


@dataclass(frozen=True)
class _Entropic:
    """Potentials of a problem, in the order of its pairs, and back."""

    cost: Any
    ordered: Ordered
    f: np.ndarray
    g: np.ndarray
    epsilon: float

    @classmethod
    def of(cls, problem: Transport, plan: Plan, precision: float, threads: int = 1) -> _Entropic:
        if plan.f is None or plan.g is None:
            raise Unsupported("the plan has neither mass nor potentials")
        ordered = Ordered.of(problem, Deadline(None), precision, threads)
        return cls(problem.cost, ordered, plan.f[ordered.rows], plan.g[ordered.cols], problem.epsilon)

    def mirrored(self) -> _Entropic:
        return _Entropic(self.cost.mirrored(), self.ordered.mirrored(), self.g, self.f, self.epsilon)

    def sums(self) -> tuple[np.ndarray, np.ndarray]:
        sums = self.ordered.pairs.sums(self.f, self.g, self.epsilon, math.inf)
        assert sums is not None
        return in_place(sums.rows, self.ordered.rows), in_place(sums.cols, self.ordered.cols)

    def carried(self, values: np.ndarray) -> np.ndarray:
        """Σ_j b_j e_ij values_jk (n, k)."""
        carried = self.ordered.pairs.carried(self.f, self.g, self.epsilon, values[self.ordered.cols])
        return in_place(carried, self.ordered.rows)

    def pull(self) -> np.ndarray:
        """Gradient (n, d) of the cost with respect to the points of the rows, for each unit of their mass."""
        cost = self.cost
        x, y = (points.astype(np.float64) - cost.x.mean(axis=0) for points in (cost.x, cost.y))
        if cost.p == 2:
            ones = np.ones((len(y), 1))
            carried = self.carried(np.hstack([ones, y]))
            return 2 * cost.scale * (carried[:, :1] * x - carried[:, 1:])
        # Weights of pairs of their own: a block of them at a time.
        pairs, pull = self.ordered.pairs, np.empty(x.shape)
        f, g = in_place(self.f, self.ordered.rows), in_place(self.g, self.ordered.cols)
        b = in_place(pairs.b, self.ordered.cols)
        height = max(1, BLOCK_ENTRIES // (len(y) * x.shape[1]))
        for start in range(0, len(x), height):
            part = slice(start, start + height)
            apart = x[part, None] - y
            weight = b * np.exp((f[part, None] + g - cost.block(part.start, min(part.stop, len(x)))) / self.epsilon)
            pull[part] = (weight[:, :, None] * _slope(cost, apart)).sum(axis=1)
        return pull
