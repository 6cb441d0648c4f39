"""Checks of assignment solvers: each of these solvers breaks a promise, and the named checks find it."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from lapmark import Assignment, Capabilities, Infeasible, Matching, TimeLimit, solve
from lapmark.bench.contract import CHECKS, Broken, check
from lapmark.solvers import registry
from lapmark.solvers.registry import Solver

ABLE = Capabilities(
    exact=True,
    rectangular=True,
    forbidden=True,
    limit=True,
    duals=True,
    time_limit=True,
    counters={"row_scans", "augmentations", "reductions"},
)


def right(problem, **options):
    return solve(problem, "jv", **options)


def greedy(problem):
    matrix = np.array(problem.cost.dense(), dtype=float)
    row_to_col = np.full(matrix.shape[0], -1)
    for _ in range(min(matrix.shape)):
        i, j = np.unravel_index(np.argmin(matrix), matrix.shape)
        row_to_col[i] = j
        matrix[i], matrix[:, j] = np.inf, np.inf
    return Matching.of(problem, row_to_col)


def first_columns(problem):
    return Matching.of(problem, np.zeros(problem.shape[0], dtype=int))


def single_precision(problem):
    matrix = np.asarray(problem.cost.dense(), dtype=np.float32)
    return Matching.of(problem, right(dataclasses.replace(problem, cost=type(problem.cost)(matrix))).row_to_col)


def scribbles(problem):
    answer = right(problem)
    if problem.cost.dense().flags.writeable:
        problem.cost.dense()[0, 0] = 0.5
    return answer


def swapped_duals(problem):
    answer = right(problem)
    return dataclasses.replace(answer, u=-answer.u, v=-answer.v)


def ignores_forbidden(problem):
    try:
        return right(problem)
    except ValueError:
        n, m = problem.shape
        return Matching(np.where(np.arange(n) < m, np.arange(n), -1), 0.0)


calls = itertools.count()


def counts_calls(problem):
    return dataclasses.replace(right(problem), counters={"calls": next(calls)})


def counts_more(problem):
    return dataclasses.replace(right(problem), counters={"undeclared": 1})


def lies(problem):
    answer = right(problem)
    return dataclasses.replace(answer, cost=answer.cost - 1)


def ignores_limit(problem):
    return right(dataclasses.replace(problem, limit=None))


def names_any_rows(problem):
    try:
        return right(problem)
    except Infeasible:
        n, m = problem.shape
        raise Infeasible.hall(range(n), range(m - (n <= m))) from None


def never_late(problem, time_limit=None):
    return right(problem)


def optimistic(problem, time_limit=None):
    try:
        return right(problem, time_limit=time_limit)
    except TimeLimit as late:
        raise TimeLimit(late.seconds, late.shape, bound=1e9) from None


def raises(problem):
    raise RuntimeError("out of ideas")


CAUGHT = {
    greedy: ("brute-force", "planted", "referee-float64", "referee-rectangular", "certificate", "duals", "big-m"),
    first_columns: ("brute-force", "referee-bool", "equal-costs", "certificate"),
    single_precision: ("offset-costs", "near-ties"),
    scribbles: ("untouched",),
    swapped_duals: ("duals", "duals-rectangular"),
    ignores_forbidden: ("infeasible", "infeasible-rectangular"),
    ignores_limit: ("limit", "duals-limit"),
    names_any_rows: ("infeasible", "infeasible-rectangular"),
    never_late: ("time-limit",),
    optimistic: ("time-limit",),
    counts_calls: ("repeatable",),
    counts_more: ("repeatable",),
    lies: ("brute-force", "planted-rectangular", "sparse", "points"),
    raises: ("brute-force", "infeasible", "layouts"),
}


@pytest.mark.parametrize(("solver", "name"), [(solver, name) for solver, names in CAUGHT.items() for name in names])
def test_check_of_a_solver_that_breaks_a_promise_fails(solver, name, monkeypatch):
    put_in(monkeypatch, solver, ABLE)
    with pytest.raises(Broken):
        check("under-test", name)


@pytest.mark.parametrize("name", [name for name, each in CHECKS.items() if each.kind is Assignment])
def test_check_of_a_right_solver_passes(name, monkeypatch):
    put_in(monkeypatch, right, ABLE)
    verdict = check("under-test", name)
    assert verdict.ran
    assert verdict.skipped is None


def test_check_that_a_solver_refuses_is_skipped(monkeypatch):
    put_in(monkeypatch, right, Capabilities(exact=True))
    for name, reason in (
        ("brute-force-rectangular", "takes square problems only"),
        ("referee-forbidden", "takes no forbidden pairs"),
        ("duals", "claims no duals"),
        ("infeasible", "takes no forbidden pairs"),
        ("limit", "takes no limit on the cost of a pair"),
        ("time-limit", "cannot be stopped"),
    ):
        verdict = check("under-test", name)
        assert verdict.ran == 0
        assert reason in verdict.skipped


def test_failed_check_shows_its_input(monkeypatch):
    put_in(monkeypatch, greedy, ABLE)
    with pytest.raises(Broken, match=r"(?s)2×2 int64 \[\[12 30\].*costs 15 more than the optimum, 42"):
        check("under-test", "brute-force")


def put_in(monkeypatch, function, capabilities):
    registry.solvers()
    monkeypatch.setitem(registry._solvers, "under-test", Solver("under-test", capabilities, function))
