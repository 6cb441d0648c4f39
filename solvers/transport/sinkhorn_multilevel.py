"""Multilevel Sinkhorn: few nodes stand for the points while ε is large, and more as it falls."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lapmark.solvers.deadline import Deadline
from lapmark.solvers.errors import Unsupported
from lapmark.solvers.problem import Transport
from lapmark.solvers.registry import Capabilities, register
from lapmark.solvers.result import Plan
from lapmark.solvers.sinkhorn.iteration import STAGE_ERROR, STAGE_PASSES, Entropic, OutOfTime, State
from lapmark.solvers.sinkhorn.kernel_sums import PointPairs
from lapmark.solvers.sinkhorn.problem_setup import Options, Posed
from lapmark.solvers.sinkhorn.quadrature import SMALLEST, Cloud, Nodes

#: Largest spread of a group of points, relative to the current blur.
FINENESS = 0.35

#: The same for the last level at a marginal error of 1e-3, which scales with the fourth power of the spread.
FINENESS_AT_END = 0.15

#: Factor by which a new level is finer than necessary, so that it serves a few steps.
AHEAD = 1.5

#: Largest spread of a group on the first level, relative to the typical one: later levels do not make up for structure
#: between clusters that it misses.
FIRST = 0.95

#: First over-relaxation: less than on the points, because levels start near their solutions.
RELAXATION = 1.7

#: Marginal error to reach on nodes, as a part of that requested on the points.
CARRIED_OVER = 0.8

#: Largest ratio of pairs of nodes to pairs of points at which nodes replace points.
WORTHWHILE = 0.5


@register(
    "sinkhorn-multilevel",
    Capabilities(
        exact=False,
        problem="transport",
        costs={"points"},
        rectangular=True,
        time_limit=True,
        threads=True,
        dtypes={"float32", "float64"},
        family="entropic",
        source="ours, after J.-D. Benamou, B. Schmitzer and J. Feydy; see docs/how-solvers-work.md",
        counters={"passes"},
    ),
)
def sinkhorn_multilevel(
    problem: Transport,
    *,
    scaling: float | None = None,
    stop: float | str | None = None,
    max_iterations: int = 10_000,
    threads: int = 1,
    diameter: float | None = None,
    time_limit: float | None = None,
) -> Plan:
    """Solve an entropic transport problem between points in up to 3 dimensions, at distance or squared distance.

    Options, errors, warnings and the answer are the same as those of `sinkhorn`. The counter `passes` only counts
    passes over the points themselves.
    """
    options = Options.read(problem, scaling, stop, max_iterations, threads, diameter)
    posed = Posed.of(problem, options, Deadline(time_limit), run=min(SMALLEST.values()))
    if not isinstance(posed.pairs, PointPairs):
        raise Unsupported("solver sinkhorn-multilevel takes points in up to 3 dimensions, at distance or its square")
    return _answer(posed)


def _answer(posed: Posed) -> Plan:
    try:
        if posed.options.stop is None:
            return posed.plan(*_follow(posed, Ladder.of(posed)))
        if posed.is_to_itself:  # which takes only a few passes over the points
            return posed.plan(*posed.run())
        return posed.plan(*_converge(posed, Ladder.of(posed)))
    except OutOfTime as late:
        raise posed.late(late) from None


Potentials = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Level:
    """Nodes of rows and columns, with groups of at most `spread`, and the iteration on them."""

    spread: float
    rows: Nodes
    cols: Nodes
    entropic: Entropic

    @property
    def pairs(self) -> PointPairs:
        pairs = self.entropic.pairs
        assert isinstance(pairs, PointPairs)
        return pairs


@dataclass(frozen=True)
class Ladder:
    """The levels of a problem: its points, and fewer and fewer nodes in their place."""

    entropic: Entropic
    pairs: PointPairs
    rows: Cloud
    cols: Cloud

    @classmethod
    def of(cls, posed: Posed) -> Ladder:
        pairs = posed.pairs
        assert isinstance(pairs, PointPairs)
        return cls(posed.entropic, pairs, Cloud.of(pairs.x, pairs.a), Cloud.of(pairs.y, pairs.b))

    def points(self) -> Level:
        """Return the level of the points themselves."""
        return Level(0.0, self.rows.singles(), self.cols.singles(), self.entropic)

    def level(self, spread: float) -> Level:
        """Return nodes for groups of at most this spread; the points if nodes are hardly fewer, or for spread 0."""
        if spread == 0:
            return self.points()
        rows, cols = self.rows.nodes(spread), self.cols.nodes(spread)
        if len(rows.mass) * len(cols.mass) > WORTHWHILE * len(self.pairs.a) * len(self.pairs.b):
            return self.points()
        coarse = replace(self.pairs, x=rows.points, y=cols.points, a=rows.mass, b=cols.mass)
        return Level(spread, rows, cols, replace(self.entropic, pairs=coarse))

    def first(self, epsilon: float) -> Level:
        typical = min(self.rows.typical_spread(), self.cols.typical_spread())
        return self.level(min(self.fine_enough(epsilon), FIRST * typical))

    def fine_enough(self, epsilon: float, fineness: float = FINENESS) -> float:
        """Return the largest spread of groups for this ε."""
        # The distance at which the kernel falls to exp(−1/2) or exp(−1).
        width = np.sqrt(epsilon / (2 * self.pairs.scale)) if self.pairs.p == 2 else epsilon / self.pairs.scale
        return fineness * float(width)

    def descend(
        self, level: Level, f: np.ndarray, g: np.ndarray, earlier: float, epsilon: float
    ) -> tuple[Level, Potentials]:
        """Return the level for ε, and potentials on it; f and g belong to the ε `earlier`."""
        enough = self.fine_enough(epsilon)
        if level.spread <= enough:
            return level, (f, g)
        finer = self.level(enough / AHEAD)
        return finer, refined(level, finer, f, g, earlier)


def refined(
    coarse: Level, fine: Level, f: np.ndarray, g: np.ndarray, epsilon: float, plain: bool = False
) -> Potentials:
    """Return potentials at the nodes of a finer level: updates there, plus what f and g exceed their updates by.

    With `plain` the updates alone.
    """
    own = (f, g) if plain else coarse.entropic.both(f, g, epsilon)
    result = []
    for potential, other, update, old, new, pairs, there in (
        (f, g, own[0], coarse.rows, fine.rows, coarse.pairs, fine.pairs),
        (g, f, own[1], coarse.cols, fine.cols, coarse.pairs.mirrored(), fine.pairs.mirrored()),
    ):
        group = old.holding(new.start)[new.group]
        guess = old.extended(potential, group, there.x)
        mixed = replace(coarse.entropic, pairs=replace(pairs, x=there.x, a=there.a))
        result.append(mixed.rows(guess, other, epsilon) + old.means(potential - update)[group])
    return result[0], result[1]


def _follow(posed: Posed, ladder: Ladder) -> tuple[State, int]:
    """Follow GeomLoss's schedule, each step on the level for its ε."""
    epsilons = posed.epsilons
    level, earlier = ladder.first(epsilons[0]), epsilons[0]
    f, g = level.entropic.both(*level.entropic.zero(), epsilons[0])
    passes = int(level.spread == 0)
    for epsilon in epsilons:
        level, (f, g) = ladder.descend(level, f, g, earlier, epsilon)
        soft_f, soft_g = level.entropic.both(f, g, epsilon)
        f, g, earlier = (f + soft_f) / 2, (g + soft_g) / 2, epsilon
        passes += level.spread == 0
    if level.spread == 0:
        f, g = level.entropic.both(f, g, epsilons[-1])
        passes += 1
    else:
        f, g = refined(level, ladder.points(), f, g, epsilons[-1], plain=True)
    return ladder.entropic.measure(f, g, epsilons[-1], careful=True), passes + 1


def _converge(posed: Posed, ladder: Ladder) -> tuple[State, int]:
    """Fit each ε roughly on its level, and the last one to `stop`, confirmed on the points."""
    stop, most = posed.options.stop, posed.options.max_passes
    assert stop is not None
    epsilons, relaxation = posed.epsilons, RELAXATION
    level, earlier = ladder.first(epsilons[0]), epsilons[0]
    f, g = level.entropic.zero()
    for epsilon in epsilons:
        level, (f, g) = ladder.descend(level, f, g, earlier, epsilon)
        last = epsilon == epsilons[-1]
        goal = (CARRIED_OVER * stop, most) if last else (max(stop, STAGE_ERROR), STAGE_PASSES)
        iteration = level.entropic if last else replace(level.entropic, pairs=level.pairs.rough())
        state, passes, relaxation = iteration.settle(f, g, epsilon, *goal, relaxation)
        f, g, earlier = state.f, state.g, epsilon
    finest = ladder.level(ladder.fine_enough(earlier, FINENESS_AT_END * (stop / 1e-3) ** 0.25))
    if level.spread > finest.spread > 0:
        f, g = refined(level, finest, state.f, state.g, earlier)
        state, _, relaxation = finest.entropic.settle(f, g, earlier, CARRIED_OVER * stop, most, relaxation)
        level = finest
    if level.spread > 0:
        f, g = refined(level, ladder.points(), state.f, state.g, earlier)
        state = ladder.entropic.measure(f, g, earlier, careful=True)
        if ladder.entropic.fits(state, stop):
            return state, 1
        state, passes, _ = ladder.entropic.settle(f, g, earlier, stop, most, relaxation)
    return posed.finish(state, passes)
