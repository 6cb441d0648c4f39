"""The Hungarian method, O(n³): the textbook baseline, in Numba.

Rows enter one at a time. For each, a tree of tight pairs grows by the least slack until it reaches a free column. The
total change of the duals is the length of a shortest augmenting path, so that the method is equivalent to Dijkstra's.
"""

import functools
from collections.abc import Callable

import numpy as np

from lapmark.solvers.deadline import Deadline
from lapmark.solvers.errors import Infeasible
from lapmark.solvers.problem import Assignment
from lapmark.solvers.registry import Capabilities, missing_package, register
from lapmark.solvers.result import Matching

from .matching_refinement import refined
from .wide_matrix import Answer, solve_wide

Augment = Callable[[np.ndarray, int, np.ndarray, np.ndarray, np.ndarray, np.ndarray], int]


@register(
    "hungarian",
    Capabilities(
        exact=True,
        rectangular=True,
        forbidden=True,
        dtypes={"float32", "float64"},
        duals=True,
        time_limit=True,
        counters={"row_scans", "augmentations"},
        family="shortest augmenting path",
        source="H. W. Kuhn, Naval Research Logistics Quarterly 2 (1955) 83–97; J. Munkres, J. SIAM 5 (1957) 32–38",
    ),
    condition=lambda: missing_package("numba"),  # not `requires`: the versions recorded are those of Lapmark
)
def hungarian(problem: Assignment, time_limit: float | None = None) -> Matching:
    """Solve an assignment problem row by row, each by a shortest augmenting path.

    The first call in a process loads the compiled search; the first call after an installation compiles it, which takes
    seconds regardless of the time limit.
    """
    deadline = Deadline(time_limit)
    return refined(problem, solve_wide(problem, _search, deadline, np.float64), deadline)


def _search(cost: np.ndarray, seconds: float) -> Answer:
    deadline = Deadline(seconds)
    n, m = cost.shape
    u, v = np.zeros(n), np.zeros(m)
    col_to_row = np.full(m, -1, dtype=np.intp)
    scans = 0
    reached = np.empty(m, dtype=np.bool_)
    augment = _compiled()
    # The loop is in Python so that Ctrl-C takes effect between two rows.
    for row in range(n):
        if deadline.left <= 0:
            return None, u, v, {}
        scanned = augment(cost, row, u, v, col_to_row, reached)
        if scanned < 0:
            columns = np.flatnonzero(reached)
            raise Infeasible.hall(np.append(col_to_row[columns], row), columns)
        scans += scanned
    cols = np.flatnonzero(col_to_row >= 0)
    row_to_col = np.empty(n, dtype=np.intp)
    row_to_col[col_to_row[cols]] = cols
    return row_to_col, u, v, {"row_scans": scans, "augmentations": n}


def _augment(
    cost: np.ndarray, start: int, u: np.ndarray, v: np.ndarray, col_to_row: np.ndarray, in_tree: np.ndarray
) -> int:
    """Match row `start`; return the number of rows scanned, −1 if no free column can be reached.

    `in_tree` is overwritten: it flags the columns reached before the last one, or all reached if there is no free one.

    Before and after, u_i + v_j ≤ c_ij with equality on the matched pairs, v ≤ 0, and v_j = 0 where column j is free.
    """
    m = len(v)
    slack = np.full(m, np.inf)  # smallest reduced cost of each column from a row of the tree
    parent = np.full(m, -1, dtype=np.intp)  # the column before it on that path; −1 for `start`
    in_tree[:] = False
    row, last = start, -1  # the row to scan and its column
    scanned = 0
    while row >= 0:
        scanned += 1
        delta, nearest = np.inf, -1
        for j in range(m):
            if in_tree[j]:
                continue
            reduced = cost[row, j] - u[row] - v[j]
            if reduced < slack[j]:
                slack[j] = reduced
                parent[j] = last
            if slack[j] < delta:
                delta = slack[j]
                nearest = j
        if nearest < 0:
            return -1
        # Raise the rows of the tree and lower its columns until the nearest column is tight.
        u[start] += delta
        for j in range(m):
            if in_tree[j]:
                u[col_to_row[j]] += delta
                v[j] -= delta
            else:
                slack[j] -= delta
        in_tree[nearest] = True
        row, last = col_to_row[nearest], nearest
    while last >= 0:
        before = parent[last]
        col_to_row[last] = start if before < 0 else col_to_row[before]
        last = before
    return scanned


@functools.cache
def _compiled() -> Augment:
    """Return the search as machine code. Numba takes half a second to import, so it is only imported here."""
    import numba

    try:
        return numba.njit(cache=True)(_augment)
    except RuntimeError:  # the code cannot be cached, neither beside this file nor in the user's cache
        return numba.njit(_augment)
