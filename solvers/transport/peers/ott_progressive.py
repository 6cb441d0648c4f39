"""OTT-JAX's `ProgOT`: transport in steps, each an entropic plan that moves the points part of the way. Approximate.

Its last plan, from the points on their way, is taken as the plan from where they began. The package's own use is a map
for new points, which is no answer here.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from lapmark.solvers.costs import PointCost
from lapmark.solvers.errors import Unsupported
from lapmark.solvers.problem import Transport
from lapmark.solvers.registry import Capabilities, register
from lapmark.solvers.result import Plan


@register(
    "ott-progressive",
    Capabilities(
        exact=False,
        problem="transport",
        costs={"points"},
        dtypes={"float32", "float64"},
        compiles=True,
        family="entropic",
        source="P. Kassraie et al., NeurIPS 2024; https://github.com/ott-jax/ott",
        curve={"steps": (4, 16)},
    ),
    requires=("ott-jax", "jax"),
)
def ott_progressive(problem: Transport, steps: int = 4) -> Plan:
    """Solve for points of equal masses at squared distance; float32 points in float32, and all others in float64.

    Without a blur each step takes the package's ε, a twentieth of the mean cost at its beginning; with one, all take ε
    = blur². Steps have equal lengths, and start from the potentials of the one before.
    """
    import jax
    from scipy.sparse import csr_array

    cost, (a, b) = problem.cost, problem.masses
    assert isinstance(cost, PointCost)
    if cost.p != 2 or problem.reach is not None or np.ptp(a) or np.ptp(b):
        raise Unsupported("ott-progressive takes equal masses at squared distance (p = 2), without a reach")
    if steps < 1:
        raise ValueError(f"steps = {steps!r}; it must be at least 1")
    dtype = np.float32 if np.result_type(cost.x, cost.y) == np.float32 else np.float64
    center = cost.x.mean(axis=0, dtype=np.float64)
    with jax.enable_x64(dtype is np.float64):
        x, y = (np.asarray(points - center, dtype) for points in (cost.x, cost.y))
        plan = np.asarray(_compiled(steps, problem.epsilon / cost.scale, dtype)(x, y), np.float64)
    return Plan.of(problem, csr_array(float(a.sum()) * plan))


@functools.cache
def _compiled(steps: int, epsilon: float, dtype: type) -> Callable[[np.ndarray, np.ndarray], Any]:
    import jax
    import jax.numpy as jnp
    from ott.geometry.pointcloud import PointCloud
    from ott.problems.linear.linear_problem import LinearProblem
    from ott.tools.progot import ProgOT, get_alpha_schedule

    # It checks its schedule when it is made, which cannot be compiled.
    alphas = get_alpha_schedule("lin", num_steps=steps).astype(dtype)
    solver = ProgOT(alphas, epsilons=jnp.full(steps, epsilon, dtype) if epsilon else None)

    @jax.jit
    def run(x: Any, y: Any) -> Any:
        return solver(LinearProblem(PointCloud(x, y)), warm_start=True).get_output(steps - 1).matrix

    return run
