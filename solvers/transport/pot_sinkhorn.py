"""POT's Sinkhorn algorithms: by plain scalings, in the log domain, and by scalings that are absorbed in time.

All solve in float64 and at one ε. `stop` is the marginal error to go on to; the package measures that of one side by
the Euclidean norm, which is at least the L1 norm over √m. It has unbalanced forms of the first and the last; these stop
where a step changes the scalings by less than `stop`, relatively.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..problem import Assignment, Problem, Transport, Unsupported
from ..registry import Capabilities, register
from ..result import Matching, Plan, Result
from ..rounding import round_plan
from ..validation import check_number

#: (a, b, cost, ε, stop, max_iterations) -> the plan between masses of sum 1, and the logarithms of its scalings.
Balanced = Callable[..., tuple[np.ndarray, np.ndarray, np.ndarray]]

SOURCE = "https://github.com/PythonOT/POT"


def plain(
    a: np.ndarray, b: np.ndarray, cost: np.ndarray, epsilon: float, stop: float, max_iterations: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    from ot.bregman import sinkhorn_knopp

    threshold = stop / np.sqrt(len(b))
    with np.errstate(all="ignore"):
        plan, log = sinkhorn_knopp(
            a, b, cost, epsilon, numItermax=max_iterations, stopThr=threshold, log=True, warn=False
        )
        return plan, np.log(log["u"]), np.log(log["v"])


def logarithmic(
    a: np.ndarray, b: np.ndarray, cost: np.ndarray, epsilon: float, stop: float, max_iterations: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    from ot.bregman import sinkhorn_log

    threshold = stop / np.sqrt(len(b))
    with np.errstate(divide="ignore", over="ignore"):
        plan, log = sinkhorn_log(
            a, b, cost, epsilon, numItermax=max_iterations, stopThr=threshold, log=True, warn=False
        )
    return plan, log["log_u"], log["log_v"]


def stabilized(
    a: np.ndarray, b: np.ndarray, cost: np.ndarray, epsilon: float, stop: float, max_iterations: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    from ot.bregman import sinkhorn_stabilized

    threshold = stop / np.sqrt(len(b))
    with np.errstate(all="ignore"):
        plan, log = sinkhorn_stabilized(
            a, b, cost, epsilon, numItermax=max_iterations, stopThr=threshold, log=True, warn=False
        )
    return plan, log["logu"], log["logv"]


@register(
    "pot-sinkhorn",
    Capabilities(
        exact=False,
        problem="both",
        dtypes={"float32", "float64"},
        family="entropic",
        source=f"M. Cuturi, NIPS 2013; {SOURCE}",
        curve={"blur": (0.1, 0.03)},
    ),
    requires=("pot",),
)
def pot_sinkhorn(
    problem: Problem, blur: float | None = None, stop: float | None = None, max_iterations: int = 1000
) -> Result:
    """By plain scalings, the package's fastest as long as they do not underflow; for an `Assignment` that needs more,
    in the log domain.

    `blur` and `stop` mean what they do in `sinkhorn`: for an `Assignment`, ε = blur² · (largest − smallest cost), with
    a blur of 0.03 and a marginal error of 1e-2 by default; a `Transport` has a blur of its own, and 1e-3. The
    iterations are as many as the package allows itself; the `marginal_error` of a plan says whether they were enough.
    """
    if isinstance(problem, Assignment):
        return _assign(problem, 0.03 if blur is None else blur, stop or 1e-2, max_iterations)
    if blur is not None:
        raise ValueError("blur belongs to the problem: Transport(cost, a, b, blur=…)")
    if problem.reach is not None:
        return _unbalanced(problem, "sinkhorn", stop or 1e-3, max_iterations)
    return _balanced(problem, plain, stop or 1e-3, max_iterations)


@register(
    "pot-sinkhorn-log",
    Capabilities(
        exact=False,
        problem="transport",
        dtypes={"float32", "float64"},
        family="entropic",
        source=f"J. Feydy, thesis (2020), section 3.3; {SOURCE}",
    ),
    requires=("pot",),
)
def pot_sinkhorn_log(problem: Transport, stop: float = 1e-3, max_iterations: int = 1000) -> Plan:
    """In the log domain, where nothing underflows; balanced problems only."""
    if problem.reach is not None:
        raise Unsupported("pot-sinkhorn-log is for balanced problems: the package has no unbalanced form of it")
    return _balanced(problem, logarithmic, stop, max_iterations)


@register(
    "pot-sinkhorn-stabilized",
    Capabilities(
        exact=False,
        problem="transport",
        dtypes={"float32", "float64"},
        family="entropic",
        source=f"B. Schmitzer, SIAM J. Sci. Comput. 41 (2019); {SOURCE}",
    ),
    requires=("pot",),
)
def pot_sinkhorn_stabilized(problem: Transport, stop: float = 1e-3, max_iterations: int = 1000) -> Plan:
    """By scalings that are absorbed into the kernel once they grow large."""
    if problem.reach is not None:
        return _unbalanced(problem, "sinkhorn_stabilized", stop, max_iterations)
    return _balanced(problem, stabilized, stop, max_iterations)


def _assign(problem: Assignment, blur: float, stop: float, max_iterations: int) -> Matching:
    cost = problem.cost.dense().astype(np.float64)
    epsilon = check_number(blur, "blur", positive=True) ** 2 * float(np.ptp(cost) or 1.0)
    uniform = np.full(len(cost), 1 / len(cost))
    shifted = cost - cost.min()  # a constant changes no plan, and exp(−cost / ε) only just fits
    plan, _, _ = plain(uniform, uniform, shifted, epsilon, stop, max_iterations)
    if not np.abs(plan.sum(axis=1) - uniform).sum() <= 0.5:  # NaN, or next to nothing moved
        plan, _, _ = logarithmic(uniform, uniform, cost, epsilon, stop, max_iterations)
    return Matching.of(problem, round_plan(plan, cost))


def _balanced(problem: Transport, method: Balanced, stop: float, max_iterations: int) -> Plan:
    a, b, cost, epsilon = _parts(problem)
    total = a.sum()
    plan, log_u, log_v = method(a / total, b / b.sum(), cost, epsilon, stop, max_iterations)
    plan *= total
    with np.errstate(divide="ignore", invalid="ignore"):
        # The package's scalings hold the masses, ours stand beside them; where there is no mass, any potential will do.
        f = np.where(a > 0, epsilon * (log_u - np.log(a / total)), 0.0)
        g = np.where(b > 0, epsilon * (log_v - np.log(b)), 0.0)
    return Plan(float((plan * cost).sum()), problem.marginal_error(plan.sum(axis=1), plan.sum(axis=0)), f, g)


def _unbalanced(problem: Transport, method: str, stop: float, max_iterations: int) -> Plan:
    from ot.unbalanced import sinkhorn_unbalanced

    a, b, cost, epsilon = _parts(problem)
    with np.errstate(all="ignore"):
        # "kl" takes the entropy relative to a ⊗ b, as we do.
        plan, log = sinkhorn_unbalanced(
            a, b, cost, epsilon, problem.rho, method, "kl", numItermax=max_iterations, stopThr=stop, log=True
        )
        f, g = epsilon * log["logu"], epsilon * log["logv"]
        asked = a * np.exp(-f / problem.rho), b * np.exp(-g / problem.rho)
    missed = np.abs(plan.sum(axis=1) - asked[0]).sum() / a.sum(), np.abs(plan.sum(axis=0) - asked[1]).sum() / b.sum()
    return Plan(float((plan * cost).sum()), float(max(missed)), f, g)


def _parts(problem: Transport) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    if problem.epsilon == 0:
        raise Unsupported("Sinkhorn's algorithm needs a blur above 0; without one the problem is for an exact solver")
    assert problem.a is not None
    assert problem.b is not None
    return problem.a, problem.b, problem.cost.dense().astype(np.float64), problem.epsilon
