"""Sinkhorn's iteration: potentials, over-relaxed updates, and the descent of ε.

Everything is in units of cost, and the potentials stay in the log domain. Solvers choose ε, its start, and what to do
with the potentials (`lapmark.solvers.transport.sinkhorn`).
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from lapmark.solvers.deadline import Deadline
from lapmark.solvers.validation import COSTS_CHANGED

from .kernel_sums import Pairs

#: Over-relaxation of the alternating updates: at the start, at most, and passes between adjustments.
RELAXATION, MOST_RELAXATION, LOOK_EVERY = 1.8, 1.98, 20

#: Marginal error, or number of passes, after which to leave a value of ε before the last.
STAGE_ERROR, STAGE_PASSES = 0.1, 100

#: If less than the mass should move, a marginal error is relative to LITTLE times that, at most to the mass, and at
#: least to the part LEAST_MOVED of the mass.
LITTLE, LEAST_MOVED = 30.0, 1e-100

#: Largest relative error of a single row at the end, however small its share of the marginal error is.
EVEN = 0.02

#: Largest potential, in units of ρ: if no plan could move a mass, exp(−f / ρ) is 0 in float64.
NOTHING_MOVES = 800.0


@dataclass(frozen=True)
class State:
    """Potentials, and sums from a pass over the plan a_i b_j e_ij, with e_ij = exp((f_i + g_j − c_ij) / ε).

    Attributes
    ----------
    f, g : (n,), (m,) float64
    rows, cols : (n,), (m,) float64
        Σ_j b_j e_ij and Σ_i a_i e_ij.
    cost : float
        ⟨π, C⟩ of the plan; NaN unless the pass was careful.
    """

    f: np.ndarray
    g: np.ndarray
    rows: np.ndarray
    cols: np.ndarray
    cost: float


class OutOfTime(Exception):
    """The deadline passed before the end; `f` and `g` are the latest potentials."""

    def __init__(self, f: np.ndarray, g: np.ndarray) -> None:
        super().__init__("the deadline has passed")
        self.f, self.g = f, g


@dataclass(frozen=True)
class Entropic:
    """The iteration on all pairs of n rows and m columns with their masses, and the penalty ρ, inf if balanced.

    Every pass raises OutOfTime if the deadline has passed.
    """

    pairs: Pairs
    deadline: Deadline
    rho: float = math.inf

    def zero(self) -> tuple[np.ndarray, np.ndarray]:
        """Return potentials to start from."""
        return np.zeros(len(self.pairs.a)), np.zeros(len(self.pairs.b))

    def converge(self, epsilons: list[float], stop: float, max_passes: int) -> tuple[State, int]:
        """Fit rows and columns alternately, at each ε roughly and at the last one to the marginal error `stop`.

        Returns the last state and the number of passes. Each ε takes up to 3 even if `max_passes` is used up, because
        the potentials of another ε may be far off.
        """
        (f, g), passes, relaxation = self.zero(), 0, RELAXATION
        for epsilon in epsilons:
            last = epsilon == epsilons[-1]
            left = max_passes - passes
            most = max(left if last else min(left, STAGE_PASSES), 3)
            enough = stop if last else max(stop, STAGE_ERROR)
            # If ε is large from the start, potentials of 0 fit without being right.
            least = 2 if len(epsilons) == 1 else 0
            iteration = self if last else replace(self, pairs=self.pairs.rough())
            state, more, relaxation = iteration.settle(f, g, epsilon, enough, most, relaxation, least)
            f, g, passes = state.f, state.g, passes + more
        return state, passes

    def finish(self, state: State, epsilon: float, stop: float, most: int) -> tuple[State, int]:
        """Give every row its full mass, however small, and iterate further if the columns then miss theirs.

        Returns the last state, from a careful pass, and the number of further passes.
        """
        passes = 0
        while True:
            f = self._plain(state, epsilon, rows=True)
            state = self.measure(f, state.g, epsilon, careful=True)
            if self.error(state) <= stop or passes >= most:
                return state, passes
            state, more, _ = self.settle(state.f, state.g, epsilon, stop, most - passes, relaxation=1.0)
            passes += more

    def fit_to_itself(self, epsilon: float, stop: float, max_passes: int) -> tuple[State, int]:
        """Fit the rows if the columns are the same: f ← (f + T(f)) / 2, with T the plain update.

        If exp(−c / ε) is positive definite, as for distances to a power p ≤ 2 (I. J. Schoenberg, 1938), T turns an
        error e into −λ e with λ between 0 and 1, so that every pass removes at least half of it, for any ε (J. Feydy,
        thesis (2020), section 3.3). With a reach λ is at most the damping δ, and the best average is
        (δ f + T(f)) / (1 + δ).

        Returns the last state, from a careful pass, and the number of passes before.
        """
        damping = self._damping(epsilon)
        f, _ = self.zero()
        passes, fits = 0, False
        while not fits and passes < max_passes:
            state = self.measure(f, f, epsilon)
            passes, fits = passes + 1, self.fits(state, stop)
            f = (damping * f + self._plain(state, epsilon, rows=True)) / (1 + damping)
        return self.measure(f, f, epsilon, careful=True), passes

    def settle(
        self,
        f: np.ndarray,
        g: np.ndarray,
        epsilon: float,
        enough: float,
        most: int,
        relaxation: float,
        least: int = 0,
    ) -> tuple[State, int, float]:
        """Fit rows and columns alternately to the marginal error `enough`, in `most` passes, after `least` updates.

        Returns the last state, the number of passes, and the adjusted relaxation.
        """
        earlier = math.inf
        for turn in range(most):
            state = self.measure(*self._centre(f, g), epsilon)
            f, g = state.f, state.g
            error = self.error(state)
            if (error + self.pairs.noise <= enough and turn >= least) or turn == most - 1:
                break
            if turn % LOOK_EVERY == 0:
                if turn > LOOK_EVERY:  # earlier, the error depends more on the start than on the rate
                    relaxation = tuned(relaxation, (error / earlier) ** (2 / LOOK_EVERY))
                earlier = error
            if turn % 2 == 0:
                f = self._update(state, epsilon, relaxation, rows=True)
            else:
                g = self._update(state, epsilon, relaxation, rows=False)
        return state, turn + 1, relaxation

    def follow(self, epsilons: list[float]) -> tuple[State, int]:
        """Run GeomLoss's loop: once at each ε, average the potentials with both soft minima from them.

        Before the loop it starts from potentials of 0, after it it takes a step without averaging. Returns the last
        state and the number of passes.
        """
        f, g = self.both(*self.zero(), epsilons[0])
        for epsilon in epsilons:
            soft_f, soft_g = self.both(f, g, epsilon)
            f, g = (f + soft_f) / 2, (g + soft_g) / 2
        f, g = self.both(f, g, epsilons[-1])
        return self.measure(f, g, epsilons[-1], careful=True), len(epsilons) + 3

    def both(
        self, f: np.ndarray, g: np.ndarray, epsilon: float, careful: bool = False
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return both plain updates from the same potentials."""
        state = self.measure(f, g, epsilon, careful)
        return self._plain(state, epsilon, rows=True), self._plain(state, epsilon, rows=False)

    def rows(self, f: np.ndarray, g: np.ndarray, epsilon: float) -> np.ndarray:
        """Return the plain update of the rows, for an f near it."""
        return self._plain(self.measure(f, g, epsilon), epsilon, rows=True)

    def measure(self, f: np.ndarray, g: np.ndarray, epsilon: float, careful: bool = False) -> State:
        """Return the state after one pass over the costs."""
        sums = self.pairs.sums(f, g, epsilon, self.deadline.left, careful)
        if sums is None:
            raise OutOfTime(f, g)
        return State(f, g, sums.rows, sums.cols, sums.cost)

    def error(self, state: State) -> float:
        """Return the marginal error (L1, the larger side), inf if the potentials are too far off to compute it.

        It is relative to the mass; to what should move if that is more, and to LITTLE times that if it is less.
        """
        errors = []
        for masses, moved, potential in (
            (self.pairs.a, state.rows, state.f),
            (self.pairs.b, state.cols, state.g),
        ):
            kept, mass = self._kept(potential), float(masses.sum())
            asked = mass if self.rho == math.inf else float(masses @ kept)
            unit = max(asked, min(mass, LITTLE * asked), LEAST_MOVED * mass)
            errors.append(float(masses @ np.abs(moved - kept)) / unit)
        return max(errors) if all(map(math.isfinite, errors)) else math.inf

    def fits(self, state: State, stop: float) -> bool:
        """Return whether the marginal error is at most `stop`, and no single row misses its mass by much."""
        kept = self._kept(state.f)
        return self.error(state) <= stop and bool((np.abs(state.rows - kept) <= EVEN * kept).all())

    def _kept(self, potential: np.ndarray) -> np.ndarray | float:
        """Return the share of each mass that should move at these potentials: 1, or exp(−f/ρ) if unbalanced."""
        if self.rho == math.inf:
            return 1.0
        with np.errstate(over="ignore"):
            return np.exp(-potential / self.rho)

    def damped(self, soft: np.ndarray, epsilon: float) -> np.ndarray:
        """Return the update that follows from soft minima."""
        return np.minimum(self._damping(epsilon) * soft, NOTHING_MOVES * self.rho)

    def _damping(self, epsilon: float) -> float:
        return 1 / (1 + epsilon / self.rho)

    def _plain(self, state: State, epsilon: float, rows: bool) -> np.ndarray:
        """Return the update that maximises the dual over one side."""
        return self.damped(self._soft_minima(state, epsilon, rows), epsilon)

    def _update(self, state: State, epsilon: float, relaxation: float, rows: bool) -> np.ndarray:
        """Return the over-relaxed update of one side, or the plain one if the dual would not rise.

        The plain update maximises the dual over its side, so the dual rises with every update and the iteration ends.
        A. Thibault, L. Chizat, C. Dossal, N. Papadakis, Algorithms 14 (2021) 143.
        """
        old, sums = (state.f, state.rows) if rows else (state.g, state.cols)
        masses = self.pairs.a if rows else self.pairs.b
        plain = self._plain(state, epsilon, rows)
        move = relaxation * (plain - old)
        with np.errstate(all="ignore"):
            balanced = self.rho == math.inf
            linear = move if balanced else -self.rho * self._kept(old) * np.expm1(-move / self.rho)
            gain = masses @ (linear - epsilon * sums * np.expm1(move / epsilon))
        return old + move if gain > 0 else plain

    def _centre(self, f: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return f and g, shifted by a constant so that both sides should move the same mass.

        The plan does not change, but unbalanced updates alone find the best shift slowly.
        T. Séjourné, F.-X. Vialard, G. Peyré, AISTATS 2022, section 3.
        """
        if self.rho == math.inf:
            return f, g
        with np.errstate(divide="ignore"):
            moved_a = np.logaddexp.reduce(np.log(self.pairs.a) - f / self.rho)
            moved_b = np.logaddexp.reduce(np.log(self.pairs.b) - g / self.rho)
        shift = self.rho / 2 * float(moved_a - moved_b)
        return f + shift, g - shift

    def _soft_minima(self, state: State, epsilon: float, rows: bool) -> np.ndarray:
        """Return −ε log Σ_j b_j exp((g_j − c_ij) / ε) for every row, or the same for every column.

        They follow from the sums of the pass; sums out of range are computed anew, relative to the hard minimum.
        """
        potential, sums = (state.f, state.rows) if rows else (state.g, state.cols)
        lost = self.pairs.lost(sums, np.minimum(self._kept(potential), 1.0))
        with np.errstate(divide="ignore", invalid="ignore"):
            soft = potential - epsilon * np.log(sums)
        if lost.any():
            pairs, other = (self.pairs, state.g) if rows else (self.pairs.mirrored(), state.f)
            soft[lost] = pairs.soft_minima(lost, other, epsilon)
            if not (soft > -math.inf).all():
                raise ValueError(COSTS_CHANGED)  # otherwise they are numbers, or inf if every pair is forbidden
        return soft


def tuned(relaxation: float, rate: float) -> float:
    """Return a better relaxation, given the factor `rate` by which an update of both sides reduced the error.

    Near its solution the algorithm is a successive over-relaxation, for which D. M. Young's formulas hold: a rate above
    relaxation − 1 implies the rate of the plain iteration, which implies the best relaxation; otherwise the relaxation
    is already beyond the best.
    """
    if not relaxation - 1 < rate < 1:
        return relaxation
    plain = (rate + relaxation - 1) ** 2 / (relaxation**2 * rate)
    return max(relaxation, min(2 / (1 + math.sqrt(max(1 - plain, 0.0))), MOST_RELAXATION))


def descent(start: float, end: float, ratio: float) -> list[float]:
    """Return values of ε: `start`, then each `ratio` times the last while above `end`, then `end`."""
    count = math.ceil(math.log(end / start) / math.log(ratio)) if start > end else 0
    return [start * ratio**k for k in range(count)] + [end]
