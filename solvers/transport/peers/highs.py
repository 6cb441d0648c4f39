"""HiGHS, through SciPy: transport as a general linear programme. Slow, but independent."""

import numpy as np

from lapmark.solvers.deadline import Deadline
from lapmark.solvers.errors import Infeasible, TimeLimit
from lapmark.solvers.problem import Transport, require_exact
from lapmark.solvers.registry import Capabilities, register
from lapmark.solvers.result import Plan

#: The smallest tolerance that HiGHS takes, in units of the largest cost and of the mean mass.
TOLERANCE = 1e-10


@register(
    "highs",
    Capabilities(
        exact=True,
        problem="transport",
        rectangular=True,
        forbidden=True,
        partial=True,
        dtypes={"float32", "float64"},
        duals=True,
        time_limit=True,
        family="linear programming",
        source="Q. Huangfu, J. A. J. Hall, Math. Prog. Comput. 10 (2018) 119–142; https://highs.dev",
    ),
    requires=("scipy",),
)
def highs(problem: Transport, time_limit: float | None = None) -> Plan:
    """Solve in float64, with tolerances of 1e-10, in units of the largest cost and of the mean mass.

    Without presolve, which finds nothing to remove in a transport problem and takes longer than the solution.
    """
    from scipy.optimize import linprog
    from scipy.sparse import coo_array

    require_exact(problem, "highs")
    n, m = problem.shape
    deadline, matrix, surplus = Deadline(time_limit), problem.cost.dense(), problem.surplus
    rows, columns = np.nonzero(np.isfinite(matrix))
    if not len(rows):
        raise Infeasible("every pair is forbidden", np.arange(n), np.arange(0))
    costs, masses = matrix[rows, columns].astype(np.float64), np.concatenate(problem.masses)
    of_cost, of_mass = float(np.abs(costs).max()) or 1.0, float(masses.sum()) / (n + m)
    pairs = np.arange(len(rows))
    entries = (np.ones(2 * len(rows)), (np.concatenate([rows, n + columns]), np.concatenate([pairs, pairs])))
    sums = coo_array(entries, shape=(n + m, len(rows))).tocsr()
    keeps = np.repeat([surplus > 0, surplus < 0], [n, m])
    deadline.check(problem.shape)
    answer = linprog(
        costs / of_cost,
        A_ub=sums[keeps] if surplus else None,
        b_ub=masses[keeps] / of_mass if surplus else None,
        A_eq=sums[~keeps],
        b_eq=masses[~keeps] / of_mass,
        method="highs",
        options={
            "primal_feasibility_tolerance": TOLERANCE,
            "dual_feasibility_tolerance": TOLERANCE,
            "presolve": False,
            "time_limit": deadline.left,
        },
    )
    if answer.status == 1:
        raise TimeLimit(deadline.seconds, problem.shape)
    if answer.status == 2:
        raise Infeasible("highs found no plan along the allowed pairs")
    if answer.status != 0:
        raise RuntimeError(f"highs stopped with: {answer.message}")
    duals = np.empty(n + m)
    duals[~keeps] = answer.eqlin.marginals
    duals[keeps] = answer.ineqlin.marginals
    some = answer.x > 0
    moved, (f, g) = answer.x[some] * of_mass, np.split(duals * of_cost, [n])
    return Plan.from_pairs(problem, rows[some], columns[some], moved, f, g)
