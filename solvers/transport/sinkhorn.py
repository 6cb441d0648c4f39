"""Sinkhorn's algorithm in the log domain with ε-scaling: entropic transport, and assignment by rounding its plan.

Two ways to stop. A marginal error runs a coarse schedule, over-relaxed, each ε until its marginals roughly fit and the
last until they fit as asked. "schedule" follows GeomLoss's schedule once and reports what error is left.

Points are turned into a matrix, so that memory is O(n m) for both kinds of cost.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np

from ..deadline import Deadline
from ..entropic import Entropic, OutOfTime, State, descent
from ..native import _native
from ..problem import BLOCK_ENTRIES, Assignment, PointCost, Problem, TimeLimit, Transport, Unsupported
from ..registry import Capabilities, register
from ..result import Matching, Plan
from ..rounding import round_blocks
from ..wide import Answer, float_matrix, solve_wide

#: Smallest ε over the largest |cost|: below, rounding alone would move the entries of a plan by more than about 1e-6.
SMALLEST_EPSILON = 1e-9


@register(
    "sinkhorn",
    Capabilities(
        exact=False,
        problem="both",
        costs={"dense", "points"},
        rectangular=True,
        time_limit=True,
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
    time_limit: float | None = None,
) -> Matching | Plan:
    """Solve an entropic transport problem, or an assignment problem approximately.

    Parameters
    ----------
    problem : Assignment or Transport
    blur : float, optional
        For an `Assignment` only, 0.03 by default: ε = blur² · (largest − smallest cost), so that blur is a length
        relative to the diameter where costs are squared distances. A `Transport` has a blur of its own.
    scaling : float, optional
        Factor of the blur from one step of the schedule to the next, in (0, 1). By default 0.9 where `stop` is
        "schedule", as in GeomLoss, and 0.5 otherwise.
    stop : float or "schedule", optional
        Marginal error (L1, relative to the mass, the larger of both sides) to go on to; by default 1e-3, and 1e-2 for
        an `Assignment`, whose matching gains nothing from more. "schedule": GeomLoss's schedule and no more.
    max_iterations : int
        Passes over the costs after which to give up on `stop`; every step of the schedule takes up to three even so. A
        `Transport` that did not get there is answered with a RuntimeWarning, and its `marginal_error` says where it is.
    time_limit : float, optional
        Seconds after which to raise TimeLimit, once the pass over the costs has ended that is under way.

    Returns
    -------
    Plan or Matching
        For a `Transport`, the potentials. For an `Assignment`, the rounded plan, with duals from the potentials: they
        prove a lower bound, not that the matching is optimal. The counter `passes` counts passes over the costs.

    Raises
    ------
    Unsupported
        Where the blur of a `Transport` is 0.
    ValueError
        Where blur is so small that float64 cannot hold the plan, or an option makes no sense.
    """
    options = _Options.read(problem, scaling, stop, max_iterations)
    if isinstance(problem, Assignment):
        return _assign(problem, 0.03 if blur is None else blur, options, time_limit)
    if blur is not None:
        raise ValueError("blur belongs to the problem: Transport(cost, a, b, blur=…)")
    return _transport(problem, options, Deadline(time_limit))


@dataclass(frozen=True)
class _Options:
    """`stop` is None where the schedule alone decides."""

    scaling: float
    stop: float | None
    max_iterations: int

    @classmethod
    def read(cls, problem: Problem, scaling: float | None, stop: float | str | None, max_iterations: int) -> _Options:
        if stop is None:
            stop = 1e-2 if isinstance(problem, Assignment) else 1e-3
        follows = stop == "schedule"
        if not follows and (isinstance(stop, str) or not stop > 0):
            raise ValueError(f'stop = {stop!r}; give a marginal error above 0, or "schedule"')
        if scaling is None:
            scaling = 0.9 if follows else 0.5
        if not 0 < scaling < 1:
            raise ValueError(f"scaling = {scaling!r}; it must lie between 0 and 1")
        if max_iterations < 1:
            raise ValueError(f"max_iterations = {max_iterations!r}; it must be at least 1")
        return cls(scaling, None if follows else float(stop), max_iterations)

    def run(self, entropic: Entropic, start: float, end: float, p: float) -> tuple[State, int]:
        epsilons = descent(start, end, self.scaling**p)
        if self.stop is None:
            return entropic.follow([start, *epsilons])  # GeomLoss takes its first ε twice
        return entropic.converge(epsilons, self.stop, self.max_iterations)


def _transport(problem: Transport, options: _Options, deadline: Deadline) -> Plan:
    a, b, epsilon = problem.a, problem.b, problem.epsilon
    assert a is not None
    assert b is not None
    if problem.blur == 0:
        raise Unsupported("solver sinkhorn needs a blur above 0; without one the problem is for an exact solver")
    cost = float_matrix(problem.cost, deadline)
    low, high = float(cost.min()), float(cost.max())
    _check_blur(problem.blur, epsilon, problem.p, low, high)
    # A balanced plan scales with its mass; a penalised one does not.
    mass_a, mass_b = (float(a.sum()), float(b.sum())) if problem.reach is None else (1.0, 1.0)
    start = high - low
    if options.stop is None and isinstance(problem.cost, PointCost):
        start = _diameter(problem.cost) ** problem.p
    entropic = Entropic(cost, a / mass_a, b / mass_b, deadline, problem.rho)
    try:
        state, passes = options.run(entropic, max(start, epsilon), epsilon, problem.p)
    except OutOfTime as late:
        # Any g proves a bound on transport that meets its marginals; entropy only adds to the cost of a plan.
        duals = (late.g, np.zeros(len(b))) if problem.reach is None else ()
        bounds = (float(_native.row_minima(cost, g) @ a + g @ b) for g in duals)
        raise TimeLimit(deadline.seconds, problem.shape, max(bounds, default=-math.inf)) from None
    if options.stop is not None and state.error > options.stop:
        warnings.warn(
            f"sinkhorn: marginal error {state.error:.2g} after {passes} passes, not {options.stop:g}; "
            "raise max_iterations, stop or the blur",
            RuntimeWarning,
            stacklevel=4,
        )
    f = state.f - epsilon * math.log(mass_b)
    return Plan(state.cost * mass_a, state.error, f, state.g, counters={"passes": passes})


def _diameter(cost: PointCost) -> float:
    """Diagonal of the box around all points."""
    points = np.concatenate([cost.x, cost.y]).astype(np.float64)
    return float(np.linalg.norm(np.ptp(points, axis=0)))


def _assign(problem: Assignment, blur: float, options: _Options, time_limit: float | None) -> Matching:
    if not (math.isfinite(blur) and blur > 0):
        raise ValueError(f"blur = {blur!r}; it must be finite and above 0")
    return solve_wide(
        problem, lambda matrix, seconds: _assign_wide(matrix, blur, options, seconds), Deadline(time_limit)
    )


def _assign_wide(given: np.ndarray, blur: float, options: _Options, seconds: float) -> Answer:
    deadline = Deadline(seconds)
    n, m = given.shape
    cost, low, high = given, float(given.min()), float(given.max())
    span = high - low
    if span < max(abs(low), abs(high)) / 2:
        # An offset changes no matching, but would take digits from the exponents.
        cost, low, high = np.subtract(cost, low, dtype=np.float64), 0.0, span
    span = span or 1.0
    epsilon = blur**2 * span
    _check_blur(blur, epsilon, 2, low, high)
    a, with_spare = np.full(n, 1 / m), cost
    if n < m:
        # One more row takes the columns that are left over, all at the same price.
        a = np.append(a, (m - n) / m)
        with_spare = np.vstack([cost, np.full((1, m), low, dtype=cost.dtype)])
    entropic = Entropic(with_spare, a, np.full(m, 1 / m), deadline)
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
    u = np.zeros(n) if row_to_col is None else _native.row_minima(given, v)
    return row_to_col, u, v, {"passes": passes}


def _check_blur(blur: float, epsilon: float, p: float, low: float, high: float) -> None:
    largest = max(abs(low), abs(high))
    least = max(SMALLEST_EPSILON * largest, 1e-290)
    if epsilon < least:
        enough = blur * (least / epsilon) ** (1 / p) if epsilon else least ** (1 / p)
        raise ValueError(
            f"blur = {blur:g} is too small for float64 with costs up to {largest:g}: give at least {enough:.3g}"
        )
