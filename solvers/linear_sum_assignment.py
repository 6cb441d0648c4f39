"""The drop-in `linear_sum_assignment`, with SciPy's signature, results and errors."""

from typing import Any

import numpy as np

from .costs import DenseCost
from .costs.dense import range_of_matrix
from .errors import Infeasible, OutOfRange
from .native import _small
from .problem import Assignment
from .solve import solve
from .validation import MASKED_COSTS, SPARSE_COSTS, as_rounded_matrix, check_entries


def linear_sum_assignment(cost_matrix: Any, maximize: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Match rows to columns at least total cost.

    Parameters
    ----------
    cost_matrix : array_like, shape (n, m)
        An array of any real dtype up to 64 bits; a frame or a list may also hold nullable and Arrow numbers, fractions,
        decimals and integers of any size. Integers beyond 2**53 are rounded to float64, as in SciPy, whereas a
        `DenseCost` refuses them. `inf` forbids a pair (−inf if `maximize`).
    maximize : bool
        Maximise the total instead.

    Returns
    -------
    row_ind, col_ind : (min(n, m),) intp
        The matched pairs, rows ascending.

    Raises
    ------
    ValueError
        If `cost_matrix` is not a matrix, holds NaN or −inf (inf if `maximize`), or allows no complete matching ("cost
        matrix is infeasible").
    TypeError
        If it holds anything but real numbers, is masked or sparse, or is an array of objects.
    OverflowError
        If an integer is too large for float64.
    """
    answer = _small.assign(cost_matrix, maximize)
    return _assign(cost_matrix, maximize) if answer is None else answer


def as_costs(cost_matrix: Any, maximize: bool) -> np.ndarray:
    """Return the cost matrix as SciPy would read it."""
    masked = MASKED_COSTS.replace("np.inf", "-np.inf") if maximize else MASKED_COSTS
    return as_rounded_matrix(cost_matrix, "cost matrix", masked=masked, sparse=SPARSE_COSTS)


def _negative(matrix: np.ndarray) -> np.ndarray:
    return np.subtract(0.0, matrix, dtype=matrix.dtype if matrix.dtype.kind == "f" else np.float64)


def _are_equal(costs: np.ndarray, extremes: tuple[float, float] | None) -> bool:
    """Return whether all costs are one finite number; the `extremes` are the least and the largest where known."""
    if extremes is not None:
        return extremes[0] == extremes[1] and bool(np.isfinite(extremes[0]))
    return bool(costs.size and np.isfinite(costs[0, 0]) and (costs == costs[0, 0]).all())


def _assign(cost_matrix: Any, maximize: bool) -> tuple[np.ndarray, np.ndarray]:
    """Solve what native code left: large matrices, other types than arrays, and invalid input."""
    matrix = as_costs(cost_matrix, maximize)
    costs = _negative(matrix) if maximize else matrix
    range = range_of_matrix(costs)
    extremes = None
    if range is not None:
        low, high = range.extremes
        extremes = (-high, -low) if maximize else (low, high)
    try:
        # With the sign that the user passed, so that an error shows the entry.
        forbids = check_entries(matrix, "cost matrix", forbidden=-np.inf if maximize else np.inf, extremes=extremes)
    except OutOfRange:
        # A power of two keeps the optimum; the digits it rounds off are far below those of a sum of such costs.
        costs, range = np.ldexp(costs, -64), None
        forbids = bool(np.isinf(costs).any())
    if _are_equal(costs, extremes):
        # All matchings cost the same; SciPy returns the diagonal, and its tests require that.
        diagonal = np.arange(min(costs.shape))
        return diagonal, diagonal.copy()
    try:
        matching = solve(Assignment(DenseCost.trusted(costs, forbids, range)))
    except Infeasible as error:
        raise ValueError(f"cost matrix is infeasible: {error}") from None
    rows = np.flatnonzero(matching.row_to_col >= 0)
    return rows, matching.row_to_col[rows]
