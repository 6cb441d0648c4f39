"""Set-up of Sinkhorn's algorithm: the order of the pairs, the schedule of ε, and when to stop.

Also the way back, from the final potentials to a plan of the problem.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np

from lapmark.solvers.certificate.feasible_duals import Terms
from lapmark.solvers.costs import PointCost
from lapmark.solvers.deadline import Deadline
from lapmark.solvers.errors import TimeLimit
from lapmark.solvers.problem import Assignment, Problem, Transport, require_blur
from lapmark.solvers.result import Plan
from lapmark.solvers.validation import check_number, check_threads

from .iteration import Entropic, OutOfTime, State, descent
from .kernel_sums import FINEST, PRECISION, TILE, Ordered, Pairs, in_place
from .positive_masses import Support

#: Smallest ratio of ε to the largest |cost|: below, rounding would change a plan by more than about 1e-6, relatively.
SMALLEST_EPSILON = 1e-9

#: Largest |log10| of the product of both sums of masses.
MOST_DIGITS = 200

#: Tolerance of sums over points, as a part of the requested marginal error.
FINER = 1 / 16


@dataclass(frozen=True)
class Options:
    """Options of a run; `stop` is None to follow the schedule alone."""

    scaling: float
    stop: float | None
    max_passes: int
    threads: int
    diameter: float | None = None

    @classmethod
    def read(
        cls,
        problem: Problem,
        scaling: float | None,
        stop: float | str | None,
        max_iterations: int,
        threads: int,
        diameter: float | None = None,
    ) -> Options:
        """Return the options that a caller gave, with defaults; a ValueError for an invalid one."""
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
        if diameter is not None:
            diameter = check_number(diameter, "diameter", positive=True)
        return cls(scaling, None if follows else float(stop), max_iterations, check_threads(threads), diameter)

    def run(self, entropic: Entropic, start: float, end: float, p: float) -> tuple[State, int]:
        """Iterate from ε = `start` down to `end`, lengths to the power p; return the last state and the passes."""
        epsilons = self.epsilons(start, end, p)
        if self.stop is None:
            return entropic.follow(epsilons)
        return entropic.converge(epsilons, self.stop, self.max_passes)

    def epsilons(self, start: float, end: float, p: float) -> list[float]:
        """Return the values of ε, one per step."""
        values = descent(start, end, self.scaling**p)
        return [start or end, *values] if self.stop is None else values  # GeomLoss takes its first ε twice


@dataclass(frozen=True)
class Posed:
    """A transport problem with its pairs sorted so that neighbours are near each other.

    Attributes
    ----------
    support : Support
    ordered : Ordered
        Pairs of the support. In a balanced problem masses have sum 1, since its plan scales with the mass; that of a
        penalised problem does not.
    start : float
        First value of ε.
    """

    problem: Transport
    options: Options
    deadline: Deadline
    support: Support
    ordered: Ordered
    start: float

    @classmethod
    def of(cls, problem: Transport, options: Options, deadline: Deadline, run: int = TILE) -> Posed:
        """Return the problem set up for the iteration, points in runs of `run` neighbours.

        Raises
        ------
        Unsupported
            If the blur is 0.
        ValueError
            If it is so small that float64 cannot hold the plan.
        Infeasible
            If every plan uses a forbidden pair.
        """
        require_blur(problem.blur, "sinkhorn")
        _check_masses(problem)
        support = Support.of(problem, deadline)
        low, high = support.part.cost.span()
        check_blur(problem.blur, problem.epsilon, problem.p, low, high)
        precision = PRECISION if options.stop is None else min(PRECISION, FINER * options.stop)
        # A relative error of sums is an error of that times ε in the potentials.
        precision = max(precision * min(1.0, (high - low) / problem.epsilon), FINEST)
        balanced, repeated = problem.reach is None, options.stop is not None
        ordered = Ordered.of(support.part, deadline, precision, options.threads, balanced, repeated, run)
        start = high - low
        if options.stop is None and isinstance(problem.cost, PointCost):
            start = (options.diameter or problem.cost.diameter) ** problem.p
        return cls(problem, options, deadline, support, ordered, start)

    @property
    def pairs(self) -> Pairs:
        return self.ordered.pairs

    @property
    def entropic(self) -> Entropic:
        return Entropic(self.pairs, self.deadline, self.problem.rho)

    @property
    def epsilons(self) -> list[float]:
        return self.options.epsilons(self.start, self.problem.epsilon, self.problem.p)

    @property
    def is_to_itself(self) -> bool:
        """Whether rows and columns are the same points with the same masses, at a power of their distance up to 2."""
        cost, (a, b) = self.support.part.cost, self.support.part.masses
        return isinstance(cost, PointCost) and cost.p <= 2 and np.array_equal(a, b) and np.array_equal(cost.x, cost.y)

    def run(self) -> tuple[State, int]:
        """Iterate as the options say; return the last state and the passes."""
        epsilon, options = self.problem.epsilon, self.options
        if options.stop is not None and self.is_to_itself:
            return self.entropic.fit_to_itself(epsilon, options.stop, options.max_passes)
        done = options.run(self.entropic, self.start, epsilon, self.problem.p)
        return done if options.stop is None else self.finish(*done)

    def finish(self, state: State, passes: int) -> tuple[State, int]:
        """Return the state with every row moved in full, and the total number of passes."""
        assert self.options.stop is not None
        left = max(self.options.max_passes - passes, 0)
        state, more = self.entropic.finish(state, self.problem.epsilon, self.options.stop, left)
        return state, passes + more

    def late(self, last: OutOfTime) -> TimeLimit:
        """Return the error for a passed deadline, with a bound if balanced.

        Any g proves a bound, because entropy only adds to the cost of a plan.
        """
        part, bound = self.support.part, -math.inf
        a, b = part.masses
        if part.reach is None:
            known = [np.zeros(len(b))]
            if len(last.g) == len(b):  # otherwise they belong to nodes instead of points
                known.append(in_place(last.g, self.ordered.cols))
            bound = max(Terms(part.cost).given_columns(g).bound(a, b) for g in known)
        return TimeLimit(self.deadline.seconds, self.problem.shape, bound, self._unfinished(last))

    def _unfinished(self, last: OutOfTime) -> Plan | None:
        """Return the plan of the latest potentials; None if they belong to nodes instead of points."""
        if (len(last.f), len(last.g)) != self.support.part.shape:
            return None
        return Plan(math.nan, math.nan, *self._potentials(last.f, last.g))

    def _potentials(self, f: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return potentials of the pairs as those of the problem."""
        f, g = self.support.extended(in_place(f, self.ordered.rows), in_place(g, self.ordered.cols))
        if self.problem.reach is None:
            f -= self.problem.epsilon * math.log(float(self.problem.masses[1].sum()))
        return f, g

    def plan(self, state: State, passes: int) -> Plan:
        """Return the plan, with a RuntimeWarning if its marginal error is above `stop`."""
        stop, problem, error = self.options.stop, self.problem, self.entropic.error(state)
        if stop is not None and error > stop:
            warnings.warn(
                f"sinkhorn: the marginal error is {error:.2g} after {passes} passes, above the requested {stop:g}; "
                "raise max_iterations, stop or the blur",
                RuntimeWarning,
                stacklevel=6,
            )
        mass = float(problem.masses[0].sum()) if problem.reach is None else 1.0
        return Plan(state.cost * mass, error, *self._potentials(state.f, state.g), counters={"passes": passes})


def _check_masses(problem: Transport) -> None:
    """Raise a ValueError if float64 cannot hold an unbalanced plan of such masses, whose product scales its entropy."""
    a, b = (float(masses.sum()) for masses in problem.masses)
    if problem.reach is not None and not abs(math.log10(a) + math.log10(b)) <= MOST_DIGITS:
        raise ValueError(
            f"a sums to {a:g}, b to {b:g}: with a reach their product must be a float64; rescale the masses"
        )


def check_blur(blur: float, epsilon: float, p: float, low: float, high: float) -> None:
    """Raise a ValueError if float64 cannot hold the plan at this blur, with costs from `low` to `high`."""
    largest = max(abs(low), abs(high))
    least = max(SMALLEST_EPSILON * largest, 1e-290)
    if epsilon < least:
        enough = blur * (least / epsilon) ** (1 / p) if epsilon else least ** (1 / p)
        raise ValueError(
            f"blur = {blur:g} is too small for float64 with costs up to {largest:g}: give at least {enough:.3g}"
        )
