"""POT's `emd`: network simplex for exact transport, with assignment as the case of unit masses.

It runs on a matrix, on a list of the allowed pairs, or on points whose distances it computes again wherever it needs
them (`pot-emd-lazy`). The package's checks of sums and its centring of duals are left out: on small problems they take
as long as the solution.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from lapmark.solvers.costs import PointCost
from lapmark.solvers.costs.sparse import allowed_pairs
from lapmark.solvers.errors import Infeasible, Unsupported
from lapmark.solvers.problem import Assignment, Problem, Transport, require_exact
from lapmark.solvers.registry import Capabilities, register
from lapmark.solvers.result import Matching, Plan, Result

SOURCE = "N. Bonneel et al., ACM Trans. Graph. 30 (2011) article 158; https://github.com/PythonOT/POT"

#: The package's code for a problem without a plan.
INFEASIBLE = 0

#: What leaves out the package's checks and its centring.
BARE = {"check_marginals": False, "center_dual": False, "log": True}


@register(
    "pot-emd",
    Capabilities(
        exact=True,
        problem="both",
        costs={"dense", "sparse"},
        forbidden=True,
        dtypes={"float32", "float64"},
        duals=True,
        family="network simplex",
        source=SOURCE,
    ),
    requires=("pot",),
)
def pot_emd(problem: Problem, max_pivots: int = 10**9) -> Result:
    """Solve in float64, along the allowed pairs alone if some are forbidden.

    The default `max_pivots` never ends a solve early, unlike the package's default of 10⁵.
    """
    from ot.lp import emd

    a, b, unit = masses(problem, "pot-emd")
    given = allowed_pairs(problem.cost) if problem.cost.forbids else problem.cost.dense()
    flow, log = emd(a, b, given, numItermax=max_pivots, **BARE)
    return answer(problem, "pot-emd", flow, unit, log)


@register(
    "pot-emd-lazy",
    Capabilities(
        exact=True,
        problem="both",
        costs={"points"},
        dtypes={"float32", "float64"},
        duals=True,
        family="network simplex",
        source=SOURCE,
    ),
    requires=("pot",),
)
def pot_emd_lazy(problem: Problem, max_pivots: int = 10**9) -> Result:
    """Solve for points at their distance (p = 1) or its square (p = 2) in O(n + m) memory, with `emd2_lazy`."""
    from ot.lp import emd2_lazy

    cost, (a, b, unit) = points(problem), masses(problem, "pot-emd-lazy")
    metric = {1.0: "euclidean", 2.0: "sqeuclidean"}.get(cost.p)
    if metric is None:
        raise Unsupported(f"pot-emd-lazy takes distances (p = 1) and their squares (p = 2), not p = {cost.p:g}")
    _, log = emd2_lazy(cost.x, cost.y, a, b, metric, numItermax=max_pivots, return_matrix=True, **BARE)
    log["u"], log["v"] = cost.scale * log["u"], cost.scale * log["v"]
    return answer(problem, "pot-emd-lazy", log["G"], unit, log)


@register(
    "pot-emd-1d",
    Capabilities(
        exact=True,
        problem="both",
        costs={"points"},
        dtypes={"float32", "float64"},
        family="sorting",
        source="G. Peyré, M. Cuturi, Computational Optimal Transport (2019), section 2.6; https://github.com/PythonOT/POT",
    ),
    requires=("pot",),
)
def pot_emd_1d(problem: Problem) -> Result:
    """Solve for points on a line and p ≥ 1, where masses keep their order, with `emd_1d`."""
    from ot.lp import emd_1d

    cost, (a, b, unit) = points(problem), masses(problem, "pot-emd-1d")
    if cost.x.shape[1] != 1:
        raise Unsupported(f"pot-emd-1d takes points of one coordinate, not {cost.x.shape[1]}")
    if cost.p < 1:
        raise Unsupported(f"pot-emd-1d takes p ≥ 1, where masses keep their order, not p = {cost.p:g}")
    x, y = (np.ascontiguousarray(each, np.float64) for each in (cost.x, cost.y))
    metric = "sqeuclidean" if cost.p == 2 else "minkowski"
    flow = emd_1d(x, y, a, b, metric, cost.p, dense=False, check_marginals=False)
    return answer(problem, "pot-emd-1d", flow, unit)


def points(problem: Problem) -> PointCost:
    """Return the cost of a problem whose solver takes points only."""
    assert isinstance(problem.cost, PointCost)
    return problem.cost


def masses(problem: Problem, solver: str) -> tuple[np.ndarray, np.ndarray, float]:
    """Return the masses of both sides, 1 each for an assignment, and their unit.

    The package compares sums with an absolute tolerance, for masses that sum to 1. The unit, a power of two, makes them
    do so up to a factor of 2, without rounding.
    """
    if isinstance(problem, Assignment):
        n, m = problem.shape
        return np.ones(n), np.ones(m), 1.0
    require_exact(problem, solver)
    a, b = problem.masses
    unit = float(2.0 ** np.frexp(a.sum())[1])
    return a / unit, b / unit, unit


def answer(
    problem: Problem, solver: str, flow: Any, unit: float, log: Mapping[str, Any] = MappingProxyType({})
) -> Result:
    """Return the package's plan, dense or sparse, and its duals if `log` has some, as a result."""
    from scipy.sparse import csr_array

    if log.get("result_code") == INFEASIBLE:
        if not problem.cost.forbids:
            raise RuntimeError(f"{solver} found no plan, although no pair is forbidden")
        raise Infeasible(f"{solver} found no plan along the allowed pairs")
    if isinstance(problem, Transport):
        return Plan.of(problem, unit * csr_array(flow), log.get("u"), log.get("v"))
    if isinstance(flow, np.ndarray):
        return Matching.of(problem, flow.argmax(axis=1), log.get("u"), log.get("v"))
    moved = flow.data > 0.5
    rows, cols = flow.row[moved], flow.col[moved]
    return Matching.from_pairs(problem, rows, cols, u=log.get("u"), v=log.get("v"))
