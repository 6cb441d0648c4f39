"""Batches of assignment problems in one call, such as object tracking has: thousands of small ones a second."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from .brief import Brief
from .linear_sum_assignment import as_costs, linear_sum_assignment
from .native import _small
from .validation import check_threads


@dataclass(frozen=True, eq=False, repr=False)
class BatchMatching(Brief):
    """The answers to a batch of b problems.

    Attributes
    ----------
    row_to_col : (b, n) intp, or list of b arrays (n_k,) intp
        Column of each row of each problem, −1 for an unmatched row (only if n > m). A list if the problems were given
        as one.
    cost : (b,) float64
        Sum of the chosen entries of each problem.
    """

    row_to_col: np.ndarray | list[np.ndarray]
    cost: np.ndarray


def solve_batch(costs: Any, *, maximize: bool = False, threads: int | None = None) -> BatchMatching:
    """Match rows to columns at least total cost, in each of many problems.

    Parameters
    ----------
    costs : array, shape (b, n, m), or iterable of array_like, shapes (n_k, m_k)
        Costs as for `linear_sum_assignment`. C-contiguous float32 and float64 arrays are read without a copy.
    maximize : bool
        Maximise the totals instead.
    threads : int, optional
        Largest number of threads; by default, and with −1, all cores of this process. Answers do not depend on it.

    Raises
    ------
    ValueError, TypeError, OverflowError
        If `linear_sum_assignment` would for some problem; the message begins with its index: "problem 3: …". If a
        single array does not have three dimensions, or `threads` is neither a whole number above 0 nor −1.
    """
    workers = check_threads(threads)
    row_to_col: Any
    if isinstance(costs, np.ndarray):
        if costs.ndim != 3:
            raise ValueError(f"expected a (b, n, m) array or a list of matrices, got an array of shape {costs.shape}")
        problems: Any = costs
        row_to_col = np.empty(costs.shape[:2], dtype=np.intp)
        total = np.empty(len(costs))
        left = _small.assign_stack(costs, maximize, workers, row_to_col, total)
    else:
        problems = list(costs)
        row_to_col = [None] * len(problems)
        total = np.empty(len(problems))
        left = _small.assign_list(problems, maximize, workers, row_to_col, total)
    if left:
        # Large problems, those of other types, and invalid ones, of which the first raises its error.
        with ThreadPoolExecutor(workers) as pool:
            answers = pool.map(lambda k: _answer(k, problems[k], maximize), left)
            for k, (columns, cost) in zip(left, answers, strict=True):
                row_to_col[k], total[k] = columns, cost
    return BatchMatching(row_to_col, total)


def _answer(k: int, costs: Any, maximize: bool) -> tuple[np.ndarray, float]:
    """Return row_to_col and cost of one problem."""
    try:
        matrix = as_costs(costs, maximize)
        rows, cols = linear_sum_assignment(matrix, maximize)
    except (ValueError, TypeError, OverflowError) as error:
        raise type(error)(f"problem {k}: {error}") from None
    row_to_col = np.full(len(matrix), -1, dtype=np.intp)
    row_to_col[rows] = cols
    return row_to_col, float(matrix[rows, cols].sum(dtype=np.float64))
