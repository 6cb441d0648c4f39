"""Rounding a fractional plan to a complete matching, the last step of entropic solvers of an assignment.

Each row and each column nominates the partner with which it shares most mass; nominations are granted greedily, the
largest first. The remaining rows and columns are matched exactly among themselves. The larger the blur, the more
remain, and the worse the greedy part. No pair is improved afterwards.
"""

from collections.abc import Iterable

import numpy as np

from lapmark.solvers.deadline import Deadline
from lapmark.solvers.errors import Infeasible, TimeLimit
from lapmark.solvers.native import _matrix


def round_plan(plan: np.ndarray, cost: np.ndarray) -> np.ndarray:
    """Match along the largest entries of a plan.

    Parameters
    ----------
    plan : (n, m) float array
        Mass moved, or any score that grows with it; −inf or 0 for none, no NaN.
    cost : (n, m) array
        Costs, inf if forbidden; they decide among the remaining rows and columns.

    Returns
    -------
    row_to_col : (n,) intp
        A matching of min(n, m) rows; −1 for an unmatched row (n > m).

    Raises
    ------
    Infeasible
        If every such matching has a forbidden pair.
    """
    return round_blocks([(0, plan)], cost, Deadline(None))


def round_blocks(blocks: Iterable[tuple[int, np.ndarray]], cost: np.ndarray, deadline: Deadline) -> np.ndarray:
    """Round a plan given as blocks of rows, each with the index of its first row, like `round_plan`.

    Raises
    ------
    TimeLimit
        Without a bound.
    """
    n, m = cost.shape
    row_to_col = np.full(n, -1, dtype=np.intp)
    if n == 0 or m == 0:
        return row_to_col
    free = np.ones(m, dtype=bool)
    for i, j in zip(*_nominations(blocks, n, m, deadline), strict=True):
        if row_to_col[i] < 0 and free[j] and cost[i, j] < np.inf:
            row_to_col[i] = j
            free[j] = False
    rows, cols = np.flatnonzero(row_to_col < 0), np.flatnonzero(free)
    try:
        among = _matched(cost[np.ix_(rows, cols)], deadline)
    except Infeasible:
        return _matched(_reluctant(cost, row_to_col), deadline)
    row_to_col[rows[among >= 0]] = cols[among[among >= 0]]
    return row_to_col


def _matched(cost: np.ndarray, deadline: Deadline) -> np.ndarray:
    """Return the matching (n,) of least cost, −1 for an unmatched row."""
    n, m = cost.shape
    try:
        found = _matrix.assign("jv", cost if n <= m else cost.T, deadline.left)[0]
    except Infeasible as error:
        if n <= m or error.rows is None or error.columns is None:
            raise
        raise Infeasible.hall(error.columns, error.rows) from None
    if found is None:
        raise TimeLimit(deadline.seconds, (n, m))
    if n <= m:
        return found
    row_to_col = np.full(n, -1, dtype=np.intp)
    row_to_col[found] = np.arange(m)
    return row_to_col


def _reluctant(cost: np.ndarray, row_to_col: np.ndarray) -> np.ndarray:
    """Return costs at which an optimal matching undoes as few pairs of this one as possible, for cheap new ones."""
    finite = cost[np.isfinite(cost)]
    low, span = float(finite.min()), float(finite.max() - finite.min()) or 1.0
    # The parts above 1 add up to less than 1.
    prices = 1 + (cost - low) / (span * (min(cost.shape) + 1))
    rows = np.flatnonzero(row_to_col >= 0)
    prices[rows, row_to_col[rows]] = 0
    return prices


def _nominations(
    blocks: Iterable[tuple[int, np.ndarray]], n: int, m: int, deadline: Deadline
) -> tuple[np.ndarray, np.ndarray]:
    """Return every row's best column and every column's best row, best pair first, then by row and column."""
    best_col, row_score = np.zeros(n, dtype=np.intp), np.empty(n)
    best_row, col_score = np.zeros(m, dtype=np.intp), np.full(m, -np.inf)
    for start, block in blocks:
        deadline.check((n, m))
        stop = start + len(block)
        best_col[start:stop] = block.argmax(axis=1)
        row_score[start:stop] = block.max(axis=1)
        top = block.max(axis=0)
        better = top > col_score
        col_score[better] = top[better]
        best_row[better] = start + block[:, better].argmax(axis=0)
    rows = np.concatenate([np.arange(n), best_row])
    cols = np.concatenate([best_col, np.arange(m)])
    order = np.lexsort((cols, rows, -np.concatenate([row_score, col_score])))
    return rows[order], cols[order]
