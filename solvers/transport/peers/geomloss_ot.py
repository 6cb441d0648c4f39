"""GeomLoss's newer interface, `geomloss.ot`: `solve` on a matrix, `solve_sample` on points, by PyTorch.

Like `SamplesLoss`, it follows a schedule of ε without testing convergence, here of as many steps as it is given; only
the potentials are asked for, so that a plan states neither cost nor error. Its NumPy form takes several times as long.
"""

from typing import Any

import numpy as np

from lapmark.solvers.costs import PointCost
from lapmark.solvers.errors import Unsupported
from lapmark.solvers.problem import Transport, require_blur
from lapmark.solvers.registry import Capabilities, register
from lapmark.solvers.result import Plan

from .geomloss import without_compiler


def capabilities(costs: str) -> Capabilities:
    """Return what both functions can do, and the kind of cost of one."""
    return Capabilities(
        exact=False,
        problem="transport",
        costs={costs},
        dtypes={"float32", "float64"},
        family="entropic",
        source="J. Feydy, thesis (2020), section 3.3; https://github.com/jeanfeydy/geomloss",
        curve={"steps": (20, 100)},
    )


@register("geomloss-solve", capabilities("dense"), requires=("geomloss", "torch"))
def geomloss_solve(problem: Transport, steps: int = 100) -> Plan:
    """Solve on the matrix: O(n m) memory, and several times that of the matrix."""
    from geomloss import ot

    return _answer(problem, "geomloss-solve", ot.solve, [problem.cost.dense()], 1.0, steps)


@register(
    "geomloss-solve-sample",
    capabilities("points"),
    requires=("geomloss", "torch", "pykeops"),
    condition=without_compiler,
)
def geomloss_solve_sample(problem: Transport, steps: int = 100) -> Plan:
    """Solve for points at squared distance by KeOps, which stores no matrix: O(n + m) memory."""
    from geomloss import ot

    cost = problem.cost
    assert isinstance(cost, PointCost)
    if cost.p != 2:
        raise Unsupported(f"geomloss-solve-sample takes squared distances (p = 2) only, not p = {cost.p:g}")
    return _answer(problem, "geomloss-solve-sample", ot.solve_sample, [cost.x, cost.y], cost.scale, steps)


def _answer(problem: Transport, solver: str, function: Any, arrays: list[np.ndarray], unit: float, steps: int) -> Plan:
    """Return the potentials that one of the functions finds for arrays whose costs are in multiples of `unit`."""
    import torch

    require_blur(problem.blur, solver)
    if steps < 1:
        raise ValueError(f"steps = {steps!r}; it must be at least 1")
    kind = np.result_type(*arrays)
    dtype = np.float32 if kind == np.float32 else np.float64
    parts = [torch.from_numpy(np.array(each, dtype, order="C")) for each in arrays]
    a, b = (torch.from_numpy(each.astype(dtype)) for each in problem.masses)
    rho = None if problem.reach is None else problem.rho / unit
    found = function(*parts, a=a, b=b, reg=problem.epsilon / unit, unbalanced=rho, max_iter=steps)
    f, g = (unit * each.numpy().ravel().astype(np.float64) for each in (found.potential_a, found.potential_b))
    return Plan(np.nan, np.nan, f, g)
