"""Exact transport between the weights of two mixtures: a small dense problem, solved thousands of times in a loop.

It is compiled, so that a compiled loop can call it, and starts from the duals of the previous step, so that most
searches are short. The method is the Hungarian one for transport: shortest augmenting paths from each row, by
Dijkstra's algorithm on reduced costs. For other purposes use `lapmark.solvers`.

If a plan is degenerate, that is, some masses of one side add up to some of the other, its duals are not unique, and
neither is the gradient in the weights. Parts of the plan that share no mass may be shifted against each other, part k
by t_k, as long as t_k − t_l ≤ d_kl, the shortest path over reduced costs. The duals of a solver then depend on the
order of its steps. `centre` picks a mean of extreme ones, t_k = mean over l of (d_kl − d_lk)/2, which depends on the
problem only. In particular, equal mixtures get equal duals and stay at rest.
"""

import numpy as np

from lapmark.bench.util.jit import compiled
from lapmark.solvers import DenseCost, Transport, solve

#: Smaller masses count as 0: the rounding error of a sum of masses of 1.
CRUMB = 2.0**-46

#: Number of costs above which the first duals come from a solver.
MANY_COSTS = 1000


def first_duals(cost: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return duals u, (n,), as a start for the first of many similar problems: optimal ones if it is large."""
    if cost.size <= MANY_COSTS:
        return np.zeros(len(a))
    dual = solve(Transport(DenseCost(cost), a, b, blur=0), "transport").f
    return np.array(dual)


@compiled
def optimal_plan(
    cost: np.ndarray, a: np.ndarray, b: np.ndarray, u: np.ndarray, v: np.ndarray, plan: np.ndarray
) -> None:
    """Find the cheapest plan between masses of sum 1, and duals u_i + v_j ≤ c_ij, with equality for moved mass.

    Parameters
    ----------
    cost : (n, m) float64
    a, b : (n,) and (m,) float64
        Masses, each side of sum 1.
    u : (n,) float64
        Any start, such as the duals of a similar problem; overwritten by the duals of the rows.
    v : (m,) float64, and plan : (n, m) float64
        Overwritten.
    """
    n, m = cost.shape
    supply, demand = a.copy(), b.copy()
    row_depth, depth = np.empty(n), np.empty(m)
    row_from, column_from = np.empty(n, np.int64), np.empty(m, np.int64)
    done = np.empty(m, np.bool_)
    for j in range(m):
        v[j] = np.inf
        for i in range(n):
            v[j] = min(v[j], cost[i, j] - u[i])
    flow = np.zeros((m, n))  # by column, as the search reads it
    for start in range(n):
        while supply[start] > CRUMB / n:
            end = _nearest_demand(
                start, cost, u, v, flow, demand, CRUMB / (n * m), row_depth, depth, row_from, column_from, done
            )
            if end < 0:
                break
            for i in range(n):
                if row_depth[i] < depth[end]:
                    u[i] += depth[end] - row_depth[i]
            for j in range(m):
                if depth[j] < depth[end]:
                    v[j] -= depth[end] - depth[j]
            moved, i, j = min(supply[start], demand[end]), column_from[end], end
            while i != start:
                j = row_from[i]
                moved = min(moved, flow[j, i])
                i = column_from[j]
            supply[start] -= moved
            demand[end] -= moved
            i, j = column_from[end], end
            while True:
                flow[j, i] += moved
                if i == start:
                    break
                j = row_from[i]
                flow[j, i] -= moved
                i = column_from[j]
    for i in range(n):
        for j in range(m):
            plan[i, j] = flow[j, i]


@compiled
def _nearest_demand(
    start: int,
    cost: np.ndarray,
    u: np.ndarray,
    v: np.ndarray,
    flow: np.ndarray,
    demand: np.ndarray,
    crumb: float,
    row_depth: np.ndarray,
    depth: np.ndarray,
    row_from: np.ndarray,
    column_from: np.ndarray,
    done: np.ndarray,
) -> int:
    """Return the column with demand at the least reduced cost from a row, −1 if there is none; write the paths."""
    n, m = cost.shape
    row_depth[:] = np.inf
    depth[:] = np.inf
    done[:] = False
    row_depth[start] = 0.0
    _look_from(start, cost, u, v, row_depth, depth, column_from, done)
    while True:
        near = -1
        for j in range(m):
            if not done[j] and (near < 0 or depth[j] < depth[near]):
                near = j
        if near < 0 or demand[near] > crumb:
            return near
        done[near] = True
        for i in range(n):
            if flow[near, i] > crumb and row_depth[i] == np.inf:
                row_depth[i] = depth[near]
                row_from[i] = near
                _look_from(i, cost, u, v, row_depth, depth, column_from, done)


@compiled
def _look_from(
    i: int,
    cost: np.ndarray,
    u: np.ndarray,
    v: np.ndarray,
    row_depth: np.ndarray,
    depth: np.ndarray,
    column_from: np.ndarray,
    done: np.ndarray,
) -> None:
    for j in range(len(depth)):
        if not done[j]:
            way = row_depth[i] + max(cost[i, j] - u[i] - v[j], 0.0)
            if way < depth[j]:
                depth[j] = way
                column_from[j] = i


@compiled
def centre(cost: np.ndarray, u: np.ndarray, v: np.ndarray, plan: np.ndarray) -> bool:
    """Replace the duals of a degenerate plan by a centre of all optimal ones; return whether it was degenerate.

    Rows and columns without mass do not affect the centre; their duals become the largest feasible ones.
    """
    n, m = cost.shape
    row_part, column_part, parts = _parts(plan)
    if parts <= 1:
        return False
    way = np.full((parts, parts), np.inf)
    for k in range(parts):
        way[k, k] = 0.0
    for i in range(n):
        for j in range(m):
            k, t = row_part[i], column_part[j]
            if k >= 0 and t >= 0:
                way[k, t] = min(way[k, t], max(cost[i, j] - u[i] - v[j], 0.0))
    for via in range(parts):
        for k in range(parts):
            for t in range(parts):
                way[k, t] = min(way[k, t], way[k, via] + way[via, t])
    for i in range(n):
        if row_part[i] >= 0:
            u[i] += (way[row_part[i]] - way[:, row_part[i]]).mean() / 2
    for j in range(m):
        if column_part[j] >= 0:
            v[j] -= (way[column_part[j]] - way[:, column_part[j]]).mean() / 2
        else:
            v[j] = np.inf
            for i in range(n):
                if row_part[i] >= 0:
                    v[j] = min(v[j], cost[i, j] - u[i])
    for i in range(n):
        if row_part[i] < 0:
            u[i] = (cost[i] - v).min()
    return True


@compiled
def _parts(plan: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Return the connected part of the plan of each row and column, −1 without mass, and the number of parts."""
    n, m = plan.shape
    row_part, column_part = np.full(n, -1), np.full(m, -1)
    waiting, parts = np.empty(n + m, np.int64), 0
    for seed in range(n):
        if row_part[seed] >= 0 or plan[seed].max() <= CRUMB:
            continue
        row_part[seed] = parts
        waiting[0], left = seed, 1
        while left > 0:
            left -= 1
            node = waiting[left]
            for other in range(m if node < n else n):
                i, j = (node, other) if node < n else (other, node - n)
                if plan[i, j] > CRUMB:
                    if node < n and column_part[j] < 0:
                        column_part[j] = parts
                        waiting[left] = n + j
                        left += 1
                    elif node >= n and row_part[i] < 0:
                        row_part[i] = parts
                        waiting[left] = i
                        left += 1
        parts += 1
    return row_part, column_part, parts
