"""Bounds on transport from both sides: the cost of a feasible plan near an answer, and the bound that duals prove.

With a the masses of the rows and r the row sums of the answer, and likewise for the columns:

- *Balanced.* Scale rows by min(a / r, 1) and columns likewise, and add the product of the masses then missing on both
  sides: a plan that meets its marginals (J. Altschuler, J. Weed, P. Rigollet, NIPS 2017, algorithm 2; both scalings
  come from the same sums here, which saves a pass). Any f, g with f_i + g_j ≤ c_ij prove a·f + b·g. If sums differ,
  so that one side keeps mass, the duals of that side are ≤ 0.
- *Unbalanced.* Every plan is feasible, and costs ⟨π, C⟩ + ρ KL(π1 | a) + ρ KL(πᵀ1 | b). Such f, g prove
  ρ Σ a_i (1 − exp(−f_i / ρ)) + ρ Σ b_j (1 − exp(−g_j / ρ)).
- *Entropic.* The same two with the entropy ε KL(π | a ⊗ b) and its dual: how far potentials are from solving the
  problem with its blur. KL is convex, so the entropy of the rounded plan is at most that of its two parts, which the
  same sums give. For an unbalanced problem the gap is ρ KL(π1 | a exp(−f / ρ)) plus the same for the columns.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import scipy.special

from lapmark.solvers.costs.c_transform import column_minima, row_minima
from lapmark.solvers.costs.exact_sums import UNIT, sum_down
from lapmark.solvers.problem import Transport

from .plan_marginals import Sums, product

#: Largest marginal error, relative to the mass, that counts as none: rounding of float64 sums.
MET = 1e-12

#: Sums of a plan whose rows and columns are scaled by factors (n,), (m,).
Scaled = Callable[[np.ndarray, np.ndarray], Sums]


@dataclass(frozen=True, eq=False)
class Rounded:
    """A plan that meets its marginals: rows scaled by x (n,), columns by y (m,), and e ⊗ d / max(Σe, Σd) added.

    `cost` is that of the whole, `filling` that of the part added.
    """

    x: np.ndarray
    y: np.ndarray
    e: np.ndarray
    d: np.ndarray
    cost: float
    filling: float


def rounded(problem: Transport, sums: Sums, scaled: Scaled) -> Rounded:
    """Return the plan with these sums, rounded to meet the marginals of a balanced problem."""
    a, b = problem.masses
    x, y = _factors(a, sums.rows), _factors(b, sums.cols)
    kept = scaled(x, y)
    e, d = np.maximum(a - kept.rows, 0.0), np.maximum(b - kept.cols, 0.0)
    left = max(float(e.sum()), float(d.sum()))
    filling = product(problem.cost, e, d / left) if left > 0 else 0.0
    return Rounded(x, y, e, d, kept.cost + filling, filling)


def penalised(problem: Transport, sums: Sums) -> float:
    """Return the cost of a plan with its penalties, for an unbalanced problem."""
    a, b = problem.masses
    return sums.cost + problem.rho * (divergence(sums.rows, a) + divergence(sums.cols, b))


def convergence(
    problem: Transport, sums: Sums, f: np.ndarray, g: np.ndarray, near: Rounded | None, excess: float | None = None
) -> float:
    """Return the relative gap of potentials to the optimum of the entropic problem; if balanced, an upper bound on it.

    `near` is their plan rounded, None if unbalanced or if its marginals are met already. `excess` is its objective over
    the dual if it was not rounded by a product.
    """
    a, b = problem.masses
    epsilon, rho = problem.epsilon, problem.rho
    moved, total = float(sums.rows.sum()), float(a.sum())
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        if problem.reach is not None:
            gap = rho * (divergence(sums.rows, a * np.exp(-f / rho)) + divergence(sums.cols, b * np.exp(-g / rho)))
            dual = -rho * float(a @ np.expm1(-f / rho) + b @ np.expm1(-g / rho))
            dual += epsilon * (total * float(b.sum()) - moved)
        else:
            # KL to a ⊗ b / Σa, so that the gap does not depend on the unit of mass.
            dual = float(a @ f + b @ g) + epsilon * (total * np.log(total) + total - moved)
            if excess is None:
                excess = 0.0 if near is None else _rounded_excess(problem, sums, f, g, near)
            gap = excess
        return float(gap / abs(dual + gap)) if gap else 0.0


def _rounded_excess(problem: Transport, sums: Sums, f: np.ndarray, g: np.ndarray, near: Rounded) -> float:
    """Bound the entropic objective of the rounded plan minus the dual of f and g, in a form without cancellation."""
    a, b = problem.masses
    total, left = float(a.sum()), max(float(near.e.sum()), float(near.d.sum()))
    if left == 0:
        return 0.0
    linear = near.filling - float(near.e @ f + near.d @ g)
    with np.errstate(invalid="ignore", divide="ignore"):
        scalings = _weighted_log(a - near.e, near.x) + _weighted_log(b - near.d, near.y)
        filling = _weighted_log(near.e, near.e / a) + _weighted_log(near.d, near.d / b) + left * np.log(total / left)
        # By convexity, the entropy of a sum is at most the weighted entropy of its parts, each scaled to the whole.
        joined = left * np.log(total / left) - _weighted_log(total - left, (total - left) / total)
        excess = float(sums.rows.sum()) - total - left * np.log(total)
    return linear + problem.epsilon * (scalings + filling + joined + excess)


def dual_bounds(problem: Transport, f: np.ndarray, g: np.ndarray) -> Iterator[float]:
    """Yield lower bounds on the cost of every feasible plan: those that g alone proves, then those of f alone.

    The other side's duals are the largest feasible ones, so that the bounds hold for any f and g; and from that side
    the first one follows again, no smaller than before. Values that are not finite prove nothing and are left out.
    """
    a, b = problem.masses
    low, high = problem.cost.span()
    # Duals of rows and columns without mass do not matter.
    f, g = (np.where(w > 0, z, z[w > 0].min() - (high - low)) for w, z in ((a, f), (b, g)))
    for u, v in _closed(problem, f, g):
        yield _proven(problem, *_shifted(problem, u, v))


def _closed(problem: Transport, f: np.ndarray, g: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield feasible duals from either side, at most 0 if mass may stay; 0 for rows and columns without a pair."""
    most_f, most_g = (0.0 if problem.surplus > 0 else np.inf), (0.0 if problem.surplus < 0 else np.inf)
    f, g = np.minimum(f, most_f), np.minimum(g, most_g)

    def most_for_rows(v: np.ndarray) -> np.ndarray:
        u = np.minimum(row_minima(problem.cost, v)[0], most_f)
        return np.where(u < np.inf, u, 0.0)

    def most_for_columns(u: np.ndarray) -> np.ndarray:
        v = np.minimum(column_minima(problem.cost, u)[0], most_g)
        return np.where(v < np.inf, v, 0.0)

    u = most_for_rows(g)
    yield u, g
    yield u, most_for_columns(u)
    v = most_for_columns(f)
    yield f, v
    yield most_for_rows(v), v


def _proven(problem: Transport, u: np.ndarray, v: np.ndarray) -> float:
    """Return the bound of duals, minus the largest rounding error of duals, terms and sum."""
    parts, noise = [], 0.0
    for w, z in zip(problem.masses, (u, v), strict=True):
        w, z = w[w > 0], z[w > 0]
        with np.errstate(over="ignore", invalid="ignore"):
            terms = w * z if problem.reach is None else -problem.rho * w * np.expm1(-z / problem.rho)
            slope = w if problem.reach is None else w * np.exp(-z / problem.rho)
            noise += 8 * UNIT * float(np.abs(terms).sum() + slope @ np.abs(z))
        parts.append(terms)
    return sum_down(*parts, np.array([-noise]))


def _shifted(problem: Transport, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the duals shifted by the best constant, if unbalanced (T. Séjourné et al., AISTATS 2022, section 3)."""
    if problem.reach is None:
        return u, v
    with np.errstate(divide="ignore"):
        sides = [np.logaddexp.reduce(np.log(w) - z / problem.rho) for w, z in zip(problem.masses, (u, v), strict=True)]
    shift = problem.rho / 2 * float(sides[0] - sides[1])
    return u + shift, v - shift


def divergence(p: np.ndarray, q: np.ndarray) -> float:
    """Return KL(p | q) = Σ p log(p / q) − p + q of measures of any mass; inf if p has mass where q has none."""
    none = q == 0
    if (p[none] > 0).any():
        return np.inf
    p, q = p[~none], q[~none]
    with np.errstate(over="ignore", divide="ignore", invalid="ignore", under="ignore"):
        change = (p - q) / q
        # (1 + t) log(1 + t) − t keeps its digits for small t; near −1 it would lose those of p.
        near = (1 + change) * np.log1p(change) - change
        return float(q @ np.where(change > -0.5, near, scipy.special.xlogy(p / q, p / q) - change))


def _factors(masses: np.ndarray, sums: np.ndarray) -> np.ndarray:
    """Return min(masses / sums, 1), and 1 where sums are 0."""
    too_much = sums > masses
    return np.divide(masses, sums, out=np.ones(len(masses)), where=too_much)


def _weighted_log(weights: np.ndarray | float, values: np.ndarray | float) -> float:
    """Return Σ w log(v), with 0 log 0 = 0."""
    return float(np.where(np.greater(weights, 0), weights * np.log(values), 0.0).sum())
