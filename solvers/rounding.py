"""From a fractional plan to a complete matching: the last step of every entropic solver of an assignment.

Each row and each column nominates the partner with which it shares most mass; the nominations are granted greedily,
the largest first. Whoever is left over is matched exactly among themselves. The blurrier the plan, the more is left
over and the worse the greedy part.

Not a solver: nothing here improves a pair once it is made.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from .deadline import Deadline
from .native import _native
from .problem import TimeLimit


def round_plan(plan: np.ndarray, cost: np.ndarray) -> np.ndarray:
    """Match along the largest entries of a plan.

    Parameters
    ----------
    plan : (n, m) float array
        Mass moved, or any score that grows with it. −inf or 0 where there is none; no NaN.
    cost : (n, m) array
        Finite costs; they decide among the rows and columns that the plan leaves over.

    Returns
    -------
    row_to_col : (n,) intp
        A matching of min(n, m) rows; −1 where a row is left out (n > m).
    """
    return round_blocks([(0, plan)], cost, Deadline(None))


def round_blocks(blocks: Iterable[tuple[int, np.ndarray]], cost: np.ndarray, deadline: Deadline) -> np.ndarray:
    """`round_plan` of a plan that never exists as a whole: blocks of rows, each with the index of its first row.

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
        if row_to_col[i] < 0 and free[j]:
            row_to_col[i] = j
            free[j] = False
    rows, cols = np.flatnonzero(row_to_col < 0), np.flatnonzero(free)
    rest = cost[np.ix_(rows, cols)]
    wide = rest if len(rows) <= len(cols) else rest.T
    matched = _native.assign("jv", wide, _native.HAS_AVX2, deadline.left)[0]
    if matched is None:
        raise TimeLimit(deadline.seconds, (n, m))
    if len(rows) <= len(cols):
        row_to_col[rows] = cols[matched]
    else:
        row_to_col[rows[matched]] = cols
    return row_to_col


def _nominations(
    blocks: Iterable[tuple[int, np.ndarray]], n: int, m: int, deadline: Deadline
) -> tuple[np.ndarray, np.ndarray]:
    """Every row's best column and every column's best row, best pair first; ties go to the lower row, then column."""
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
