"""Iterative refinement: more digits for answers whose costs or duals differ by too many orders of magnitude.

A solver in float64 cannot distinguish costs that differ by less than about 10⁻¹⁶ of the largest numbers it handles, and
its duals may be as large as a cost that no answer needs. So the problem is solved again at reduced costs, computed
exactly and then rounded, which leaves them the digits that matter. Pairs whose reduced cost exceeds the excess belong
to no better answer and are left out. The new duals are added to the earlier ones, and so on (A. M. Gleixner, D. E.
Steffy, K. Wolter, Iterative refinement for linear programming, INFORMS J. Comput. 28 (2016) 449–464).
"""

import math
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

import numpy as np

from lapmark.solvers.certificate.complementary_slackness import Claim
from lapmark.solvers.certificate.feasible_duals import Potentials, Terms
from lapmark.solvers.costs import Cost, DenseCost, PointCost
from lapmark.solvers.costs.c_transform import column_minima, near_pairs, row_minima
from lapmark.solvers.costs.exact_sums import difference, sum_down
from lapmark.solvers.deadline import Deadline
from lapmark.solvers.errors import Infeasible, TimeLimit
from lapmark.solvers.native import _cascade, _matrix
from lapmark.solvers.problem import Assignment
from lapmark.solvers.result import Matching

#: Ratio of the largest number to the typical difference of an answer's costs above which to check for rounding.
SUSPECT = 2.0**20

#: Excess that is good enough, relative to the difference of costs; part of the excess that a round must leave at most,
#: or be the last; and the largest number of rounds.
GOOD, WORTHWHILE, ROUNDS = 1e-12, 0.5, 16

#: Number of pairs up to which their costs may not show by how much costs differ.
FEW = 4

#: Ratio to the good excess above which the duals themselves may be spoilt by rounding.
SPOILT = 1e5

#: Largest number of pairs of a problem at reduced costs.
MOST_PAIRS = 2**25


def refined(problem: Assignment, matching: Matching, deadline: Deadline, largest: float = 0.0) -> Matching:
    """Return an optimal matching with duals, given one that rounding may have spoilt; the same one if it has not.

    Parameters
    ----------
    problem : Assignment
        One that minimises.
    matching : Matching
        With duals, and a complete matching of allowed pairs.
    deadline : Deadline
    largest : float
        Largest difference of costs that the search has seen.

    Raises
    ------
    TimeLimit
        With the bound proven so far.
    """
    good = _good(problem, matching, largest)
    if good is None:
        return matching
    terms = Terms.of(problem)
    with np.errstate(over="ignore", invalid="ignore"):
        if _excess(problem, matching) <= good:
            return matching
        first = _found(terms, matching.row_to_col, terms.given(*matching.duals))
        found = improved(first, good, lambda found: _posed_again(found, deadline))
        if found.excess > SPOILT * good:
            # If rounding errors fill the duals, corrections are lost; then the duals start from minima.
            again = _found(terms, found.answer, terms.from_minima)
            again = improved(again, good, lambda found: _posed_again(found, deadline))
            found = min(found, again, key=lambda each: each.excess)
    if found.answer is matching.row_to_col:
        return matching
    u, v = found.duals.f + found.duals.f_rest, found.duals.g + found.duals.g_rest
    return Matching.of(problem, found.answer, u, v, matching.counters)


T = TypeVar("T")


class Found(NamedTuple, Generic[T]):
    """An answer, the claim that it is optimal, duals, and the excess that these leave."""

    answer: T
    claim: Claim
    duals: Potentials
    excess: float


def improved(found: Found[T], good: float, again: Callable[[Found[T]], Found[T] | None]) -> Found[T]:
    """Solve at reduced costs by `again`, repeatedly, as long as that reduces the excess enough."""
    for _ in range(ROUNDS):
        if found.excess <= good:
            break
        better = again(found)
        if better is None or not better.excess < found.excess:
            break
        worthwhile = better.excess <= WORTHWHILE * found.excess
        found = better
        if not worthwhile:
            break
    return found


def _found(terms: Terms, row_to_col: np.ndarray, duals: Potentials) -> Found[np.ndarray]:
    claim = Claim.of_matching(terms, row_to_col)
    return Found(row_to_col, claim, duals, claim.excess(duals))


def _good(problem: Assignment, matching: Matching, largest: float) -> float | None:
    """Return the excess at which the matching is good enough; None if rounding cannot have spoilt it."""
    rows = (matching.row_to_col >= 0).nonzero()[0]
    if matching.u is None or matching.v is None or len(rows) == 0:
        return None
    if min(problem.shape) == 1 and problem.limit is None:
        return 0.0 if _is_nearly_tied(problem.cost) else None
    pairs = rows, matching.row_to_col[rows]
    return good_enough(problem.cost, pairs, matching.u, matching.v, max(largest, abs(problem.limit or 0.0)), SUSPECT)


def _excess(problem: Assignment, matching: Matching) -> float:
    """Return the excess of a matching quickly, up to one rounding; inf if that needs exact arithmetic."""
    cost, (n, m) = problem.cost, problem.shape
    if not isinstance(cost, DenseCost) or problem.limit is not None:
        return np.inf
    rows = (matching.row_to_col >= 0).nonzero()[0]
    columns = matching.row_to_col[rows]
    by_columns = n <= m
    given, at, here = (matching.v, columns, rows) if by_columns else (matching.u, rows, columns)
    assert given is not None
    duals = given if n == m else np.minimum(given, 0.0)
    low, rest = (row_minima if by_columns else column_minima)(cost, duals)
    left, left_rest = difference(cost.entries(rows, columns), duals[at])
    kept = 0.0 if n == m else duals[at].sum() - duals.sum()
    return float(((left - low[here]) + (left_rest - rest[here])).sum() + kept)


def _is_nearly_tied(cost: Cost) -> bool:
    """Return whether rounding of a formula may decide which cost is the least."""
    if not isinstance(cost, PointCost) or cost.p not in (1, 2):
        return False
    costs = cost.dense()
    return int(np.count_nonzero(costs <= costs.min() * (1 + 2.0**-48))) > 1


def good_enough(
    cost: Cost, pairs: tuple[np.ndarray, np.ndarray], u: np.ndarray, v: np.ndarray, largest: float, suspect: float
) -> float | None:
    """Return the excess at which an answer of these pairs, rows (k,) and columns (k,), is good enough.

    None if their costs, the duals and `largest` are all below `suspect` times the typical difference of costs. The
    typical difference is the scale here, not the scope, because a large cost that no answer can avoid may hide others.
    """
    rows, columns = pairs
    paid = cost.entries(rows, columns)
    typical, largest_seen = _matrix.sizes(paid, u, v)
    if typical == 0 or len(paid) <= FEW:
        # If all pairs cost the same, compare with other pairs of the same rows.
        others = cost.entries(rows, columns[np.arange(len(rows)) - 1]) - paid
        apart = [gap for gap in map(abs, others.tolist()) if 0 < gap < math.inf]
        if not apart:
            return None
        typical = min(typical or math.inf, *apart)
    return GOOD * typical * len(paid) if max(largest, largest_seen) > suspect * typical else None


def _posed_again(found: Found[np.ndarray], deadline: Deadline) -> Found[np.ndarray] | None:
    """Return the best matching at reduced costs, with its duals added to the earlier ones; None if too many pairs."""
    claim, p = found.claim, found.duals
    terms, (n, m) = claim.terms, claim.terms.cost.shape
    by_columns = terms.from_which == "columns"
    least = terms.minima(p)
    pairs = near_pairs(terms.cost, p.g if by_columns else p.f, least, found.excess, by_columns, MOST_PAIRS)
    if pairs is None:
        return None
    # The pairs of the matching are added, since rounding may have excluded them.
    rows, columns = np.unique(np.hstack([pairs, [claim.rows, claim.columns]]), axis=1)
    lengths, _ = claim.slack(p, rows, columns, terms.cost.exact_entries(rows, columns))
    lengths = np.maximum(lengths, 0.0)
    stand_ins = terms.rows_keep or terms.columns_keep
    if stand_ins:
        # Each row and column has a stand-in to match if it stays unmatched, at the cost of its dual. The stand-ins of a
        # matched pair are matched with each other.
        one, other, more = [rows, n + columns], [columns, m + rows], [lengths, np.zeros(len(rows))]
        for keeps, mine, theirs, dual in (
            (terms.rows_keep, np.arange(n), m + np.arange(n), p.f + p.f_rest),
            (terms.columns_keep, n + np.arange(m), np.arange(m), p.g + p.g_rest),
        ):
            if keeps:
                one.append(mine)
                other.append(theirs)
                more.append(-dual)
        rows, columns, lengths = np.concatenate(one), np.concatenate(other), np.concatenate(more)
    size = n + m if stand_ins else n
    order = np.lexsort((columns, rows))
    begin = np.zeros(size + 1, dtype=np.int64)
    np.cumsum(np.bincount(rows, minlength=size), out=begin[1:])
    listed = begin, columns[order].astype(np.int32), lengths[order], size
    try:
        row_to_col, u, v, *_ = _cascade.sparse(*listed, deadline.left, bids=False)
    except Infeasible:
        return None  # although the matching is among these pairs: the costs have changed
    if row_to_col is None:
        raise TimeLimit(deadline.seconds, (n, m), sum_down(*claim.paid, np.array([-found.excess])))
    if stand_ins:
        u, v = u[:n] + v[m:], v[:m] + u[n:]
    row_to_col = np.where(row_to_col[:n] < m, row_to_col[:n], -1)
    duals = terms.given_columns(p.g, p.g_rest + v) if by_columns else terms.given_rows(p.f, p.f_rest + u)
    return _found(terms, row_to_col, duals)
