"""Hall proofs that a problem has no answer: check one, and build one from duals.

For an assignment (Hall's theorem), some rows or columns of the shorter side allow fewer partners than they are. For
transport, some rows hold more mass than all the columns that they allow take, or the other way round.
"""

import numpy as np

from lapmark.solvers.costs import Cost, SparseCost
from lapmark.solvers.errors import Infeasible, listed
from lapmark.solvers.problem import Assignment, Problem, Transport
from lapmark.solvers.validation import ROUNDING


def fault_of_proof(problem: Problem, proof: Infeasible) -> str | None:
    """Return why the rows and columns of an `Infeasible` prove nothing; None if they are a proof.

    Parameters
    ----------
    problem : Assignment or Transport
    proof : Infeasible
        Its `rows` and `columns` may be anything that a solver put there.
    """
    n, m = problem.shape
    rows, columns = _indices(proof.rows, n), _indices(proof.columns, m)
    if rows is None or columns is None:
        return f"rows and columns must be distinct indices of the {n}×{m} problem"
    if isinstance(problem, Assignment):
        if problem.limit is not None:
            return "with a limit any row may stay unmatched"
        a, b, slack = np.ones(n), np.ones(m), 0.0
        # Only the shorter side must be matched.
        stuck = [(0, n <= m), (1, m <= n)]
    else:
        if problem.reach is not None:
            return "with a reach any mass may stay"
        a, b = problem.masses
        slack = ROUNDING * min(a.sum(), b.sum())
        stuck = [(0, problem.surplus <= 0), (1, problem.surplus >= 0)]
    mass = a[rows].sum(), b[columns].sum()
    for axis, moves in stuck:
        if moves and mass[axis] > mass[1 - axis] + slack:
            here, there = (rows, columns) if axis == 0 else (columns, rows)
            others = np.setdiff1d(allowed_by(problem.cost, here, axis), there)
            if not len(others):
                return None
            side, other = ("row", "column") if axis == 0 else ("column", "row")
            return f"{listed(side, here)} also allow {listed(other, others)}"
    return "the rows or columns that should be stuck are no more than those they allow"


def allowed_by(cost: Cost, some: np.ndarray, axis: int) -> np.ndarray:
    """Return every column that some rows allow (axis 0), or every row that some columns allow (axis 1), ascending."""
    if isinstance(cost, SparseCost):
        part = cost.csr[some] if axis == 0 else cost.csr[:, some]
        return np.unique(part.tocoo().coords[1 - axis])
    if not cost.forbids:
        return np.arange(cost.shape[1 - axis] if len(some) else 0)
    return np.flatnonzero(np.isfinite(cost.dense().take(some, axis=axis)).any(axis=axis))


def mass_shortage(
    problem: Transport, rows: np.ndarray, columns: np.ndarray, u: np.ndarray, v: np.ndarray
) -> Infeasible:
    """Return the error that integer duals u and v of the rows and columns with mass prove; a spare one comes last.

    Rows with u ≥ t allow only columns with v ≤ −t. Σ a u + Σ b v > 0 is the sum over t of the excess of these rows over
    these columns, so that for some t the rows have more; and then the other columns need more than the other rows have.
    """
    (own_a, own_b), spare = problem.masses, abs(problem.surplus)
    a, b = (np.append(each, spare)[: len(dual)] for each, dual in ((own_a[rows], u), (own_b[columns], v)))
    sets = [(u >= level, v <= -level) for level in np.unique(u)]
    above, below = max(sets, key=lambda each: float(a[each[0]].sum() - b[each[1]].sum()))
    few_rows = np.count_nonzero(above) <= np.count_nonzero(~below)
    if problem.surplus < 0 or (problem.surplus == 0 and few_rows):
        stuck = rows[above[: len(rows)]]
        return Infeasible.masses("row", stuck, allowed_by(problem.cost, stuck, 0), own_a, own_b)
    stuck = columns[~below[: len(columns)]]
    return Infeasible.masses("column", stuck, allowed_by(problem.cost, stuck, 1), own_b, own_a)


def _indices(given: object, size: int) -> np.ndarray | None:
    """Return distinct indices below `size`, or None for anything else."""
    try:
        array = np.asarray(given)
    except (TypeError, ValueError):
        return None
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        return None
    array = array.astype(np.intp)
    distinct = len(np.unique(array)) == len(array)
    return array if distinct and ((array >= 0) & (array < size)).all() else None
