"""Shortest augmenting paths in plain NumPy: one row after another is matched along the cheapest alternating path."""

import numpy as np

from lapmark import Assignment, Capabilities, DenseCost, Matching, register


@register(
    "example",
    Capabilities(
        exact=True,
        rectangular=True,
        duals=True,
        dtypes={"float32", "float64"},
        family="shortest augmenting path",
        source="J. Edmonds, R. M. Karp, Journal of the ACM 19 (1972) 248–264",
    ),
)
def example(problem: Assignment, *, last_first: bool = False) -> Matching:
    """Takes O(n³) time; rows are matched in their order, or `last_first`."""
    n, m = problem.shape
    if n > m:
        mirrored = example(Assignment(DenseCost(problem.cost.dense().T)), last_first=last_first)
        row_to_col = np.full(n, -1, dtype=np.intp)
        row_to_col[mirrored.row_to_col] = np.arange(m)
        return Matching.of(problem, row_to_col, mirrored.v, mirrored.u)
    cost = problem.cost.dense().astype(np.float64)
    u, v = np.zeros(n), np.zeros(m)
    row_to_col, col_to_row = np.full(n, -1, dtype=np.intp), np.full(m, -1, dtype=np.intp)
    for start in range(n)[:: -1 if last_first else 1]:
        shortest, parent, done = np.full(m, np.inf), np.full(m, -1), np.zeros(m, dtype=bool)
        row, reached, tree = start, 0.0, []
        while row >= 0:
            tree.append(row)
            path = reached + cost[row] - u[row] - v
            better = ~done & (path < shortest)
            shortest[better], parent[better] = path[better], row
            col = int(np.argmin(np.where(done, np.inf, shortest)))
            reached, done[col], row = shortest[col], True, col_to_row[col]
        u[start] += reached
        u[tree[1:]] += reached - shortest[row_to_col[tree[1:]]]
        v[done] -= reached - shortest[done]
        while col >= 0:
            row = parent[col]
            col_to_row[col] = row
            col, row_to_col[row] = row_to_col[row], col
            if row == start:
                break
    return Matching.of(problem, row_to_col, u, v)
