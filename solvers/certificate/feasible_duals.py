"""Feasible duals from any proposal, in exact arithmetic.

A solver's duals are a proposal for one side. Those of the other side are computed here, as the largest that the costs
allow: the minima over every pair. So f_i + g_j ≤ c_ij − limit, and duals are ≤ 0 on a side that may keep mass.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lapmark.solvers.costs import Cost, PointCost
from lapmark.solvers.costs.c_transform import column_minima, row_minima
from lapmark.solvers.costs.exact_sums import difference, product, sum_down
from lapmark.solvers.problem import Assignment, Transport


@dataclass(frozen=True, eq=False)
class Potentials:
    """Duals of n rows and m columns, sums of two numbers each: f + f_rest and g + g_rest."""

    f: np.ndarray
    f_rest: np.ndarray
    g: np.ndarray
    g_rest: np.ndarray

    def bound(self, a: np.ndarray | float = 1.0, b: np.ndarray | float = 1.0) -> float:
        """Return Σ a f + Σ b g, rounded down: no plan of masses a and b, or matching, costs less. −inf on overflow."""
        a, b = np.broadcast_to(a, self.f.shape), np.broadcast_to(b, self.g.shape)
        duals = (a, self.f), (a, self.f_rest), (b, self.g), (b, self.g_rest)
        with np.errstate(over="ignore", invalid="ignore"):
            return sum_down(*(part for masses, dual in duals for part in product(masses, dual)))


@dataclass(frozen=True, eq=False)
class Terms:
    """The constraints on duals.

    Attributes
    ----------
    cost : Cost
    limit : float
        Subtracted from every cost.
    rows_keep, columns_keep : bool
        Whether rows, or columns, may stay unmatched or keep mass: then their duals are at most 0.
    every_pair : bool
        As in `certify`.
    """

    cost: Cost
    limit: float = 0.0
    rows_keep: bool = False
    columns_keep: bool = False
    every_pair: bool = False

    @classmethod
    def of(cls, problem: Assignment | Transport, every_pair: bool = False) -> Terms:
        """Return the terms of an assignment that minimises, or of transport without a reach."""
        if isinstance(problem, Transport):
            return cls(problem.cost, 0.0, problem.surplus > 0, problem.surplus < 0, every_pair)
        (n, m), limited = problem.shape, problem.limit is not None
        return cls(problem.cost, problem.limit or 0.0, limited or n > m, limited or n < m, every_pair)

    @property
    def from_which(self) -> str:
        """The side from which the other's duals follow: one that may keep mass, the longer of two."""
        n, m = self.cost.shape
        return "rows" if self.rows_keep and (n > m or not self.columns_keep) else "columns"

    @cached_property
    def leaves_no_choice(self) -> bool:
        """Whether every answer costs the same, because one side is a single point and the other is moved in full."""
        cost = self.cost
        if not isinstance(cost, PointCost) or min(cost.shape) == 0:
            return False
        one_row, one_column = ((points == points[0]).all() for points in (cost.x, cost.y))
        return bool((one_row and not self.columns_keep) or (one_column and not self.rows_keep))

    def given(self, f: np.ndarray, g: np.ndarray) -> Potentials:
        """Return the duals that follow from one side of a solver's."""
        return self.given_rows(f) if self.from_which == "rows" else self.given_columns(g)

    def given_columns(self, g: np.ndarray, rest: np.ndarray | None = None) -> Potentials:
        """Return the duals that follow from those of the columns."""
        g, rest = _signed(g, rest, self.columns_keep)
        return Potentials(*self._left(row_minima(self.cost, g, rest, self.every_pair), self.rows_keep), g, rest)

    def given_rows(self, f: np.ndarray, rest: np.ndarray | None = None) -> Potentials:
        """Return the duals that follow from those of the rows."""
        f, rest = _signed(f, rest, self.rows_keep)
        return Potentials(f, rest, *self._left(column_minima(self.cost, f, rest, self.every_pair), self.columns_keep))

    def minima(self, p: Potentials) -> np.ndarray:
        """Return the minima of costs minus the given side's duals, as one number each."""
        left, rest = (p.g, p.g_rest) if self.from_which == "rows" else (p.f, p.f_rest)
        return (left + self.limit) + rest

    @cached_property
    def from_minima(self) -> Potentials:
        """The duals that are minima of columns and then of rows; of one side alone if the other's may be 0."""
        n, m = self.cost.shape
        if self.from_which == "rows":
            return self.given_rows(np.zeros(n))
        if self.columns_keep:
            return self.given_columns(np.zeros(m))
        low, _ = column_minima(self.cost, np.zeros(n), every_pair=self.every_pair)
        return self.given_columns(np.where(low < np.inf, low, 0.0))

    def violation(self, f: np.ndarray, g: np.ndarray, own: Potentials) -> float:
        """Return the largest violation by a solver's duals; `own` are those that follow from one of its sides."""
        by_rows = self.from_which == "rows"
        given, other, used, left = (f, g, own.f, own.g) if by_rows else (g, f, own.g, own.f)
        if not np.array_equal(given, used):
            plain = Terms(self.cost, self.limit, every_pair=self.every_pair)
            left = plain.given_rows(f).g if by_rows else plain.given_columns(g).f
        worst = [other - left, *([f] if self.rows_keep else []), *([g] if self.columns_keep else [])]
        return max(float(each.max(initial=0.0)) for each in worst)

    def _left(self, minima: tuple[np.ndarray, np.ndarray], keeps: bool) -> tuple[np.ndarray, np.ndarray]:
        low, missing = difference(minima[0], self.limit)
        rest, lost = difference(missing, -minima[1])
        rest = np.where(lost < 0, np.nextafter(rest, -np.inf), rest)  # below the minimum is safe, above it is not
        if keeps:
            # Near the limit the difference is exact, so that its sign is correct.
            above = ~(low + rest < 0)
            low, rest = np.where(above, 0.0, low), np.where(above, 0.0, rest)
        return low, rest


def _signed(duals: np.ndarray, rest: np.ndarray | None, keeps: bool) -> tuple[np.ndarray, np.ndarray]:
    rest = np.zeros(len(duals)) if rest is None else rest
    if keeps:
        above = duals + rest > 0
        duals, rest = np.where(above, 0.0, duals), np.where(above, 0.0, rest)
    return duals, rest
