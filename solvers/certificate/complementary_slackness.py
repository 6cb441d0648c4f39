"""Proofs of optimality of a matching or a plan, by complementary slackness and in exact arithmetic.

A matching is a plan of masses 1. Let π_ij be the mass that moves, and k_i, k_j the mass that rows and columns keep if
they may. With feasible duals f, g, any plan that moves as much from each row and to each column costs at least

    sum_ij π_ij (c_ij − limit) − (sum_ij π_ij (c_ij − limit − f_i − g_j) − sum_i k_i f_i − sum_j k_j g_j),

so that the sum in brackets, the excess, bounds what another plan could save. All its terms are at least 0: none cancel,
shifting all f up and all g down by a constant changes none, and each is rounded up by itself. The theorem is in the
documentation, under "What is proven".
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

#: Largest excess, as a part of the scope or of the duals' own size, at which duals are made tight on the answer: it may
#: come from rounding in float32, or of large prices that cancelled.
NEAR, ROUNDED = 1e-4, 2.0**-44

#: Limits of tightening: rounds, each with a pass over the cost for the pairs that matter; sweeps over these in a round;
#: pairs of the problem; and pairs to sweep over per row and column.
ROUNDS, SWEEPS, MOST_PAIRS, MOST_NEAR = 8, 1000, 2**28, 64


#: Relative error of the formula of a distance or its square; and the largest ratio of that error to the slack of other
#: pairs of the same row or column at which it is ignored.
KNOWN, TELLING = 2.0**-75, 2.0**-60

#: Costs of some pairs, each the sum of two numbers.
Entries = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class Claim:
    """The claim that no other plan of the same marginals is cheaper.

    Attributes
    ----------
    terms : Terms
    rows, columns, mass : (k,) arrays
        The pairs between which mass moves, and how much.
    kept_rows, kept_columns : (n,), (m,) arrays
        Mass that stays, if it may.
    """

    terms: Terms
    rows: np.ndarray
    columns: np.ndarray
    mass: np.ndarray
    kept_rows: np.ndarray
    kept_columns: np.ndarray

    @classmethod
    def of_matching(cls, terms: Terms, row_to_col: np.ndarray) -> Claim:
        """Return the claim of a matching, −1 for an unmatched row."""
        rows = np.flatnonzero(row_to_col >= 0)
        kept = [np.ones(size) for size in terms.cost.shape]
        kept[0][rows] = kept[1][row_to_col[rows]] = 0.0
        return cls(terms, rows, row_to_col[rows], np.ones(len(rows)), *kept)

    @cached_property
    def entries(self) -> Entries:
        """Costs of the pairs, as from `Cost.exact_entries`."""
        return self.terms.cost.exact_entries(self.rows, self.columns)

    @cached_property
    def paid(self) -> tuple[np.ndarray, ...]:
        """Numbers that add up to the cost of the answer, minus the limit of each pair."""
        limits = np.full(len(self.mass), -self.terms.limit)
        return tuple(part for numbers in (*self.entries, limits) for part in self._weighed(numbers))

    @cached_property
    def lost(self) -> float:
        """Bound on the error of `paid`, or of the excess, from products that underflow."""
        return 0.0 if self._moves_ones else lost_by_products(self.mass, self.entries[0])

    def _weighed(self, numbers: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return numbers times the masses, as exact sums."""
        return (numbers,) if self._moves_ones else product(self.mass, numbers)

    @cached_property
    def _moves_ones(self) -> bool:
        return bool((self.mass == 1).all())

    def slack(
        self, p: Potentials, rows: np.ndarray, columns: np.ndarray, entries: Entries
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return c_ij − limit − f_i − g_j of some pairs, (k,), and a bound on its error."""
        slack, rests, error = entries[0], [entries[1]], np.zeros(len(rows))
        for number in (p.g[columns], self.terms.limit, p.f[rows]):
            slack, rest = difference(slack, number)
            rests.append(rest)
        for number in (*rests, -p.g_rest[columns], -p.f_rest[rows]):
            slack, rest = difference(slack, -number)
            error += np.abs(rest)
        return slack, error

    def excess(self, p: Potentials) -> float:
        """Return the most that another plan could save, rounded up."""
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
        """Return which slacks, (k,), are below the error of the formula of distances and may be ignored.

        They may not if other pairs of the same row and column have hardly more slack.
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
        """The `scope` of a `Certificate`."""
        return self.excess(self.terms.from_minima)

    def is_proven(self, excess: float, tolerance: float) -> bool:
        """Return whether an answer with this excess is optimal."""
        return excess <= 0 or excess <= tolerance * self.scope

    def is_exact(self, excess: float) -> bool:
        """Return whether no plan is cheaper, because costs times masses are multiples of more than the excess."""
        if excess <= 0:
            return True
        unit = 2.0 ** math.frexp(excess)[1] / unit_of(np.concatenate([self.mass, self.kept_rows, self.kept_columns]))
        return 0 < unit < math.inf and math.fmod(self.terms.limit, unit) == 0 and self.terms.cost.is_whole(unit)


def tightened(claim: Claim, p: Potentials) -> Iterator[Potentials]:
    """Yield duals made tight on the answer, if they are nearly tight.

    Optimal duals have no slack where mass moves, and at least 0 elsewhere. The corrections that achieve this, kept as a
    second number each, are shortest paths along the slacks. For an answer that is not optimal there are none, and the
    excess stays the same.
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
    """Return duals as tight as the nearly tight pairs allow; None if these are too many.

    `taken` is subtracted from f and `correction` added to g (or the other way round). Along a pair they differ by at
    most the slack, and if mass moves by exactly the slack.
    """
    terms, (n, m) = claim.terms, claim.terms.cost.shape
    if n * m > MOST_PAIRS:
        return None
    # Pairs with much more slack than is to be corrected do not matter.
    reach = 16 * float(slack.max(initial=0.0))
    by_columns = terms.from_which == "columns"
    low = terms.minima(p)
    pairs = near_pairs(terms.cost, p.g if by_columns else p.f, low, reach, by_columns, MOST_NEAR * (n + m))
    if pairs is None:
        return None
    rows, columns = pairs
    lengths, _ = claim.slack(p, rows, columns, terms.cost.exact_entries(rows, columns))
    # "there" is the side whose duals are given, "here" the other one.
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
