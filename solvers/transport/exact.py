"""Exact transport by the network simplex, in C: on points coarse to fine, on a matrix from its cheapest pairs."""

from __future__ import annotations

import numpy as np

from ..deadline import Deadline
from ..minima import column_minima, row_minima
from ..native import _native, _transport
from ..problem import Cost, DenseCost, PointCost, TimeLimit, Transport, Unsupported
from ..registry import Capabilities, register
from ..result import Plan
from ..wide import BOUND_SECONDS, float_matrix

#: Masses become whole numbers of about this sum, so that ties are ties and the flows of a tree are exact.
WHOLE = 2.0**60


@register(
    "transport",
    Capabilities(
        exact=True,
        problem="transport",
        costs={"dense", "points"},
        rectangular=True,
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

    Points at distance or squared distance in up to 3 dimensions take O(n + m) memory; any other cost is taken as a
    matrix.

    Returns
    -------
    Plan
        At most n + m − 1 pairs that mass is moved between, and optimal duals: f_i + g_j ≤ c_ij, with equality on them.

    Raises
    ------
    Unsupported
        Where the problem has a blur or a reach.
    TimeLimit
        With the bound that is known by then.
    """
    if problem.blur > 0 or problem.reach is not None:
        raise Unsupported("solver transport moves all mass, and without a blur; give blur=0 and no reach")
    import scipy.sparse

    deadline, a, b = Deadline(time_limit), problem.a, problem.b
    assert a is not None
    assert b is not None
    # What has no mass takes no part; its duals are those that fit.
    rows, columns = np.flatnonzero(a), np.flatnonzero(b)
    supply, demand = whole_masses(a[rows], b[columns])
    cost = part_of(problem.cost, rows, columns)
    if isinstance(cost, PointCost) and (points := cost.in_space(1, 2)):
        seconds = deadline.left
        f, g, pairs, counters = _transport.points(*points, int(cost.p), cost.scale, supply, demand, avx2, seconds)
    else:
        matrix = float_matrix(cost, deadline, dtype=np.float64)
        seconds = deadline.left_before(BOUND_SECONDS * matrix.size)
        f, g, pairs, counters = _transport.dense(matrix, supply, demand, avx2, seconds)
    if pairs is None:
        bound = row_minima(cost, g) @ a[rows] + g @ b[columns]
        raise TimeLimit(deadline.seconds, problem.shape, float(bound))
    u, v = np.empty(len(a)), np.empty(len(b))
    u[rows], v[columns] = f, g
    idle = np.flatnonzero(a == 0), np.flatnonzero(b == 0)
    u[idle[0]] = row_minima(part_of(problem.cost, idle[0], columns), g)
    v[idle[1]] = column_minima(part_of(problem.cost, np.arange(len(a)), idle[1]), u)
    # Units that only the rounding of masses has put on their way are left out.
    i, j, shipped = pairs
    kept = shipped > len(a) + len(b)
    mass = shipped[kept] * (float(a.sum()) / float(supply.sum()))
    moved = scipy.sparse.csr_array((mass, (rows[i[kept]], columns[j[kept]])), shape=problem.shape)
    return Plan.of(problem, moved, u, v, counters)


def part_of(cost: Cost, rows: np.ndarray, columns: np.ndarray) -> Cost:
    """The cost between some of its rows and some of its columns, in ascending order."""
    n, m = cost.shape
    if (len(rows), len(columns)) == (n, m):
        return cost
    if isinstance(cost, PointCost):
        return PointCost(cost.x[rows], cost.y[columns], cost.p, cost.scale)
    return DenseCost.trusted(cost.dense()[np.ix_(rows, columns)], cost.forbids)


def whole_masses(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Masses above 0 as whole numbers above 0 of the same sum, int64, in proportion to 2⁻⁶⁰ of the sum.

    What rounding leaves goes to the largest masses, one by one, so that equal masses stay equal but for one unit.
    """
    whole = [np.maximum(np.rint(masses * (WHOLE / masses.sum())).astype(np.int64), 1) for masses in (a, b)]
    less, more = sorted(whole, key=lambda masses: int(masses.sum()))
    missing = int(more.sum() - less.sum())
    each, rest = divmod(missing, len(less))
    less += each
    less[np.argsort(-less, kind="stable")[:rest]] += 1
    return whole[0], whole[1]
