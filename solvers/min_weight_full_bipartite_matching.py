"""The drop-in `min_weight_full_bipartite_matching`, with the signature and results of SciPy's function in csgraph."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from .costs import SparseCost
from .costs.sparse import DENSE_SHARE, filled
from .errors import Infeasible
from .native import _cascade, _matrix, _small
from .problem import Assignment
from .solve import solve

if TYPE_CHECKING:
    import scipy.sparse


def min_weight_full_bipartite_matching(
    biadjacency: scipy.sparse.sparray | scipy.sparse.spmatrix, maximize: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Match the rows of a sparse array to columns along its entries, at least total weight.

    Parameters
    ----------
    biadjacency : sparse array or matrix of scipy.sparse, shape (n, m)
        Entries are the weights of the edges. Explicit zeros are removed with a warning, as by SciPy, whereas a
        `SparseCost` keeps them.
    maximize : bool
        Maximise the total instead.

    Returns
    -------
    row_ind, col_ind : (min(n, m),) intp
        The matched pairs, rows ascending.

    Raises
    ------
    TypeError
        If it is not sparse, or holds anything but real numbers.
    ValueError
        If an entry is NaN or −inf or stored twice, or if there is no full matching; the message names the entry, or
        the rows that allow too few columns.
    """
    import scipy.sparse

    if not scipy.sparse.issparse(biadjacency):
        raise TypeError("the graph must be sparse; linear_sum_assignment takes a matrix")
    try:
        if not maximize and biadjacency.format == "csr" and (answer := _solved_in_place(biadjacency)) is not None:
            return answer
        cost = SparseCost(biadjacency)
        if not cost.csr.data.all():
            warnings.warn("explicit zeros are removed; a SparseCost keeps them", UserWarning, stacklevel=2)
            cost.csr.eliminate_zeros()
        matching = solve(Assignment(cost, maximize=maximize))
    except Infeasible as error:
        raise ValueError(f"no full matching exists: {error}") from None
    rows = np.flatnonzero(matching.row_to_col >= 0)
    return rows, matching.row_to_col[rows]


def _solved_in_place(csr: scipy.sparse.csr_array) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the answer for a plain list with n ≤ m, whose classes would take longer than the solving; else None."""
    begin, columns, weights, (n, m) = csr.indptr, csr.indices, csr.data, csr.shape
    if not 0 < n <= m < 2**31 or weights.dtype != np.float64:
        return None
    # Native code trusts its indices, so they are copied before they are checked.
    begin, columns, weights = begin.astype(np.int64), columns.copy(), weights.copy()
    if not _matrix.are_pairs(begin, columns, weights, m):
        return None
    columns = columns.astype(np.int32, copy=False)
    if len(columns) >= DENSE_SHARE * n * m and n * m <= _small.LARGEST_SIDE**2:
        return _small.assign(filled(begin, columns, weights, m), False)
    row_to_col = _cascade.sparse(begin, columns, weights, m, np.inf)[0]
    return None if row_to_col is None else (np.arange(n), row_to_col)
