"""The policy of solver "auto": which of our solvers suits a problem."""

from .costs import GridCost, PointCost
from .problem import Assignment, Problem
from .registry import get

#: Shorter side of a matrix up to which preparation does not pay; for points, the square root of their pairs.
SMALL = 32

#: Points per side from which on a few nodes in their place save more than they cost.
MANY = 1000


def automatic(problem: Problem) -> str:
    """Return the name of the solver that "auto" stands for."""
    if not isinstance(problem, Assignment):
        if problem.blur == 0 and problem.reach is None:
            return "grid-flow" if isinstance(problem.cost, GridCost) and not problem.surplus else "transport"
        few_nodes = isinstance(problem.cost, PointCost) and problem.cost.is_in_space(1, 2)
        return "sinkhorn-multilevel" if few_nodes and min(problem.shape) >= MANY else "sinkhorn"
    n, m = problem.shape
    small = {"dense": min(n, m) <= SMALL, "points": n * m <= SMALL**2}
    if not small.get(problem.cost.kind, False):
        return "cascade"
    return "jv" if get("jv-avx2").missing else "jv-avx2"
