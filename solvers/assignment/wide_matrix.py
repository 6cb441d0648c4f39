"""Wide matrices: any assignment problem as a matrix with n ≤ m, which most searches require.

The answer of a search is turned back here: the matching, the duals, and the bound that they prove if the time is over.
"""

from collections.abc import Callable

import numpy as np

from lapmark.solvers.certificate.feasible_duals import Terms
from lapmark.solvers.costs import Cost, DenseCost
from lapmark.solvers.costs.float_matrix import float_matrix
from lapmark.solvers.deadline import BOUND_SECONDS, Deadline
from lapmark.solvers.errors import Infeasible, TimeLimit
from lapmark.solvers.problem import Assignment
from lapmark.solvers.result import Matching

from .completion import PAIR_SECONDS, completed

#: row_to_col (n,), None if the time was over; u (n,); v (m,), which proves a bound then; the counters of work.
Answer = tuple[np.ndarray | None, np.ndarray, np.ndarray, dict[str, int]]


def solve_wide(
    problem: Assignment,
    search: Callable[[np.ndarray, float], Answer],
    deadline: Deadline,
    dtype: type[np.floating] | None = None,
) -> Matching:
    """Run a search on a problem of any shape and kind of cost.

    Parameters
    ----------
    problem : Assignment
    search : callable
        Takes a matrix with n ≤ m in C order, and its time limit in seconds.
    deadline : Deadline
    dtype : type, optional
        Of the matrix; by default float32 if that holds the costs exactly, float64 otherwise.

    Raises
    ------
    Infeasible
        With the proof of the search, turned back like an answer.
    TimeLimit
        With the bound that the search's latest duals prove.
    """
    matrix = wide_matrix(problem, deadline, dtype)
    wide = DenseCost.trusted(matrix, problem.cost.forbids)
    final_seconds = (BOUND_SECONDS + PAIR_SECONDS) * matrix.size
    return turned_back(problem, wide, lambda seconds: search(matrix, seconds), deadline, final_seconds)


def turned_back(
    problem: Assignment,
    wide: Cost,
    search: Callable[[float], Answer],
    deadline: Deadline,
    bound_seconds: float,
) -> Matching:
    """Return the answer to a problem from a search on `wide`, its cost, transposed if n > m.

    The search gets the time until the deadline minus `bound_seconds`, which the final bound takes; at least half of it.
    """
    n, m = problem.shape
    try:
        row_to_col, u, v, counters = search(deadline.left_before(bound_seconds))
    except Infeasible as error:
        if n > m and error.rows is not None and error.columns is not None:
            raise Infeasible.hall(error.columns, error.rows) from None
        raise
    if row_to_col is None:
        # Duals of an unfinished search may prove less than duals of 0.
        terms = Terms.of(Assignment(wide, problem.limit))
        known = max(terms.given_columns(duals).bound() for duals in (v, np.zeros(max(n, m))))
        best = completed(wide, v, problem.limit)
        answer = None if best is None else _turned(problem, best, None, None, {})
        raise TimeLimit(deadline.seconds, problem.shape, known, answer)
    return _turned(problem, row_to_col, u, v, counters)


def _turned(
    problem: Assignment,
    row_to_col: np.ndarray,
    u: np.ndarray | None,
    v: np.ndarray | None,
    counters: dict[str, int],
) -> Matching:
    """Return the matching of a problem from that of its wide form."""
    n, m = problem.shape
    if n <= m:
        return Matching.of(problem, row_to_col, u, v, counters)
    cols = (row_to_col >= 0).nonzero()[0]
    return Matching.from_pairs(problem, row_to_col[cols], cols, u=v, v=u, counters=counters)


def wide_matrix(problem: Assignment, deadline: Deadline, dtype: type[np.floating] | None = None) -> np.ndarray:
    """Return the costs as from `float_matrix`, transposed if n > m."""
    n, m = problem.shape
    return float_matrix(problem.cost, deadline, n > m, dtype)
