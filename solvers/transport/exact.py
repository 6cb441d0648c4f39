"""Exact transport by the network simplex, in C: on points coarse to fine, on a matrix from its cheapest pairs."""

from __future__ import annotations

import numpy as np

from ..deadline import Deadline
from ..histograms import solve_alone
from ..minima import column_minima, fitted, row_minima
from ..native import _native, _transport
from ..problem import Cost, DenseCost, PointCost, TimeLimit, Transport, Unsupported
from ..registry import Capabilities, register
from ..result import Plan
from ..wide import BOUND_SECONDS, float_matrix

#: Matrices of at most so many entries are solved from all pairs; points, whose pairs are not looked at one by one, up
#: to fewer.
SMALL, SMALL_OF_POINTS = 2**18, 2**15


@register(
    "transport",
    Capabilities(
        exact=True,
        problem="transport",
        costs={"dense", "points"},
        rectangular=True,
        partial=True,
        dtypes={"float32", "float64"},
        duals=True,
        time_limit=True,
        counters={"pivots", "arcs", "rounds"},
        family="network simplex",
        source="W. H. Cunningham (1976); M. D. Grigoriadis (1986); B. Schmitzer (2016); see METHODOLOGY.md",
    ),
)
def transport(problem: Transport, time_limit: float | None = None, avx2: bool = _native.HAS_AVX2) -> Plan:
    """Solve a transport problem without a blur to the optimum.

    Points at distance or squared distance in up to 3 dimensions take O(n + m) memory; any other cost, and points of
    which some mass is left over, are taken as a matrix.

    Returns
    -------
    Plan
        At most n + m − 1 pairs that mass is moved between, and optimal duals: f_i + g_j ≤ c_ij, with equality on them.
        On the side that keeps a surplus they are ≤ 0, and 0 where something is kept.

    Raises
    ------
    Unsupported
        Where the problem has a blur or a reach.
    TimeLimit
        With the bound that is known by then.
    """
    if problem.blur > 0 or problem.reach is not None:
        raise Unsupported("solver transport moves all mass, and without a blur; give blur=0 and no reach")
    n, m = problem.shape
    deadline, surplus = Deadline(time_limit), problem.surplus
    in_space = isinstance(problem.cost, PointCost) and not surplus and problem.cost.in_space(1, 2) is not None
    if n * m <= (SMALL_OF_POINTS if in_space else SMALL):
        return solve_alone(problem, avx2)
    a, b = problem.a, problem.b
    assert a is not None
    assert b is not None
    # What has no mass takes no part; its duals are those that fit.
    rows, columns = np.flatnonzero(a), np.flatnonzero(b)
    supply, demand, unit = _transport.whole_masses(a[rows], b[columns], surplus != 0)
    cost = part_of(problem.cost, rows, columns)
    if isinstance(cost, PointCost) and not surplus and (points := cost.in_space(1, 2)):
        seconds = deadline.left
        f, g, pairs, counters = _transport.points(*points, int(cost.p), cost.scale, supply, demand, avx2, seconds)
    else:
        matrix = float_matrix(cost, deadline, dtype=np.float64)
        if surplus > 0:
            matrix, demand = np.pad(matrix, ((0, 0), (0, 1))), np.append(demand, supply.sum() - demand.sum())
        elif surplus < 0:
            matrix, supply = np.pad(matrix, ((0, 1), (0, 0))), np.append(supply, demand.sum() - supply.sum())
        seconds = deadline.left_before(BOUND_SECONDS * matrix.size)
        f, g, pairs, counters = _transport.dense(matrix, supply, demand, avx2, seconds)
        # What is left over goes where it costs nothing, at a dual of 0.
        end = -g[-1] if surplus > 0 else f[-1] if surplus < 0 else 0.0
        f, g = f[: len(rows)] - end, g[: len(columns)] + end
    if pairs is None:
        f, g = fitted(cost, f, g, surplus)
        raise TimeLimit(deadline.seconds, problem.shape, float(f @ a[rows] + g @ b[columns]))
    u, v = np.empty(n), np.empty(m)
    u[rows], v[columns] = f, g
    idle = np.flatnonzero(a == 0), np.flatnonzero(b == 0)
    u[idle[0]] = row_minima(part_of(problem.cost, idle[0], columns), g)
    if surplus > 0:
        u = np.minimum(u, 0)
    v[idle[1]] = column_minima(part_of(problem.cost, np.arange(n), idle[1]), u)
    if surplus < 0:
        v = np.minimum(v, 0)
    # Units that only the rounding of masses has put on their way are left out.
    i, j, shipped = pairs
    kept = (shipped > n + m) & (i < len(rows)) & (j < len(columns))
    return Plan.from_pairs(problem, rows[i[kept]], columns[j[kept]], shipped[kept] * unit, u, v, counters)


def part_of(cost: Cost, rows: np.ndarray, columns: np.ndarray) -> Cost:
    """The cost between some of its rows and some of its columns, in ascending order."""
    n, m = cost.shape
    if (len(rows), len(columns)) == (n, m):
        return cost
    if isinstance(cost, PointCost):
        return PointCost(cost.x[rows], cost.y[columns], cost.p, cost.scale)
    return DenseCost.trusted(cost.dense()[np.ix_(rows, columns)], cost.forbids)
