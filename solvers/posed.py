"""An entropic problem as Sinkhorn's algorithm iterates on it: in which order, from which ε to which, until when.

And the way back, from the potentials that the iteration ends with to a plan of the problem.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np

from .deadline import Deadline
from .entropic import Entropic, OutOfTime, State, descent
from .minima import row_minima
from .pairs import PRECISION, TILE, Ordered, Pairs, in_place
from .problem import Assignment, PointCost, Problem, TimeLimit, Transport, Unsupported
from .result import Plan

#: Smallest ε over the largest |cost|: below, rounding alone would move the entries of a plan by more than about 1e-6.
SMALLEST_EPSILON = 1e-9

#: Sums over points are told to this part of the marginal error that is asked for.
FINER = 1 / 16


@dataclass(frozen=True)
class Options:
    """How far to go. `stop` is None where the schedule alone decides."""

    scaling: float
    stop: float | None
    max_passes: int
    threads: int

    @classmethod
    def read(
        cls, problem: Problem, scaling: float | None, stop: float | str | None, max_iterations: int, threads: int
    ) -> Options:
        """What a caller has given; a ValueError where it makes no sense."""
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
        return cls(scaling, None if follows else float(stop), max_iterations, threads)

    def run(self, entropic: Entropic, start: float, end: float, p: float) -> tuple[State, int]:
        """Iterate from ε = `start`, of lengths to the power p, down to `end`: the last state, and the passes."""
        epsilons = self.epsilons(start, end, p)
        if self.stop is None:
            return entropic.follow(epsilons)
        return entropic.converge(epsilons, self.stop, self.max_passes)

    def epsilons(self, start: float, end: float, p: float) -> list[float]:
        """Values of ε, one a step."""
        values = descent(max(start, end), end, self.scaling**p)
        return [values[0], *values] if self.stop is None else values  # GeomLoss takes its first ε twice


@dataclass(frozen=True)
class Posed:
    """A transport problem with its pairs in an order in which neighbours are near each other.

    Attributes
    ----------
    pairs : Pairs
        With masses of sum 1 where the problem is balanced: such a plan scales with its mass, a penalised one does not.
    rows, cols : (n,), (m,) int or slice
        Rows and columns of the problem in the order of the pairs.
    start : float
        Value of ε to begin with.
    """

    problem: Transport
    options: Options
    deadline: Deadline
    pairs: Pairs
    rows: np.ndarray | slice
    cols: np.ndarray | slice
    start: float

    @classmethod
    def of(cls, problem: Transport, options: Options, deadline: Deadline, run: int = TILE) -> Posed:
        """The problem as it is iterated on, points in runs of `run` neighbours.

        Raises
        ------
        Unsupported
            Where the blur is 0.
        ValueError
            Where it is so small that float64 cannot hold the plan.
        """
        cost = problem.cost
        if problem.blur == 0:
            raise Unsupported("sinkhorn needs a blur above 0; without one the problem is for an exact solver")
        precision = PRECISION if options.stop is None else min(PRECISION, FINER * options.stop)
        balanced, repeated = problem.reach is None, options.stop is not None
        ordered = Ordered.of(problem, deadline, precision, options.threads, balanced, repeated, run)
        low, high = cost.span()
        check_blur(problem.blur, problem.epsilon, problem.p, low, high)
        start = high - low
        if options.stop is None and isinstance(cost, PointCost):
            start = cost.diameter**problem.p
        return cls(problem, options, deadline, ordered.pairs, ordered.rows, ordered.cols, start)

    @property
    def entropic(self) -> Entropic:
        return Entropic(self.pairs, self.deadline, self.problem.rho)

    @property
    def epsilons(self) -> list[float]:
        return self.options.epsilons(self.start, self.problem.epsilon, self.problem.p)

    def late(self, last: OutOfTime) -> TimeLimit:
        """The error where the time is over: any g proves a bound on transport that meets its marginals, because entropy
        only adds to the cost of a plan.
        """
        a, b, bound = self.problem.a, self.problem.b, -math.inf
        assert a is not None
        assert b is not None
        if self.problem.reach is None:
            known = [np.zeros(len(b))]
            if len(last.g) == len(b):  # and not those of nodes in the place of points
                known.append(in_place(last.g, self.cols))
            bound = max(float(row_minima(self.problem.cost, g)[0] @ a + g @ b) for g in known)
        return TimeLimit(self.deadline.seconds, self.problem.shape, bound)

    def plan(self, state: State, passes: int) -> Plan:
        """The answer, with a RuntimeWarning where it is not what was asked for."""
        stop, problem, error = self.options.stop, self.problem, self.entropic.error(state)
        assert problem.a is not None
        assert problem.b is not None
        if stop is not None and error > stop:
            warnings.warn(
                f"sinkhorn: marginal error {error:.2g} after {passes} passes, not {stop:g}; "
                "raise max_iterations, stop or the blur",
                RuntimeWarning,
                stacklevel=6,
            )
        balanced = problem.reach is None
        mass_a, mass_b = (float(problem.a.sum()), float(problem.b.sum())) if balanced else (1.0, 1.0)
        f, g = in_place(state.f, self.rows), in_place(state.g, self.cols)
        f -= problem.epsilon * math.log(mass_b)
        return Plan(state.cost * mass_a, error, f, g, counters={"passes": passes})


def check_blur(blur: float, epsilon: float, p: float, low: float, high: float) -> None:
    """Refuse a blur at which float64 cannot hold the plan of costs from `low` to `high`."""
    largest = max(abs(low), abs(high))
    least = max(SMALLEST_EPSILON * largest, 1e-290)
    if epsilon < least:
        enough = blur * (least / epsilon) ** (1 / p) if epsilon else least ** (1 / p)
        raise ValueError(
            f"blur = {blur:g} is too small for float64 with costs up to {largest:g}: give at least {enough:.3g}"
        )
