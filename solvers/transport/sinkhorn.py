"""Sinkhorn's algorithm in the log domain with ε-scaling: entropic transport, and assignment by rounding its plan.

There are two ways to stop. A marginal error runs a coarse, over-relaxed schedule: each ε until its marginals roughly
fit, the last one until they fit to that error. "schedule" follows GeomLoss's schedule once and reports the error left.

Points are never turned into a matrix (`lapmark.solvers.sinkhorn.kernel_sums`).
"""

import math

import numpy as np

from lapmark.solvers.assignment.wide_matrix import Answer, solve_wide
from lapmark.solvers.costs.cost import BLOCK_ENTRIES
from lapmark.solvers.deadline import Deadline
from lapmark.solvers.errors import TimeLimit
from lapmark.solvers.native import _matrix
from lapmark.solvers.problem import Assignment, Problem, Transport
from lapmark.solvers.registry import Capabilities, register
from lapmark.solvers.result import Matching, Plan
from lapmark.solvers.sinkhorn.iteration import Entropic, OutOfTime
from lapmark.solvers.sinkhorn.kernel_sums import KernelPairs
from lapmark.solvers.sinkhorn.matching_rounding import round_blocks
from lapmark.solvers.sinkhorn.problem_setup import Options, Posed, check_blur


@register(
    "sinkhorn",
    Capabilities(
        exact=False,
        problem="both",
        costs={"dense", "points"},
        rectangular=True,
        forbidden=True,
        time_limit=True,
        threads=True,
        dtypes={"float32", "float64"},
        family="entropic",
        source="M. Cuturi, NIPS 2013; relaxed: A. Thibault et al., Algorithms 14 (2021) 143; "
        "schedule: J. Feydy, thesis (2020), section 3.3",
        counters={"passes"},
        curve={"blur": (0.1, 0.03, 0.01)},
    ),
)
def sinkhorn(
    problem: Problem,
    *,
    blur: float | None = None,
    scaling: float | None = None,
    stop: float | str | None = None,
    max_iterations: int = 10_000,
    threads: int = 1,
    diameter: float | None = None,
    time_limit: float | None = None,
) -> Matching | Plan:
    """Solve an entropic transport problem, or an assignment problem approximately.

    Parameters
    ----------
    problem : Assignment or Transport
    blur : float, optional
        For an `Assignment` only, 0.03 by default: ε = blur² · (largest − smallest cost), so that blur is a length
        relative to the diameter if costs are squared distances. A `Transport` has its own blur.
    scaling : float, optional
        Factor of the blur from one step of the schedule to the next, in (0, 1). By default 0.9 if `stop` is
        "schedule", as in GeomLoss, and 0.5 otherwise.
    stop : float or "schedule", optional
        Marginal error (L1, relative to the mass, the larger of both sides) at which to stop; by default 1e-3, and 1e-2
        for an `Assignment`, whose matching gains nothing from less. With a reach it is relative to what should move if
        that is more, and to 30 times that if it is less. "schedule": follow GeomLoss's schedule only.
    max_iterations : int
        Passes over the costs after which to give up on `stop`; still, every step of the schedule takes up to three. A
        `Transport` that did not reach `stop` gives a RuntimeWarning, and a plan with its `marginal_error`.
    threads : int
        Number of threads that share a pass over the costs of a `Transport`.
    diameter : float, optional
        Length at which GeomLoss's schedule starts for points; by default the diagonal of the box around them.
    time_limit : float, optional
        Seconds after which to raise TimeLimit, at the end of the current pass over the costs.

    Returns
    -------
    Plan or Matching
        For a `Transport`, the potentials; rows and columns without mass get the update from the others. For an
        `Assignment`, the rounded plan, with duals from the potentials: they prove a lower bound, not that the matching
        is optimal. The counter `passes` counts passes over the costs, without a last one that measures the plan.

    Raises
    ------
    Unsupported
        If the blur of a `Transport` is 0.
    Infeasible
        If every matching, or every plan of a balanced problem, uses a forbidden pair; with a proof.
    ValueError
        If blur is so small, or with a reach the masses so large or small, that float64 cannot hold the plan, or an
        option is invalid.
    """
    options = Options.read(problem, scaling, stop, max_iterations, threads, diameter)
    if isinstance(problem, Assignment):
        return _assign(problem, 0.03 if blur is None else blur, options, time_limit)
    if blur is not None:
        raise ValueError("blur belongs to the problem: Transport(cost, a, b, blur=…)")
    return _transport(problem, options, Deadline(time_limit))


def _transport(problem: Transport, options: Options, deadline: Deadline) -> Plan:
    posed = Posed.of(problem, options, deadline)
    try:
        return posed.plan(*posed.run())
    except OutOfTime as late:
        raise posed.late(late) from None


def _assign(problem: Assignment, blur: float, options: Options, time_limit: float | None) -> Matching:
    if not (math.isfinite(blur) and blur > 0):
        raise ValueError(f"blur = {blur!r}; it must be finite and above 0")
    forbids = problem.cost.forbids
    return solve_wide(
        problem, lambda matrix, seconds: _assign_wide(matrix, forbids, blur, options, seconds), Deadline(time_limit)
    )


def _assign_wide(given: np.ndarray, forbids: bool, blur: float, options: Options, seconds: float) -> Answer:
    deadline = Deadline(seconds)
    n, m = given.shape
    finite = given
    if forbids:
        allowed = np.isfinite(given)
        # Any matching will do: this detects problems without one.
        _matrix.assign("jv", np.where(allowed, 0, np.inf), deadline.left)
        finite = given[allowed]
    cost, low, high = given, float(finite.min()), float(finite.max())
    span = high - low
    if span < max(abs(low), abs(high)) / 2:
        # An offset does not change the matching, but would cost the exponents digits.
        cost, low, high = np.subtract(cost, low, dtype=np.float64), 0.0, span
    span = span or 1.0
    epsilon = blur**2 * span
    check_blur(blur, epsilon, 2, low, high)
    a, with_spare = np.full(n, 1 / m), cost
    if n < m:
        # A spare row takes the remaining columns, all at the same cost.
        a = np.append(a, (m - n) / m)
        with_spare = np.vstack([cost, np.full((1, m), low, dtype=cost.dtype)])
    entropic = Entropic(KernelPairs(with_spare, a, np.full(m, 1 / m), options.threads), deadline)
    row_to_col, passes = None, 0
    try:
        state, passes = options.run(entropic, max(span, epsilon), epsilon, 2)
        f, g = state.f, state.g
        rows, height = f[:n, None], max(1, BLOCK_ENTRIES // m)
        blocks = ((i, rows[i : i + height] + g - cost[i : i + height]) for i in range(0, n, height))
        row_to_col = round_blocks(blocks, cost, deadline)
    except OutOfTime as late:
        f, g = late.f, late.g
    except TimeLimit:
        pass  # in the rounding; the potentials stand
    v = np.minimum(g + f[n] - low, 0.0) if n < m else g
    u = np.zeros(n) if row_to_col is None else _matrix.row_minima(given, v)
    return row_to_col, u, v, {"passes": passes}
