"""What a certificate states, and the reading of answers that may be anything at all."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real

import numpy as np

#: An answer is optimal where its gap is at most this part of what the minima of rows and columns alone leave open: far
#: above rounding, far below any difference that a user can see.
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Certificate:
    """What is known for certain about an answer.

    Attributes
    ----------
    valid : bool
        It is a complete matching (or a plan with the stated marginal error) of finite cost, and costs what it says.
    cost : float
        What it costs, summed here; NaN where it is no matching at all. Under a limit, what is minimised: the sum of
        c_ij − limit over its pairs. Of a plan, ⟨π, C⟩.
    dual_bound : float
        A lower bound on the cost of every answer, −inf where none is known; an upper one, or inf, where the problem
        maximises. Of a transport problem, on every feasible plan without regard to the blur.
    gap : float
        By how much the answer may be dearer than the cheapest one, at most, over |cost|: 0 is optimal, inf where there
        is no bound. Below 0 only against a bound from elsewhere. Of a plan that is rounded, over `feasible_cost`.
    max_violation : float
        Largest violation of u_i + v_j ≤ c_ij, and of the signs of a rectangular, a limited or a partial problem, by the
        solver's own duals; NaN without duals, or with a blur or a reach.
    optimal : bool
        Proven: the answer costs at most `tolerance` times `scope` more than the cheapest one.
    exactly_optimal : bool
        Proven: no answer is cheaper. Either the bound meets the cost, or it misses it by less than the unit, a power of
        two, of which all costs are multiples.
    scope : float
        What a better answer could gain at most if nothing but the minima of columns, and then of rows, were known: the
        scale on which `optimal` is meant. A constant added to the costs of a row or a column does not change it, nor
        does a large cost that no answer needs. NaN where it was not needed.
    fault : str or None
        Why it is not valid.
    feasible_cost : float
        Of a plan: what it costs once it is rounded to meet its marginals, or where unbalanced with its penalties. This
        and what follows is NaN for a matching.
    row_error, column_error : float
        Of a plan: Σ_i |Σ_j π_ij − a_i| / Σ_i a_i, and the same of the columns; where unbalanced, from the masses
        a_i exp(−f_i / ρ) that its potentials ask for.
    entropic_gap : float
        Of potentials: how far the entropic problem's own objective, that of their plan rounded, is above the dual one
        that they prove, relative to it: 0 once they have converged. The `gap` has the blur's share in it, this has not.
    """

    valid: bool
    cost: float
    dual_bound: float
    gap: float
    max_violation: float
    optimal: bool
    exactly_optimal: bool = False
    scope: float = np.nan
    fault: str | None = None
    feasible_cost: float = np.nan
    row_error: float = np.nan
    column_error: float = np.nan
    entropic_gap: float = np.nan

    @property
    def marginal_error(self) -> float:
        """The larger of the two errors of a plan."""
        return max(self.row_error, self.column_error)


def invalid(fault: str, known: float, cost: float = np.nan) -> Certificate:
    """Return the certificate of an answer that is none."""
    return Certificate(False, cost, known, np.inf, np.nan, False, fault=fault)


def relative(excess: float, cost: float) -> float:
    """Return excess / |cost|, infinite where only the cost is 0."""
    if excess == 0:
        return 0.0
    return float(excess / abs(cost)) if cost else float(np.copysign(np.inf, excess))


def as_array(answer: object) -> np.ndarray:
    """Return whatever a solver answered as an array; one without a shape to match where it is none."""
    try:
        return np.asarray(answer)
    except (TypeError, ValueError):
        return np.empty((0, 0, 0))


def vector(name: str, answer: object, size: int) -> tuple[np.ndarray | None, str]:
    """Return a solver's duals or potentials as (size,) finite float64, or None and what is wrong with them."""
    if answer is None:
        return None, f"the {name} is missing"
    vector = as_array(answer)
    if vector.shape != (size,) or vector.dtype.kind not in "fiu":
        return None, f"the {name} has shape {vector.shape} and dtype {vector.dtype}, not ({size},) float64"
    vector = np.ascontiguousarray(vector, dtype=np.float64)
    if not np.isfinite(vector).all():
        at = int(np.argmax(~np.isfinite(vector)))
        return None, f"the {name} is {vector[at]} at [{at}]"
    return vector, ""


def number(answer: object) -> float:
    """Return whatever a solver stated as a float; NaN where it is no number."""
    return float(answer) if isinstance(answer, Real) else np.nan
