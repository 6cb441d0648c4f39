"""A complete matching from the duals of an unfinished search: the best answer so far when the time is over."""

import numpy as np

from lapmark.solvers.costs import Cost, DenseCost

#: Most pairs of a matrix that are looked at, and seconds that one takes on a slow machine, for which searches of a
#: matrix end earlier. Other costs may need no time for their pairs until then, so that few of theirs are looked at.
MOST_PAIRS, PAIR_SECONDS = 2**27, 4e-9
FEW_PAIRS = 2**22


def completed(wide: Cost, v: np.ndarray, limit: float | None) -> np.ndarray | None:
    """Return a matching of every row, each in turn to the free column of least reduced cost.

    Parameters
    ----------
    wide : Cost
        With n ≤ m.
    v : (m,) float64
        Duals of the columns, any.
    limit : float or None
        Of the problem: rows whose pair costs more stay unmatched.

    Returns
    -------
    row_to_col : (n,) intp, or None
        None if a row has no allowed column left, or there are too many pairs.
    """
    n, m = wide.shape
    if n * m > (MOST_PAIRS if isinstance(wide, DenseCost) else FEW_PAIRS):
        return None
    row_to_col = np.full(n, -1, dtype=np.intp)
    offered = np.where(np.isfinite(v), v, 0.0)
    taken = np.zeros(m)  # +inf once a column is taken
    for start, block in wide.blocks():
        for row, costs in enumerate(block, start):
            reduced = costs - offered + taken
            column = int(reduced.argmin())
            if not np.isfinite(reduced[column]):
                if limit is None:
                    return None
            elif limit is None or costs[column] < limit:
                row_to_col[row], taken[column] = column, np.inf
    return row_to_col
