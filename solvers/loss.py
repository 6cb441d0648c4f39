"""Losses: the value of a transport problem, the Sinkhorn divergence, and their gradients."""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from .brief import Brief
from .costs import PointCost
from .errors import Unsupported
from .problem import Transport
from .result import Plan
from .sinkhorn.gradients import Gradients, carried_values, gradients_of
from .solve import solve


@dataclass(frozen=True, repr=False)
class Loss(Brief):
    """The value of a transport problem and its gradients.

    Attributes
    ----------
    value : float
        ⟨π, C⟩ + ε KL(π | a ⊗ b), and ρ KL for each marginal if there is a reach, of the optimal plan, computed from
        the dual. With `debias`, half of the values of a and of b with themselves is subtracted, and ε/2 (Σ a − Σ b)²
        added: the Sinkhorn divergence, which is 0 for a = b. Its error is of second order in that of the potentials.
        With `stop="schedule"` it is what GeomLoss's SamplesLoss returns, which without debiasing leaves out
        ε (Σ a Σ b − (Σ a + Σ b) / 2).
    a, b : (n,), (m,) float64
        Gradients with respect to the masses; for a balanced problem up to a constant, which has no effect at constant
        total mass.
    x, y : (n, d), (m, d) float64, or None
        Gradients with respect to the points of a `PointCost`.
    plan : Plan
        The plan of the problem itself.
    """

    value: float
    a: np.ndarray
    b: np.ndarray
    x: np.ndarray | None
    y: np.ndarray | None
    plan: Plan


def loss(problem: Transport, solver: str = "auto", *, debias: bool = True, **options: Any) -> Loss:
    """Solve a transport problem, and return its value and gradients.

    Parameters
    ----------
    problem : Transport
        `blur`, `reach` and the `p` of its cost mean the same as in GeomLoss's SamplesLoss, whose cost is a `PointCost`
        of scale 1/p.
    solver : str
    debias : bool
        Whether to return the Sinkhorn divergence (J. Feydy et al., AISTATS 2019; unbalanced: T. Séjourné et al.,
        2019). Without a blur there is no bias. It needs a `PointCost`, since a matrix has no costs within a.
    **options
        Options of the solver.

    Raises
    ------
    Unsupported
        If the cost to debias is not a `PointCost`.
    ValueError
        If the masses are so large that float64 cannot hold the value.
    """
    plan = solve(problem, solver, **options)
    follows, threads = options.get("stop") == "schedule", options.get("threads", 1)
    whole = gradients_of(problem, plan, follows, threads)
    cost = problem.cost
    if not debias or problem.blur == 0:
        return _biased(problem, plan, whole, follows)
    if not isinstance(cost, PointCost):
        raise Unsupported("debias needs the costs within each side; give a PointCost, or debias=False")
    if follows:  # all three schedules start from the same ε
        options = {"diameter": cost.diameter or None} | options
    own = []
    for points, masses in ((cost.x, problem.a), (cost.y, problem.b)):
        same = PointCost(points, points, cost.p, cost.scale)
        alone = Transport(same, masses, masses, problem.blur, problem.reach)
        own.append(gradients_of(alone, solve(alone, solver, **options), follows, threads, mirrored=False))
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


def _biased(problem: Transport, plan: Plan, whole: Gradients, follows: bool) -> Loss:
    """Return the loss without debiasing: `whole` with the constants that depend on the masses."""
    (a, b), epsilon = (float(masses.sum()) for masses in problem.masses), problem.epsilon
    constant = -epsilon * a * math.log(b) if problem.reach is None else 0.0
    shift_a = shift_b = 0.0
    if not follows:
        constant += epsilon * (a * b - (a + b) / 2)
        shift_a, shift_b = epsilon * (b - 1), epsilon * (a - 1)
    if not math.isfinite(constant):
        raise ValueError(f"a sums to {a:g}, b to {b:g}: the loss is beyond float64; rescale the masses")
    return Loss(whole.value + constant, whole.a + shift_a, whole.b + shift_b, whole.x, whole.y, plan)


def carry(
    problem: Transport, plan: Plan, values: np.ndarray, threads: int = 1, *, to: Literal["rows", "columns"] = "rows"
) -> np.ndarray:
    """Return the mean over each row's plan of values at the columns: Σ_j π_ij values_jk / a_i; or the other way round.

    Parameters
    ----------
    problem : Transport
    plan : Plan
    values : array_like, shape (m,) or (m, k); (n,) or (n, k) with `to="columns"`
        Labels, colours, coordinates: finite numbers.
    threads : int
        −1 for all cores.
    to : "rows" or "columns"
        Where the values go: with "columns" they are given at the rows, and the means are Σ_i π_ij values_ik / b_j.

    Returns
    -------
    carried : (n,) or (n, k) float64; (m,) or (m, k) with `to="columns"`
        Means, if a row's mass is moved in full, however small it is; less in proportion if only part of it is moved. 0
        for a row without mass of an exact plan.

    Raises
    ------
    ValueError
        If `values` or `to` is none of these.
    """
    if to not in ("rows", "columns"):
        raise ValueError(f'to = {to!r}: values go to the "rows" or to the "columns"')
    if to == "columns":
        problem, plan = problem.mirrored(), plan.mirrored()
    given = np.asarray(values)
    n, m = problem.shape
    if given.dtype.kind not in "fiub" or given.ndim not in (1, 2) or len(given) != m:
        raise ValueError(f"values of shape {given.shape} and dtype {given.dtype}: expected numbers, ({m},) or ({m}, k)")
    table = np.ascontiguousarray(given.reshape(m, -1), dtype=np.float64)
    if not np.isfinite(table).all():
        raise ValueError("values must be finite")
    return carried_values(problem, plan, table, threads).reshape((n, *given.shape[1:]))
