"""The policy of solver "auto": which of our solvers suits a problem."""

import math

import numpy as np

from .costs import GridCost, PointCost
from .native._kernels import INSTRUCTION_SETS
from .problem import Assignment, Problem, Transport

#: Shorter side of a matrix up to which preparation does not pay; for points, the square root of their pairs.
SMALL = 32

#: Points per side from which on a few nodes in their place save more than they cost.
MANY = 1000


#: Cells of a grid up to which a flow is always worth it; above, pairs of cells with mass, per cell of the grid, up to
#: which the matrix between these is faster.
FEW_CELLS, FEW_PAIRS = 2048, 16


def automatic(problem: Problem) -> str:
    """Return the name of the solver that "auto" stands for."""
    if not isinstance(problem, Assignment):
        if problem.blur == 0 and problem.reach is None:
            return "grid-flow" if _flows_on_grid(problem) else "transport"
        few_nodes = isinstance(problem.cost, PointCost) and problem.cost.is_in_space(1, 2)
        return "sinkhorn-multilevel" if few_nodes and min(problem.shape) >= MANY else "sinkhorn"
    n, m = problem.shape
    small = {"dense": min(n, m) <= SMALL, "points": n * m <= SMALL**2}
    if not small.get(problem.cost.kind, False):
        return "cascade"
    return "jv" if INSTRUCTION_SETS[-1] == "scalar" else f"jv-{INSTRUCTION_SETS[-1]}"


def _flows_on_grid(problem: Transport) -> bool:
    """Return whether an exact problem is solved as a flow on a grid."""
    if not isinstance(problem.cost, GridCost) or problem.surplus:
        return False
    cells = math.prod(problem.cost.grid)
    held, wanted = (np.count_nonzero(masses) for masses in problem.masses)
    return cells <= FEW_CELLS or int(held) * int(wanted) > FEW_PAIRS * cells
