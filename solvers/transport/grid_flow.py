"""Minimum cost flow on a grid for exact transport at city block cost, in C."""

from __future__ import annotations

import math

import numpy as np

from lapmark.solvers.costs import GridCost
from lapmark.solvers.costs.exact_sums import unit_of
from lapmark.solvers.deadline import Deadline
from lapmark.solvers.errors import TimeLimit
from lapmark.solvers.native import InstructionSet, _transport
from lapmark.solvers.problem import Transport, require_exact
from lapmark.solvers.registry import Capabilities, register
from lapmark.solvers.result import Plan

from .network_simplex import DUST


@register(
    "grid-flow",
    Capabilities(
        exact=True,
        problem="transport",
        costs={"grid"},
        rectangular=True,
        duals=True,
        time_limit=True,
        counters={"searches", "lifts", "augmentations"},
        family="primal-dual flow",
        source="H. Ling, K. Okada (2007); L. R. Ford, D. R. Fulkerson (1962); E. A. Dinic (1970); see "
        "docs/how-solvers-work.md",
    ),
)
def grid_flow(problem: Transport, time_limit: float | None = None, isa: InstructionSet | None = None) -> Plan:
    """Solve transport between the cells of a grid to the optimum, in O(cells) memory.

    Returns
    -------
    Plan
        Optimal duals, f_i = φ_i and g_j = −φ_j for a height φ of each cell, by which neighbours differ by at most a
        step. Mass that both sides have in a cell stays there.

    Raises
    ------
    Unsupported
        If the problem has a blur or a reach.
    TimeLimit
        With the bound of the heights so far.
    """
    require_exact(problem, "grid-flow")
    deadline, cost = Deadline(time_limit), problem.cost
    assert isinstance(cost, GridCost)
    deadline.check(problem.shape)
    (rows, columns), (a, b) = cost.cells, problem.masses
    supply, demand = (np.zeros(math.prod(cost.grid)) for _ in range(2))
    supply[rows], demand[columns] = a, b
    unit, steps = _in_units(cost)
    height, pairs, counters = _transport.grid(
        np.array(cost.grid, dtype=np.int64), steps, supply, demand, deadline.left, isa
    )
    phi = height * unit
    f, g = phi[rows], -phi[columns]
    if pairs is None:
        raise TimeLimit(deadline.seconds, problem.shape, float(f @ a + g @ b))
    i, j, moved = pairs
    kept = moved > DUST * np.minimum(supply[i], demand[j])
    row_of, column_of = np.empty(len(supply), dtype=np.intp), np.empty(len(demand), dtype=np.intp)
    row_of[rows], column_of[columns] = np.arange(len(rows)), np.arange(len(columns))
    return Plan.from_pairs(problem, row_of[i[kept]], column_of[j[kept]], moved[kept], f, g, counters)


def _in_units(cost: GridCost) -> tuple[float, np.ndarray]:
    """Return a unit of cost, and the steps along the axes as whole numbers of it, (d,) int64.

    The steps are exact if the largest cost is not too large a number then, and otherwise rounded to a relative 2⁻²⁰ /
    2⁵⁸ of it, the most by which the ratio of spacings may reduce their digits.
    """
    spacings = cost.spacings
    if (spacings == spacings[0]).all():
        return float(spacings[0]), np.ones(len(spacings), dtype=np.int64)
    # Twice the largest cost is below this power of two times the limit.
    least = 2.0 ** (math.frexp(cost.diameter)[1] + 1) / _transport.LARGEST_GRID_COST
    unit = max(unit_of(spacings), least)
    return unit, np.rint(spacings / unit).astype(np.int64)
