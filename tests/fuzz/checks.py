"""What has to hold of every problem: its answers are right, and nothing is said of one that is not so."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import numpy as np

from lapmark import Assignment, Infeasible, Matching, Plan, Transport, certify, solve
from lapmark.solvers.certificate import TOLERANCE, Certificate
from lapmark.solvers.problem import Problem

from .problems import Rng, draw_problem, is_ordinary
from .referees import Costs, exact_costs, least_assignment, least_plan, scope_of

#: Solvers of ours that are held to the optimum.
SOLVERS = {Assignment: ("auto", "cascade", "jv", "auction"), Transport: ("auto",)}


class Finding(AssertionError):
    """Something that does not hold, with the problem."""


def check_seed(seed: int, largest: int = 6) -> int:
    """Draw the problem of a seed and check all there is to it; the number of certificates that were asked for.

    Raises
    ------
    Finding
    """
    rng = np.random.default_rng(seed)
    problem = draw_problem(rng, largest)
    costs = exact_costs(problem)
    check = _check_assignment if isinstance(problem, Assignment) else _check_transport
    try:
        return check(problem, costs, rng)
    except Finding as finding:
        raise Finding(f"seed {seed}: {finding}\n{_shown(problem)}") from None


def _shown(problem: Problem) -> str:
    cost = problem.cost
    inside = f"x={cost.x.tolist()}, y={cost.y.tolist()}, scale={cost.scale}" if cost.kind == "points" else cost.dense()
    return f"{type(problem).__name__} of {cost.kind} costs {inside}, " + ", ".join(
        f"{each.name}={getattr(problem, each.name)}" for each in dataclasses.fields(problem) if each.name != "cost"
    )


def _check_assignment(problem: Assignment, costs: Costs, rng: Rng) -> int:
    (n, m), limited = problem.shape, problem.limit is not None
    optimum = least_assignment(costs, limited)
    count, known = 0, None
    for name in SOLVERS[Assignment]:
        capable = name == "auto" or not (name == "auction" and limited)
        if not capable or (name == "auction" and problem.cost.kind == "sparse"):
            continue
        try:
            matching = solve(problem, name)
        except Infeasible:
            if optimum is not None:
                raise Finding(f"{name} finds no matching") from None
            continue
        if optimum is None:
            raise Finding(f"{name} finds a matching where there is none")
        paid = _paid(costs, matching.row_to_col)
        scope = scope_of(costs, paid, limited)
        if paid - optimum > Fraction(TOLERANCE) * max(scope, _size(problem, matching) / 10**6):
            raise Finding(f"{name} pays {float(paid)} for {float(optimum)}")
        known = matching
        count += _judge_matching(problem, costs, matching, optimum, "answer of " + name)
        count += _judge_matching(problem, costs, Matching(matching.row_to_col, matching.cost), optimum, "bare " + name)
    if known is None or optimum is None:
        return count
    for x in _planted(problem, known.row_to_col, rng):
        if any(costs[i][j] is None for i, j in enumerate(x.tolist()) if j >= 0):
            continue
        shift = 10.0 ** rng.uniform(0, 300)
        for u, v in ((known.u, known.v), (known.u + shift, known.v - shift), (rng.normal(size=n), rng.normal(size=m))):
            count += _judge_matching(problem, costs, Matching.of(problem, x, u, v), optimum, "planted")
    return count


def _planted(problem: Assignment, row_to_col: np.ndarray, rng: Rng) -> list[np.ndarray]:
    """Matchings next to an optimal one: two columns exchanged, and another column where one is free."""
    m = problem.shape[1]
    found = []
    rows = np.flatnonzero(row_to_col >= 0)
    if len(rows) > 1:
        i, k = rng.choice(rows, 2, replace=False)
        found.append(row_to_col.copy())
        found[-1][[i, k]] = row_to_col[[k, i]]
    free = np.setdiff1d(np.arange(m), row_to_col)
    if len(free) and len(rows):
        found.append(row_to_col.copy())
        found[-1][rng.choice(rows)] = rng.choice(free)
    return found


def _paid(costs: Costs, row_to_col: np.ndarray) -> Fraction:
    paid = Fraction(0)
    for i, j in enumerate(row_to_col.tolist()):
        if j >= 0:
            value = costs[i][j]
            if value is None:
                raise Finding(f"row {i} is matched to column {j}, a forbidden pair")
            paid += value
    return paid


def _judge_matching(problem: Assignment, costs: Costs, matching: Matching, optimum: Fraction, what: str) -> int:
    limited = problem.limit is not None
    proof = certify(problem, matching)
    if not proof.valid:
        raise Finding(f"{what}: {proof.fault}")
    paid = _paid(costs, matching.row_to_col)
    sign = -1 if problem.maximize else 1
    scope = scope_of(costs, paid, limited)
    # Points are summed in twice the precision, which is off by such a part of what is paid.
    off = _size(problem, matching) / 2**94 if problem.cost.kind == "points" else Fraction(0)
    _judge(problem, proof, sign * proof.dual_bound, paid - optimum, optimum, scope, off, what)
    return 1


def _size(problem: Assignment, matching: Matching) -> Fraction:
    """What the chosen costs add up to regardless of their signs, and the limit of all that might be chosen."""
    rows = np.flatnonzero(matching.row_to_col >= 0)
    entries = problem.cost.entries(rows, matching.row_to_col[rows])
    limits = min(problem.shape) * abs(Fraction(problem.limit or 0))
    return sum((abs(Fraction(entry)) for entry in entries.tolist()), limits)


def _judge(
    problem: Problem,
    proof: Certificate,
    bound: float,
    excess: Fraction,
    optimum: Fraction,
    scope: Fraction,
    off: Fraction,
    what: str,
) -> None:
    """Hold what a certificate says against what is so; the excess is that of the answer over the optimum."""
    if np.isfinite(bound) and Fraction(bound) > optimum + off:
        raise Finding(f"{what}: bound {bound!r} above the optimum by {float(Fraction(bound) - optimum)}: {proof}")
    if proof.exactly_optimal and excess > off:
        raise Finding(f"{what}: exactly optimal, but {float(excess)} above the optimum: {proof}")
    if proof.optimal and excess > Fraction(TOLERANCE) * scope * Fraction(1 + 1e-9) + off:
        raise Finding(f"{what}: optimal, but {float(excess)} above the optimum, of a scope of {float(scope)}: {proof}")
    if excess == 0 and not proof.optimal and is_ordinary(problem) and scope > 10**15 * off:
        raise Finding(f"{what}: not proven: {proof}")


def _check_transport(problem: Transport, costs: Costs, rng: Rng) -> int:
    try:
        plan = solve(problem)
    except Infeasible:
        a, b = ([Fraction(mass) for mass in masses.tolist()] for masses in (problem.a, problem.b))
        slack = max(sum(a), sum(b)) * Fraction(1e-6)
        least = min(sum(a), sum(b))
        # Allowing everything at a cost of 1 per unit tells how much cannot go along allowed pairs.
        astray = least_plan(
            [[Fraction(value is None) for value in row] for row in costs], *_even(a, b, problem.partial)
        )
        if astray is not None and astray < min([mass for mass in (*a, *b) if mass > 0] + [least]) * Fraction(1e-9):
            raise Finding(f"finds no plan, though all but {float(astray)} can be moved") from None
        return 0 if slack else 1
    count = _judge_plan(problem, costs, plan, "answer")
    count += _judge_plan(problem, costs, dataclasses.replace(plan, f=None, g=None), "bare answer")
    planted = _exchanged(plan, rng)
    if planted is not None and np.isfinite(problem.cost.entries(*planted.tocoo().coords)).all():
        shift = 10.0 ** rng.uniform(0, 300)
        for f, g in ((plan.f, plan.g), (plan.f + shift, plan.g - shift)):
            count += _judge_plan(problem, costs, Plan.of(problem, planted, f, g), "planted", exact=False)
    return count


def _even(a: list[Fraction], b: list[Fraction], partial: bool) -> tuple[list[Fraction], list[Fraction]]:
    """Masses of which the second are scaled to the sum of the first, where the difference is rounding."""
    return (a, b) if partial else (a, [mass * sum(a) / sum(b) for mass in b])


def _exchanged(plan: Plan, rng: Rng):
    """A plan in which two shipments have exchanged some of their ends."""
    mass = plan.mass.toarray()
    rows, columns = np.nonzero(mass)
    if len(rows) < 2:
        return None
    one, other = rng.choice(len(rows), 2, replace=False)
    if rows[one] == rows[other] or columns[one] == columns[other]:
        return None
    some = min(mass[rows[one], columns[one]], mass[rows[other], columns[other]]) * rng.choice([1.0, 0.5, 1e-6])
    for at, sign in (((one, one), -1), ((other, other), -1), ((one, other), 1), ((other, one), 1)):
        mass[rows[at[0]], columns[at[1]]] = max(mass[rows[at[0]], columns[at[1]]] + sign * some, 0.0)
    import scipy.sparse

    return scipy.sparse.csr_array(mass)


def _judge_plan(problem: Transport, costs: Costs, plan: Plan, what: str, exact: bool = True) -> int:
    proof = certify(problem, plan)
    if not proof.valid:
        raise Finding(f"{what}: {proof.fault}")
    n, m = problem.shape
    moved = plan.mass.tocoo()
    sums = [Fraction(0)] * n, [Fraction(0)] * m
    paid = Fraction(0)
    for i, j, mass in zip(*(axis.tolist() for axis in moved.coords), moved.data.tolist(), strict=True):
        value = costs[i][j]
        if value is None:
            raise Finding(f"{what}: moves mass along a forbidden pair")
        paid += Fraction(mass) * value
        sums[0][i] += Fraction(mass)
        sums[1][j] += Fraction(mass)
    given = [[Fraction(mass) for mass in masses.tolist()] for masses in (problem.a, problem.b)]
    surplus = problem.surplus
    keeps = surplus > 0, surplus < 0
    if exact:
        _check_marginals(given, sums, keeps, what)
    # The cheapest plan of the same marginals, and of what may be kept as much as there is.
    marginals = [
        [
            max(have, used) if keep and have - used > have * Fraction(1e-12) else used
            for have, used in zip(each, own, strict=True)
        ]
        for each, own, keep in zip(given, sums, keeps, strict=True)
    ]
    optimum = least_plan(costs, *marginals)
    if optimum is None or (surplus and min(sum(marginals[0]), sum(marginals[1])) > sum(sums[0])):
        return 1
    if exact and problem.cost.kind != "points":
        scale = max(abs(paid), abs(optimum))
        if paid - optimum > Fraction(1e-9) * scale:
            raise Finding(f"{what}: costs {float(paid)} where {float(optimum)} is enough")
    excess = paid - optimum
    off = (
        sum(
            abs(Fraction(mass)) * abs(costs[i][j])
            for i, j, mass in zip(*(axis.tolist() for axis in moved.coords), moved.data.tolist(), strict=True)
        )
        * Fraction(2) ** -94
    )
    if (
        proof.optimal
        and excess > Fraction(TOLERANCE) * Fraction(max(proof.scope, 0.0) if np.isfinite(proof.scope) else 0.0) + off
    ):
        raise Finding(f"{what}: optimal, but {float(excess)} above the optimum: {proof}")
    if proof.exactly_optimal and excess > off:
        raise Finding(f"{what}: exactly optimal, but {float(excess)} above the optimum: {proof}")
    if exact and not proof.optimal and excess == 0 and is_ordinary(problem) and not proof.scope < 10**15 * off:
        raise Finding(f"{what}: not proven: {proof}")
    return 1


def _check_marginals(given, sums, keeps, what: str) -> None:
    """Each mass is met to 10⁻¹² of itself, b as scaled to the sum of a."""
    (a, b), balanced = given, not any(keeps)
    if balanced:
        b = [mass * sum(a) / sum(b) for mass in b]
    for each, own, keep, side in zip((a, b), sums, keeps, ("row", "column"), strict=True):
        for k, (have, used) in enumerate(zip(each, own, strict=True)):
            if used - have > have * Fraction(1e-12) or (not keep and have - used > have * Fraction(1e-12)):
                raise Finding(f"{what}: {side} {k} of mass {float(have)} moves {float(used)}")
