"""A transport problem as a loss: its value, the Sinkhorn divergence, gradients, and what the plan carries.

By the envelope theorem the optimal potentials are the gradient with respect to the masses, and a sum over the plan is
that with respect to the points; so a flow or a registration needs no automatic differentiation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lapmark.solvers.deadline import Deadline
from lapmark.solvers.problem import BLOCK_ENTRIES, PointCost, Transport, Unsupported
from lapmark.solvers.registry import solve
from lapmark.solvers.result import Plan
from lapmark.solvers.validation import check_threads

from .iteration import Entropic
from .kernel_sums import PRECISION as CARRIED
from .kernel_sums import Ordered, in_place, weighted

if TYPE_CHECKING:
    import scipy.sparse

#: Gradients between points are told to this part: in float32 yet, and good enough to descend by.
PRECISION = 4e-6

#: Values of ε so many times the largest cost ask for more digits of a sum near 1 than float64 has.
LARGE = 1e3


@dataclass(frozen=True)
class Loss:
    """The value of a transport problem and what changes it.

    Attributes
    ----------
    value : float
        ⟨π, C⟩ + ε KL(π | a ⊗ b), and ρ KL for each marginal where there is a reach, of the optimal plan, as the dual
        tells it. With `debias` half of the values of a and of b with themselves is taken off, and ε/2 (Σ a − Σ b)²
        added: the Sinkhorn divergence, which is 0 for a = b. It is as near as the potentials are, to the second order.
        With `stop="schedule"` it is what GeomLoss's SamplesLoss returns, which leaves out ε (Σ a Σ b − (Σ a + Σ b) / 2)
        where it does not debias.
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
    ValueError
        Where the masses are so large that float64 cannot hold the value.
    """
    plan = solve(problem, solver, **options)
    follows, threads = options.get("stop") == "schedule", options.get("threads", 1)
    whole = _parts(problem, plan, follows, threads)
    cost = problem.cost
    if not debias or problem.blur == 0:
        return _biased(problem, plan, whole, follows)
    if not isinstance(cost, PointCost):
        raise Unsupported("debias needs the costs within each side too: give a PointCost, or debias=False")
    if follows:  # from the same ε on
        options = {"diameter": cost.diameter or None} | options
    own = []
    for points, masses in ((cost.x, problem.a), (cost.y, problem.b)):
        same = PointCost(points, points, cost.p, cost.scale)
        alone = Transport(same, masses, masses, problem.blur, problem.reach)
        own.append(_parts(alone, solve(alone, solver, **options), follows, threads, mirrored=False))
    of_a, of_b = own
    # The constants of the masses and ε/2 (Σ a − Σ b)² cancel.
    return Loss(
        whole.value - of_a.value / 2 - of_b.value / 2,
        whole.a - of_a.a,
        whole.b - of_b.a,
        whole.x - of_a.x,
        whole.y - of_b.x,
        plan,
    )


def _biased(problem: Transport, plan: Plan, whole: _Parts, follows: bool) -> Loss:
    """The loss of a problem by itself: its parts, with the constants that its masses add."""
    assert problem.a is not None
    assert problem.b is not None
    a, b, epsilon = float(problem.a.sum()), float(problem.b.sum()), problem.epsilon
    constant = -epsilon * a * math.log(b) if problem.reach is None else 0.0
    shift_a = shift_b = 0.0
    if not follows:
        constant += epsilon * (a * b - (a + b) / 2)
        shift_a, shift_b = epsilon * (b - 1), epsilon * (a - 1)
    if not math.isfinite(constant):
        raise ValueError(f"a sums to {a:g}, b to {b:g}: the loss is beyond float64; rescale the masses")
    return Loss(whole.value + constant, whole.a + shift_a, whole.b + shift_b, whole.x, whole.y, plan)


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
        Means, where a row's mass is moved in full, however small that is; where little of it is, next to nothing. 0 at
        a row without mass of a plan without blur.
    """
    given = np.asarray(values)
    n, m = problem.shape
    if given.dtype.kind not in "fiub" or given.ndim not in (1, 2) or len(given) != m:
        raise ValueError(f"values of shape {given.shape} and dtype {given.dtype}: expected numbers, ({m},) or ({m}, k)")
    table = np.ascontiguousarray(given.reshape(m, -1), dtype=np.float64)
    if not np.isfinite(table).all():
        raise ValueError("values must be finite")
    if plan.mass is not None:
        carried = _carried_exactly(problem, plan, table)
    else:
        solved = _Entropic.of(problem, plan, CARRIED, check_threads(threads))
        carried = solved.carried(solved.f, table)
    return carried.reshape((n, *given.shape[1:]))


def _carried_exactly(problem: Transport, plan: Plan, table: np.ndarray) -> np.ndarray:
    """What a plan of few pairs carries."""
    a, b, mass = problem.a, problem.b, plan.mass
    assert a is not None
    assert b is not None
    assert mass is not None
    # Masses in whole units are moved in full but for their rounding, which may be most of a very small one.
    own = a if problem.surplus else np.where(a > 0, mass.sum(axis=1), 0.0)
    moved = mass @ table
    carried = np.divide(moved, own[:, None], out=np.zeros_like(moved), where=own[:, None] > 0)
    lost = np.flatnonzero((a > 0) & (own == 0))
    if len(lost) and plan.g is not None:
        # What is less than a unit would go where the duals allow it.
        g = np.where(b > 0, plan.g, -np.inf)
        blocks = problem.cost.part(lost, np.arange(len(b))).blocks()
        carried[lost] = table[np.concatenate([(block - g).argmin(axis=1) for _, block in blocks])]
    return carried


@dataclass(frozen=True)
class _Parts:
    """What a problem adds to a loss, but for constants of its masses: value, and gradients as in `Loss`.

    The masses have sum 1 where the problem is balanced.
    """

    value: float
    a: np.ndarray
    b: np.ndarray
    x: Any = None
    y: Any = None


def _parts(problem: Transport, plan: Plan, follows: bool, threads: int, mirrored: bool = True) -> _Parts:
    """Value and gradients of a problem; that with respect to y only where `mirrored`.

    With g = T(f) the best that f allows, what the plan moves is known, and the dual is, but for constants,

        ρ Σ a (1 − exp(−f / ρ)) + (ρ + ε) Σ b (1 − exp(−g / ρ)) + ε (Σ a − Σ b) / 2,    or Σ a f + Σ b g.

    GeomLoss takes ρ + ε / 2 on both sides, from potentials that are not the best yet (`follows`).
    """
    a, b, epsilon, rho = problem.a, problem.b, problem.epsilon, problem.rho
    if plan.f is None or plan.g is None:
        raise Unsupported("the solver states no potentials, which gradients are made of")
    assert a is not None
    assert b is not None
    if plan.mass is not None:
        return _Parts(plan.cost, plan.f, plan.g, *_pulls(problem.cost, plan.mass))
    solved = _Entropic.of(problem, plan, PRECISION, threads)
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
        return _Parts(value, of_a, of_b)
    pull_x = a[:, None] * solved.pull(best_f)
    pull_y = b[:, None] * solved.mirrored().pull(best_g) if mirrored else None
    return _Parts(value, of_a, of_b, pull_x, pull_y)


def _gain(potential: np.ndarray, rho: float, epsilon: float) -> np.ndarray:
    """(ρ + ε) (1 − exp(−f / ρ)), which is f itself for ρ = ∞."""
    return potential if math.isinf(rho) else -(rho + epsilon) * np.expm1(-potential / rho)


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
    """Potentials of a problem, in the order of its pairs, and back; masses have sum 1 where it is balanced."""

    cost: Any
    ordered: Ordered
    f: np.ndarray
    g: np.ndarray
    epsilon: float
    rho: float

    @classmethod
    def of(cls, problem: Transport, plan: Plan, precision: float, threads: int) -> _Entropic:
        if plan.f is None or plan.g is None:
            raise Unsupported("the plan has neither mass nor potentials")
        balanced = problem.reach is None
        ordered = Ordered.of(problem, Deadline(None), precision, threads, normalised=balanced)
        f, g = plan.f[ordered.rows], plan.g[ordered.cols]
        if balanced:
            assert problem.b is not None
            f = f + problem.epsilon * math.log(problem.b.sum())
        return cls(problem.cost, ordered, f, g, problem.epsilon, problem.rho)

    def mirrored(self) -> _Entropic:
        return _Entropic(self.cost.mirrored(), self.ordered.mirrored(), self.g, self.f, self.epsilon, self.rho)

    def updated(self) -> tuple[np.ndarray, np.ndarray]:
        """Each side's update from the other."""
        entropic, epsilon = Entropic(self.ordered.pairs, Deadline(None), self.rho), self.epsilon
        if max(np.abs(self.cost.span())) * LARGE > epsilon:
            return entropic.both(self.f, self.g, epsilon, careful=True)
        rows, cols = self.ordered.rows, self.ordered.cols
        f, g = in_place(self.f, rows), in_place(self.g, cols)
        a, b = in_place(self.ordered.pairs.a, rows), in_place(self.ordered.pairs.b, cols)
        f, g = _soft_minima_near_0(self.cost, f, g, a, b, epsilon)
        if self.rho < math.inf:  # else the sums of masses are 1, but for what rounding makes of them
            f, g = f - epsilon * math.log(b.sum()), g - epsilon * math.log(a.sum())
        return entropic.damped(f, epsilon)[rows], entropic.damped(g, epsilon)[cols]

    def carried(self, f: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Σ_j b_j e_ij values_jk (n, k), by potentials of the rows in their order."""
        carried = self.ordered.pairs.carried(f, self.g, self.epsilon, values[self.ordered.cols])
        return in_place(carried, self.ordered.rows)

    def pull(self, f: np.ndarray) -> np.ndarray:
        """Gradient (n, d) of the cost with respect to the points of the rows, for each unit of their mass."""
        cost = self.cost
        x, y = (points.astype(np.float64) - cost.x.mean(axis=0) for points in (cost.x, cost.y))
        if cost.p == 2:
            ones = np.ones((len(y), 1))
            carried = self.carried(f, np.hstack([ones, y]))
            return 2 * cost.scale * (carried[:, :1] * x - carried[:, 1:])
        # Weights of pairs of their own: a block of them at a time.
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
    """−ε log Σ_j b_j exp((g_j − c_ij) / ε) / Σ b of the rows and the same of the columns, for exponents near 0.

    Of means that are all but 1 only the difference is summed up.
    """
    a, b, f_0, g_0 = a / a.sum(), b / b.sum(), float(f.mean()), float(g.mean())
    rows, cols = np.empty(len(f)), np.zeros(len(g))
    for start, block in cost.blocks():
        part = slice(start, start + len(block))
        rows[part] = np.expm1((g - g_0 - block) / epsilon) @ b
        cols += a[part] @ np.expm1((f[part, None] - f_0 - block) / epsilon)
    return -g_0 - epsilon * np.log1p(rows), -f_0 - epsilon * np.log1p(cols)
