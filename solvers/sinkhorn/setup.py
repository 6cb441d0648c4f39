"""An entropic problem as Sinkhorn's algorithm iterates on it: in which order, from which ε to which, until when.

And the way back, from the potentials that the iteration ends with to a plan of the problem.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np

from lapmark.solvers.certificate.feasible_duals import Terms
from lapmark.solvers.costs import PointCost
from lapmark.solvers.deadline import Deadline
from lapmark.solvers.errors import TimeLimit, Unsupported
from lapmark.solvers.problem import Assignment, Problem, Transport
from lapmark.solvers.result import Plan
from lapmark.solvers.validation import check_number, check_threads

from .iteration import Entropic, OutOfTime, State, descent
from .kernel_sums import FINEST, PRECISION, TILE, Ordered, Pairs, in_place
from .support import Support

#: Smallest ε over the largest |cost|: below, rounding alone would move the entries of a plan by more than about 1e-6.
SMALLEST_EPSILON = 1e-9

#: Products of two sums of masses may be so many powers of ten above or below 1.
MOST_DIGITS = 200

#: Sums over points are told to this part of the marginal error that is asked for.
FINER = 1 / 16


@dataclass(frozen=True)
class Options:
    """How far to go. `stop` is None where the schedule alone decides."""

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
        if diameter is not None:
            diameter = check_number(diameter, "diameter", positive=True)
        return cls(scaling, None if follows else float(stop), max_iterations, check_threads(threads), diameter)

    def run(self, entropic: Entropic, start: float, end: float, p: float) -> tuple[State, int]:
        """Iterate from ε = `start`, of lengths to the power p, down to `end`: the last state, and the passes."""
        epsilons = self.epsilons(start, end, p)
        if self.stop is None:
            return entropic.follow(epsilons)
        return entropic.converge(epsilons, self.stop, self.max_passes)

    def epsilons(self, start: float, end: float, p: float) -> list[float]:
        """Values of ε, one a step."""
        values = descent(start, end, self.scaling**p)
        return [start or end, *values] if self.stop is None else values  # GeomLoss takes its first ε twice


@dataclass(frozen=True)
class Posed:
    """A transport problem with its pairs in an order in which neighbours are near each other.

    Attributes
    ----------
    support : Support
    ordered : Ordered
        Pairs of the support, with masses of sum 1 where the problem is balanced: such a plan scales with its mass, a
        penalised one does not.
    start : float
        Value of ε to begin with.
    """

    problem: Transport
    options: Options
    deadline: Deadline
    support: Support
    ordered: Ordered
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
        Infeasible
            Where no plan avoids the forbidden pairs.
        """
        if problem.blur == 0:
            raise Unsupported("sinkhorn needs a blur above 0; give one, or take an exact solver (without a reach)")
        _check_masses(problem)
        support = Support.of(problem, deadline)
        low, high = support.part.cost.span()
        check_blur(problem.blur, problem.epsilon, problem.p, low, high)
        precision = PRECISION if options.stop is None else min(PRECISION, FINER * options.stop)
        # Where ε is large, a relative error of sums is as much larger in the potentials.
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
        """Iterate as the options say: the last state, and the passes."""
        epsilon, options = self.problem.epsilon, self.options
        if options.stop is not None and self.is_to_itself:
            return self.entropic.fit_to_itself(epsilon, options.stop, options.max_passes)
        done = options.run(self.entropic, self.start, epsilon, self.problem.p)
        return done if options.stop is None else self.finish(*done)

    def finish(self, state: State, passes: int) -> tuple[State, int]:
        """The state with every row in full, and the passes in all."""
        assert self.options.stop is not None
        left = max(self.options.max_passes - passes, 0)
        state, more = self.entropic.finish(state, self.problem.epsilon, self.options.stop, left)
        return state, passes + more

    def late(self, last: OutOfTime) -> TimeLimit:
        """The error where the time is over: any g proves a bound on transport that meets its marginals, because entropy
        only adds to the cost of a plan.
        """
        part, bound = self.support.part, -math.inf
        a, b = part.masses
        if part.reach is None:
            known = [np.zeros(len(b))]
            if len(last.g) == len(b):  # and not those of nodes in the place of points
                known.append(in_place(last.g, self.ordered.cols))
            bound = max(Terms(part.cost).given_columns(g).bound(a, b) for g in known)
        return TimeLimit(self.deadline.seconds, self.problem.shape, bound)

    def plan(self, state: State, passes: int) -> Plan:
        """The answer, with a RuntimeWarning where it is not what was asked for."""
        stop, problem, error = self.options.stop, self.problem, self.entropic.error(state)
        if stop is not None and error > stop:
            warnings.warn(
                f"sinkhorn: marginal error {error:.2g} after {passes} passes, not {stop:g}; "
                "raise max_iterations, stop or the blur",
                RuntimeWarning,
                stacklevel=6,
            )
        balanced = problem.reach is None
        mass_a, mass_b = (float(masses.sum()) for masses in problem.masses) if balanced else (1.0, 1.0)
        f, g = in_place(state.f, self.ordered.rows), in_place(state.g, self.ordered.cols)
        f, g = self.support.extended(f, g)
        f -= problem.epsilon * math.log(mass_b)
        return Plan(state.cost * mass_a, error, f, g, counters={"passes": passes})


def _check_masses(problem: Transport) -> None:
    """Refuse masses of which float64 cannot hold an unbalanced plan, whose entropy is relative to their product."""
    a, b = (float(masses.sum()) for masses in problem.masses)
    if problem.reach is not None and not abs(math.log10(a) + math.log10(b)) <= MOST_DIGITS:
        raise ValueError(
            f"a sums to {a:g}, b to {b:g}: with a reach their product must be a float64; rescale the masses"
        )


def check_blur(blur: float, epsilon: float, p: float, low: float, high: float) -> None:
    """Refuse a blur at which float64 cannot hold the plan of costs from `low` to `high`."""
    largest = max(abs(low), abs(high))
    least = max(SMALLEST_EPSILON * largest, 1e-290)
    if epsilon < least:
        enough = blur * (least / epsilon) ** (1 / p) if epsilon else least ** (1 / p)
        raise ValueError(
            f"blur = {blur:g} is too small for float64 with costs up to {largest:g}: give at least {enough:.3g}"
        )
