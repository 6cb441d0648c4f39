"""`linear_sum_assignment` with SciPy's signature, results and errors, for people who paste ours in its place."""

from __future__ import annotations

from typing import Any

import numpy as np

from .problem import LARGEST_COST, Assignment, DenseCost, Infeasible, as_numeric
from .registry import solve


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
        Where `cost_matrix` is no matrix, holds NaN or −inf, or allows no complete matching ("cost matrix is infeasible").
    TypeError
        Where it holds anything but real numbers.
    """
    matrix = as_numeric(cost_matrix, "cost matrix")
    if maximize:
        matrix = -matrix if matrix.dtype.kind == "f" else -matrix.astype(np.float64 if matrix.itemsize == 8 else np.int64)
    if matrix.dtype == np.float64 and matrix.size and np.abs(matrix, where=np.isfinite(matrix), out=np.zeros_like(matrix)).max() > LARGEST_COST:
        # The optimum does not change under a power of two, and only the sums would overflow.
        matrix = np.ldexp(matrix, -64)
    try:
        matching = solve(Assignment(DenseCost(matrix)))
    except Infeasible as error:
        raise ValueError(f"cost matrix is infeasible: {error}") from None
    rows = np.flatnonzero(matching.row_to_col >= 0)
    return rows, matching.row_to_col[rows]
