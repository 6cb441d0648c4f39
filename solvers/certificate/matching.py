"""The certificate of a matching: its faults, its cost, and the duals that prove it."""

from collections.abc import Callable, Iterator

import numpy as np

from lapmark.solvers.costs.exact_sums import sum_down, sum_up
from lapmark.solvers.problem import Assignment
from lapmark.solvers.result import Matching

from .certificate import Certificate, as_array, invalid, number, relative, vector
from .complementary_slackness import Claim, tightened
from .feasible_duals import Potentials, Terms

#: Solves the problem to find duals.
Search = Callable[[Assignment], Matching]


def certify_matching(
    problem: Assignment, result: Matching, known: float, tolerance: float, every_pair: bool, search: Search | None
) -> Certificate:
    """Return the certificate of a matching; parameters as in `certify`, with a solver for `search`."""
    n, m = problem.shape
    fault, row_to_col = matching_fault(problem, result.row_to_col)
    if fault is not None:
        return invalid(fault, known)
    rows = np.flatnonzero(row_to_col >= 0)
    columns = row_to_col[rows]
    entries = problem.cost.entries(rows, columns)
    if not np.isfinite(entries).all():
        at = int(np.argmax(~np.isfinite(entries)))
        return invalid(f"row {rows[at]} is matched to column {columns[at]}, a forbidden pair", known)
    stated, total, size = number(result.cost), float(entries.sum()), float(np.abs(entries).sum())
    if not abs(stated - total) <= 1e-6 * size:
        return invalid(f"states a cost of {result.cost!r}, but its matching costs {total:.12g}", known, total)
    u = v = None
    if result.u is not None or result.v is not None:
        u, fault = vector("dual u", result.u, n)
        v, fault_of_v = vector("dual v", result.v, m)
        if u is None or v is None:
            return invalid(fault or fault_of_v, known, total)

    # From here on the problem minimises: costs to maximise are negated.
    sign = -1.0 if problem.maximize else 1.0
    problem = problem.minimizing
    terms = Terms.of(problem, every_pair)
    claim = Claim.of_matching(terms, row_to_col)
    excess, violation, own = sum_up(*claim.paid, np.array([-sign * known])), np.nan, None
    if u is not None and v is not None:
        own = terms.given(sign * u, sign * v)
        violation = terms.violation(sign * u, sign * v, own)
    for potentials in _potentials(claim, problem, own, search):
        excess = min(excess, claim.excess(potentials))
        if claim.is_proven(excess, tolerance):
            break
    cost, optimal = sum_up(*claim.paid), claim.is_proven(excess, tolerance)
    return Certificate(
        valid=True,
        cost=sign * cost,
        dual_bound=sign * max(sign * known, sum_down(*claim.paid, np.array([-excess, -claim.lost]))),
        gap=relative(excess, cost),
        max_violation=violation,
        optimal=optimal,
        exactly_optimal=optimal and claim.is_exact(excess),
        scope=np.nan if excess <= 0 else claim.scope,
    )


def _potentials(
    claim: Claim, problem: Assignment, own: Potentials | None, search: Search | None
) -> Iterator[Potentials]:
    """Yield duals that may prove the matching, its own and others, the cheapest to compute first."""
    if own is not None:
        yield own
        yield from tightened(claim, own)
    yield claim.terms.from_minima
    yield from tightened(claim, claim.terms.from_minima)
    if search is not None:
        try:
            answer = search(problem)
        except ValueError:
            return  # no answer, although there is one: the costs have changed
        found = claim.terms.given(*answer.duals)
        yield found
        yield from tightened(claim, found)


def matching_fault(problem: Assignment, answer: object) -> tuple[str | None, np.ndarray]:
    """Return why `answer` is not a complete matching, or None, and the answer as intp."""
    n, m = problem.shape
    row_to_col = as_array(answer)
    if row_to_col.shape != (n,):
        return f"row_to_col has shape {row_to_col.shape}, not ({n},)", row_to_col
    if row_to_col.dtype.kind not in "iu":
        return f"row_to_col holds {row_to_col.dtype}, not integers", row_to_col
    outside = (row_to_col < -1) | (row_to_col >= m)
    if outside.any():
        i = int(np.argmax(outside))
        return f"row {i} is matched to column {row_to_col[i]}, but there are {m} columns", row_to_col
    row_to_col = row_to_col.astype(np.intp)
    taken = row_to_col[row_to_col >= 0]
    count = np.bincount(taken, minlength=m)
    if count.max(initial=0) > 1:
        j = int(np.argmax(count))
        return f"not a permutation: column {j} is matched to {count[j]} rows", row_to_col
    if len(taken) < min(n, m) and problem.limit is None:
        return f"{len(taken)} rows are matched, not {min(n, m)}", row_to_col
    return None, row_to_col
