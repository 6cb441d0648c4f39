"""Network simplex for exact transport, in C: coarse to fine on points, from the cheapest pairs on a matrix."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

import numpy as np

from lapmark.solvers.certificate.hall_proof import mass_shortage
from lapmark.solvers.costs import GridCost, PointCost
from lapmark.solvers.costs.c_transform import all_duals, fitted
from lapmark.solvers.costs.float_matrix import float_matrix
from lapmark.solvers.costs.one_dimension import Line
from lapmark.solvers.costs.sparse import allowed_pairs
from lapmark.solvers.deadline import BOUND_SECONDS, Deadline
from lapmark.solvers.errors import TimeLimit
from lapmark.solvers.native import InstructionSet, _transport
from lapmark.solvers.problem import Transport, require_exact
from lapmark.solvers.registry import Capabilities, register
from lapmark.solvers.result import Plan
from lapmark.solvers.validation import ROUNDING

from .histograms import solve_alone
from .plan_refinement import refined_plan

if TYPE_CHECKING:
    from scipy.sparse import csr_array

#: Number of pairs up to which the simplex starts from all of them, for a matrix and for points.
SMALL = 2**17

#: Largest shipment that is rounding, as a part of the masses at both ends; as in `solvers/native/masses.h`.
DUST = 2.0**-44


@register(
    "transport",
    Capabilities(
        exact=True,
        problem="transport",
        costs={"dense", "points", "sparse"},
        rectangular=True,
        forbidden=True,
        partial=True,
        dtypes={"float32", "float64"},
        duals=True,
        time_limit=True,
        counters={"pivots", "arcs", "rounds"},
        family="network simplex",
        source="W. H. Cunningham (1976); M. D. Grigoriadis (1986); B. Schmitzer (2016); see docs/how-solvers-work.md",
    ),
)
def transport(problem: Transport, time_limit: float | None = None, isa: InstructionSet | None = None) -> Plan:
    """Solve a transport problem without a blur to the optimum.

    Points at distance or squared distance in up to 3 dimensions take O(n + m) memory; costs with forbidden pairs become
    a list of the allowed ones; any other cost, and points with a surplus, become a matrix.

    Returns
    -------
    Plan
        At most n + m − 1 pairs that move mass, and optimal duals: f_i + g_j ≤ c_ij, with equality on these pairs. On
        the side that keeps a surplus they are ≤ 0, and 0 for rows or columns that keep mass.

    Raises
    ------
    Unsupported
        If the problem has a blur or a reach.
    Infeasible
        If the allowed pairs cannot carry all that must move, by more than rounding; with a proof.
    TimeLimit
        With the best bound so far.
    """
    require_exact(problem, "transport")
    deadline = Deadline(time_limit)
    plan = _of_needed_pairs(problem, deadline, isa)
    return refined_plan(problem, plan, lambda posed: _of_needed_pairs(posed, deadline, isa))


def _of_needed_pairs(problem: Transport, deadline: Deadline, isa: InstructionSet | None) -> Plan:
    """Return the cheapest plan up to rounding, without pairs whose size would spoil the duals."""
    plan = _search(problem, deadline, isa)
    if (most := _dwarfing(problem, plan)) is None:
        return plan
    without = problem.cost.up_to(most)
    return _search(dataclasses.replace(problem, cost=without), deadline, isa)


#: Ratio of duals to the costs of a plan above which even twice the precision loses digits.
DWARFING = 2.0**70


def _dwarfing(problem: Transport, plan: Plan) -> float | None:
    """Return the cost above which to leave pairs out, because no plan needs them and they spoil the duals; or None."""
    assert plan.mass is not None
    if isinstance(problem.cost, PointCost):
        return None
    moved = plan.mass.tocoo()
    paid = float(np.abs(problem.cost.entries(*moved.coords)).max(initial=0.0))
    largest = max(float(np.abs(dual).max()) for dual in plan.duals)
    return DWARFING / 2 * paid if paid > 0 and largest > DWARFING * paid else None


def _search(problem: Transport, deadline: Deadline, isa: InstructionSet | None) -> Plan:
    """Return the cheapest plan, up to rounding."""
    (n, m), cost, surplus = problem.shape, problem.cost, problem.surplus
    in_space = isinstance(cost, PointCost) and not surplus and cost.in_space(1, 2) is not None
    if n * m <= SMALL and not cost.forbids:
        deadline.check((n, m))
        return solve_alone(problem, isa)
    a, b = problem.masses
    # Rows and columns without mass take no part; their duals follow from the others.
    rows, columns = np.flatnonzero(a), np.flatnonzero(b)
    supply, demand, cost = a[rows], b[columns], cost.part(rows, columns)
    if surplus:
        # The surplus goes to a spare row or column at no cost. Masses above all of the other side are cut to twice
        # that, which changes no plan and keeps the digits of the others.
        most = 2 * min(supply.sum(), demand.sum())
        supply, demand = np.minimum(supply, most), np.minimum(demand, most)
        spare = abs(math.fsum(supply) - math.fsum(demand))
        supply, demand = (supply, np.append(demand, spare)) if surplus > 0 else (np.append(supply, spare), demand)
    if not surplus and (line := Line.of(cost)):
        f, g, pairs = line.ship(supply, demand, deadline.left) or (np.zeros(len(rows)), np.zeros(len(columns)), None)
        counters: dict[str, int] = {}
    elif isinstance(cost, PointCost) and in_space and (points := cost.in_space(1, 2)):
        seconds = deadline.left
        f, g, pairs, counters = _transport.points(*points, int(cost.p), cost.scale, supply, demand, seconds, isa)
    elif isinstance(cost, GridCost) and not surplus and math.prod(cost.shape) <= SMALL:
        few = solve_alone(Transport(cost, supply, demand), isa)
        assert few.mass is not None
        (f, g), counters, between = few.duals, dict(few.counters), few.mass.tocoo()
        pairs = (*between.coords, between.data)
    elif cost.forbids:
        allowed = _with_spare(allowed_pairs(cost), surplus)
        seconds = deadline.left_before(BOUND_SECONDS * cost.shape[0] * cost.shape[1])
        try:
            f, g, pairs, counters = _transport.sparse(*allowed, supply, demand, ROUNDING, seconds, isa)
        except _transport.Stuck as stuck:
            raise mass_shortage(problem, rows, columns, *stuck.args) from None
    else:
        matrix = np.pad(float_matrix(cost, deadline, dtype=np.float64), ((0, surplus < 0), (0, surplus > 0)))
        seconds = deadline.left_before(BOUND_SECONDS * matrix.size)
        f, g, pairs, counters = _transport.dense(matrix, supply, demand, seconds, isa)
    end = -g[-1] if surplus > 0 else f[-1] if surplus < 0 else 0.0
    f, g = f[: len(rows)] - end, g[: len(columns)] + end
    if pairs is None:
        f, g = fitted(cost, f, g, surplus)
        raise TimeLimit(deadline.seconds, problem.shape, float(f @ a[rows] + g @ b[columns]))
    u, v = all_duals(problem.cost, rows, columns, f, g, surplus)
    # Shipments that are rounding of masses are left out, and those to a spare.
    i, j, moved = pairs
    kept = (moved > DUST * np.minimum(supply[i], demand[j])) & (i < len(rows)) & (j < len(columns))
    i, j, moved = rows[i[kept]], columns[j[kept]], moved[kept]
    if problem.cost.forbids:
        allowed = np.isfinite(problem.cost.entries(i, j))
        i, j, moved = i[allowed], j[allowed], moved[allowed]
    return Plan.from_pairs(problem, i, j, moved, u, v, counters)


def _with_spare(pairs: csr_array, surplus: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the arrays of a CSR matrix, with a free spare column or row for a surplus of the rows or columns."""
    n, m = pairs.shape
    begin, columns, costs = pairs.indptr.astype(np.int64), pairs.indices, pairs.data
    if surplus > 0:
        columns, costs = (np.insert(each, begin[1:], spare) for each, spare in ((columns, m), (costs, 0)))
        begin = begin + np.arange(n + 1)
    elif surplus < 0:
        columns, costs = np.append(columns, np.arange(m)), np.append(costs, np.zeros(m))
        begin = np.append(begin, begin[-1] + m)
    return begin, columns.astype(np.int32), costs.astype(np.float64)
