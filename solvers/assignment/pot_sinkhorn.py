"""POT's `sinkhorn` and `sinkhorn_log`: entropic transport at one ε, and assignment by rounding its plan."""

from __future__ import annotations

import numpy as np

from ..problem import Assignment, Problem, Transport, Unsupported
from ..registry import Capabilities, register
from ..result import Matching, Plan, Result
from ..rounding import round_plan
from ..validation import check_number


@register(
    "pot-sinkhorn",
    Capabilities(
        exact=False,
        problem="both",
        dtypes={"float32", "float64"},
        family="entropic",
        source="M. Cuturi, NIPS 2013; https://github.com/PythonOT/POT",
        curve={"blur": (0.1, 0.03)},
    ),
    requires=("pot",),
)
def pot_sinkhorn(problem: Problem, blur: float = 0.03, stop: float | None = None, max_iterations: int = 1000) -> Result:
    """Solves in float64: in the log domain, and an `Assignment` by the package's plain scalings, which are its fastest,
    as long as these do not underflow.

    `blur` and `stop` mean what they do in `sinkhorn`: for an `Assignment`, ε = blur² · (largest − smallest cost) and a
    marginal error of 1e-2 by default; a `Transport` has a blur of its own, and 1e-3. The iterations are as many as
    the package allows itself; the `marginal_error` of a plan says whether they were enough.
    """
    cost = problem.cost.dense().astype(np.float64)
    if isinstance(problem, Assignment):
        epsilon = check_number(blur, "blur", positive=True) ** 2 * float(np.ptp(cost) or 1.0)
        uniform = np.full(len(cost), 1 / len(cost))
        flow = plain_plan(uniform, cost, epsilon, stop or 1e-2, max_iterations)
        if not np.abs(flow.sum(axis=1) - uniform).sum() <= 0.5:  # NaN, or next to nothing moved
            flow, _, _ = entropic_plan(uniform, uniform, cost, epsilon, stop or 1e-2, max_iterations)
        return Matching.of(problem, round_plan(flow, cost))
    return _transport(problem, cost, stop or 1e-3, max_iterations)


def _transport(problem: Transport, cost: np.ndarray, stop: float, max_iterations: int) -> Plan:
    a, b, epsilon = problem.a, problem.b, problem.epsilon
    assert a is not None
    assert b is not None
    if epsilon == 0 or problem.reach is not None:
        raise Unsupported("pot-sinkhorn solves balanced transport with a blur above 0 only")
    total = a.sum()
    flow, log_u, log_v = entropic_plan(a / total, b / b.sum(), cost, epsilon, stop, max_iterations)
    flow *= total
    with np.errstate(divide="ignore", invalid="ignore"):
        # The package's scalings hold the masses, ours stand beside them; where there is no mass, any potential will do.
        f = np.where(a > 0, epsilon * (log_u - np.log(a / total)), 0.0)
        g = np.where(b > 0, epsilon * (log_v - np.log(b)), 0.0)
    return Plan(float((flow * cost).sum()), problem.marginal_error(flow.sum(axis=1), flow.sum(axis=0)), f, g)


def plain_plan(uniform: np.ndarray, cost: np.ndarray, epsilon: float, stop: float, max_iterations: int) -> np.ndarray:
    """The plan between uniform masses; far from it, or not finite, where the scalings under- or overflowed."""
    from ot.bregman import sinkhorn_knopp

    with np.errstate(all="ignore"):
        return sinkhorn_knopp(
            uniform,
            uniform,
            cost - cost.min(),  # a constant changes no plan, and exp(−cost / ε) only just fits
            epsilon,
            numItermax=max_iterations,
            stopThr=stop / np.sqrt(len(uniform)),
            warn=False,
        )


def entropic_plan(
    a: np.ndarray, b: np.ndarray, cost: np.ndarray, epsilon: float, stop: float, max_iterations: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The plan between masses of sum 1 and the logarithms of its scalings."""
    from ot.bregman import sinkhorn_log

    # It measures the error of one side by the Euclidean norm, which is at least the L1 norm over √m.
    threshold = stop / np.sqrt(len(b))
    with np.errstate(divide="ignore", over="ignore"):
        flow, log = sinkhorn_log(
            a, b, cost, epsilon, numItermax=max_iterations, stopThr=threshold, log=True, warn=False
        )
    return flow, log["log_u"], log["log_v"]
