"""Iterative refinement of transport plans; see `lapmark.solvers.assignment.matching_refinement`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from lapmark.solvers.assignment.matching_refinement import Found, good_enough, improved
from lapmark.solvers.costs import DenseCost
from lapmark.solvers.costs.c_transform import all_duals
from lapmark.solvers.problem import Transport
from lapmark.solvers.result import Plan
from lapmark.solvers.validation import LARGEST_COST

if TYPE_CHECKING:
    from scipy.sparse import csr_array

#: Ratio of duals to the typical difference of costs above which even twice the precision loses digits.
SUSPECT = 2.0**70

#: Largest number of pairs of a problem to refine.
MOST_PAIRS = 2**22


def refined_plan(problem: Transport, plan: Plan, search: Callable[[Transport], Plan]) -> Plan:
    """Return an optimal plan with duals, given one that rounding may have spoilt; the same one if it has not.

    Parameters
    ----------
    problem : Transport
        Without a blur or a reach.
    plan : Plan
        One with masses and duals.
    search : callable
        Solves a balanced problem up to rounding.
    """
    # Imported here because scipy.sparse takes long to import.
    from lapmark.solvers.certificate.plan import claim_of

    good = _good(problem, plan)
    if good is None:
        return plan
    assert plan.mass is not None
    f, g = plan.duals
    with np.errstate(over="ignore", invalid="ignore"):
        claim, used = claim_of(problem, plan.mass)
        duals = claim.terms.given(f[used[0]], g[used[1]])
        first = Found(plan.mass, claim, duals, claim.excess(duals))
        found = improved(first, good, lambda found: _shipped_again(problem, found, used, search))
    if found is first:
        return plan
    summed = found.duals.f + found.duals.f_rest, found.duals.g + found.duals.g_rest
    return Plan.of(problem, found.answer, *all_duals(problem.cost, *used, *summed, problem.surplus), plan.counters)


def _good(problem: Transport, plan: Plan) -> float | None:
    """Return the excess at which the plan is good enough; None if rounding cannot have spoilt it."""
    n, m = problem.shape
    if plan.mass is None or plan.f is None or plan.g is None or n * m > MOST_PAIRS or plan.mass.nnz <= 1:
        return None
    good = good_enough(problem.cost, plan.mass.nonzero(), plan.f, plan.g, 0.0, SUSPECT)
    return None if good is None else good * float(plan.mass.sum()) / plan.mass.nnz


def _shipped_again(
    problem: Transport,
    found: Found[csr_array],
    used: tuple[np.ndarray, np.ndarray],
    search: Callable[[Transport], Plan],
) -> Found[csr_array]:
    """Return the best plan at reduced costs, with its duals added to the earlier ones."""
    from scipy.sparse import csr_array

    from lapmark.solvers.certificate.plan import claim_of

    claim, p = found.claim, found.duals
    terms, (n, m) = claim.terms, claim.terms.cost.shape
    rows, columns = np.nonzero(np.isfinite(terms.cost.dense()))
    lengths, _ = claim.slack(p, rows, columns, terms.cost.exact_entries(rows, columns))
    cost = np.full((n + terms.columns_keep, m + terms.rows_keep), np.inf)
    cost[rows, columns] = np.clip(lengths, 0.0, LARGEST_COST)
    a, b = (masses[some] for masses, some in zip(problem.masses, used, strict=True))
    spare = abs(problem.surplus)
    # Mass that a row or a column keeps goes to a spare one, at the cost of its dual.
    if terms.rows_keep:
        cost[:n, m], b = -(p.f + p.f_rest), np.append(b, spare)
    if terms.columns_keep:
        cost[n, :m], a = -(p.g + p.g_rest), np.append(a, spare)
    again = search(Transport(DenseCost(cost), a, b, blur=0))
    assert again.mass is not None
    f, g = again.duals
    moved = again.mass[:n, :m].tocoo()
    mass = csr_array((moved.data, (used[0][moved.row], used[1][moved.col])), shape=problem.shape)
    level = g[m] if terms.rows_keep else -f[n] if terms.columns_keep else 0.0
    f, g = f[:n] + level, g[:m] - level
    by_columns = terms.from_which == "columns"
    duals = terms.given_columns(p.g, p.g_rest + g) if by_columns else terms.given_rows(p.f, p.f_rest + f)
    claim, _ = claim_of(problem, mass)
    return Found(mass, claim, duals, claim.excess(duals))
