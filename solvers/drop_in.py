"""`linear_sum_assignment` with SciPy's signature, results and errors, for people who paste ours in its place."""

from __future__ import annotations

from typing import Any

import numpy as np

from .native import _small
from .problem import Assignment, DenseCost, Infeasible
from .registry import solve
from .validation import OutOfRange, as_numeric, check_entries


def linear_sum_assignment(cost_matrix: Any, maximize: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Match rows to columns at least total cost.

    Parameters
    ----------
    cost_matrix : array_like, shape (n, m)
        Any real dtype that float64 holds without loss; `inf` forbids a pair (−inf where `maximize`).
    maximize : bool
        Largest total instead.

    Returns
    -------
    row_ind, col_ind : (min(n, m),) intp
        The matched pairs, rows ascending.

    Raises
    ------
    ValueError
        Where `cost_matrix` is no matrix, holds NaN, −inf (inf where `maximize`) or integers beyond 2**53, or allows no
        complete matching ("cost matrix is infeasible").
    TypeError
        Where it holds anything but real numbers.
    """
    answer = _small.assign(cost_matrix, maximize)
    return _assign(cost_matrix, maximize) if answer is None else answer


def _assign(cost_matrix: Any, maximize: bool) -> tuple[np.ndarray, np.ndarray]:
    """What is large, or no array, or wrong."""
    matrix = as_numeric(cost_matrix, "cost matrix")
    if maximize:
        matrix = _negative(matrix)
    try:
        cost = DenseCost(matrix)
    except OutOfRange:
        # A power of two changes no optimum; what it rounds off is far below what a sum of such costs can tell apart.
        cost = DenseCost(np.ldexp(matrix, -64))
    if matrix.size and np.isfinite(matrix[0, 0]) and (matrix == matrix[0, 0]).all():
        # Every matching is as good; SciPy answers with the diagonal, and its tests hold a drop-in to that.
        diagonal = np.arange(min(matrix.shape))
        return diagonal, diagonal.copy()
    try:
        matching = solve(Assignment(cost))
    except Infeasible as error:
        raise ValueError(f"cost matrix is infeasible: {error}") from None
    rows = np.flatnonzero(matching.row_to_col >= 0)
    return rows, matching.row_to_col[rows]


def _negative(matrix: np.ndarray) -> np.ndarray:
    if matrix.dtype.kind == "f":
        return -matrix
    check_entries(matrix, "cost matrix")  # so that float64, which has the negative of every unsigned integer, is exact
    return -matrix.astype(np.float64)
