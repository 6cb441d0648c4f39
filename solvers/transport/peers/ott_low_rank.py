"""OTT-JAX's `LRSinkhorn`: the cheapest plan among those of a low rank, for points at squared distance. Approximate."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from lapmark.solvers.problem import Transport
from lapmark.solvers.registry import register
from lapmark.solvers.result import Plan

from .pot_low_rank import low_rank_capabilities, low_rank_plan, low_rank_points


@register(
    "ott-low-rank",
    low_rank_capabilities("https://github.com/ott-jax/ott", compiles=True),
    requires=("ott-jax", "jax"),
)
def ott_low_rank(problem: Transport, rank: int = 10) -> Plan:
    """Solve float32 points in float32, and all others in float64, by mirror descent from a random start.

    `rank` bounds the rank of the plan; ε is that of the entropy of its factors. All other settings are the package's.
    """
    import jax

    cost, (a, b) = low_rank_points(problem, "ott-low-rank"), problem.masses
    dtype = np.float32 if np.result_type(cost.x, cost.y) == np.float32 else np.float64
    x, y = (np.asarray(points, np.float64) for points in (cost.x[a > 0], cost.y[b > 0]))
    center = x.mean(axis=0)
    with jax.enable_x64(dtype is np.float64):
        arrays = [np.asarray(each, dtype) for each in (x - center, y - center, a[a > 0] / a.sum(), b[b > 0] / b.sum())]
        run = _compiled(min(rank, len(x), len(y)), problem.epsilon / cost.scale)
        q, r, g = (np.asarray(each, np.float64) for each in run(arrays))
    return low_rank_plan(problem, q, r, g)


@functools.cache
def _compiled(rank: int, epsilon: float) -> Callable[[list[np.ndarray]], Any]:
    import jax
    from ott.geometry.pointcloud import PointCloud
    from ott.problems.linear.linear_problem import LinearProblem
    from ott.solvers.linear.sinkhorn_lr import LRSinkhorn

    @jax.jit
    def run(arrays: list[Any]) -> tuple[Any, Any, Any]:
        x, y, a, b = arrays
        out = LRSinkhorn(rank, epsilon=epsilon)(LinearProblem(PointCloud(x, y), a, b))
        return out.q, out.r, out.g

    return run
