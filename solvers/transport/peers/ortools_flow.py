"""OR-tools' min-cost flow: Goldberg's cost-scaling push-relabel method, on integer masses and costs."""

import numpy as np

from lapmark.solvers.assignment.peers.ortools import integral
from lapmark.solvers.errors import Infeasible
from lapmark.solvers.problem import Transport, require_exact
from lapmark.solvers.registry import Capabilities, register
from lapmark.solvers.result import Plan
from lapmark.solvers.validation import ROUNDING


@register(
    "ortools-flow",
    Capabilities(
        exact=True,
        problem="transport",
        rectangular=True,
        forbidden=True,
        partial=True,
        dtypes={"float32", "float64"},
        family="cost-scaling push-relabel",
        source="A. V. Goldberg, J. Algorithms 22 (1997) 1–29",
    ),
    requires=("ortools",),
)
def ortools_flow(problem: Transport) -> Plan:
    """Solve in int64: masses in units of 2⁻⁶⁰ of their sum, costs in steps of about (n + m + 1)² 2⁻⁶⁰ of their range.

    The answer is optimal up to such a step times the mass. There are no duals.
    """
    from ortools.graph.python.min_cost_flow import SimpleMinCostFlow

    require_exact(problem, "ortools-flow")
    n, m = problem.shape
    matrix, surplus = problem.cost.dense(), problem.surplus
    supply, demand, unit = whole_masses(*problem.masses, surplus != 0)
    rows, columns = np.nonzero(np.isfinite(matrix))
    solver = SimpleMinCostFlow()
    arcs = solver.add_arcs_with_capacity_and_unit_cost(
        rows.astype(np.int32),
        (n + columns).astype(np.int32),
        np.minimum(supply[rows], demand[columns]),
        integral(matrix[rows, columns].astype(np.float64), n + m),
    )
    solver.set_nodes_supplies(np.arange(n + m, dtype=np.int32), np.concatenate([supply, -demand]))
    # With forbidden pairs, masses that differ by a few units would be infeasible.
    status = solver.solve_max_flow_with_min_cost() if surplus or problem.cost.forbids else solver.solve()
    if status != solver.OPTIMAL:
        raise RuntimeError(f"ortools-flow stopped with {status}")
    moved, due = solver.flows(arcs), min(int(supply.sum()), int(demand.sum()))
    if int(moved.sum()) < due * (1 - ROUNDING):
        raise Infeasible(f"ortools-flow moved {moved.sum() / due:.9g} of the mass; the allowed pairs carry no more")
    some = moved > n + m
    return Plan.from_pairs(problem, rows[some], columns[some], moved[some] * unit)


def whole_masses(a: np.ndarray, b: np.ndarray, partial: bool) -> tuple[np.ndarray, np.ndarray, float]:
    """Return masses as int64, in units of about 2⁻⁶⁰ of the larger sum, and the mass of a unit.

    Their sums are made equal unless `partial`.
    """
    unit = max(float(a.sum()), float(b.sum())) * 2.0**-60
    supply, demand = (
        np.where(masses > 0, np.maximum(np.rint(masses / unit), 1), 0).astype(np.int64) for masses in (a, b)
    )
    over = int(supply.sum() - demand.sum())
    if not partial:
        fewer = demand if over > 0 else supply
        fewer[np.argmax(fewer)] += abs(over)
    return supply, demand, unit
