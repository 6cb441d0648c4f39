"""OTT-JAX's `Sinkhorn`: entropic transport in the log domain at one ε, compiled for the shapes of each problem.

Its entropy is relative to 1, and its potentials include the masses; ours is relative to a ⊗ b, with the masses beside
the potentials. In a balanced problem only the potentials differ; with a reach the costs are shifted to compensate.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from lapmark.solvers.costs import PointCost
from lapmark.solvers.problem import Transport, require_blur
from lapmark.solvers.registry import Capabilities, register
from lapmark.solvers.result import Plan


@register(
    "ott",
    Capabilities(
        exact=False,
        problem="transport",
        costs={"dense", "points"},
        dtypes={"float32", "float64"},
        compiles=True,
        family="entropic",
        source="M. Cuturi et al., arXiv:2201.12324; https://github.com/ott-jax/ott",
    ),
    requires=("ott-jax", "jax"),
)
def ott(problem: Transport, stop: float = 1e-3, max_iterations: int = 2000) -> Plan:
    """Solve float32 costs in float32, and all others in float64.

    `stop` is the marginal error at which to stop, the package's `threshold`; both defaults are the package's own.
    Balanced problems of squared distances use its `PointCloud`, all others a matrix. A plan states no cost, because
    that would take the package another pass over all pairs.
    """
    cost, epsilon, (a, b) = problem.cost, problem.epsilon, problem.masses
    require_blur(epsilon, "ott")
    with np.errstate(divide="ignore"):
        log_a, log_b = np.log(a), np.log(b)
    if problem.reach is not None:
        mass = min(float(a.sum()), float(b.sum()))  # the package adds up the errors of both sides
        matrix, tau = cost.dense(), problem.rho / (problem.rho + epsilon)
        shifted = (matrix - epsilon * (log_a[:, None] + log_b)).astype(_type(matrix))
        f, g, error = _run([shifted], a, b, epsilon, tau, stop * mass, max_iterations)
        error /= mass
    else:
        if isinstance(cost, PointCost) and cost.p == 2:
            parts, unit = [cost.x, cost.y], cost.scale
        else:
            parts, unit = [cost.dense()], 1.0
        f, g, error = _run(parts, a / a.sum(), b / b.sum(), epsilon / unit, 1.0, stop, max_iterations)
        f, g = unit * f - epsilon * (log_a - np.log(a.sum())), unit * g - epsilon * log_b
    # Potentials of rows and columns without mass are arbitrary.
    return Plan(np.nan, error, np.where(a > 0, f, 0.0), np.where(b > 0, g, 0.0))


def _type(*arrays: np.ndarray) -> type:
    return np.float32 if np.result_type(*arrays) == np.float32 else np.float64


def _run(
    parts: list[np.ndarray],
    a: np.ndarray,
    b: np.ndarray,
    epsilon: float,
    tau: float,
    threshold: float,
    max_iterations: int,
) -> tuple[np.ndarray, np.ndarray, float]:
    """Return the package's potentials, in float64, and its last error; `parts` is a matrix or two clouds of points."""
    import jax

    dtype = _type(*parts)
    with jax.enable_x64(dtype is np.float64):
        arrays: list[Any] = [np.asarray(each, dtype) for each in (*parts, a, b)]
        f, g, errors = map(np.asarray, _compiled(tau, max_iterations)(arrays, dtype(epsilon), dtype(threshold)))
    reported = errors[errors != -1]
    return f.astype(np.float64), g.astype(np.float64), float(reported[-1]) if len(reported) else np.nan


@functools.cache
def _compiled(tau: float, max_iterations: int) -> Callable[..., Any]:
    import jax
    from ott.geometry.geometry import Geometry
    from ott.geometry.pointcloud import PointCloud
    from ott.problems.linear.linear_problem import LinearProblem
    from ott.solvers.linear.sinkhorn import Sinkhorn

    @jax.jit
    def run(arrays: list[Any], epsilon: Any, threshold: Any) -> tuple[Any, Any, Any]:
        *parts, a, b = arrays
        kind: Any = PointCloud if len(parts) == 2 else Geometry
        geometry = kind(*parts, epsilon=epsilon)
        # Without recentring, potentials with a far reach take thousands of iterations to balance.
        solver = Sinkhorn(threshold=threshold, max_iterations=max_iterations, recenter_potentials=tau < 1)
        out = solver(LinearProblem(geometry, a, b, tau, tau))
        return out.f, out.g, out.errors

    return run
