"""POT's `lowrank_sinkhorn`: the cheapest plan among those of a low rank, for points at squared distance. Approximate.

The plan is Q diag(1 / g) Rᵀ with factors of n · rank and m · rank numbers. The harness judges plans entry by entry, so
that all n · m are made of them, inside the clock.
"""

import warnings

import numpy as np

from lapmark.solvers.costs import PointCost
from lapmark.solvers.errors import Unsupported
from lapmark.solvers.problem import Transport
from lapmark.solvers.registry import Capabilities, register
from lapmark.solvers.result import Plan

SOURCE = "M. Scetbon, M. Cuturi, G. Peyré, ICML 2021"


def low_rank_capabilities(package: str, compiles: bool = False) -> Capabilities:
    """Return what the solvers of low rank share, with the address of one's package, and whether it compiles."""
    return Capabilities(
        exact=False,
        problem="transport",
        costs={"points"},
        dtypes={"float32", "float64"},
        compiles=compiles,
        family="low rank",
        source=f"{SOURCE}; {package}",
        curve={"rank": (10, 100)},
    )


def low_rank_points(problem: Transport, solver: str) -> PointCost:
    """Return the cost of a balanced problem of points at squared distance; Unsupported for any other."""
    cost = problem.cost
    assert isinstance(cost, PointCost)
    if cost.p != 2:
        raise Unsupported(f"{solver} takes squared distances (p = 2) only, not p = {cost.p:g}")
    if problem.reach is not None:
        raise Unsupported(f"{solver} is for balanced problems, without a reach")
    return cost


def low_rank_plan(problem: Transport, q: np.ndarray, r: np.ndarray, g: np.ndarray) -> Plan:
    """Return the plan Q diag(1 / g) Rᵀ between masses of sum 1, scaled to those of the problem."""
    from scipy.sparse import csr_array

    a, b = problem.masses
    full = np.zeros(problem.shape)
    full[np.ix_(a > 0, b > 0)] = float(a.sum()) * (q / g) @ r.T
    return Plan.of(problem, csr_array(full))


@register("pot-low-rank", low_rank_capabilities("https://github.com/PythonOT/POT"), requires=("pot",))
def pot_low_rank(problem: Transport, rank: int = 10, stop: float = 1e-2) -> Plan:
    """Solve by mirror descent, with ε in the entropy of the factors, from the package's random start of a fixed seed.

    `rank` bounds the rank of the plan. `stop` is the error of both marginals at which each step stops; the package's
    default, 1e-7, takes ten times as long for plans of about the same cost.
    """
    from ot.lowrank import lowrank_sinkhorn

    cost, (a, b) = low_rank_points(problem, "pot-low-rank"), problem.masses
    x, y = cost.x[a > 0].astype(np.float64), cost.y[b > 0].astype(np.float64)
    center = x.mean(axis=0)  # its costs are |x|² − 2 x·y + |y|²
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", UserWarning)  # its inner iteration may end early; the plan shows by how much
        q, r, g = lowrank_sinkhorn(
            x - center,
            y - center,
            a[a > 0] / a.sum(),
            b[b > 0] / b.sum(),
            reg=problem.epsilon / cost.scale,
            rank=rank,
            stopThr=stop,
        )
    return low_rank_plan(problem, q, r, g)
