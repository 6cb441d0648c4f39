"""The `Certificate` record, and safe reading of the answers it judges, which may be anything."""

from dataclasses import dataclass
from numbers import Real

import numpy as np

from lapmark.solvers.brief import Brief

#: Largest excess of an optimal answer, as a part of the `scope`: far above rounding, and far below any difference that
#: a user can see.
TOLERANCE = 1e-9


@dataclass(frozen=True, repr=False)
class Certificate(Brief):
    """What is proven about an answer.

    Attributes
    ----------
    valid : bool
        Whether it is a complete matching (or a plan with the stated marginal error) of finite cost, stated correctly.
    cost : float
        Its cost, summed here; NaN if it is not a matching. With a limit, the sum of c_ij − limit over its pairs. Of a
        plan, ⟨π, C⟩.
    dual_bound : float
        A lower bound on the cost of every answer, −inf if none is known; if the problem maximises an upper bound, or
        inf. For transport, on every feasible plan, regardless of the blur.
    gap : float
        Largest possible excess of its cost over the cheapest, divided by |cost|: 0 is optimal, inf without a bound.
        Below 0 only against a bound from elsewhere. For a rounded plan, divided by `feasible_cost`.
    max_violation : float
        Largest violation by the solver's duals of u_i + v_j ≤ c_ij, and of their signs in a rectangular, limited or
        partial problem; NaN without duals, or with a blur or a reach.
    optimal : bool
        Proven: the answer costs at most `tolerance` · `scope` more than the cheapest one.
    exactly_optimal : bool
        Proven: no answer is cheaper. The bound equals the cost, or misses it by less than a power of two of which all
        costs are multiples.
    scope : float
        The excess of the answer by the duals that are minima of columns and then of rows: the scale of `optimal`. It
        does not depend on constants added to the costs of a row or a column, nor on large costs that no answer needs.
        NaN if it was not needed.
    fault : str or None
        Why it is not valid, None if it is.
    feasible_cost : float
        Cost of a plan after rounding to meet its marginals; if unbalanced, with its penalties. This and the following
        are NaN for a matching.
    row_error, column_error : float
        Of a plan: Σ_i |Σ_j π_ij − a_i| / Σ_i a_i, and the same for the columns; if unbalanced, from the masses
        a_i exp(−f_i / ρ) that its potentials imply.
    entropic_gap : float
        Of potentials: the relative difference between the entropic objective of their rounded plan and the dual bound
        on it, 0 once they have converged. The `gap` includes the effect of the blur, this does not.
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
    """Return the certificate of an invalid answer."""
    return Certificate(False, cost, known, np.inf, np.nan, False, fault=fault)


def relative(excess: float, cost: float) -> float:
    """Return excess / |cost|, infinite if only the cost is 0."""
    if excess == 0:
        return 0.0
    return float(excess / abs(cost)) if cost else float(np.copysign(np.inf, excess))


def as_array(answer: object) -> np.ndarray:
    """Return a solver's answer as an array, of a shape that fits nothing if it is not one."""
    try:
        return np.asarray(answer)
    except (TypeError, ValueError):
        return np.empty((0, 0, 0))


def vector(name: str, answer: object, size: int) -> tuple[np.ndarray | None, str]:
    """Return a solver's duals or potentials as (size,) finite float64, or None, and the fault."""
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
    """Return a solver's statement as a float, NaN unless it is a number."""
    return float(answer) if isinstance(answer, Real) else np.nan
