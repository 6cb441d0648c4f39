"""That a matching or a plan is the cheapest, by complementary slackness and in exact arithmetic.

A matching is a plan of masses 1. Let π_ij be what moves, and k_i, k_j what rows and columns keep where they may. With
duals f, g that obey their terms, any plan that moves as much from each row and to each column costs at least

    sum_ij π_ij (c_ij − limit) − (sum_ij π_ij (c_ij − limit − f_i − g_j) − sum_i k_i f_i − sum_j k_j g_j),

so that the sum in brackets, the excess, is the most that could be saved. All its terms are at least 0: no two make up
for each other, shifting all f up and all g down by a constant changes none, and each is rounded up by itself.
METHODOLOGY.md has the theorem.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lapmark.solvers.costs import PointCost
from lapmark.solvers.costs.c_transform import near_pairs
from lapmark.solvers.costs.exact_sums import UNIT, difference, lost_by_products, product, sum_up, unit_of

from .feasible_duals import Potentials, Terms

#: Duals that miss the proof by at most this part of the scope, or of what they are themselves, are made tight on the
#: answer: what they miss may be the rounding of float32, or of large prices that cancelled.
NEAR, ROUNDED = 1e-4, 2.0**-44

#: Rounds of that, each with a pass over the cost for the pairs that matter and so many sweeps over these pairs; and how
#: many pairs to look through, and to sweep over for each row and column, at most.
ROUNDS, SWEEPS, MOST_PAIRS, MOST_NEAR = 8, 1000, 2**28, 64


#: The part of a distance or its square that its formula leaves open, and what part that has to be at most of the slack
#: that other pairs of the same row or column have.
KNOWN, TELLING = 2.0**-75, 2.0**-60

#: Costs of some pairs, each the sum of two numbers.
Entries = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class Claim:
    """That no other plan of the same marginals is cheaper.

    Attributes
    ----------
    terms : Terms
    rows, columns, mass : (k,) arrays
        The pairs that move something, and how much.
    kept_rows, kept_columns : (n,), (m,) arrays
        What stays, where it may.
    """

    terms: Terms
    rows: np.ndarray
    columns: np.ndarray
    mass: np.ndarray
    kept_rows: np.ndarray
    kept_columns: np.ndarray

    @classmethod
    def of_matching(cls, terms: Terms, row_to_col: np.ndarray) -> Claim:
        """The claim of a matching, −1 where a row stays out."""
        rows = np.flatnonzero(row_to_col >= 0)
        kept = [np.ones(size) for size in terms.cost.shape]
        kept[0][rows] = kept[1][row_to_col[rows]] = 0.0
        return cls(terms, rows, row_to_col[rows], np.ones(len(rows)), *kept)

    @cached_property
    def entries(self) -> Entries:
        """What the pairs cost, as `Cost.exact_entries` has it."""
        return self.terms.cost.exact_entries(self.rows, self.columns)

    @cached_property
    def paid(self) -> tuple[np.ndarray, ...]:
        """Numbers that add up to what the answer costs, less the limit of each pair."""
        limits = np.full(len(self.mass), -self.terms.limit)
        return tuple(part for numbers in (*self.entries, limits) for part in self._weighed(numbers))

    @cached_property
    def lost(self) -> float:
        """By how much these may be off, or the excess, where products are below what float64 holds."""
        return 0.0 if self._moves_ones else lost_by_products(self.mass, self.entries[0])

    def _weighed(self, numbers: np.ndarray) -> tuple[np.ndarray, ...]:
        """Numbers times what moves."""
        return (numbers,) if self._moves_ones else product(self.mass, numbers)

    @cached_property
    def _moves_ones(self) -> bool:
        return bool((self.mass == 1).all())

    def slack(
        self, p: Potentials, rows: np.ndarray, columns: np.ndarray, entries: Entries
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return c_ij − limit − f_i − g_j of some pairs, (k,), and how much that may be off by."""
        slack, rests, error = entries[0], [entries[1]], np.zeros(len(rows))
        for number in (p.g[columns], self.terms.limit, p.f[rows]):
            slack, rest = difference(slack, number)
            rests.append(rest)
        for number in (*rests, -p.g_rest[columns], -p.f_rest[rows]):
            slack, rest = difference(slack, -number)
            error += np.abs(rest)
        return slack, error

    def excess(self, p: Potentials) -> float:
        """What could be saved at most, rounded up."""
        if self.terms.leaves_no_choice:
            return 0.0
        slack, error = self.slack(p, self.rows, self.columns, self.entries)
        slack = np.where(error > 0, (slack + error) * (1 + 4 * UNIT), slack)
        if isinstance(self.terms.cost, PointCost) and self.terms.cost.p in (1, 2):
            slack = np.where(self._is_beyond_formula(p, slack), 0.0, slack)
        parts = [*self._weighed(slack), np.array([self.lost])]
        for kept, *duals in ((self.kept_rows, p.f, p.f_rest), (self.kept_columns, p.g, p.g_rest)):
            if kept.any():
                parts += [part for dual in duals for part in product(kept, -dual)]
        return sum_up(*parts)

    def _is_beyond_formula(self, p: Potentials, slack: np.ndarray) -> np.ndarray:
        """Return which slacks, (k,), are smaller than the error of the formula of distances.

        That is no reason to let it pass where other pairs of its row and column hardly cost anything else.
        """
        known = KNOWN * np.abs(self.entries[0])
        beyond = (slack > 0) & (slack <= known)
        if not beyond.any():
            return beyond
        (n, m), some, most = self.terms.cost.shape, np.flatnonzero(beyond), np.zeros(len(slack))
        rows, columns = self.rows[some], self.columns[some]
        for step in (1, 7, 61):
            for i, j in ((rows, (columns + step) % m), ((rows + step) % n, columns)):
                other, _ = self.slack(p, i, j, self.terms.cost.exact_entries(i, j))
                most[some] = np.maximum(most[some], other)
        return beyond & (known <= TELLING * most)

    @cached_property
    def scope(self) -> float:
        """See `Certificate`."""
        return self.excess(self.terms.from_minima)

    def is_proven(self, excess: float, tolerance: float) -> bool:
        """Whether an answer by which at most so much could be saved is optimal."""
        return excess <= 0 or excess <= tolerance * self.scope

    def is_exact(self, excess: float) -> bool:
        """Whether nothing can be saved, because costs times masses are multiples of more than the excess."""
        if excess <= 0:
            return True
        unit = 2.0 ** math.frexp(excess)[1] / unit_of(np.concatenate([self.mass, self.kept_rows, self.kept_columns]))
        return 0 < unit < math.inf and math.fmod(self.terms.limit, unit) == 0 and self.terms.cost.is_whole(unit)


def tightened(claim: Claim, p: Potentials) -> Iterator[Potentials]:
    """Yield duals made tight on the answer, where some are near.

    By how much duals may differ is limited by costs, which those of an optimal answer meet exactly where something
    moves: corrections, in a second number each, are shortest paths in what is left of these costs. Around an answer
    that is not optimal there are none, and the excess stays what it is.
    """
    for _ in range(ROUNDS):
        excess = claim.excess(p)
        slack, _ = claim.slack(p, claim.rows, claim.columns, claim.entries)
        size = sum(float(np.abs(each).max(initial=0.0)) for each in (p.f, p.g, claim.entries[0])) * float(
            claim.mass.sum()
        )
        if not 0 < excess <= max(NEAR * claim.scope, ROUNDED * size):
            return
        corrected = _corrected(claim, p, slack)
        if corrected is None or not claim.excess(corrected) < excess:
            return
        p = corrected
        yield p


def _corrected(claim: Claim, p: Potentials, slack: np.ndarray) -> Potentials | None:
    """Duals as tight as the pairs near tightness allow; None where these are too many.

    The corrections are those of f taken off and those of g: along a pair, neither may exceed the other by more than the
    slack, and where something moves by no less either.
    """
    terms, (n, m) = claim.terms, claim.terms.cost.shape
    if n * m > MOST_PAIRS:
        return None
    # Nothing that differs by more than some of what is to be corrected matters.
    reach = 16 * float(slack.max(initial=0.0))
    by_columns = terms.from_which == "columns"
    low = terms.minima(p)
    pairs = near_pairs(terms.cost, p.g if by_columns else p.f, low, reach, by_columns, MOST_NEAR * (n + m))
    if pairs is None:
        return None
    rows, columns = pairs
    lengths, _ = claim.slack(p, rows, columns, terms.cost.exact_entries(rows, columns))
    # From here on "there" is the side whose duals are given, "here" the other.
    here, there, moves_here, moves_there = (
        (rows, columns, claim.rows, claim.columns) if by_columns else (columns, rows, claim.columns, claim.rows)
    )
    fixed, kept_there = (claim.kept_rows, claim.kept_columns) if by_columns else (claim.kept_columns, claim.kept_rows)
    duals, rest = (p.g, p.g_rest) if by_columns else (p.f, p.f_rest)
    of_here = (p.f + p.f_rest) if by_columns else (p.g + p.g_rest)
    keeps = terms.columns_keep if by_columns else terms.rows_keep
    most = np.minimum(reach, -(duals + rest)) if keeps else np.zeros(len(duals))
    most = np.where((kept_there > 0) & keeps, -(duals + rest), most)
    correction, taken = most, np.where(fixed > 0, of_here, np.inf)
    for _ in range(SWEEPS):
        before = correction.copy()
        np.minimum.at(taken, moves_here, correction[moves_there] - slack)
        np.minimum.at(correction, there, taken[here] + lengths)
        if (before == correction).all():
            break
    return terms.given_columns(duals, rest + correction) if by_columns else terms.given_rows(duals, rest + correction)
